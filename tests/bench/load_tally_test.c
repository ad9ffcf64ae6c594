#include "tests/bench/load_tally.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"

static struct load_tally tally;

static void
setup(void)
{
	memset(&tally, 0, sizeof tally);
}

static void
teardown(void)
{
	load_tally_free(&tally);
}

/* What the tally prints; to be freed. */
static char *
printed(double seconds)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	load_tally_print(&tally, seconds, out);
	fclose(out);
	return text;
}

static void
prints(const char *part)
{
	char *text = printed(2);

	ck_assert_msg(strstr(text, part), "%s is not in %s", part, text);
	free(text);
}

START_TEST(quantiles_are_those_of_the_good_answers)
{
	unsigned i;

	for (i = 1000; i > 0; i--)
		ck_assert_int_eq(
		    load_tally_add(&tally, 201, i / 1000.0 + 1e-7, 10), 1);
	ck_assert_int_eq(load_tally_add(&tally, 503, 60, 10), 1);
	prints("\"requests\": 1000, ");
	prints("\"p50_ms\": 501.000, \"p90_ms\": 901.000, \"p99_ms\": 991.000, "
	       "\"max_ms\": 1000.000");
}
END_TEST

START_TEST(rates_are_of_the_good_answers_alone)
{
	load_tally_add(&tally, 200, 0.5, 1000);
	load_tally_add(&tally, 201, 0.5, 1000);
	load_tally_add(&tally, 404, 0.5, 1000);
	prints("\"per_second\": 1.00, \"bytes_per_second\": 1000, ");
	prints("\"status\": {\"200\": 1, \"201\": 1, \"404\": 1}");
}
END_TEST

START_TEST(an_answer_with_no_such_status_is_broken)
{
	ck_assert_int_eq(load_tally_add(&tally, 1000, 1, 1), 1);
	prints("\"requests\": 0, ");
	prints("\"broken\": 1, ");
}
END_TEST

START_TEST(merging_adds_all)
{
	struct load_tally other = {.broken = 2};
	int i;

	for (i = 0; i < 5000; i++)
		load_tally_add(&other, 201, 0.001, 7);
	load_tally_add(&tally, 200, 0.003, 7);
	ck_assert_int_eq(load_tally_merge(&tally, &other), 1);
	ck_assert_uint_eq(tally.count, 5001);
	ck_assert_uint_eq(tally.bytes, 5001 * 7);
	ck_assert_uint_eq(tally.status[201], 5000);
	ck_assert_uint_eq(tally.broken, 2);
	load_tally_free(&other);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("load_tally");
	TCase *tc = tcase_create("load_tally");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, quantiles_are_those_of_the_good_answers);
	tcase_add_test(tc, rates_are_of_the_good_answers_alone);
	tcase_add_test(tc, an_answer_with_no_such_status_is_broken);
	tcase_add_test(tc, merging_adds_all);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
