#include "fcgi/cgi.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define BODY "hello"
#define SIZE 5
#define MANY 300000 /* bytes; more than any buffer on the way */
#define PARAMS 8

static struct service service;
static struct slot slot;
static int in[2]; /* a pipe: its read end is the program's standard input */
static int out;   /* a file: its standard output */
static char uri[100];
static char *params[PARAMS + 1];

static void
set_up(void)
{
	service_open(&service);
	service.now = time(NULL); /* as cgi_answer reads it */
	slot = service_grant(&service, "a", NULL, SIZE);
	snprintf(
	    uri, sizeof(uri), "REQUEST_URI=/%s/%s/a", slot.token, slot.secret);
	ck_assert_int_eq(pipe(in), 0);
	out = open(temporary_base(), O_TMPFILE | O_RDWR, 0600);
	ck_assert_int_ge(out, 0);
	signal(SIGPIPE, SIG_IGN);
}

static void
tear_down(void)
{
	close(out);
	close(in[0]);
	close(in[1]);
	service_close(&service);
}

/* Sets the environment: GATEWAY_INTERFACE, then these, of which NULLs are
 * left out. */
static void
set_params(const char *method, const char *target, const char *length)
{
	static char method_text[40], length_text[40];
	int n = 0;

	snprintf(method_text, sizeof(method_text), "REQUEST_METHOD=%s", method);
	snprintf(length_text, sizeof(length_text), "CONTENT_LENGTH=%s",
	    length ? length : "");
	params[n++] = "GATEWAY_INTERFACE=CGI/1.1";
	params[n++] = "SERVER_PROTOCOL=HTTP/1.1";
	params[n++] = method_text;
	params[n++] = (char *)(uintptr_t)target;
	params[n++] = length ? length_text : "HTTP_TRANSFER_ENCODING=chunked";
	params[n] = NULL;
}

static void
send_body(const char *data, size_t len)
{
	ck_assert_int_eq(write(in[1], data, len), (ssize_t)len);
}

static void
end_body(void)
{
	close(in[1]);
	in[1] = -1;
}

/* What the program wrote, from the beginning; the caller frees. */
static char *
answer(size_t *len)
{
	off_t size = lseek(out, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	ck_assert_int_eq(pread(out, text, (size_t)size, 0), size);
	text[size] = '\0';
	if (len)
		*len = (size_t)size;
	return text;
}

static int
status(void)
{
	char *text = answer(NULL);
	int code = 0;

	ck_assert_int_eq(sscanf(text, "Status: %d ", &code), 1);
	free(text);
	return code;
}

static int
unread(void)
{
	int bytes = -1;

	ck_assert_int_eq(ioctl(in[0], FIONREAD, &bytes), 0);
	return bytes;
}

static void
assert_stored(const char *data, int64_t len)
{
	char *got = malloc((size_t)len);
	int64_t size;
	int fd;

	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 1);
	ck_assert_int_eq(size, len);
	ck_assert_int_eq(read(fd, got, (size_t)len), len);
	ck_assert_mem_eq(got, data, (size_t)len);
	close(fd);
	free(got);
}

/* Bytes that repeat nowhere near a buffer's size. */
static char *
many_bytes(void)
{
	char *data = malloc(MANY);

	for (int i = 0; i < MANY; i++)
		data[i] = (char)(i * 7 + i / 251);
	return data;
}

START_TEST(a_put_is_stored)
{
	set_params("PUT", uri, _i == 0 ? "5" : NULL);
	send_body(BODY, SIZE);
	end_body();
	cgi_answer(&service.http, params, in[0], out);
	ck_assert_int_eq(status(), 201);
	assert_stored(BODY, SIZE);
}
END_TEST

/* lighttpd passes larger bodies so. */
START_TEST(a_body_may_be_a_file)
{
	char *data = many_bytes();
	int file = open(temporary_base(), O_TMPFILE | O_RDWR, 0600);

	slot = service_grant(&service, "a", NULL, MANY);
	snprintf(
	    uri, sizeof(uri), "REQUEST_URI=/%s/%s/a", slot.token, slot.secret);
	set_params("PUT", uri, "300000");
	ck_assert_int_eq(pwrite(file, data, MANY, 0), MANY);
	cgi_answer(&service.http, params, file, out);
	ck_assert_int_eq(status(), 201);
	assert_stored(data, MANY);
	close(file);
	free(data);
}
END_TEST

/* RFC 3875 section 4.2: no end is promised after CONTENT_LENGTH bytes. */
START_TEST(a_body_of_known_length_needs_no_end)
{
	time_t before = time(NULL);

	service.config.read_timeout = 20;
	set_params("PUT", uri, "5");
	send_body(BODY, SIZE);
	cgi_answer(&service.http, params, in[0], out);
	ck_assert_int_eq(status(), 201);
	ck_assert_int_lt(time(NULL) - before, 10);
}
END_TEST

START_TEST(a_request_without_a_body_waits_for_none)
{
	time_t before = time(NULL);

	service.config.read_timeout = 20;
	set_params("OPTIONS", "REQUEST_URI=/x", "");
	cgi_answer(&service.http, params, in[0], out);
	ck_assert_int_eq(status(), 204);
	ck_assert_int_lt(time(NULL) - before, 10);
}
END_TEST

