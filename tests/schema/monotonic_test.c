#include "schema/monotonic.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "tests/suite.h"

START_TEST(it_never_goes_back_and_a_sleep_moves_it_on)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int64_t before = monotonic_ns();

	nanosleep(&pause, NULL);
	ck_assert_int_ge(monotonic_ns() - before, pause.tv_nsec);
}
END_TEST

START_TEST(milliseconds_are_those_of_the_same_clock)
{
	int64_t before = monotonic_ns() / 1000000;
	int64_t ms = monotonic_ms();
	int64_t after = monotonic_ns() / 1000000;

	ck_assert_int_le(before, ms);
	ck_assert_int_le(ms, after);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("monotonic");
	TCase *tc = tcase_create("monotonic");

	tcase_add_test(tc, it_never_goes_back_and_a_sleep_moves_it_on);
	tcase_add_test(tc, milliseconds_are_those_of_the_same_clock);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
