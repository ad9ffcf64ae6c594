#include <check.h>
#include <stdlib.h>

#include "component/backoff.h"
#include "tests/suite.h"

/* The random number that gives exactly the nominal wait. */
#define MIDDLE(nominal) ((uint32_t)((nominal) / 4))

START_TEST(waits_grow_up_to_the_longest)
{
	static const int64_t nominal[] = {
	    1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	struct backoff b = {0};

	for (int i = 0; i < COUNT(nominal); i++)
		ck_assert_int_eq(
		    backoff_next(&b, MIDDLE(nominal[i])), nominal[i]);
}
END_TEST

static const uint32_t random_numbers[] = {0, 1, 500, 12345, UINT32_MAX};

START_TEST(waits_are_scattered_by_a_quarter)
{
	struct backoff b = {0};
	int64_t wait = backoff_next(&b, random_numbers[_i]);

	ck_assert_int_ge(wait, BACKOFF_FIRST_MS * 3 / 4);
	ck_assert_int_le(wait, BACKOFF_FIRST_MS * 5 / 4);
}
END_TEST

START_TEST(different_numbers_give_different_waits)
{
	struct backoff a = {0}, b = {0};

	ck_assert_int_ne(backoff_next(&a, 1), backoff_next(&b, 2));
}
END_TEST

START_TEST(after_all_was_well_the_first_wait_is_short_again)
{
	struct backoff b = {0};

	for (int i = 0; i < 5; i++)
		backoff_next(&b, 0);
	backoff_reset(&b);
	ck_assert_int_eq(backoff_next(&b, MIDDLE(1000)), BACKOFF_FIRST_MS);
}
END_TEST

START_TEST(what_is_in_vain_is_tried_slowly)
{
	struct backoff b = {0};

	backoff_slow(&b);
	ck_assert_int_eq(backoff_next(&b, MIDDLE(60000)), BACKOFF_LONGEST_MS);
	ck_assert_int_eq(backoff_next(&b, MIDDLE(60000)), BACKOFF_LONGEST_MS);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("backoff");
	TCase *tc = tcase_create("backoff");

	tcase_add_test(tc, waits_grow_up_to_the_longest);
	tcase_add_loop_test(
	    tc, waits_are_scattered_by_a_quarter, 0, COUNT(random_numbers));
	tcase_add_test(tc, different_numbers_give_different_waits);
	tcase_add_test(tc, after_all_was_well_the_first_wait_is_short_again);
	tcase_add_test(tc, what_is_in_vain_is_tried_slowly);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
