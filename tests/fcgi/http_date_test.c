#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>

#include "fcgi/http_date.h"
#include "tests/suite.h"

#define NOW 1790000000        /* September 2026 */
#define RFC_EXAMPLE 784111777 /* RFC 9110's: 1994-11-06 08:49:37 UTC */

static const struct {
	const char *text;
	int64_t when;
} dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", RFC_EXAMPLE},
    {"Sunday, 06-Nov-94 08:49:37 GMT", RFC_EXAMPLE},
    {"Sun Nov  6 08:49:37 1994", RFC_EXAMPLE},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
    {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
    {"Tue Feb 29 12:00:00 2000", 951825600},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
    {"Tue, 19 Jan 2038 03:14:08 GMT", 2147483648},
    /* two digits: at most fifty years ahead */
    {"Wednesday, 01-Jan-76 00:00:00 GMT", 3345062400},
    {"Saturday, 01-Jan-77 00:00:00 GMT", 220924800},
    {"Saturday, 01-Jan-00 00:00:00 GMT", 946684800},
    /* the weekday is not compared with the day */
    {"Mon, 06 Nov 1994 08:49:37 GMT", RFC_EXAMPLE},
};

START_TEST(each_form_of_a_date_is_read)
{
	int64_t when = 1;

	ck_assert_int_eq(http_date_parse(dates[_i].text, NOW, &when), 1);
	ck_assert_int_eq(when, dates[_i].when);
}
END_TEST

static const char *const mistakes[] = {
    "",
    "yesterday",
    "0",
    "784111777",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Wed, 29 Feb 2023 12:00:00 GMT",
    "Sun, -6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:3",
    "Sun Nov 6 08:49:37 1994",
};

START_TEST(anything_else_is_no_date)
{
	int64_t when = 42;

	ck_assert_msg(
	    http_date_parse(mistakes[_i], NOW, &when) == 0, "%s", mistakes[_i]);
	ck_assert_int_eq(when, 42);
}
END_TEST

static const struct {
	int64_t when;
	const char *text;
} written[] = {
    {RFC_EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

START_TEST(a_date_is_written_as_imf_fixdate)
{
	char buf[HTTP_DATE_LEN + 1];

	ck_assert_str_eq(
	    http_date_format(written[_i].when, buf), written[_i].text);
}
END_TEST

START_TEST(a_date_too_far_for_the_form_still_has_its_length)
{
	char buf[HTTP_DATE_LEN + 1];

	ck_assert_uint_eq(
	    strlen(http_date_format(INT64_MAX, buf)), HTTP_DATE_LEN);
	ck_assert_uint_eq(
	    strlen(http_date_format(253402300800, buf)), HTTP_DATE_LEN);
}
END_TEST

START_TEST(neither_locale_nor_time_zone_matters)
{
	char buf[HTTP_DATE_LEN + 1];
	int64_t when;

	setenv("TZ", "America/New_York", 1);
	tzset();
	setlocale(LC_ALL, "de_DE.UTF-8");
	ck_assert_int_eq(http_date_parse(dates[0].text, NOW, &when), 1);
	ck_assert_int_eq(when, RFC_EXAMPLE);
	ck_assert_str_eq(http_date_format(when, buf), dates[0].text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http_date");
	TCase *tc = tcase_create("dates");

	tcase_add_loop_test(tc, each_form_of_a_date_is_read, 0, COUNT(dates));
	tcase_add_loop_test(tc, anything_else_is_no_date, 0, COUNT(mistakes));
	tcase_add_loop_test(
	    tc, a_date_is_written_as_imf_fixdate, 0, COUNT(written));
	tcase_add_test(tc, a_date_too_far_for_the_form_still_has_its_length);
	tcase_add_test(tc, neither_locale_nor_time_zone_matters);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
