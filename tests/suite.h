/* What every test program ends with. */

#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>

/* How many rows a table has: where a loop test ends. */
#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* Runs the suite, which it frees; returns the exit status of the program. */
static inline int
suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failures;

	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? 0 : 1;
}

#endif
