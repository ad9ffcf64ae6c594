#include "schema/units.h"

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"

#define REFUSED (-1)
static const struct row {
	const char *text;
	int64_t value;
} numbers[] = {
    {"0", 0}, {"007", 7}, {"42", 42}, {"9223372036854775806", INT64_MAX - 1},
    {"9223372036854775807", REFUSED}, {"9223372036854775808", REFUSED},
    {"18446744073709551617", REFUSED}, {"99999999999999999999999999", REFUSED},
    {"", REFUSED}, {" 1", REFUSED}, {"1 ", REFUSED}, {"-1", REFUSED},
    {"+1", REFUSED}, {"1e3", REFUSED}, {"0x10", REFUSED}, {"1.5", REFUSED},
    {"unlimited", REFUSED}, {"\xd9\xa1", REFUSED}, /* ARABIC-INDIC DIGIT ONE */
};

static const struct row sizes[] = {
    {"0", 0},
    {"16", 16},
    {"16 B", 16},
    {"1kB", 1000},
    {"1 KB", 1000},
    {"1KiB", 1024},
    {"1 kib", 1024},
    {"1 MB", 1000000},
    {"1 MiB", 1048576},
    {"2 GB", 2000000000},
    {"2 GiB", INT64_C(2147483648)},
    {"3 TB", INT64_C(3000000000000)},
    {"3 TiB", INT64_C(3298534883328)},
    {"100 MiB + 16", 104857616},
    {"100MiB+16", 104857616},
    {"1 MiB + 1 KiB + 1", 1049601},
    {"unlimited", UNITS_NEVER},
    {"9223372036854775806", INT64_MAX - 1},
    {"9223372036854775806 + 1", REFUSED},
    {"8388608 TiB", REFUSED},
    {"8388607 TiB", INT64_C(8388607) << 40},
    {"8388607 TiB + 1 TiB", REFUSED},
    {"99999999999999999999 B", REFUSED},
    {"", REFUSED},
    {"MiB", REFUSED},
    {"100 Mi", REFUSED},
    {"100 M", REFUSED},
    {"100 MiBs", REFUSED},
    {"100 MiB 16", REFUSED},
    {"100 MiB +", REFUSED},
    {"+ 16", REFUSED},
    {"1++1", REFUSED},
    {"1.5 MiB", REFUSED},
    {" 1", REFUSED},
    {"1 ", REFUSED},
    {"1 B ", REFUSED},
    {"-1", REFUSED},
    {"never", REFUSED},
    {"unlimited + 1", REFUSED},
    {"Unlimited", REFUSED},
};

static const struct row durations[] = {
    {"0", 0},
    {"0s", 0},
    {"90s", 90},
    {"5m", 300},
    {"1h30m", 5400},
    {"7d", 604800},
    {"1w", 604800},
    {"1y", 31536000},
    {"1y2w3d4h5m6s", 31536000 + 1209600 + 259200 + 14400 + 300 + 6},
    {"never", UNITS_NEVER},
    {"9223372036854775806s", INT64_MAX - 1},
    {"9223372036854775806s1s", REFUSED},
    {"292471208678y", REFUSED},
    {"", REFUSED},
    {"90", REFUSED},
    {"1h30", REFUSED},
    {"h", REFUSED},
    {"1 h", REFUSED},
    {"1h 30m", REFUSED},
    {"1M", REFUSED},
    {"1H", REFUSED},
    {"1ms", REFUSED},
    {"1hour", REFUSED},
    {"-1h", REFUSED},
    {"1.5h", REFUSED},
    {"unlimited", REFUSED},
    {"never1s", REFUSED},
};

static const struct description {
	int64_t bytes;
	const char *text;
} descriptions[] = {
    {0, "0 B"},
    {1023, "1023 B"},
    {1024, "1 KiB"},
    {1536, "1.5 KiB"},
    {1572864, "1.5 MiB"},
    {104857616, "100 MiB"},
    {INT64_C(2199023255551), "2 TiB"},
    {UNITS_NEVER - 1, "8388608 TiB"},
    {UNITS_NEVER, "unlimited"},
};

