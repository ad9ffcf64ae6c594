/*
 * A server on a socket of its own, which runs in a thread of the test, and
 * the web server that speaks FastCGI 1.0 to it. The functions fail the
 * running test when an answer does not come in time.
 */
#ifndef TESTS_FCGI_SERVER_FIXTURE_H
#define TESTS_FCGI_SERVER_FIXTURE_H

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <fastcgi.h>

#include "fcgi/server.h"
#include "fcgi/socket.h"
#include "tests/fcgi/service.h"

#define BODY "hello"
#define SIZE 5
#define PATIENCE 20 /* seconds that a client waits before the test fails */

static struct service service;
static struct slot slot;
static struct socket_file *listener;
static char path[260];
static pthread_t thread;
static int result;

static inline void *
serve(void *arg)
{
	(void)arg;
	result = server_run(socket_descriptor(listener), &service.http);
	return NULL;
}

static inline void
set_up(void)
{
	sigset_t set;

	/* as main's only thread: the signal is for the server to take */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);

	service_open(&service);
	service.now = time(NULL);
	service.config.threads = 1;
	slot = service_grant(&service, "a", NULL, SIZE);
	snprintf(path, sizeof(path), "%s/sock", service.dir);
	ck_assert_int_eq(socket_listen(path, 0600, NULL, &listener), 1);
}

static inline void
start(void)
{
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static inline void
wait_for_end(void)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(result, 1);
}

static inline void
stop(void)
{
	kill(getpid(), SIGTERM);
	wait_for_end();
}

static inline void
tear_down(void)
{
	socket_close(listener);
	service_close(&service);
}

/* ---- the web server's side, FastCGI 1.0 ---- */

static inline void
reach(int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path) + 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ck_assert_int_eq(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static inline int
dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	reach(fd);
	return fd;
}

/* Appends one record. Returns its end. */
static inline char *
record(char *to, int type, const void *content, size_t len)
{
	FCGI_Header header = {.version = FCGI_VERSION_1,
	    .type = (unsigned char)type,
	    .requestIdB0 = 1,
	    .contentLengthB1 = (unsigned char)(len >> 8),
	    .contentLengthB0 = (unsigned char)(len & 0xff)};

	memcpy(to, &header, sizeof(header));
	if (len > 0)
		memcpy(to + sizeof(header), content, len);
	return to + sizeof(header) + len;
}

static inline char *
pair(char *to, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	ck_assert_uint_lt(n, 128);
	ck_assert_uint_lt(v, 128);
	*to++ = (char)n;
	*to++ = (char)v;
	memcpy(to, name, n);
	memcpy(to + n, value, v);
	return to + n + v;
}

enum keep { CLOSE, KEEP };

/* Writes the records of a request's beginning to buf: all but its body. */
static inline char *
begin(char *buf, enum keep keep, const char *method, const char *uri,
    const char *length)
{
	FCGI_BeginRequestBody body = {.roleB0 = FCGI_RESPONDER,
	    .flags = keep == KEEP ? FCGI_KEEP_CONN : 0};
	char params[500], *end = params;

	end = pair(end, "REQUEST_METHOD", method);
	end = pair(end, "REQUEST_URI", uri);
	end = pair(end, "CONTENT_LENGTH", length);
	buf = record(buf, FCGI_BEGIN_REQUEST, &body, sizeof(body));
	buf = record(buf, FCGI_PARAMS, params, (size_t)(end - params));
	return record(buf, FCGI_PARAMS, NULL, 0);
}

static inline void
send_all(int fd, const char *from, const char *to)
{
	ck_assert_int_eq(write(fd, from, (size_t)(to - from)), to - from);
}

/* Sends a request of any method without a body. */
static inline void
ask(int fd, enum keep keep, const char *method, const char *uri)
{
	char buf[1000], *end = begin(buf, keep, method, uri, "");

	end = record(end, FCGI_STDIN, NULL, 0);
	send_all(fd, buf, end);
}

/* Begins a PUT of the slot, without a byte of its body. */
static inline void
begin_put(int fd, enum keep keep)
{
	char buf[1000], uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a", slot.token, slot.secret);
	send_all(fd, buf, begin(buf, keep, "PUT", uri, "5"));
}

static inline void
send_body(int fd, const char *data, size_t len)
{
	char buf[1000];

	send_all(fd, buf, record(buf, FCGI_STDIN, data, len));
}

/* A client that stands still in the middle of the slot's body. */
static inline int
dial_and_put_half(enum keep keep)
{
	int fd = dial();

	begin_put(fd, keep);
	send_body(fd, "hel", 3);
	return fd;
}

static inline void
put_rest(int fd)
{
	send_body(fd, "lo", 2);
	send_body(fd, NULL, 0);
}

/* Reads exactly len bytes; false at the end of the connection. */
static inline bool
read_all(int fd, void *to, size_t len)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < len && n > 0) {
		n = read(fd, (char *)to + done, len - done);
		done += n > 0 ? (size_t)n : 0;
	}
	ck_assert_msg(n >= 0, "the server did not answer in time");
	return done == len;
}

/* Reads one answer. Its status; -1 when the connection ended before. */
static inline int
answer(int fd)
{
	char content[65536 + 1];
	FCGI_Header header;
	int status = -1;

	while (read_all(fd, &header, sizeof(header))) {
		size_t len = (size_t)(header.contentLengthB1 << 8 |
				      header.contentLengthB0);
		ck_assert(read_all(fd, content, len));
		ck_assert(read_all(fd, content + len, header.paddingLength));
		content[len] = '\0';
		if (header.type == FCGI_END_REQUEST)
			return status;
		if (status == -1)
			sscanf(content, "Status: %d ", &status);
	}
	return -1;
}

static inline bool
is_closed(int fd)
{
	char byte;

	return !read_all(fd, &byte, 1);
}

/* On a connection of its own. */
static inline void
ask_and_check(void)
{
	int client = dial();

	ask(client, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(client), 204);
	close(client);
}

#endif
