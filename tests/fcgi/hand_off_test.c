#include "fcgi/hand_off.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define BODY "0123456789abcdefghij" /* 20 bytes */

static struct service service;
static struct exchange exchange;
static struct slot slot; /* stored: a.html, text/html, BODY */

static void
set_up(void)
{
	char url[100];

	service_open(&service);
	service.config.send_file = SEND_FILE_X_SENDFILE;
	service.config.accel_url = "/_files/";
	slot = service_grant(&service, "a.html", "text/html", 20);
	service_publish(&service, &slot, BODY, 20);
	snprintf(url, sizeof(url), "/upload/%s/a.html", slot.token);
	exchange_open(&exchange, &service, "GET", url);
}

static void
tear_down(void)
{
	exchange_close(&exchange);
	service_close(&service);
}

static bool
has_header(const char *answer, const char *name)
{
	char text[50];

	snprintf(text, sizeof(text), "\r\n%s: ", name);
	return strstr(answer, text) != NULL;
}

/* What is handed off says nothing of which bytes: the web server does. */
static void
check_handed_off(const char *answer)
{
	exchange_check_status(answer, 200);
	ck_assert_str_eq(exchange_content(answer), "");
	ck_assert(!has_header(answer, "Content-Length"));
	ck_assert(!has_header(answer, "Content-Range"));
}

START_TEST(the_body_is_named_to_lighttpd_and_apache_by_its_path)
{
	char line[400];
	const char *answer = exchange_run(&exchange);

	check_handed_off(answer);
	snprintf(line, sizeof(line), "X-Sendfile: %s/%.2s/%s",
	    service.bodies_dir, slot.token, slot.token);
	exchange_check_header(answer, line);
	exchange_check_header(answer, "Accept-Ranges: bytes");
}
END_TEST

START_TEST(the_body_is_named_to_nginx_by_its_location)
{
	char line[100];

	service.config.send_file = SEND_FILE_X_ACCEL_REDIRECT;
	const char *answer = exchange_run(&exchange);

	check_handed_off(answer);
	snprintf(line, sizeof(line), "X-Accel-Redirect: /_files/%.2s/%s",
	    slot.token, slot.token);
	exchange_check_header(answer, line);
	ck_assert(!has_header(answer, "Accept-Ranges"));
}
END_TEST

START_TEST(nginx_is_told_of_ranges_where_it_cuts_one)
{
	service.config.send_file = SEND_FILE_X_ACCEL_REDIRECT;
	exchange_param(&exchange, "HTTP_RANGE", "bytes=0-1");
	const char *answer = exchange_run(&exchange);

	check_handed_off(answer);
	exchange_check_header(answer, "Accept-Ranges: bytes");
}
END_TEST

START_TEST(all_that_protects_a_browser_goes_along)
{
	static const char *const lines[] = {
	    "Content-Security-Policy: default-src 'none'; "
	    "frame-ancestors 'none'; sandbox",
	    "X-Content-Type-Options: nosniff",
	    "Referrer-Policy: no-referrer",
	    "Cross-Origin-Resource-Policy: cross-origin",
	    "Access-Control-Allow-Origin: *",
	    "Cache-Control: max-age=3600, immutable",
	    "Content-Type: text/html",
	    "Content-Disposition: attachment; filename=\"a.html\"",
	};

	const char *answer = exchange_run(&exchange);
	for (int i = 0; i < COUNT(lines); i++)
		exchange_check_header(answer, lines[i]);
	ck_assert(has_header(answer, "ETag"));
	ck_assert(has_header(answer, "Last-Modified"));
}
END_TEST

static const struct {
	const char *name, *value;
	bool handed_off;
} requests[] = {
    {"HTTP_ACCEPT_ENCODING", "gzip", true},
    {"HTTP_RANGE", "bytes=0-", true},
    {"HTTP_RANGE", "bytes=3-4", true},
    {"HTTP_RANGE", "bytes=-4", true},
    {"HTTP_RANGE", "bytes=3-999999999999999999", true},
    /* what a server might read differently */
    {"HTTP_RANGE", "bytes=3-9999999999999999999", false},
    {"HTTP_RANGE", "bytes=-0000000000000000004", false},
    {"HTTP_RANGE", "Bytes=0-1", false},
    {"HTTP_RANGE", "bytes= 0-1", false},
    {"HTTP_RANGE", "bytes=0-1 ", false},
    {"HTTP_RANGE", "bytes=,0-1", false},
    {"HTTP_RANGE", "bytes=0-1,99-", false},
    {"HTTP_RANGE", "bytes=0-1,4-5", false},
    /* 416 */
    {"HTTP_RANGE", "bytes=20-", false},
    {"HTTP_RANGE", "bytes=-0", false},
    /* the whole body, of which a server might send a part */
    {"HTTP_RANGE", "bytes=5-2", false},
    {"HTTP_RANGE", "bytes=", false},
    {"HTTP_RANGE", "bytes=-", false},
    {"HTTP_RANGE", "", false},
    {"HTTP_RANGE", "lines=0-1", false},
    /* conditions, also those that hold */
    {"HTTP_IF_MATCH", "*", false},
    {"HTTP_IF_MATCH", "", false},
    {"HTTP_IF_NONE_MATCH", "\"x\"", false},
    {"HTTP_IF_MODIFIED_SINCE", "nonsense", false},
    {"HTTP_IF_UNMODIFIED_SINCE", "nonsense", false},
    {"HTTP_IF_RANGE", "\"x\"", false},
};

