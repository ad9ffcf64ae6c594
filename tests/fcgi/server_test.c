#include "fcgi/server.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <fastcgi.h>

#include "fcgi/gate.h"
#include "fcgi/socket.h"
#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define BODY "hello"
#define SIZE 5
#define SPARE 64    /* descriptors */
#define MANY 32     /* threads */
#define IDLE 10     /* kept connections, to one thread */
#define SLOW_MAX 32 /* clients */
#define PATIENCE 20 /* seconds that a client waits before the test fails */

static struct service service;
static struct slot slot;
static struct socket_file *listener;
static char path[260];
static pthread_t thread;
static int result;

static void *
serve(void *arg)
{
	(void)arg;
	result = server_run(socket_descriptor(listener), &service.http);
	return NULL;
}

static void
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

static void
start(void)
{
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void
wait_for_end(void)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(result, 1);
}

static void
stop(void)
{
	kill(getpid(), SIGTERM);
	wait_for_end();
}

static void
tear_down(void)
{
	socket_close(listener);
	service_close(&service);
}

/* ---- the web server's side, FastCGI 1.0 ---- */

static void
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

static int
dial(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	reach(fd);
	return fd;
}

/* Appends one record. Returns its end. */
static char *
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

static char *
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
static char *
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

static void
send_all(int fd, const char *from, const char *to)
{
	ck_assert_int_eq(write(fd, from, (size_t)(to - from)), to - from);
}

/* Sends a request of any method without a body. */
static void
ask(int fd, enum keep keep, const char *method, const char *uri)
{
	char buf[1000], *end = begin(buf, keep, method, uri, "");

	end = record(end, FCGI_STDIN, NULL, 0);
	send_all(fd, buf, end);
}

/* Begins a PUT of the slot, without a byte of its body. */
static void
begin_put(int fd, enum keep keep)
{
	char buf[1000], uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a", slot.token, slot.secret);
	send_all(fd, buf, begin(buf, keep, "PUT", uri, "5"));
}

static void
send_body(int fd, const char *data, size_t len)
{
	char buf[1000];

	send_all(fd, buf, record(buf, FCGI_STDIN, data, len));
}

/* Reads exactly len bytes; false at the end of the connection. */
static bool
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
static int
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

static bool
is_closed(int fd)
{
	char byte;

	return !read_all(fd, &byte, 1);
}

/* On a connection of its own. */
static void
ask_and_check(void)
{
	int client = dial();

	ask(client, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(client), 204);
	close(client);
}

/* ---- tests ---- */

START_TEST(a_request_is_answered_and_its_connection_closed)
{
	int fd;

	start();
	fd = dial();
	ask(fd, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(fd), 204);
	ck_assert(is_closed(fd));
	close(fd);
	stop();
}
END_TEST

START_TEST(a_put_over_a_socket_is_stored)
{
	int64_t size;
	int fd;

	start();
	fd = dial();
	begin_put(fd, CLOSE);
	send_body(fd, "hel", 3);
	send_body(fd, "lo", 2);
	send_body(fd, NULL, 0);
	ck_assert_int_eq(answer(fd), 201);
	close(fd);
	stop();
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 1);
	ck_assert_int_eq(size, SIZE);
	close(fd);
}
END_TEST

START_TEST(an_aborted_put_is_not_stored)
{
	int64_t size;
	int fd;

	start();
	fd = dial();
	begin_put(fd, CLOSE);
	send_body(fd, "hel", 3);
	close(fd);
	/* the one thread is free again */
	ask_and_check();
	stop();
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 0);
}
END_TEST

START_TEST(idle_threads_end_at_a_signal)
{
	time_t before = time(NULL);

	service.config.threads = 8;
	start();
	stop();
	ck_assert_int_lt(time(NULL) - before, PATIENCE / 2);
}
END_TEST

START_TEST(a_request_in_flight_is_finished)
{
	int fd;

	start();
	fd = dial();
	begin_put(fd, KEEP);
	send_body(fd, "hel", 3);
	usleep(100 * 1000); /* not for readiness: any moment will do */
	kill(getpid(), SIGTERM);
	usleep(100 * 1000);
	send_body(fd, "lo", 2);
	send_body(fd, NULL, 0);
	ck_assert_int_eq(answer(fd), 201);
	close(fd);
	wait_for_end();
}
END_TEST

