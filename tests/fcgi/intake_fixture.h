/*
 * Uploads to a service by every way that a body can take, and what must hold
 * after one. For checked fixtures alone, as all of tests/fcgi/service.h.
 */
#ifndef TESTS_FCGI_INTAKE_FIXTURE_H
#define TESTS_FCGI_INTAKE_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/cgi.h"
#include "fcgi/incoming.h"
#include "tests/fcgi/service.h"

#define LARGE 3000001 /* bytes; more than any buffer or piece but the last */
#define PARAMS 8

/* Where a body comes from. The same cases are put through all of them. */
enum source { FASTCGI, CGI_SOCKET, CGI_PIPE, CGI_FILE, HANDED_OVER, SOURCES };
#define STREAMS CGI_FILE /* the first so many; the others are there whole */

/* One upload. */
struct upload {
	enum source source;
	const struct slot *slot;
	const char *data;
	size_t len;
	bool chunked;    /* else the slot's size is announced */
	bool stalls;     /* the sender does not end after the last byte */
	useconds_t late; /* and waits before its second half */
};

static struct service service;
static struct slot slot;
static char incoming_dir[250];
static char data[LARGE + 1];

static inline void
set_up(void)
{
	service_open(&service);
	service.now = time(NULL); /* as cgi_answer reads it */
	service.config.read_timeout = 1;
	slot = service_grant(&service, "a", NULL, LARGE);
	snprintf(incoming_dir, sizeof(incoming_dir), "%s/nginx", service.dir);
	ck_assert_int_eq(incoming_open(incoming_dir, service.http.bodies,
			     &service.http.incoming),
	    1);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	signal(SIGPIPE, SIG_IGN);
}

static inline void
tear_down(void)
{
	incoming_close(service.http.incoming);
	service_close(&service);
}

/* ---- one upload ---- */

static inline const char *
handed_over_path(void)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/7/0000000017", incoming_dir);
	return path;
}

static inline void
hand_over(const struct upload *up, struct exchange *x)
{
	const char *path = handed_over_path();
	char level[300];
	FILE *file;

	snprintf(level, sizeof(level), "%s/7", incoming_dir);
	mkdir(level, 0700);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_uint_eq(fwrite(up->data, 1, up->len, file), up->len);
	ck_assert_int_eq(fclose(file), 0);
	exchange_param(x, "REQUEST_BODY_FILE", path);
}

static inline int
by_fastcgi(const struct upload *up, const char *uri, const char *length)
{
	struct exchange x;
	int status;

	exchange_open(&x, &service, "PUT", uri);
	if (up->source == HANDED_OVER)
		hand_over(up, &x);
	else
		streams_open_reader(&x.body, up->data, up->len);
	x.body.error_at_end = up->stalls ? EAGAIN : 0;
	exchange_param(&x, "SERVER_PROTOCOL", "HTTP/1.1");
	exchange_param(&x, up->chunked ? "HTTP_TRANSFER_ENCODING" : "X", "x");
	exchange_param(&x, "CONTENT_LENGTH", length);
	ck_assert_int_eq(sscanf(exchange_run(&x), "Status: %d ", &status), 1);
	if (up->source == HANDED_OVER) {
		ck_assert_int_eq(
		    access(handed_over_path(), F_OK) == 0, status != 201);
		ck_assert(
		    x.request.body_consumed || status == 409 || status == 507);
	}
	exchange_close(&x);
	return status;
}

/* A PUT of the slot by FastCGI, of unknown length and without a body yet. */
static inline void
open_chunked_put(struct exchange *x)
{
	char uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a", slot.token, slot.secret);
	exchange_open(x, &service, "PUT", uri);
	exchange_param(x, "HTTP_TRANSFER_ENCODING", "chunked");
}

struct sender {
	const struct upload *upload;
	int fd;
	pthread_t thread;
};

/* A reader that has had enough is none of the sender's business. */
static inline void
send_some(int fd, const char *from, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, from, len);
		if (n <= 0)
			return;
		from += n;
		len -= (size_t)n;
	}
}

static inline void *
send_all(void *arg)
{
	struct sender *s = arg;
	size_t half = s->upload->len / 2;

	send_some(s->fd, s->upload->data, half);
	usleep(s->upload->late);
	send_some(s->fd, s->upload->data + half, s->upload->len - half);
	if (!s->upload->stalls)
		shutdown(s->fd, SHUT_WR);
	if (s->upload->source == CGI_PIPE && !s->upload->stalls)
		close(s->fd);
	return NULL;
}

