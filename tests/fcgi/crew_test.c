#include "fcgi/crew.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#include "schema/log.h"
#include "tests/suite.h"

#define THREADS 7
#define ITEMS 20

static struct crew *crew;
static atomic_int done[ITEMS];
static pthread_barrier_t barrier;

static void
set_up(void)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	ck_assert_int_eq(crew_open(THREADS, &crew), 1);
}

static void
tear_down(void)
{
	crew_close(crew);
}

static void
note(void *item)
{
	++*(atomic_int *)item;
}

/* Only returns when so many threads have come. */
static void
meet(void *item)
{
	note(item);
	pthread_barrier_wait(&barrier);
}

static void
run(crew_fn *work, size_t count)
{
	void *items[ITEMS];

	for (size_t i = 0; i < count; i++)
		items[i] = &done[i];
	crew_run(crew, work, items, count);
}

static const size_t counts[] = {0, 1, 2, THREADS + 1, ITEMS};

START_TEST(each_item_is_done_once)
{
	for (int times = 1; times <= 200; times++) {
		run(note, counts[_i]);
		for (size_t i = 0; i < ITEMS; i++)
			ck_assert_int_eq(done[i], i < counts[_i] ? times : 0);
	}
}
END_TEST

START_TEST(as_many_as_there_are_threads_are_done_at_the_same_time)
{
	/* the caller's thread is one of them */
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
	for (int times = 1; times <= 50; times++)
		run(meet, THREADS + 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("crew");
	TCase *tc = tcase_create("crew");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, each_item_is_done_once, 0, COUNT(counts));
	tcase_add_test(
	    tc, as_many_as_there_are_threads_are_done_at_the_same_time);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
