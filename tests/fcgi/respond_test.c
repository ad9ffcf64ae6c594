#include "fcgi/respond.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/handlers.h"
#include "fcgi/http.h"
#include "schema/config.h"
#include "tests/fcgi/streams.h"
#include "tests/suite.h"

static char origin[50];
static struct config config;
static const struct http_service service = {.config = &config};
static struct streams_writer answer;
static struct http_request request;

static void
set_up(void)
{
	static char methods[] = "GET, PUT", headers[] = "Content-Type, X-Y";

	snprintf(origin, sizeof(origin), "*");
	config.cors_origin = origin;
	config.cors_methods = methods;
	config.cors_headers = headers;
	streams_open_writer(&answer);
	request = (struct http_request){.service = &service,
	    .out = &answer.stream,
	    .method = HTTP_GET,
	    .target = HTTP_TARGET_GET_URL};
}

static void
tear_down(void)
{
	streams_close_writer(&answer);
}

static void
check_contains(const char *part)
{
	const char *text = streams_text(&answer);

	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
}

static void
check_lacks(const char *part)
{
	const char *text = streams_text(&answer);

	ck_assert_msg(strstr(text, part) == NULL, "'%s' in: %s", part, text);
}

static const struct {
	const char *value, *line;
} values[] = {
    {"plain", "Name: plain\r\n"},
    {"", "Name: \r\n"},
    {"a\r\nSet-Cookie: b", "Name: a\r\n"},
    {"a\nb", "Name: a\r\n"},
    {"a\tb", "Name: a\r\n"},
    {"a\x7f", "Name: a\r\n"},
    {"caf\xc3\xa9", "Name: caf\xc3\xa9\r\n"},
};

START_TEST(a_control_character_ends_a_value)
{
	respond_header(&request, "Name", "%s", values[_i].value);
	ck_assert_str_eq(streams_text(&answer), values[_i].line);
}
END_TEST

START_TEST(a_value_too_long_is_cut)
{
	char value[RESPOND_VALUE_MAX + 100];

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	respond_header(&request, "N", "%s", value);
	ck_assert_uint_eq(streams_written(&answer), 3 + RESPOND_VALUE_MAX + 2);
}
END_TEST

static const int codes[] = {
    400, 404, 405, 408, 409, 411, 412, 413, 415, 416, 500, 507};

START_TEST(every_status_has_a_reason_and_every_error_a_sentence)
{
	char status[30];

	ck_assert_int_eq(respond_error(&request, codes[_i]), codes[_i]);
	snprintf(status, sizeof(status), "Status: %d ", codes[_i]);
	check_contains(status);
	snprintf(status, sizeof(status), "Status: %d Error", codes[_i]);
	check_lacks(status);
	check_contains(".\n");
	check_contains("\r\nContent-Type: text/plain; charset=utf-8\r\n");
	check_contains("\r\nCache-Control: no-store\r\n");
	check_contains("\r\nAccess-Control-Allow-Origin: *\r\n");
}
END_TEST

START_TEST(a_refusal_of_its_own_replaces_the_sentence)
{
	ck_assert_int_eq(
	    respond_refuse(&request, 413, "At most %d bytes.", 7), 413);
	respond_error(&request, 413);
	check_contains("\r\nContent-Length: 17\r\n");
	check_contains("\r\n\r\nAt most 7 bytes.\n");
}
END_TEST

START_TEST(a_refusal_too_long_is_not_halved)
{
	char text[HTTP_REFUSAL_MAX + 1];

	memset(text, 'x', sizeof(text));
	text[HTTP_REFUSAL_MAX] = '\0';
	respond_refuse(&request, 404, "%s", text);
	respond_error(&request, 404);
	check_contains("\r\n\r\nThere is no such file, or no longer.\n");
}
END_TEST

START_TEST(another_origin_than_all_varies)
{
	snprintf(origin, sizeof(origin), "https://chat.example.org");
	respond_error(&request, 404);
	check_contains(
	    "\r\nAccess-Control-Allow-Origin: https://chat.example.org\r\n");
	check_contains("\r\nVary: Origin\r\n");
}
END_TEST

START_TEST(no_origin_means_no_cors)
{
	origin[0] = '\0';
	respond_error(&request, 404);
	check_lacks("Access-Control");
	check_lacks("Vary");
}
END_TEST

START_TEST(all_origins_do_not_vary)
{
	respond_error(&request, 404);
	check_lacks("Vary");
}
END_TEST

START_TEST(a_preflight_names_methods_and_headers)
{
	request.method = HTTP_OPTIONS;
	request.target = HTTP_TARGET_PUT_URL;
	ck_assert_int_eq(options_handle(&request), 204);
	check_contains("Status: 204 No Content\r\n");
	check_contains("\r\nAllow: PUT, OPTIONS\r\n");
	check_contains("\r\nAccess-Control-Allow-Methods: GET, PUT\r\n");
	check_contains(
	    "\r\nAccess-Control-Allow-Headers: Content-Type, X-Y\r\n");
	check_contains("\r\nAccess-Control-Max-Age: 86400\r\n\r\n");
	check_lacks("\nContent-Length"); /* RFC 9110 section 8.6 */
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("respond");
	TCase *tc = tcase_create("answers");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(
	    tc, a_control_character_ends_a_value, 0, COUNT(values));
	tcase_add_test(tc, a_value_too_long_is_cut);
	tcase_add_loop_test(tc,
	    every_status_has_a_reason_and_every_error_a_sentence, 0,
	    COUNT(codes));
	tcase_add_test(tc, a_refusal_of_its_own_replaces_the_sentence);
	tcase_add_test(tc, a_refusal_too_long_is_not_halved);
	tcase_add_test(tc, another_origin_than_all_varies);
	tcase_add_test(tc, no_origin_means_no_cors);
	tcase_add_test(tc, all_origins_do_not_vary);
	tcase_add_test(tc, a_preflight_names_methods_and_headers);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
