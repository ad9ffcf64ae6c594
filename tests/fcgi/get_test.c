#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/descriptor.h"
#include "tests/fcgi/get_fixture.h"
#include "tests/suite.h"

/* Stands for the token of the slot cat, which is another in each run. */
#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define ETAG "\"" TOKEN "\""
#define STORED "Mon, 21 Sep 2026 14:13:20 GMT" /* SERVICE_NOW */

#define STATUS(line) "Status: " line "\r\n"
#define CORS                                                                  \
	"Access-Control-Allow-Origin: *\r\n"                                  \
	"Access-Control-Expose-Headers: Accept-Ranges, Content-Disposition, " \
	"Content-Length, Content-Range, ETag\r\n"
#define POLICY_INLINE                                                   \
	"Content-Security-Policy: default-src 'none'; img-src 'self'; " \
	"media-src 'self'; style-src 'unsafe-inline'; "                 \
	"frame-ancestors 'none'\r\n"
#define POLICY_SANDBOX                                  \
	"Content-Security-Policy: default-src 'none'; " \
	"frame-ancestors 'none'; sandbox\r\n"
#define SECURITY                              \
	"X-Content-Type-Options: nosniff\r\n" \
	"Referrer-Policy: no-referrer\r\n"    \
	"Cross-Origin-Resource-Policy: cross-origin\r\n"
#define VALIDATORS                      \
	"ETag: " ETAG "\r\n"            \
	"Last-Modified: " STORED "\r\n" \
	"Cache-Control: max-age=3600, immutable\r\n"
#define COMMON CORS POLICY_INLINE SECURITY VALIDATORS
#define CONTENT(length)                                         \
	"Content-Type: image/jpeg\r\n"                          \
	"Content-Disposition: inline; filename=\"cat.jpg\"\r\n" \
	"Content-Length: " length "\r\n"                        \
	"Accept-Ranges: bytes\r\n\r\n"
#define WHOLE_HEAD STATUS("200 OK") COMMON CONTENT("20")
#define ERROR_HEAD(status, length)                        \
	STATUS(status)                                    \
	CORS POLICY_SANDBOX SECURITY                      \
	    "Content-Type: text/plain; charset=utf-8\r\n" \
	    "Content-Length: " length "\r\n"              \
	    "Cache-Control: no-store\r\n\r\n"

static void
replace_token(char *text, const char *from, const char *to)
{
	char *at = strstr(text, from);

	if (at)
		memcpy(at, to, TOKEN_LEN);
}

/* The answer, with TOKEN in it for the token of cat. */
static const char *
run(void)
{
	exchange_run(&exchange);
	replace_token((char *)exchange.answer.data, cat.token, TOKEN);
	return (const char *)exchange.answer.data;
}

/* A parameter, with the token of cat for TOKEN in it. */
static void
param(const char *name, const char *value)
{
	char text[100];

	ck_assert_uint_lt(strlen(value), sizeof(text));
	snprintf(text, sizeof(text), "%s", value);
	replace_token(text, TOKEN, cat.token);
	exchange_param(&exchange, name, text);
}

/* ---- whole answers ---- */

START_TEST(a_get_answers_the_whole_file)
{
	ck_assert_str_eq(run(), WHOLE_HEAD BODY);
}
END_TEST

START_TEST(a_head_answers_the_same_without_the_body)
{
	request("HEAD", &cat);
	ck_assert_str_eq(run(), WHOLE_HEAD);
}
END_TEST

START_TEST(a_range_answers_206)
{
	param("HTTP_RANGE", "bytes=0-1");
	ck_assert_str_eq(run(), STATUS("206 Partial Content") COMMON
	    "Content-Range: bytes 0-1/20\r\n" CONTENT("2") "01");
}
END_TEST

START_TEST(an_unsatisfiable_range_answers_416_with_the_size)
{
	param("HTTP_RANGE", "bytes=20-");
	ck_assert_str_eq(run(),
	    STATUS("416 Range Not Satisfiable") CORS POLICY_SANDBOX SECURITY
	    "Content-Range: bytes */20\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 37\r\n"
	    "Cache-Control: no-store\r\n\r\n"
	    "The file has no bytes in that range.\n");
}
END_TEST

START_TEST(not_modified_answers_304_without_a_body)
{
	param("HTTP_IF_NONE_MATCH", "W/" ETAG);
	param("HTTP_RANGE", "bytes=0-1");
	ck_assert_str_eq(run(), STATUS("304 Not Modified") COMMON "\r\n");
}
END_TEST

