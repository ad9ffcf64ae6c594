#include "fcgi/intake.h"

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
#include "tests/full_disk.h"
#include "tests/suite.h"

#define LARGE 3000001 /* bytes; more than any buffer or piece but the last */
#define PARAMS 8

/* Where a body comes from. The same cases are put through all of them. */
enum source { FASTCGI, CGI_SOCKET, CGI_PIPE, CGI_FILE, HANDED_OVER, SOURCES };
#define STREAMS CGI_FILE /* the first so many; the others are there whole */

static const char *const source_names[SOURCES] = {
    [FASTCGI] = "FastCGI",
    [CGI_SOCKET] = "CGI, a socket",
    [CGI_PIPE] = "CGI, a pipe",
    [CGI_FILE] = "CGI, a file",
    [HANDED_OVER] = "a file of nginx's",
};

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

static void
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

static void
tear_down(void)
{
	incoming_close(service.http.incoming);
	service_close(&service);
}

/* ---- one upload ---- */

static const char *
handed_over_path(void)
{
	static char path[300];

	snprintf(path, sizeof(path), "%s/7/0000000017", incoming_dir);
	return path;
}

static void
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

static int
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

struct sender {
	const struct upload *upload;
	int fd;
	pthread_t thread;
};

/* A reader that has had enough is none of the sender's business. */
static void
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

static void *
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
static int
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

static int
status_in(int out)
{
	char text[100] = "";
	int status = 0;

	ck_assert_int_gt(pread(out, text, sizeof(text) - 1, 0), 0);
	ck_assert_int_eq(sscanf(text, "Status: %d ", &status), 1);
	close(out);
	return status;
}

static int
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

