/* Which bytes GET sends; tests/fcgi/get_test.c has the rest of it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fcgi/get_fixture.h"
#include "tests/suite.h"

/* ---- ranges ---- */

static const struct {
	const char *range;
	const char *content_range; /* NULL: the whole file */
	const char *content;
} ranges[] = {
    {"bytes=0-", "bytes 0-19/20", BODY},
    {"bytes=0-1", "bytes 0-1/20", "01"},
    {"bytes=0-0", "bytes 0-0/20", "0"},
    {"bytes=10-", "bytes 10-19/20", "abcdefghij"},
    {"bytes=19-", "bytes 19-19/20", "j"},
    {"bytes=18-99", "bytes 18-19/20", "ij"},
    {"bytes=-3", "bytes 17-19/20", "hij"},
    {"bytes=-99", "bytes 0-19/20", BODY},
    {"bytes=99-,3-4", "bytes 3-4/20", "34"},
    {"bytes=4-3", NULL, BODY},
    {"bytes=x", NULL, BODY},
    {"items=0-1", NULL, BODY},
    {"bytes=0-,0-,0-", NULL, BODY},
};

START_TEST(each_range_answers_its_bytes)
{
	char line[60];

	exchange_param(&exchange, "HTTP_RANGE", ranges[_i].range);
	const char *answer = exchange_run(&exchange);

	exchange_check_status(answer, ranges[_i].content_range ? 206 : 200);
	if (ranges[_i].content_range) {
		snprintf(line, sizeof(line), "Content-Range: %s",
		    ranges[_i].content_range);
		exchange_check_header(answer, line);
	} else {
		ck_assert_ptr_null(strstr(answer, "Content-Range:"));
	}
	snprintf(line, sizeof(line), "Content-Length: %zu",
	    strlen(ranges[_i].content));
	exchange_check_header(answer, line);
	ck_assert_str_eq(exchange_content(answer), ranges[_i].content);
}
END_TEST

START_TEST(several_ranges_answer_several_parts)
{
	static const char type[] =
	    "\r\nContent-Type: multipart/byteranges; boundary=";
	char boundary[27], expected[600], line[40];

	exchange_param(&exchange, "HTTP_RANGE", "bytes=0-1,-3");
	const char *answer = exchange_run(&exchange);
	const char *at = strstr(answer, type);

	exchange_check_status(answer, 206);
	ck_assert_ptr_nonnull(at);
	snprintf(boundary, sizeof(boundary), "%s", at + sizeof(type) - 1);
	snprintf(expected, sizeof(expected),
	    "\r\n--%s\r\nContent-Type: image/jpeg\r\n"
	    "Content-Range: bytes 0-1/20\r\n\r\n01"
	    "\r\n--%s\r\nContent-Type: image/jpeg\r\n"
	    "Content-Range: bytes 17-19/20\r\n\r\nhij"
	    "\r\n--%s--\r\n",
	    boundary, boundary, boundary);
	ck_assert_str_eq(exchange_content(answer), expected);
	snprintf(line, sizeof(line), "Content-Length: %zu", strlen(expected));
	exchange_check_header(answer, line);
	/* 15.3.7.2: the parts have it, not the whole. */
	ck_assert_ptr_null(
	    memmem(answer, (size_t)(exchange_content(answer) - answer),
		"\nContent-Range", 14));
}
END_TEST

static const char *const head_ranges[] = {"bytes=0-1", "bytes=99-"};

START_TEST(a_head_takes_no_notice_of_a_range)
{
	request("HEAD", &cat);
	exchange_param(&exchange, "HTTP_RANGE", head_ranges[_i]);
	const char *answer = exchange_run(&exchange);

	exchange_check_status(answer, 200);
	exchange_check_header(answer, "Content-Length: 20");
	ck_assert_str_eq(exchange_content(answer), "");
}
END_TEST

/* ---- large files ---- */

#define LARGE 300001

static const struct {
	const char *range;
	size_t first, length;
} stretches[] = {
    {NULL, 0, LARGE},
    {"bytes=65535-200000", 65535, 134466},
};

START_TEST(a_large_file_arrives_byte_for_byte)
{
	static unsigned char large[LARGE];

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (unsigned char)(i * 7 + i / 251);
	struct slot slot = service_grant(&service, "large", NULL, LARGE);

	service_publish(&service, &slot, large, LARGE);
	request("GET", &slot);
	exchange_param(&exchange, "HTTP_RANGE", stretches[_i].range);
	const char *body = exchange_content(exchange_run(&exchange));
	size_t head = (size_t)(body - (const char *)exchange.answer.data);

	ck_assert_uint_eq(
	    streams_written(&exchange.answer) - head, stretches[_i].length);
	ck_assert_int_eq(
	    memcmp(body, large + stretches[_i].first, stretches[_i].length), 0);
}
END_TEST

/* Makes a stored file of a tebibyte, all holes, and a request for it. */
static void
request_tebibyte(const char *method)
{
	char path[400];
	struct slot slot =
	    service_grant(&service, "huge", NULL, (int64_t)1 << 40);

	service_publish(&service, &slot, "", 0);
	snprintf(path, sizeof(path), "%s/%.2s/%s", service.bodies_dir,
	    slot.token, slot.token);
	ck_assert_int_eq(truncate(path, (off_t)1 << 40), 0);
	request(method, &slot);
}

START_TEST(sizes_and_positions_have_64_bits)
{
	request_tebibyte("HEAD");
	exchange_check_header(
	    exchange_run(&exchange), "Content-Length: 1099511627776");

	request_tebibyte("GET");
	exchange_param(&exchange, "HTTP_RANGE", "bytes=-2");
	exchange_check_header(exchange_run(&exchange),
	    "Content-Range: bytes 1099511627774-1099511627775/1099511627776");
}
END_TEST

static const char *const endless_ranges[] = {NULL, "bytes=0-1,3-", "bytes=3-"};

/* Reading on would take longer than a test may. */
START_TEST(nothing_is_read_for_a_client_that_is_gone)
{
	request_tebibyte("GET");
	exchange.answer.limit = 10000;
	exchange_param(&exchange, "HTTP_RANGE", endless_ranges[_i]);
	exchange_run(&exchange);
	/* The stream's buffer doubles, and is full after the limit. */
	ck_assert_uint_le(streams_written(&exchange.answer), 16384);
}
END_TEST

static Suite *
get_ranges_suite(void)
{
	Suite *suite = suite_create("get_ranges");
	TCase *tc = tcase_create("ranges");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, each_range_answers_its_bytes, 0, COUNT(ranges));
	tcase_add_test(tc, several_ranges_answer_several_parts);
	tcase_add_loop_test(
	    tc, a_head_takes_no_notice_of_a_range, 0, COUNT(head_ranges));
	tcase_add_loop_test(
	    tc, a_large_file_arrives_byte_for_byte, 0, COUNT(stretches));
	tcase_add_test(tc, sizes_and_positions_have_64_bits);
	tcase_add_loop_test(tc, nothing_is_read_for_a_client_that_is_gone, 0,
	    COUNT(endless_ranges));
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_run(get_ranges_suite());
}