/* The program's standard input; what is to be written to is in s->fd. */
static inline int
open_input(struct sender *s)
{
	int fds[2] = {-1, -1};

	switch (s->upload->source) {
	case CGI_FILE:
		fds[0] = open(service.dir, O_TMPFILE | O_RDWR, 0600);
		send_some(fds[0], s->upload->data, s->upload->len);
		lseek(fds[0], 0, SEEK_SET);
		break;
	case CGI_PIPE:
		ck_assert_int_eq(pipe(fds), 0);
		break;
	default:
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	}
	s->fd = fds[1];
	return fds[0];
}

static inline int
status_in(int out)
{
	char text[100] = "";
	int status = 0;

	ck_assert_int_gt(pread(out, text, sizeof(text) - 1, 0), 0);
	ck_assert_int_eq(sscanf(text, "Status: %d ", &status), 1);
	close(out);
	return status;
}

static inline int
by_cgi(const struct upload *up, char **params)
{
	struct sender sender = {.upload = up};
	int in = open_input(&sender);
	int out = open(service.dir, O_TMPFILE | O_RDWR, 0600);

	if (sender.fd >= 0)
		ck_assert_int_eq(
		    pthread_create(&sender.thread, NULL, send_all, &sender), 0);
	cgi_answer(&service.http, params, in, out);
	close(in);
	if (sender.fd >= 0)
		pthread_join(sender.thread, NULL);
	return status_in(out);
}

static inline int
put(const struct upload *up)
{
	char uri[120], length[60];
	char *params[PARAMS + 1] = {"GATEWAY_INTERFACE=CGI/1.1",
	    "SERVER_PROTOCOL=HTTP/1.1", "REQUEST_METHOD=PUT", uri, length};

	snprintf(uri, sizeof(uri), "REQUEST_URI=/%.*s/%.*s/a", TOKEN_LEN,
	    up->slot->token, TOKEN_LEN, up->slot->secret);
	snprintf(length, sizeof(length), "CONTENT_LENGTH=%lld",
	    (long long)up->slot->size);
	if (up->source == FASTCGI || up->source == HANDED_OVER)
		return by_fastcgi(up, strchr(uri, '=') + 1,
		    up->chunked ? NULL : strchr(length, '=') + 1);
	if (up->chunked)
		params[4] = "HTTP_TRANSFER_ENCODING=chunked";
	return by_cgi(up, params);
}

/* ---- what must hold then ---- */

/* Bytes that come through the program are digested on their way. */
static inline void
assert_digest(const struct slot *found, enum source source)
{
	bool passing = source == FASTCGI || source == CGI_SOCKET;
	unsigned char sha256[STORE_SHA256_LEN];

	ck_assert_int_eq(EVP_Digest(data, (size_t)found->size, sha256, NULL,
			     EVP_sha256(), NULL),
	    1);
	ck_assert(found->digested == (passing || service.config.durable ||
					 found->size <= 1 << 20));
	if (found->digested)
		ck_assert_mem_eq(found->sha256, sha256, sizeof(sha256));
}

static inline void
assert_stored(const struct slot *which, enum source source)
{
	size_t len = (size_t)which->size;
	struct stat st;
	struct slot found;
	char *got = malloc(len + 1);
	int64_t size;
	int fd;

	ck_assert_int_eq(store_find(service.grants, which->token, &found), 1);
	ck_assert_int_ne(found.stored_at, 0);
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, which->token, &fd, &size), 1);
	ck_assert_int_eq(read(fd, got, len + 1), (ssize_t)len);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_eq(st.st_nlink, 1);
	close(fd);
	ck_assert(memcmp(got, data, len) == 0);
	free(got);
	assert_digest(&found, source);
}

/* Nothing lies on the disk, the row awaits its PUT, and the PUT works. */
static inline void
assert_usable(enum source source)
{
	const struct upload again = {
	    .source = source, .slot = &slot, .data = data, .len = LARGE};
	ck_assert_int_eq(service_count_files(&service), 0);
	ck_assert_int_eq(put(&again), 201);
	assert_stored(&slot, source);
}

#endif
