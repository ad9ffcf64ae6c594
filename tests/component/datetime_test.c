#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "component/datetime.h"
#include "schema/units.h"
#include "tests/suite.h"

static const struct {
	const char *text;
	int64_t seconds;
} good[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1970-01-01T00:00:01Z", 1},
    {"1969-12-31T23:59:59Z", -1},
    {"2000-02-29T12:00:00Z", 951825600},
    {"2000-03-01T00:00:00Z", 951868800},
    {"2024-02-29T23:59:59Z", 1709251199},
    {"2025-09-10T23:08:25Z", 1757545705},
    {"2038-01-19T03:14:08Z", INT64_C(2147483648)},
    {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
    {"0001-01-01T00:00:00Z", INT64_C(-62135596800)},
    {"2100-02-28T00:00:00Z", INT64_C(4107456000)},
    /* offsets */
    {"2025-09-10T23:08:25+00:00", 1757545705},
    {"2025-09-11T01:08:25+02:00", 1757545705},
    {"2025-09-10T17:38:25-05:30", 1757545705},
    {"2025-09-10T23:08:25-00:00", 1757545705},
    /* fractions are cut off */
    {"2025-09-10T23:08:25.1Z", 1757545705},
    {"2025-09-10T23:08:25.999999999999999999999999Z", 1757545705},
    {"2025-09-11T01:08:25.5+02:00", 1757545705},
    /* a leap second is the second before */
    {"2016-12-31T23:59:60Z", 1483228799},
    {"2016-12-31T23:59:60.7Z", 1483228799},
};

START_TEST(each_form_of_a_datetime_gives_its_seconds)
{
	int64_t seconds = -7;

	ck_assert_int_eq(datetime_parse(good[_i].text, &seconds), 1);
	ck_assert_int_eq(seconds, good[_i].seconds);
}
END_TEST

static const char *const bad[] = {
    "", "Z", "tomorrow", "2025", "2025-09-10",
    "2025-09-10T23:08:25", /* no zone */
    "2025-09-10T23:08Z", "2025-09-10 23:08:25Z", "2025-09-10t23:08:25Z",
    "2025-09-10T23:08:25z", " 2025-09-10T23:08:25Z", "2025-09-10T23:08:25Z ",
    "2025-09-10T23:08:25ZZ", "2025-09-10T23:08:25.Z", "2025-09-10T23:08:25,5Z",
    "2025-09-10T23:08:25.5.5Z", "2025-9-10T23:08:25Z", "25-09-10T23:08:25Z",
    "12025-09-10T23:08:25Z", "-2025-09-10T23:08:25Z", "0000-01-01T00:00:00Z",
    "2025-00-10T23:08:25Z", "2025-13-10T23:08:25Z", "2025-09-00T23:08:25Z",
    "2025-09-31T23:08:25Z", "2025-02-29T23:08:25Z", "2100-02-29T23:08:25Z",
    "2025-09-10T24:00:00Z", "2025-09-10T23:60:25Z", "2025-09-10T23:08:61Z",
    "2025-09-10T23:08:25+2:00", "2025-09-10T23:08:25+0200",
    "2025-09-10T23:08:25+24:00", "2025-09-10T23:08:25+02:60",
    "2025-09-10T23:08:25+02", "2025-09-10T23:08:25+",
    "20250910T23:08:25",           /* XEP-0091 */
    "2025-09-10T23:08:2\xd9\xa5Z", /* an Arabic digit */
};

START_TEST(what_is_no_datetime_is_refused)
{
	int64_t seconds = -7;

	ck_assert_int_eq(datetime_parse(bad[_i], &seconds), 0);
	ck_assert_int_eq(seconds, -7);
}
END_TEST

static const int64_t points[] = {
    0, 1, 86399, 951825600, 1483228799, INT64_C(253402300799)};

START_TEST(what_is_written_can_be_read)
{
	char text[DATETIME_TEXT_MAX];
	int64_t seconds;

	ck_assert_int_eq(
	    datetime_parse(datetime_format(points[_i], text), &seconds), 1);
	ck_assert_int_eq(seconds, points[_i]);
}
END_TEST

START_TEST(out_of_the_years_the_nearest_is_written)
{
	char text[DATETIME_TEXT_MAX];

	ck_assert_str_eq(datetime_format(-5, text), "1970-01-01T00:00:00Z");
	ck_assert_str_eq(
	    datetime_format(UNITS_NEVER, text), "9999-12-31T23:59:59Z");
}
END_TEST

START_TEST(the_time_zone_of_the_process_does_not_matter)
{
	char text[DATETIME_TEXT_MAX];
	int64_t seconds;

	setenv("TZ", "Asia/Kathmandu", 1);
	tzset();
	ck_assert_int_eq(datetime_parse("2025-09-10T23:08:25Z", &seconds), 1);
	ck_assert_int_eq(seconds, 1757545705);
	ck_assert_str_eq(
	    datetime_format(seconds, text), "2025-09-10T23:08:25Z");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("datetime");
	TCase *tc = tcase_create("datetime");

	tcase_add_loop_test(
	    tc, each_form_of_a_datetime_gives_its_seconds, 0, COUNT(good));
	tcase_add_loop_test(tc, what_is_no_datetime_is_refused, 0, COUNT(bad));
	tcase_add_loop_test(tc, what_is_written_can_be_read, 0, COUNT(points));
	tcase_add_test(tc, out_of_the_years_the_nearest_is_written);
	tcase_add_test(tc, the_time_zone_of_the_process_does_not_matter);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