START_TEST(a_kept_connection_serves_again_and_ends_at_a_signal)
{
	int fd;

	start();
	fd = dial();
	for (int i = 0; i < 3; i++) {
		ask(fd, KEEP, "OPTIONS", "/x");
		ck_assert_int_eq(answer(fd), 204);
	}
	begin_put(fd, KEEP);
	send_body(fd, BODY, SIZE);
	send_body(fd, NULL, 0);
	ck_assert_int_eq(answer(fd), 201);
	stop();
	ck_assert(is_closed(fd));
	close(fd);
}
END_TEST

START_TEST(idle_kept_connections_hold_no_thread)
{
	int idle[IDLE];

	start();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < IDLE; i++) {
			if (round == 0)
				idle[i] = dial();
			ask(idle[i], KEEP, "OPTIONS", "/x");
			ck_assert_int_eq(answer(idle[i]), 204);
		}
		ask_and_check();
	}
	stop();
	for (int i = 0; i < IDLE; i++) {
		ck_assert(is_closed(idle[i]));
		close(idle[i]);
	}
}
END_TEST

/* As a web server does that has kept one for long enough. */
START_TEST(a_kept_connection_may_end)
{
	int idle;

	start();
	for (int i = 0; i < IDLE; i++) {
		idle = dial();
		ask(idle, KEEP, "OPTIONS", "/x");
		ck_assert_int_eq(answer(idle), 204);
		close(idle);
		ask_and_check();
	}
	stop();
}
END_TEST

START_TEST(half_a_request_on_a_kept_connection_gives_its_thread_back)
{
	char buf[1000];
	int half;

	service.config.read_timeout = 1;
	start();
	half = dial();
	ask(half, KEEP, "OPTIONS", "/x");
	ck_assert_int_eq(answer(half), 204);
	begin(buf, KEEP, "OPTIONS", "/x", "");
	send_all(half, buf, buf + 20);
	ask_and_check();
	answer(half); /* libfcgi takes what has come for all of it */
	ck_assert(is_closed(half));
	close(half);
	stop();
}
END_TEST

/* The body of a refused PUT holds the records of another request, just behind
 * what libfcgi reads at once: were the connection kept, they would come next
 * and be answered 204. */
START_TEST(an_unread_body_is_never_taken_for_a_request)
{
	const size_t at_once = 8192;
	char buf[10000], body[10000], *body_end, *end;
	size_t padding;
	int fd;

	start();
	fd = dial();
	end = begin(buf, KEEP, "PUT", "/no/such/slot", "5");
	padding = at_once - (size_t)(end - buf) - sizeof(FCGI_Header);
	memset(body, 'x', padding);
	body_end = begin(body + padding, CLOSE, "OPTIONS", "/forged", "");
	body_end = record(body_end, FCGI_STDIN, NULL, 0);
	end = record(end, FCGI_STDIN, body, (size_t)(body_end - body));
	end = record(end, FCGI_STDIN, NULL, 0);
	send_all(fd, buf, end);
	ck_assert_int_eq(answer(fd), 404);
	ck_assert(is_closed(fd));
	close(fd);
	stop();
}
END_TEST

START_TEST(a_body_that_stalls_gives_its_thread_back)
{
	int stalled;

	service.config.read_timeout = 1;
	start();
	stalled = dial();
	begin_put(stalled, CLOSE);
	send_body(stalled, "hel", 3);
	ck_assert_int_eq(answer(stalled), 408);
	close(stalled);
	ask_and_check();
	stop();
}
END_TEST

START_TEST(threads_serve_side_by_side)
{
	int slow;

	service.config.threads = 2;
	start();
	slow = dial();
	begin_put(slow, CLOSE);
	ask_and_check();
	send_body(slow, BODY, SIZE);
	send_body(slow, NULL, 0);
	ck_assert_int_eq(answer(slow), 201);
	close(slow);
	stop();
}
END_TEST

START_TEST(a_connection_without_a_request_holds_no_thread)
{
	int silent, fd;

	service.config.read_timeout = 2 * PATIENCE;
	start();
	silent = dial();
	fd = dial();
	ask(fd, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(fd), 204);
	close(fd);
	ask(silent, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(silent), 204);
	close(silent);
	stop();
}
END_TEST

/* The thread that brought it to its end was taken by the next request. */
START_TEST(an_upload_is_answered_though_the_next_client_is_slow)
{
	struct slot other = service_grant(&service, "b", NULL, SIZE);
	int fd, slow;

	service.config.read_timeout = 2 * PATIENCE;
	service.config.durable = false;
	fd = dial();
	begin_put(fd, CLOSE);
	send_body(fd, BODY, SIZE);
	send_body(fd, NULL, 0);
	slot = other;
	slow = dial();
	begin_put(slow, CLOSE);
	send_body(slow, "hel", 3);
	start();
	ck_assert_int_eq(answer(fd), 201);
	close(fd);
	send_body(slow, "lo", 2);
	send_body(slow, NULL, 0);
	ck_assert_int_eq(answer(slow), 201);
	close(slow);
	stop();
}
END_TEST