/* Values around which units change and numbers end. */
static const int64_t edges[] = {0, 1, 59, 60, 61, 999, 1000, 1023, 1024, 3600,
    5400, 86400, 604800, 1000000, 1048576, 31536000, 104857600, 104857616,
    INT64_C(1) << 40, INT64_C(1000000000000), INT64_MAX - 1, UNITS_NEVER};

static void
check_row(int (*parse)(const char *, int64_t *), const struct row *row)
{
	int64_t value = -77;
	int result = parse(row->text, &value);

	if (row->value == REFUSED) {
		ck_assert_msg(result == 0, "\"%s\" was taken", row->text);
		ck_assert_int_eq(value, -77);
	} else {
		ck_assert_msg(result == 1, "\"%s\" was refused", row->text);
		ck_assert_int_eq(value, row->value);
	}
}

START_TEST(a_number_is_decimal_digits_only)
{
	check_row(units_parse_number, &numbers[_i]);
}
END_TEST

START_TEST(a_size_is_a_sum_of_numbers_with_units)
{
	check_row(units_parse_size, &sizes[_i]);
}
END_TEST

START_TEST(a_duration_needs_units)
{
	check_row(units_parse_duration, &durations[_i]);
}
END_TEST

static void
check_round_trip(int64_t value)
{
	char buf[UNITS_TEXT_MAX];
	int64_t again = -1;

	units_format_size(value, buf, sizeof(buf));
	ck_assert_msg(units_parse_size(buf, &again) == 1, "%s", buf);
	ck_assert_int_eq(again, value);
	units_format_duration(value, buf, sizeof(buf));
	ck_assert_msg(units_parse_duration(buf, &again) == 1, "%s", buf);
	ck_assert_int_eq(again, value);
}

START_TEST(what_is_formatted_parses_to_the_same_value)
{
	uint64_t random = 88172645463325252U; /* a fixed seed of xorshift64 */

	for (int i = 0; i < COUNT(edges); i++)
		check_round_trip(edges[i]);
	for (int i = 0; i < 100000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		/* of every magnitude, not of the largest alone */
		check_round_trip((int64_t)(random >> (1 + i % 63)));
	}
}
END_TEST

START_TEST(the_largest_unit_that_divides_is_written)
{
	char buf[UNITS_TEXT_MAX];

	ck_assert_str_eq(
	    units_format_size(104857600, buf, sizeof(buf)), "100 MiB");
	ck_assert_str_eq(
	    units_format_size(104857616, buf, sizeof(buf)), "104857616 B");
	ck_assert_str_eq(units_format_size(2000000, buf, sizeof(buf)), "2 MB");
	ck_assert_str_eq(units_format_size(0, buf, sizeof(buf)), "0 B");
	ck_assert_str_eq(units_format_duration(5400, buf, sizeof(buf)), "90m");
	ck_assert_str_eq(
	    units_format_duration(30 * 86400, buf, sizeof(buf)), "30d");
	ck_assert_str_eq(
	    units_format_duration(UNITS_NEVER, buf, sizeof(buf)), "never");
}
END_TEST

START_TEST(a_description_is_rounded)
{
	char buf[UNITS_TEXT_MAX];

	ck_assert_str_eq(
	    units_describe_size(descriptions[_i].bytes, buf, sizeof(buf)),
	    descriptions[_i].text);
}
END_TEST

START_TEST(a_text_that_does_not_fit_is_empty)
{
	char buf[4] = "xyz";

	ck_assert_str_eq(units_format_size(104857616, buf, sizeof(buf)), "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("units");
	TCase *tc = tcase_create("units");

	tcase_add_loop_test(
	    tc, a_number_is_decimal_digits_only, 0, COUNT(numbers));
	tcase_add_loop_test(
	    tc, a_size_is_a_sum_of_numbers_with_units, 0, COUNT(sizes));
	tcase_add_loop_test(tc, a_duration_needs_units, 0, COUNT(durations));
	tcase_add_test(tc, what_is_formatted_parses_to_the_same_value);
	tcase_add_test(tc, the_largest_unit_that_divides_is_written);
	tcase_add_loop_test(
	    tc, a_description_is_rounded, 0, COUNT(descriptions));
	tcase_add_test(tc, a_text_that_does_not_fit_is_empty);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