START_TEST(a_clock_that_was_set_back_dates_no_file_in_the_future)
{
	exchange.request.now = SERVICE_NOW - 60;
	exchange_check_header(
	    run(), "Last-Modified: Mon, 21 Sep 2026 14:12:20 GMT");
}
END_TEST

START_TEST(a_missing_file_answers_one_sentence)
{
	const struct slot none = {.token = "aaaaaaaaaaaaaaaaaaaaaaaaaa"};

	request("GET", &none);
	ck_assert_str_eq(
	    run(), ERROR_HEAD("404 Not Found",
		       "37") "There is no such file, or no longer.\n");

	request("HEAD", &none);
	ck_assert_str_eq(run(), ERROR_HEAD("404 Not Found", "37"));
}
END_TEST

/* ---- conditions ---- */

static const struct {
	const char *name, *value; /* of a parameter, beside bytes=0-1 */
	int status;
} conditions[] = {
    {"HTTP_IF_MATCH", ETAG, 206},
    {"HTTP_IF_MATCH", "\"x\"", 412},
    {"HTTP_IF_UNMODIFIED_SINCE", STORED, 206},
    {"HTTP_IF_UNMODIFIED_SINCE", "Mon, 21 Sep 2026 14:13:19 GMT", 412},
    {"HTTP_IF_NONE_MATCH", ETAG, 304},
    {"HTTP_IF_NONE_MATCH", "\"x\"", 206},
    {"HTTP_IF_MODIFIED_SINCE", STORED, 304},
    {"HTTP_IF_MODIFIED_SINCE", "Mon, 21 Sep 2026 14:13:19 GMT", 206},
    {"HTTP_IF_RANGE", ETAG, 206},
    {"HTTP_IF_RANGE", STORED, 206},
    {"HTTP_IF_RANGE", "W/" ETAG, 200},
    {"HTTP_IF_RANGE", "\"x\"", 200},
    {"HTTP_IF_RANGE", "Mon, 21 Sep 2026 14:13:21 GMT", 200},
};

START_TEST(conditions_come_before_ranges)
{
	param("HTTP_RANGE", "bytes=0-1");
	param(conditions[_i].name, conditions[_i].value);
	exchange_check_status(run(), conditions[_i].status);
}
END_TEST

START_TEST(an_if_range_of_another_file_turns_416_into_200)
{
	param("HTTP_RANGE", "bytes=99-");
	param("HTTP_IF_RANGE", "\"x\"");
	exchange_check_status(run(), 200);
}
END_TEST

/* ---- types and names ---- */

static const struct {
	const char *name, *type;
	const char *sent_type, *disposition;
	bool sandboxed;
} kinds[] = {
    {"a.png", "image/png", "image/png", "inline; filename=\"a.png\"", false},
    {"a.mp4", "video/mp4", "video/mp4", "inline; filename=\"a.mp4\"", false},
    {"a.txt", "text/plain;charset=utf-8", "text/plain;charset=utf-8",
	"inline; filename=\"a.txt\"", false},
    {"a.svg", "image/svg+xml", "image/svg+xml",
	"attachment; filename=\"a.svg\"", true},
    {"a.html", "text/html", "text/html", "attachment; filename=\"a.html\"",
	true},
    {"a.pdf", "application/pdf", "application/pdf",
	"attachment; filename=\"a.pdf\"", true},
    {"a.bin", NULL, "application/octet-stream",
	"attachment; filename=\"a.bin\"", true},
    {"a\r\nX: y", "image/png", "image/png",
	"inline; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y",
	false},
    {"é.png", "image/png", "image/png",
	"inline; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png", false},
};

START_TEST(only_what_cannot_run_is_shown_inline)
{
	char line[200];
	struct slot slot =
	    service_grant(&service, kinds[_i].name, kinds[_i].type, 2);

	service_publish(&service, &slot, "ab", 2);
	request("GET", &slot);
	const char *answer = run();

	exchange_check_status(answer, 200);
	snprintf(line, sizeof(line), "Content-Type: %s", kinds[_i].sent_type);
	exchange_check_header(answer, line);
	snprintf(line, sizeof(line), "Content-Disposition: %s",
	    kinds[_i].disposition);
	exchange_check_header(answer, line);
	ck_assert_int_eq(
	    strstr(answer, "; sandbox\r\n") != NULL, kinds[_i].sandboxed);
}
END_TEST

/* ---- life and death ---- */

static const struct {
	int64_t before_end;
	const char *cache_control;
} lives[] = {
    {86400, "Cache-Control: max-age=3600, immutable"},
    {3600, "Cache-Control: max-age=3600, immutable"},
    {3599, "Cache-Control: max-age=3599, immutable"},
    {1, "Cache-Control: max-age=1, immutable"},
};

