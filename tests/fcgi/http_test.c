#include "fcgi/http.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define SECRET "234567abcdefghijklmnopqrst"
#define GET_URL "/upload/" TOKEN "/cat.jpg"
#define PUT_URL "/upload/" TOKEN "/" SECRET "/cat.jpg"

/* ---- what a request addresses ---- */

static const struct {
	const char *uri;
	enum http_target target;
} uris[] = {
    {GET_URL, HTTP_TARGET_GET_URL},
    {PUT_URL, HTTP_TARGET_PUT_URL},
    {"/" TOKEN "/x", HTTP_TARGET_GET_URL},
    {"/" TOKEN "/" SECRET "/x", HTTP_TARGET_PUT_URL},
    {"/a/b/c/d/e/" TOKEN "/x", HTTP_TARGET_GET_URL},
    {"/" TOKEN "/" SECRET, HTTP_TARGET_GET_URL}, /* a name like a token */
    /* absolute form */
    {"http://example.org" GET_URL, HTTP_TARGET_GET_URL},
    {"https://example.org:8443" PUT_URL, HTTP_TARGET_PUT_URL},
    {"http://" TOKEN "/x", HTTP_TARGET_NONE}, /* that is the authority */
    {"http://example.org", HTTP_TARGET_NONE},
    {"http://example.org?/" TOKEN "/x", HTTP_TARGET_NONE},
    {"http:" GET_URL, HTTP_TARGET_NONE},
    {"upload/" TOKEN "/x", HTTP_TARGET_NONE},
    {TOKEN "/x", HTTP_TARGET_NONE},
    {"x?://b/" TOKEN "/x", HTTP_TARGET_NONE},
    {GET_URL "?a=http://x/y", HTTP_TARGET_GET_URL},
    /* query and fragment */
    {GET_URL "?", HTTP_TARGET_GET_URL},
    {GET_URL "?a/" SECRET "/b", HTTP_TARGET_GET_URL},
    {GET_URL "#/" SECRET "/b", HTTP_TARGET_GET_URL},
    {PUT_URL "?v=1#x", HTTP_TARGET_PUT_URL},
    {"/upload/?/" TOKEN "/x", HTTP_TARGET_NONE},
    {"/upload/#/" TOKEN "/x", HTTP_TARGET_NONE},
    {GET_URL "?%zz", HTTP_TARGET_GET_URL},
    /* no name, no token */
    {"/upload/" TOKEN "/", HTTP_TARGET_NONE},
    {"/upload/" TOKEN, HTTP_TARGET_NONE},
    {"/upload/" TOKEN "/?x", HTTP_TARGET_NONE},
    {GET_URL "/", HTTP_TARGET_NONE},
    {GET_URL "/more", HTTP_TARGET_NONE},
    {PUT_URL "/", HTTP_TARGET_NONE},
    {"", HTTP_TARGET_NONE},
    {"/", HTTP_TARGET_NONE},
    {"*", HTTP_TARGET_NONE},
    {"/upload/cat.jpg", HTTP_TARGET_NONE},
    {"/abcdefghijklmnopqrstuvwxy/x", HTTP_TARGET_NONE},   /* 25 */
    {"/abcdefghijklmnopqrstuvwxyza/x", HTTP_TARGET_NONE}, /* 27 */
    {"/ABCDEFGHIJKLMNOPQRSTUVWXYZ/x", HTTP_TARGET_NONE},
    {"/abcdefghijklmnopqrstuvwxy1/x", HTTP_TARGET_NONE},
    {"/" TOKEN "/ABCDEFGHIJKLMNOPQRSTUVWXYZ/x", HTTP_TARGET_NONE},
    {"/ABCDEFGHIJKLMNOPQRSTUVWXYZ/" TOKEN "/x", HTTP_TARGET_GET_URL},
    /* slashes */
    {"//" TOKEN "/x", HTTP_TARGET_GET_URL},
    {"//upload//" TOKEN "/x", HTTP_TARGET_GET_URL},
    {"/" TOKEN "//x", HTTP_TARGET_NONE},
    {"/" TOKEN "//" SECRET "/x", HTTP_TARGET_GET_URL},
    {"/" TOKEN "/" SECRET "//x", HTTP_TARGET_NONE},
    {"/" TOKEN "%2Fx", HTTP_TARGET_NONE},
    {"/" TOKEN "/a%2fb", HTTP_TARGET_GET_URL},
    {"/" TOKEN "%2F" SECRET "/x", HTTP_TARGET_NONE},
    {"/" TOKEN "/" SECRET "%2Fx", HTTP_TARGET_GET_URL},
    /* escapes: of the name only, and whole */
    {"/" TOKEN "/%C3%A9%20%22.jpg", HTTP_TARGET_GET_URL},
    {"/" TOKEN "/%E5%86%99", HTTP_TARGET_GET_URL},
    {"/%61bcdefghijklmnopqrstuvwxyz/x", HTTP_TARGET_NONE},
    {"/" TOKEN "/%", HTTP_TARGET_NONE},
    {"/" TOKEN "/%4", HTTP_TARGET_NONE},
    {"/" TOKEN "/%zz", HTTP_TARGET_NONE},
    {"/" TOKEN "/%4?1", HTTP_TARGET_NONE},
    {"/" TOKEN "/%00", HTTP_TARGET_NONE},
    {"/" TOKEN "/a%00.jpg", HTTP_TARGET_NONE},
    {"/%zz/" TOKEN "/x", HTTP_TARGET_NONE},
    {"/up%00load/" TOKEN "/x", HTTP_TARGET_NONE},
    /* raw bytes */
    {"/" TOKEN "/caf\xc3\xa9 au lait", HTTP_TARGET_GET_URL},
    {"/" TOKEN "/a\tb", HTTP_TARGET_NONE},
    {"/" TOKEN "/a\x7f", HTTP_TARGET_NONE},
    {"/" TOKEN "/a\r\nb", HTTP_TARGET_NONE},
    /* dot segments */
    {"/" TOKEN "/.", HTTP_TARGET_NONE},
    {"/" TOKEN "/..", HTTP_TARGET_NONE},
    {"/./" TOKEN "/x", HTTP_TARGET_NONE},
    {"/x/../" TOKEN "/x", HTTP_TARGET_NONE},
    {"/" TOKEN "/../" SECRET "/x", HTTP_TARGET_NONE},
    {"/%2e%2E/" TOKEN "/x", HTTP_TARGET_NONE},
    {"/" TOKEN "/%2e", HTTP_TARGET_NONE},
    {"/" TOKEN "/.%2e", HTTP_TARGET_NONE},
    {"/" TOKEN "/...", HTTP_TARGET_GET_URL},
    {"/" TOKEN "/.x", HTTP_TARGET_GET_URL},
    {"/.../" TOKEN "/..x", HTTP_TARGET_GET_URL},
};