START_TEST(only_what_all_servers_answer_alike_is_handed_off)
{
	exchange_param(&exchange, requests[_i].name, requests[_i].value);
	const char *answer = exchange_run(&exchange);

	ck_assert_int_eq(
	    has_header(answer, "X-Sendfile"), requests[_i].handed_off);
	if (requests[_i].handed_off)
		check_handed_off(answer);
	else
		ck_assert_str_ne(exchange_content(answer), "");
}
END_TEST

static const struct {
	const char *range; /* of 20 bytes */
	int64_t from;
	bool handed_off;
} smalls[] = {
    {NULL, 20, true},
    {NULL, 21, false},
    {"bytes=0-", 20, true},
    {"bytes=1-", 20, false},
    {"bytes=5-9", 5, true},
    {"bytes=5-9", 6, false},
};

START_TEST(what_is_small_is_not_handed_off)
{
	service.config.send_file_from = smalls[_i].from;
	exchange_param(&exchange, "HTTP_RANGE", smalls[_i].range);
	const char *answer = exchange_run(&exchange);

	ck_assert_int_eq(
	    has_header(answer, "X-Sendfile"), smalls[_i].handed_off);
	ck_assert_int_eq(
	    *exchange_content(answer) == '\0', smalls[_i].handed_off);
}
END_TEST

START_TEST(a_head_is_answered_here)
{
	exchange_close(&exchange);
	char url[100];

	snprintf(url, sizeof(url), "/upload/%s/a.html", slot.token);
	exchange_open(&exchange, &service, "HEAD", url);
	const char *answer = exchange_run(&exchange);

	ck_assert(!has_header(answer, "X-Sendfile"));
	exchange_check_header(answer, "Content-Length: 20");
}
END_TEST

START_TEST(nothing_is_handed_off_unless_configured)
{
	service.config.send_file = SEND_FILE_NO;
	const char *answer = exchange_run(&exchange);

	ck_assert(!has_header(answer, "X-Sendfile"));
	ck_assert_str_eq(exchange_content(answer), BODY);
}
END_TEST

START_TEST(a_body_that_is_not_there_whole_is_not_handed_off)
{
	static const int statuses[] = {404, 500, 404};
	char path[400];

	snprintf(path, sizeof(path), "%s/%.2s/%s", service.bodies_dir,
	    slot.token, slot.token);
	if (_i == 0)
		ck_assert_int_eq(unlink(path), 0);
	if (_i == 1)
		ck_assert_int_eq(truncate(path, 19), 0);
	if (_i == 2)
		exchange.request.now = slot.expires_at;
	const char *answer = exchange_run(&exchange);

	exchange_check_status(answer, statuses[_i]);
	ck_assert(!has_header(answer, "X-Sendfile"));
}
END_TEST

/* To it the web server knows a way of its own. */
START_TEST(a_public_body_is_not_handed_off)
{
	char own[400], public[400];

	service_open_public(&service);
	snprintf(
	    public, sizeof(public), "%s/%.2s", service.public_dir, slot.token);
	ck_assert_int_eq(mkdir(public, 0700), 0);
	snprintf(own, sizeof(own), "%s/%.2s/%s", service.bodies_dir, slot.token,
	    slot.token);
	snprintf(public, sizeof(public), "%s/%.2s/%s", service.public_dir,
	    slot.token, slot.token);
	ck_assert_int_eq(rename(own, public), 0);
	const char *answer = exchange_run(&exchange);

	exchange_check_status(answer, 200);
	ck_assert_str_eq(exchange_content(answer), BODY);
	ck_assert(!has_header(answer, "X-Sendfile"));
}
END_TEST

static Suite *
hand_off_suite(void)
{
	Suite *suite = suite_create("hand_off");
	TCase *tc = tcase_create("hand_off");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(
	    tc, the_body_is_named_to_lighttpd_and_apache_by_its_path);
	tcase_add_test(tc, the_body_is_named_to_nginx_by_its_location);
	tcase_add_test(tc, nginx_is_told_of_ranges_where_it_cuts_one);
	tcase_add_test(tc, all_that_protects_a_browser_goes_along);
	tcase_add_loop_test(tc,
	    only_what_all_servers_answer_alike_is_handed_off, 0,
	    COUNT(requests));
	tcase_add_loop_test(
	    tc, what_is_small_is_not_handed_off, 0, COUNT(smalls));
	tcase_add_test(tc, a_head_is_answered_here);
	tcase_add_test(tc, nothing_is_handed_off_unless_configured);
	tcase_add_loop_test(
	    tc, a_body_that_is_not_there_whole_is_not_handed_off, 0, 3);
	tcase_add_test(tc, a_public_body_is_not_handed_off);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_run(hand_off_suite());
}
