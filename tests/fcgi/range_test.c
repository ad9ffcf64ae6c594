#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/range.h"
#include "tests/suite.h"

#define IGNORED 0
#define UNSATISFIABLE -1

static const struct {
	const char *header;
	int count;
	struct range ranges[3];
} cases[] = {
    /* of a body of 1000 bytes */
    {"bytes=0-", 1, {{0, 999}}},
    {"bytes=0-1", 1, {{0, 1}}},
    {"bytes=0-0", 1, {{0, 0}}},
    {"bytes=500-", 1, {{500, 999}}},
    {"bytes=999-", 1, {{999, 999}}},
    {"bytes=-1", 1, {{999, 999}}},
    {"bytes=-5", 1, {{995, 999}}},
    {"bytes=-1000", 1, {{0, 999}}},
    {"bytes=-5000", 1, {{0, 999}}},
    {"bytes=990-2000", 1, {{990, 999}}},
    {"bytes=0-999", 1, {{0, 999}}},
    {"bytes=0-1000", 1, {{0, 999}}},
    {"BYTES=0-1", 1, {{0, 1}}},
    {"bytes=007-0008", 1, {{7, 8}}},
    /* outside the body */
    {"bytes=1000-", UNSATISFIABLE, {{0}}},
    {"bytes=1000-1001", UNSATISFIABLE, {{0}}},
    {"bytes=-0", UNSATISFIABLE, {{0}}},
    {"bytes=2000-,-0,5000-6000", UNSATISFIABLE, {{0}}},
    {"bytes=2000-,5-6", 1, {{5, 6}}},
    {"bytes=-0,5-6", 1, {{5, 6}}},
    /* huge numbers are numbers */
    {"bytes=0-9223372036854775807", 1, {{0, 999}}},
    {"bytes=0-99999999999999999999999", 1, {{0, 999}}},
    {"bytes=99999999999999999999999-", UNSATISFIABLE, {{0}}},
    {"bytes=9223372036854775807-9223372036854775807", UNSATISFIABLE, {{0}}},
    {"bytes=-99999999999999999999999", 1, {{0, 999}}},
    {"bytes=4294967296-4294967297", UNSATISFIABLE, {{0}}},
    /* several */
    {"bytes=0-1,5-6", 2, {{0, 1}, {5, 6}}},
    {"bytes=0-1, 5-6 ,\t-3", 3, {{0, 1}, {5, 6}, {997, 999}}},
    {"bytes=,0-1,,5-6,", 2, {{0, 1}, {5, 6}}},
    {"bytes=5-6,0-1", 2, {{5, 6}, {0, 1}}},
    {"bytes=0-9,5-14", 2, {{0, 9}, {5, 14}}},
    {"bytes=0-499,500-999", 2, {{0, 499}, {500, 999}}},
    {"bytes=0-500,500-999", IGNORED, {{0}}}, /* 1001 bytes of 1000 */
    {"bytes=0-,0-", IGNORED, {{0}}},
    /* not of the form */
    {"", IGNORED, {{0}}},
    {"bytes", IGNORED, {{0}}},
    {"bytes=", IGNORED, {{0}}},
    {"bytes=,", IGNORED, {{0}}},
    {"bytes=-", IGNORED, {{0}}},
    {"bytes=--1", IGNORED, {{0}}},
    {"bytes=1", IGNORED, {{0}}},
    {"bytes=1-0", IGNORED, {{0}}},
    {"bytes=0-1,5-4", IGNORED, {{0}}},
    {"bytes=a-b", IGNORED, {{0}}},
    {"bytes=0x1-0x2", IGNORED, {{0}}},
    {"bytes=+1-2", IGNORED, {{0}}},
    {"bytes=0-1;5-6", IGNORED, {{0}}},
    {"bytes=0-1 5-6", IGNORED, {{0}}},
    {"bytes=0 -1", IGNORED, {{0}}},
    {"bytes=0- 1", IGNORED, {{0}}},
    {"bytes 0-1", IGNORED, {{0}}},
    {"bytes =0-1", IGNORED, {{0}}},
    {" bytes=0-1", IGNORED, {{0}}},
    {"lines=0-1", IGNORED, {{0}}},
    {"bytes=0-1/1000", IGNORED, {{0}}},
};

START_TEST(each_form_of_a_range_gives_its_positions)
{
	struct range ranges[RANGE_MAX];
	int count = range_parse(cases[_i].header, 1000, ranges);

	ck_assert_msg(count == cases[_i].count, "%s: %d ranges instead of %d",
	    cases[_i].header, count, cases[_i].count);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(ranges[i].first, cases[_i].ranges[i].first);
		ck_assert_int_eq(ranges[i].last, cases[_i].ranges[i].last);
	}
}
END_TEST

/* "bytes=0-0,1-1,…" with count ranges. */
static char *
many_ranges(int count)
{
	char *header = malloc(7 + (size_t)count * 24);
	size_t len = 6;

	ck_assert_ptr_nonnull(header);
	memcpy(header, "bytes=", 7);
	for (int i = 0; i < count; i++)
		len += (size_t)snprintf(
		    header + len, 24, "%s%d-%d", i ? "," : "", i, i);
	return header;
}

START_TEST(as_many_ranges_as_fit_are_read)
{
	struct range ranges[RANGE_MAX];
	char *header = many_ranges(RANGE_MAX);

	ck_assert_int_eq(range_parse(header, 1000, ranges), RANGE_MAX);
	ck_assert_int_eq(ranges[RANGE_MAX - 1].first, RANGE_MAX - 1);
	free(header);
}
END_TEST

static const int too_many[] = {RANGE_MAX + 1, 5000};

START_TEST(more_ranges_are_ignored)
{
	struct range ranges[RANGE_MAX];
	char *header = many_ranges(too_many[_i]);

	ck_assert_int_eq(range_parse(header, 1000000, ranges), IGNORED);
	free(header);
}
END_TEST

START_TEST(a_body_larger_than_four_gigabytes_has_positions_there)
{
	struct range ranges[RANGE_MAX];

	ck_assert_int_eq(
	    range_parse("bytes=5000000000-5000000001", 6000000000, ranges), 1);
	ck_assert_int_eq(ranges[0].first, 5000000000);
	ck_assert_int_eq(ranges[0].last, 5000000001);
	ck_assert_int_eq(range_parse("bytes=-1", INT64_MAX, ranges), 1);
	ck_assert_int_eq(ranges[0].last, INT64_MAX - 1);
	/* their sum is no int64_t */
	ck_assert_int_eq(
	    range_parse("bytes=0-,0-", INT64_MAX, ranges), IGNORED);
}
END_TEST

static const char *const of_nothing[] = {"bytes=0-", "bytes=-1"};

START_TEST(an_empty_body_has_no_range)
{
	struct range ranges[RANGE_MAX];

	ck_assert_int_eq(range_parse(of_nothing[_i], 0, ranges), UNSATISFIABLE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("range");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(
	    tc, each_form_of_a_range_gives_its_positions, 0, COUNT(cases));
	tcase_add_test(tc, as_many_ranges_as_fit_are_read);
	tcase_add_loop_test(tc, more_ranges_are_ignored, 0, COUNT(too_many));
	tcase_add_test(
	    tc, a_body_larger_than_four_gigabytes_has_positions_there);
	tcase_add_loop_test(
	    tc, an_empty_body_has_no_range, 0, COUNT(of_nothing));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
