#include "fcgi/readers.h"

#include <check.h>
#include <pthread.h>

#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define THREADS 24 /* more than handles */
#define TIMES 200

static struct service service;
static struct slot slots[THREADS];

static void
set_up(void)
{
	service_open(&service);
}

static void
tear_down(void)
{
	service_close(&service);
}

/* Looks its slot up, again and again. */
static void *
look_up(void *arg)
{
	const struct slot *slot = arg;
	struct slot found;

	for (int i = 0; i < TIMES; i++)
		if (readers_find(service.http.readers, slot->token, &found) !=
			1 ||
		    found.id != slot->id)
			return NULL;
	return arg;
}

START_TEST(more_threads_than_handles_find_each_its_own)
{
	pthread_t threads[THREADS];
	void *result;

	for (int i = 0; i < THREADS; i++)
		slots[i] = service_grant(&service, "a", NULL, 5);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, look_up, &slots[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		ck_assert_ptr_eq(result, &slots[i]);
	}
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	struct slot found;

	ck_assert_int_eq(readers_find(service.http.readers,
			     "aaaaaaaaaaaaaaaaaaaaaaaaaa", &found),
	    0);
}
END_TEST

START_TEST(a_database_that_is_none_gives_no_readers)
{
	struct readers *none = service.http.readers;

	ck_assert_int_eq(readers_open(service.dir, 1, 3, &none), -1);
	ck_assert_ptr_null(none);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("readers");
	TCase *tc = tcase_create("readers");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, more_threads_than_handles_find_each_its_own);
	tcase_add_test(tc, what_is_not_there_is_not_found);
	tcase_add_test(tc, a_database_that_is_none_gives_no_readers);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