/* A parameter "NAME=value" in memory of its own, freed by the caller. */
static char *
param(const char *name, const char *value)
{
	char *text;

	ck_assert_int_gt(asprintf(&text, "%s=%s", name, value), 0);
	return text;
}

START_TEST(the_shape_of_the_uri_tells_what_it_addresses)
{
	char *params[] = {param("REQUEST_URI", uris[_i].uri), NULL};
	struct http_request request = {.params = params};

	http_parse(&request);
	ck_assert_msg(request.target == uris[_i].target, "%s: %d", uris[_i].uri,
	    (int)request.target);
	if (request.target == HTTP_TARGET_NONE)
		ck_assert_str_eq(request.token, "");
	if (request.target != HTTP_TARGET_PUT_URL)
		ck_assert_str_eq(request.secret, "");
	free(params[0]);
}
END_TEST

START_TEST(token_and_secret_are_taken_from_their_places)
{
	char *params[] = {param("REQUEST_URI", PUT_URL),
	    param("REQUEST_METHOD", "PUT"), NULL};
	struct http_request request = {.params = params};

	http_parse(&request);
	ck_assert_str_eq(request.token, TOKEN);
	ck_assert_str_eq(request.secret, SECRET);
	ck_assert_int_eq(request.method, HTTP_PUT);

	free(params[0]);
	params[0] = param("REQUEST_URI", GET_URL);
	http_parse(&request);
	ck_assert_str_eq(request.token, TOKEN);
	ck_assert_str_eq(request.secret, "");
	free(params[0]);
	free(params[1]);
}
END_TEST