START_TEST(caching_ends_before_the_file)
{
	exchange.request.now = cat.expires_at - lives[_i].before_end;
	exchange_check_header(run(), lives[_i].cache_control);
}
END_TEST

START_TEST(a_file_for_ever_is_cached_as_long_as_configured)
{
	service.limits.retention = UNITS_NEVER;
	struct slot slot = service_grant(&service, "a", NULL, 2);

	service_publish(&service, &slot, "ab", 2);
	request("GET", &slot);
	exchange.request.now += 1000000000;
	exchange_check_header(run(), "Cache-Control: max-age=3600, immutable");
}
END_TEST

START_TEST(a_file_is_gone_at_the_second_of_its_expiry)
{
	exchange.request.now = cat.expires_at - 1;
	exchange_check_status(run(), 200);
	request("GET", &cat);
	exchange.request.now = cat.expires_at;
	exchange_check_status(run(), 404);
	request("HEAD", &cat);
	exchange.request.now = cat.expires_at;
	exchange_check_status(run(), 404);
}
END_TEST

/* Gives a slot a body behind the database's back. */
static void
leave_body(const struct slot *slot, const char *text)
{
	struct body *body;

	ck_assert_int_eq(body_begin(service.http.bodies, slot->token,
			     BODIES_OWN, (int64_t)strlen(text), &body),
	    1);
	ck_assert_int_eq(body_write(body, text, strlen(text)), 1);
	ck_assert_int_eq(body_sync(body), 1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(body_sync_name(body), 1);
	body_end(body);
}

static const char *const readings[] = {"GET", "HEAD"};

START_TEST(a_slot_that_awaits_its_put_is_no_file)
{
	struct slot slot = service_grant(&service, "a", NULL, 2);

	/* As a crash between link and commit leaves it. */
	leave_body(&slot, "ab");
	request(readings[_i], &slot);
	exchange_check_status(run(), 404);
}
END_TEST

START_TEST(a_lost_body_answers_404)
{
	ck_assert_int_eq(bodies_remove(service.http.bodies, cat.token), 1);
	exchange_check_status(run(), 404);
}
END_TEST

static const char *const wrong_bodies[] = {BODY "k", "0123456789"};

START_TEST(a_body_of_another_size_answers_500)
{
	leave_body(&cat, wrong_bodies[_i]);
	exchange_check_status(run(), 500);
}
END_TEST

START_TEST(a_database_that_cannot_be_read_answers_500)
{
	service_break_database(&service);
	exchange_check_status(run(), 500);
}
END_TEST

START_TEST(no_get_leaves_a_descriptor_open)
{
	int open;

	exchange_check_status(run(), 200);
	open = descriptor_count(); /* what is opened once is open by now */
	request("GET", &cat);
	exchange_check_status(run(), 200);
	ck_assert_int_eq(descriptor_count(), open);
}
END_TEST

static Suite *
get_suite(void)
{
	Suite *suite = suite_create("get");
	TCase *tc = tcase_create("get");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_get_answers_the_whole_file);
	tcase_add_test(tc, a_head_answers_the_same_without_the_body);
	tcase_add_test(tc, a_range_answers_206);
	tcase_add_test(
	    tc, a_clock_that_was_set_back_dates_no_file_in_the_future);
	tcase_add_test(tc, an_unsatisfiable_range_answers_416_with_the_size);
	tcase_add_test(tc, not_modified_answers_304_without_a_body);
	tcase_add_test(tc, a_missing_file_answers_one_sentence);
	tcase_add_loop_test(
	    tc, conditions_come_before_ranges, 0, COUNT(conditions));
	tcase_add_test(tc, an_if_range_of_another_file_turns_416_into_200);
	tcase_add_loop_test(
	    tc, only_what_cannot_run_is_shown_inline, 0, COUNT(kinds));
	tcase_add_loop_test(tc, caching_ends_before_the_file, 0, COUNT(lives));
	tcase_add_test(tc, a_file_for_ever_is_cached_as_long_as_configured);
	tcase_add_test(tc, a_file_is_gone_at_the_second_of_its_expiry);
	tcase_add_loop_test(
	    tc, a_slot_that_awaits_its_put_is_no_file, 0, COUNT(readings));
	tcase_add_test(tc, a_lost_body_answers_404);
	tcase_add_loop_test(
	    tc, a_body_of_another_size_answers_500, 0, COUNT(wrong_bodies));
	tcase_add_test(tc, a_database_that_cannot_be_read_answers_500);
	tcase_add_test(tc, no_get_leaves_a_descriptor_open);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_run(get_suite());
}