START_TEST(a_body_that_ends_early_is_not_stored)
{
	int64_t size;
	int fd;

	set_params("PUT", uri, _i == 0 ? "5" : NULL);
	send_body(BODY, SIZE - 1);
	end_body();
	cgi_answer(&service.http, params, in[0], out);
	ck_assert_int_eq(status(), 400);
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 0);
}
END_TEST

START_TEST(a_body_that_stalls_is_given_up)
{
	service.config.read_timeout = 1;
	set_params("PUT", uri, "5");
	send_body(BODY, SIZE - 1);
	cgi_answer(&service.http, params, in[0], out);
	ck_assert_int_eq(status(), 408);
}
END_TEST

static const struct {
	const char *method;
	const char *length; /* NULL: chunked */
	int status;
} refusals[] = {
    {"PUT", "12", 404},
    {"PUT", NULL, 404},
    {"POST", "12", 404},
    {"POST", NULL, 404},
    {"OPTIONS", "12", 204},
    {"GET", NULL, 404},
};

START_TEST(a_refused_body_is_read_away)
{
	set_params(
	    refusals[_i].method, "REQUEST_URI=/nothing", refusals[_i].length);
	send_body("hello, world", 12);
	end_body();
	cgi_answer(&service.http, params, in[0], out);
	ck_assert_int_eq(status(), refusals[_i].status);
	ck_assert_int_eq(unread(), 0);
}
END_TEST

START_TEST(a_long_answer_arrives_whole)
{
	char *data = many_bytes(), *text;
	const char *body;
	size_t len;

	slot = service_grant(&service, "b", NULL, MANY);
	service_publish(&service, &slot, data, MANY);
	snprintf(uri, sizeof(uri), "REQUEST_URI=/%s/b", slot.token);
	set_params("GET", uri, "");
	cgi_answer(&service.http, params, in[0], out);
	text = answer(&len);
	ck_assert_int_eq(status(), 200);
	body = strstr(text, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	body += 4;
	ck_assert_uint_eq(len - (size_t)(body - text), MANY);
	ck_assert_mem_eq(body, data, MANY);
	free(text);
	free(data);
}
END_TEST

START_TEST(an_upload_is_stored_though_nobody_takes_the_answer)
{
	int lost[2];

	ck_assert_int_eq(pipe(lost), 0);
	close(lost[0]);
	set_params("PUT", uri, "5");
	send_body(BODY, SIZE);
	cgi_answer(&service.http, params, in[0], lost[1]);
	close(lost[1]);
	assert_stored(BODY, SIZE);
}
END_TEST

START_TEST(without_a_service_the_answer_is_500)
{
	char *text;

	set_params("PUT", uri, "12");
	send_body("hello, world", 12);
	cgi_fail(params, in[0], out);
	ck_assert_int_eq(status(), 500);
	text = answer(NULL);
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\nThe upload service"));
	free(text);
	ck_assert_int_eq(unread(), 0);
}
END_TEST

static const struct {
	char *params[3];
	bool yes;
} environments[] = {
    {{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", NULL}, true},
    {{"REQUEST_METHOD=PUT", "GATEWAY_INTERFACE=CGI/1.1", NULL}, true},
    {{"GATEWAY_INTERFACE=CGI/1.1", NULL}, false},
    {{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=", NULL}, false},
    {{"REQUEST_METHOD=GET", NULL}, false},
    {{"PATH=/bin", "HOME=/", NULL}, false},
    {{NULL}, false},
};

START_TEST(the_environment_tells_a_request)
{
	char *copy[3];

	memcpy(copy, environments[_i].params, sizeof(copy));
	ck_assert_int_eq(cgi_has_request(copy), environments[_i].yes);
}
END_TEST

START_TEST(a_put_alone_changes_something)
{
	char put[] = "REQUEST_METHOD=PUT", get[] = "REQUEST_METHOD=GET";
	char lower[] = "REQUEST_METHOD=put";

	ck_assert(cgi_is_put((char *[]){put, NULL}));
	ck_assert(!cgi_is_put((char *[]){get, NULL}));
	ck_assert(!cgi_is_put((char *[]){lower, NULL}));
	ck_assert(!cgi_is_put((char *[]){NULL}));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cgi");
	TCase *tc = tcase_create("cgi");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	/* with a length, and without */
	tcase_add_loop_test(tc, a_put_is_stored, 0, 2);
	tcase_add_test(tc, a_body_may_be_a_file);
	tcase_add_test(tc, a_body_of_known_length_needs_no_end);
	tcase_add_test(tc, a_request_without_a_body_waits_for_none);
	tcase_add_loop_test(tc, a_body_that_ends_early_is_not_stored, 0, 2);
	tcase_add_test(tc, a_body_that_stalls_is_given_up);
	tcase_add_loop_test(
	    tc, a_refused_body_is_read_away, 0, COUNT(refusals));
	tcase_add_test(tc, a_long_answer_arrives_whole);
	tcase_add_test(tc, an_upload_is_stored_though_nobody_takes_the_answer);
	tcase_add_test(tc, without_a_service_the_answer_is_500);
	tcase_add_test(tc, a_put_alone_changes_something);
	tcase_add_loop_test(
	    tc, the_environment_tells_a_request, 0, COUNT(environments));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