START_TEST(only_request_uri_is_believed)
{
	char *params[] = {param("PATH_INFO", GET_URL),
	    param("SCRIPT_NAME", GET_URL), param("DOCUMENT_URI", GET_URL),
	    NULL};
	struct http_request request = {.params = params};

	http_parse(&request);
	ck_assert_int_eq(request.target, HTTP_TARGET_NONE);
	for (int i = 0; params[i]; i++)
		free(params[i]);
}
END_TEST

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},
    {"HEAD", HTTP_HEAD},
    {"PUT", HTTP_PUT},
    {"OPTIONS", HTTP_OPTIONS},
    {"POST", HTTP_OTHER},
    {"DELETE", HTTP_OTHER},
    {"get", HTTP_OTHER},
    {"Put", HTTP_OTHER},
    {"GETX", HTTP_OTHER},
    {"GE", HTTP_OTHER},
    {"other", HTTP_OTHER},
    {"", HTTP_OTHER},
};

START_TEST(method_names_are_case_sensitive)
{
	char *params[] = {param("REQUEST_METHOD", methods[_i].name), NULL};
	struct http_request request = {.params = params};

	http_parse(&request);
	ck_assert_int_eq(request.method, methods[_i].method);
	free(params[0]);
}
END_TEST

START_TEST(a_request_without_any_parameter_is_nothing)
{
	char *params[] = {NULL};
	struct http_request request = {.params = params};

	http_parse(&request);
	ck_assert_int_eq(request.method, HTTP_OTHER);
	ck_assert_int_eq(request.target, HTTP_TARGET_NONE);
}
END_TEST

START_TEST(an_empty_parameter_is_an_absent_one)
{
	char *params[] = {
	    param("CONTENT_LENGTH", ""), param("CONTENT_TYPE", "a/b"), NULL};
	struct http_request request = {.params = params};

	ck_assert_ptr_null(http_param(&request, "CONTENT_LENGTH"));
	ck_assert_ptr_null(http_param(&request, "CONTENT"));
	ck_assert_str_eq(http_param(&request, "CONTENT_TYPE"), "a/b");
	free(params[0]);
	free(params[1]);
}
END_TEST

/* ---- what it is answered, by an empty store ---- */

static struct service service;
static struct exchange exchange;

static void
open_service(void)
{
	service_open(&service);
}

static void
close_service(void)
{
	exchange_close(&exchange);
	service_close(&service);
}

static const struct {
	const char *method;
	const char *uri;
	int status;
	const char *allow; /* of a 405 */
} answers[] = {
    {"GET", GET_URL, 404, NULL},
    {"HEAD", GET_URL, 404, NULL},
    {"PUT", GET_URL, 405, "GET, HEAD, OPTIONS"},
    {"OPTIONS", GET_URL, 204, "GET, HEAD, OPTIONS"},
    {"POST", GET_URL, 405, "GET, HEAD, OPTIONS"},
    {"get", GET_URL, 405, "GET, HEAD, OPTIONS"},
    {"GET", PUT_URL, 405, "PUT, OPTIONS"},
    {"HEAD", PUT_URL, 405, "PUT, OPTIONS"},
    {"PUT", PUT_URL, 404, NULL},
    {"OPTIONS", PUT_URL, 204, "PUT, OPTIONS"},
    {"DELETE", PUT_URL, 405, "PUT, OPTIONS"},
    {"GET", "/", 404, NULL},
    {"HEAD", "/", 404, NULL},
    {"PUT", "/", 404, NULL},
    {"OPTIONS", "/", 204, "OPTIONS"},
    {"OPTIONS", "*", 204, "OPTIONS"},
    {"OPTIONS", NULL, 204, "OPTIONS"},
    {"TRACE", "/", 404, NULL},
    {NULL, NULL, 404, NULL},
};