/* As many as may work at the same time stand still in the middle of a body. */
START_TEST(slow_clients_hold_up_no_others)
{
	size_t slow_ones = gate_places();
	int slow[SLOW_MAX], fd;

	ck_assert_uint_le(slow_ones, SLOW_MAX);
	service.config.threads = (int64_t)slow_ones + 1;
	start();
	for (size_t i = 0; i < slow_ones; i++) {
		slow[i] = dial();
		begin_put(slow[i], CLOSE);
		send_body(slow[i], "hel", 3);
	}
	for (int i = 0; i < 10; i++) {
		fd = dial();
		ask(fd, CLOSE, "OPTIONS", "/x");
		ck_assert_int_eq(answer(fd), 204);
		close(fd);
	}
	for (size_t i = 0; i < slow_ones; i++) {
		send_body(slow[i], "lo", 2);
		send_body(slow[i], NULL, 0);
		ck_assert_int_eq(answer(slow[i]), i == 0 ? 201 : 409);
		close(slow[i]);
	}
	stop();
}
END_TEST

START_TEST(many_threads_get_the_descriptors_that_they_need)
{
	struct rlimit limit;
	int clients[MANY], stored = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 40; /* systemd's and the shells' is 1024 */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	service.config.threads = MANY;
	start();
	ask_and_check(); /* so it has asked for more */
	for (int i = 0; i < MANY; i++) {
		clients[i] = dial();
		begin_put(clients[i], CLOSE);
		send_body(clients[i], "hel", 3);
	}
	for (int i = 0; i < MANY; i++) {
		send_body(clients[i], "lo", 2);
		send_body(clients[i], NULL, 0);
		int status = answer(clients[i]);
		ck_assert(status == 201 || status == 409);
		stored += status == 201;
		close(clients[i]);
	}
	ck_assert_int_eq(stored, 1);
	stop();
}
END_TEST

START_TEST(without_descriptors_it_waits_for_some)
{
	struct rlimit limit;
	int client = socket(AF_UNIX, SOCK_STREAM, 0), count = 0;
	int taken[SPARE];

	start();
	ask_and_check(); /* so all that the server opens is open */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = SPARE;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (count < SPARE && (taken[count] = dup(client)) >= 0)
		count++;
	ck_assert_int_lt(count, SPARE);
	reach(client);
	ask(client, CLOSE, "OPTIONS", "/x");
	usleep(50000); /* in which the server is meant to fail */
	while (count > 0)
		close(taken[--count]);
	ck_assert_int_eq(answer(client), 204);
	close(client);
	stop();
}
END_TEST

START_TEST(a_listener_that_breaks_ends_the_server)
{
	service.config.threads = 4;
	start();
	ask_and_check();
	shutdown(socket_descriptor(listener), SHUT_RDWR);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(result, -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("server");
	TCase *tc = tcase_create("server");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_request_is_answered_and_its_connection_closed);
	tcase_add_test(tc, a_put_over_a_socket_is_stored);
	tcase_add_test(tc, an_aborted_put_is_not_stored);
	tcase_add_test(tc, idle_threads_end_at_a_signal);
	tcase_add_test(tc, a_request_in_flight_is_finished);
	tcase_add_test(tc, a_kept_connection_serves_again_and_ends_at_a_signal);
	tcase_add_test(tc, idle_kept_connections_hold_no_thread);
	tcase_add_test(tc, a_kept_connection_may_end);
	tcase_add_test(
	    tc, half_a_request_on_a_kept_connection_gives_its_thread_back);
	tcase_add_test(tc, an_unread_body_is_never_taken_for_a_request);
	tcase_add_test(tc, a_body_that_stalls_gives_its_thread_back);
	tcase_add_test(tc, threads_serve_side_by_side);
	tcase_add_test(tc, a_connection_without_a_request_holds_no_thread);
	tcase_add_test(
	    tc, an_upload_is_answered_though_the_next_client_is_slow);
	tcase_add_test(tc, slow_clients_hold_up_no_others);
	tcase_add_test(tc, many_threads_get_the_descriptors_that_they_need);
	tcase_add_test(tc, without_descriptors_it_waits_for_some);
	tcase_add_test(tc, a_listener_that_breaks_ends_the_server);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