static int
put(const struct upload *up)
{
	char uri[120], length[60];
	char *params[PARAMS + 1] = {"GATEWAY_INTERFACE=CGI/1.1",
	    "SERVER_PROTOCOL=HTTP/1.1", "REQUEST_METHOD=PUT", uri, length};

	snprintf(uri, sizeof(uri), "REQUEST_URI=/%s/%s/a", up->slot->token,
	    up->slot->secret);
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
static void
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

static void
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
static void
assert_usable(enum source source)
{
	const struct upload again = {
	    .source = source, .slot = &slot, .data = data, .len = LARGE};
	ck_assert_int_eq(service_count_files(&service), 0);
	ck_assert_int_eq(put(&again), 201);
	assert_stored(&slot, source);
}

/* ---- the cases, from every source ---- */

static const size_t sizes[] = {1, 5, 8192, 65535, 65536, 65537, 131073, LARGE};

#define SOURCES_TWICE (2 * SOURCES) /* durable, and not */

static enum source
choose_source(int i)
{
	service.config.durable = i < SOURCES;
	return (enum source)(i % SOURCES);
}

START_TEST(a_body_is_stored_byte_for_byte)
{
	struct slot other = service_grant(
	    &service, "b", NULL, (int64_t)sizes[_i % COUNT(sizes)]);
	struct upload up = {.source = choose_source(_i / COUNT(sizes)),
	    .slot = &other,
	    .data = data,
	    .len = sizes[_i % COUNT(sizes)]};

	ck_assert_msg(put(&up) == 201, "%s", source_names[up.source]);
	assert_stored(&other, up.source);
	ck_assert_int_eq(put(&up), 409);
	other = service_grant(&service, "c", NULL, (int64_t)up.len);
	up.chunked = true;
	ck_assert_int_eq(put(&up), 201);
	assert_stored(&other, up.source);
}
END_TEST

static const struct {
	size_t len;
	bool chunked;
	int status;
} ends[] = {
    {LARGE - 1, true, 400},
    {LARGE - 1, false, 400},
    {LARGE + 1, true, 413},
    {100, true, 400},
    {0, true, 400},
};

START_TEST(a_wrong_end_leaves_the_slot_usable)
{
	const struct upload up = {.source = choose_source(_i / COUNT(ends)),
	    .slot = &slot,
	    .data = data,
	    .len = ends[_i % COUNT(ends)].len,
	    .chunked = ends[_i % COUNT(ends)].chunked};

	ck_assert_int_eq(put(&up), ends[_i % COUNT(ends)].status);
	assert_usable(up.source);
}
END_TEST

/* Also with all bytes, but not the word that it was all. */
START_TEST(a_body_that_stalls_leaves_the_slot_usable)
{
	const struct upload up = {.source = choose_source(_i / 2),
	    .slot = &slot,
	    .data = data,
	    .len = _i % 2 == 0 ? LARGE - 1 : LARGE,
	    .chunked = true,
	    .stalls = true};

	ck_assert_int_eq(put(&up), 408);
	assert_usable(up.source);
}
END_TEST

START_TEST(a_disk_without_room_takes_nothing)
{
	struct upload up = {.source = choose_source(_i),
	    .slot = &slot,
	    .data = data,
	    .len = LARGE};

	service.config.min_free = INT64_MAX / 2;
	ck_assert_int_eq(put(&up), 507);
	service.config.min_free = 0;
	assert_usable(up.source);
}
END_TEST

START_TEST(a_disk_that_fills_up_is_no_room)
{
	struct upload up = {.source = choose_source(_i),
	    .slot = &slot,
	    .data = data,
	    .len = LARGE};
	int status;

	full_disk_begin(1 << 20);
	status = put(&up);
	full_disk_end();
	ck_assert_int_eq(status, 507);
	assert_usable(up.source);
}
END_TEST

START_TEST(a_body_that_outlasts_its_time_is_refused)
{
	struct grant_request request =
	    service_request(&service, "a", NULL, LARGE);
	struct slot brief;
	struct upload up = {.source = choose_source(_i),
	    .slot = &brief,
	    .data = data,
	    .len = LARGE,
	    .late = 2100 * 1000};

	service.config.read_timeout = 5;
	request.put_window = 2;
	request.upload_timeout = 0;
	brief = service_grant_request(&service, &request);
	ck_assert_int_eq(put(&up), 408);
}
END_TEST

/* ---- the free space ---- */

static void
disk_fills(void *arg)
{
	struct exchange *x = arg;

	if (x->body.given > LARGE / 2)
		service.config.min_free = INT64_MAX / 2;
}

/* Others that began beside this one have taken the room that it was shown. */
START_TEST(the_disk_is_looked_at_again_and_again)
{
	struct exchange x;
	char uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a", slot.token, slot.secret);
	exchange_open(&x, &service, "PUT", uri);
	streams_open_reader(&x.body, data, LARGE);
	x.body.at_chunk = disk_fills;
	x.body.arg = &x;
	exchange_param(&x, "HTTP_TRANSFER_ENCODING", "chunked");
	exchange_check_status(exchange_run(&x), 507);
	exchange_close(&x);
	service.config.min_free = 0;
	assert_usable(FASTCGI);
}
END_TEST

/* ---- handing over ---- */

/* The parameter is nothing where no directory was agreed upon. */
START_TEST(without_a_directory_no_file_is_taken_over)
{
	const struct upload up = {
	    .source = HANDED_OVER, .slot = &slot, .data = data, .len = LARGE};

	incoming_close(service.http.incoming);
	service.http.incoming = NULL;
	ck_assert_int_eq(put(&up), 400);
	assert_usable(FASTCGI);
}
END_TEST

/* A web server that is told half of it sends the body, too. */
START_TEST(a_body_that_comes_twice_is_refused)
{
	const struct upload up = {
	    .source = HANDED_OVER, .slot = &slot, .data = data, .len = LARGE};
	struct exchange x;
	char uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a", slot.token, slot.secret);
	exchange_open(&x, &service, "PUT", uri);
	hand_over(&up, &x);
	streams_open_reader(&x.body, data, LARGE);
	exchange_param(&x, "HTTP_TRANSFER_ENCODING", "chunked");
	exchange_check_status(exchange_run(&x), 500);
	ck_assert(!x.request.body_consumed);
	exchange_close(&x);
	assert_usable(HANDED_OVER);
}
END_TEST

START_TEST(a_file_that_is_not_to_be_believed_is_an_error)
{
	struct exchange x;
	char uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a", slot.token, slot.secret);
	exchange_open(&x, &service, "PUT", uri);
	exchange_param(&x, "REQUEST_BODY_FILE", "/etc/passwd");
	exchange_param(&x, "HTTP_TRANSFER_ENCODING", "chunked");
	exchange_check_status(exchange_run(&x), 500);
	exchange_close(&x);
	assert_usable(HANDED_OVER);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intake");
	TCase *tc = tcase_create("from every source");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, a_body_is_stored_byte_for_byte, 0,
	    COUNT(sizes) * SOURCES_TWICE);
	tcase_add_loop_test(
	    tc, a_wrong_end_leaves_the_slot_usable, 0, COUNT(ends) * SOURCES);
	tcase_add_loop_test(
	    tc, a_body_that_stalls_leaves_the_slot_usable, 0, 2 * STREAMS);
	tcase_add_loop_test(
	    tc, a_disk_without_room_takes_nothing, 0, SOURCES_TWICE);
	/* else the test could not write its file either */
	tcase_add_loop_test(tc, a_disk_that_fills_up_is_no_room, 0, STREAMS);
	tcase_add_loop_test(
	    tc, a_disk_that_fills_up_is_no_room, SOURCES, SOURCES + STREAMS);
	/* FastCGI's is in put_test.c */
	tcase_add_loop_test(
	    tc, a_body_that_outlasts_its_time_is_refused, CGI_SOCKET, STREAMS);
	tcase_add_test(tc, without_a_directory_no_file_is_taken_over);
	tcase_add_test(tc, a_body_that_comes_twice_is_refused);
	tcase_add_test(tc, a_file_that_is_not_to_be_believed_is_an_error);
	tcase_add_test(tc, the_disk_is_looked_at_again_and_again);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