START_TEST(each_method_of_each_target_has_its_status)
{
	char status[20], allow[60];

	exchange_open(&exchange, &service, answers[_i].method, answers[_i].uri);
	const char *text = exchange_run(&exchange);

	snprintf(status, sizeof(status), "Status: %d ", answers[_i].status);
	ck_assert_msg(strncmp(text, status, strlen(status)) == 0, "%s", text);
	if (answers[_i].allow) {
		snprintf(allow, sizeof(allow), "\r\nAllow: %s\r\n",
		    answers[_i].allow);
		ck_assert_ptr_nonnull(strstr(text, allow));
	} else {
		ck_assert_ptr_null(strstr(text, "\r\nAllow:"));
	}
	/* On every answer, for web clients and against hostile uploads. */
	ck_assert_ptr_nonnull(
	    strstr(text, "\r\nAccess-Control-Allow-Origin: *\r\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "\r\nContent-Security-Policy: default-src 'none'; "));
}
END_TEST

static const struct {
	const char *method;
	const char *name, *value; /* of one more parameter */
	const char *body;
	int error; /* of the stream at its end */
	bool consumed;
} bodies[] = {
    {"GET", NULL, NULL, "", 0, true},
    {"OPTIONS", "CONTENT_LENGTH", "", "", 0, true},
    {"POST", "CONTENT_LENGTH", "0", "", 0, true},
    {"GET", "CONTENT_LENGTH", "5", "12345", 0, false},
    {"GET", "CONTENT_LENGTH", "0", "12345", 0, false},
    {"GET", "HTTP_TRANSFER_ENCODING", "chunked", "", 0, false},
    {"GET", NULL, NULL, "", -3, false},
    {"PUT", "CONTENT_LENGTH", "5", "12345", 0, false},
};

START_TEST(a_body_that_was_not_read_is_never_said_to_be_over)
{
	exchange_open(&exchange, &service, bodies[_i].method, GET_URL);
	exchange_param(&exchange, bodies[_i].name, bodies[_i].value);
	exchange.body.data = (const unsigned char *)bodies[_i].body;
	exchange.body.len = strlen(bodies[_i].body);
	exchange.body.error_at_end = bodies[_i].error;
	exchange_run(&exchange);
	ck_assert_int_eq(exchange.request.body_consumed, bodies[_i].consumed);
}
END_TEST

static Suite *
http_suite(void)
{
	Suite *suite = suite_create("http");
	TCase *parse = tcase_create("parse"), *answer = tcase_create("answer");

	tcase_add_loop_test(parse, the_shape_of_the_uri_tells_what_it_addresses,
	    0, COUNT(uris));
	tcase_add_test(parse, token_and_secret_are_taken_from_their_places);
	tcase_add_test(parse, only_request_uri_is_believed);
	tcase_add_loop_test(
	    parse, method_names_are_case_sensitive, 0, COUNT(methods));
	tcase_add_test(parse, a_request_without_any_parameter_is_nothing);
	tcase_add_test(parse, an_empty_parameter_is_an_absent_one);
	suite_add_tcase(suite, parse);

	tcase_add_checked_fixture(answer, open_service, close_service);
	tcase_add_loop_test(answer, each_method_of_each_target_has_its_status,
	    0, COUNT(answers));
	tcase_add_loop_test(answer,
	    a_body_that_was_not_read_is_never_said_to_be_over, 0,
	    COUNT(bodies));
	suite_add_tcase(suite, answer);
	return suite;
}

int
main(void)
{
	return suite_run(http_suite());
}
