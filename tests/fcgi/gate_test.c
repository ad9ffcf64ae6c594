#include "fcgi/gate.h"

#include <check.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "schema/log.h"
#include "tests/suite.h"

#define PLACES 2
#define THREADS 5

static struct gate *gate;
static struct gate_pass passes[THREADS];

static void
set_up(void)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	ck_assert_int_eq(gate_open(PLACES, &gate), 1);
	for (int i = 0; i < THREADS; i++)
		gate_join(gate, &passes[i]);
}

static void
tear_down(void)
{
	gate_close(gate);
}

static void
enter(int i)
{
	ck_assert(gate_enter(gate, &passes[i]));
	ck_assert(gate_has_place(gate, &passes[i]));
}

static void
begin(int i)
{
	enter(i);
	gate_begin(gate, &passes[i]);
}

static bool
is_alarmed(void)
{
	struct pollfd fd = {.fd = gate_alarm(gate), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

/* ---- threads that wait ---- */

struct waiter {
	pthread_t thread;
	struct gate_pass *pass;
	bool entered;
	sem_t done;
};

static void *
wait_for_place(void *arg)
{
	struct waiter *w = arg;

	w->entered = gate_enter(gate, w->pass);
	sem_post(&w->done);
	return NULL;
}

/* There is no telling from outside that a thread has begun to wait; that it has
 * not entered after a while would be seen. */
static void
start(struct waiter *w, int i)
{
	w->pass = &passes[i];
	sem_init(&w->done, 0, 0);
	ck_assert_int_eq(
	    pthread_create(&w->thread, NULL, wait_for_place, w), 0);
	usleep(50 * 1000);
	ck_assert_int_eq(sem_trywait(&w->done), -1);
}

static void
join(struct waiter *w, bool entered)
{
	ck_assert_int_eq(pthread_join(w->thread, NULL), 0);
	ck_assert_int_eq(sem_wait(&w->done), 0);
	ck_assert_int_eq(w->entered, entered);
}

/* ---- tests ---- */

START_TEST(a_place_is_kept_from_piece_to_piece)
{
	for (int times = 0; times < 3; times++)
		for (int i = 0; i < PLACES; i++)
			begin(i);
	for (int i = 0; i < PLACES; i++)
		enter(i);
}
END_TEST

START_TEST(who_leaves_lets_another_in_and_the_last_comes_first)
{
	struct waiter early, late;

	begin(0);
	begin(1);
	start(&early, 2);
	start(&late, 3);
	gate_leave(gate, &passes[0]);
	join(&late, true);
	ck_assert(!gate_has_place(gate, &passes[0]));
	ck_assert_int_eq(sem_trywait(&early.done), -1);
	/* it has none to leave any more */
	gate_leave(gate, &passes[0]);
	ck_assert_int_eq(sem_trywait(&early.done), -1);
	gate_leave(gate, &passes[1]);
	join(&early, true);

	/* whoever left stands in line like all others */
	gate_begin(gate, &passes[2]);
	start(&early, 0);
	gate_leave(gate, &passes[2]);
	join(&early, true);
}
END_TEST

START_TEST(a_place_that_was_left_is_free)
{
	begin(0);
	begin(1);
	gate_leave(gate, &passes[0]);
	enter(2);
}
END_TEST

START_TEST(who_is_at_one_piece_for_two_looks_loses_the_place)
{
	begin(0);
	begin(1);
	ck_assert(gate_look(gate, false));
	begin(1); /* another piece */
	ck_assert(gate_has_place(gate, &passes[0]));
	/* that leaves one free: nobody is held up any more */
	ck_assert(!gate_look(gate, false));
	ck_assert(!gate_has_place(gate, &passes[0]));
	ck_assert(gate_has_place(gate, &passes[1]));
	enter(2);
	enter(1);
}
END_TEST

START_TEST(who_has_nothing_to_do_keeps_the_place)
{
	begin(0);
	enter(0);
	begin(1);
	enter(1);
	for (int looks = 0; looks < 3; looks++)
		ck_assert(!gate_look(gate, false));
	ck_assert(gate_has_place(gate, &passes[0]));
	ck_assert(gate_has_place(gate, &passes[1]));
}
END_TEST

START_TEST(the_alarm_is_raised_when_the_last_begins)
{
	begin(0);
	enter(1);
	ck_assert(!is_alarmed());
	gate_begin(gate, &passes[1]);
	ck_assert(is_alarmed());
	ck_assert(gate_look(gate, false));
	/* but not while somebody looks */
	begin(0);
	begin(1);
	ck_assert(!is_alarmed());
	enter(1);
	ck_assert(!gate_look(gate, false));
	gate_begin(gate, &passes[1]);
	ck_assert(is_alarmed());
}
END_TEST

START_TEST(the_alarm_is_raised_for_whoever_asks_for_it)
{
	ck_assert(gate_look(gate, true));
	gate_alert(gate);
	ck_assert(!is_alarmed());
	ck_assert(!gate_look(gate, false));
	gate_alert(gate);
	ck_assert(is_alarmed());
}
END_TEST

START_TEST(nobody_waits_at_a_gate_that_is_shut)
{
	struct waiter waiters[2];

	begin(0);
	begin(1);
	start(&waiters[0], 2);
	start(&waiters[1], 3);
	gate_shut(gate);
	join(&waiters[0], false);
	join(&waiters[1], false);
	ck_assert(!gate_enter(gate, &passes[4]));
	ck_assert(!gate_enter(gate, &passes[0]));
	gate_leave(gate, &passes[1]);
}
END_TEST

/* ---- many ---- */

static size_t inside, most;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void
count(int more)
{
	pthread_mutex_lock(&mutex);
	inside += (size_t)more;
	if (inside > most)
		most = inside;
	pthread_mutex_unlock(&mutex);
}

static void *
come_and_go(void *arg)
{
	struct gate_pass *pass = arg;

	for (int i = 0; i < 2000; i++) {
		ck_assert(gate_enter(gate, pass));
		gate_begin(gate, pass);
		count(1);
		if (i % 7 == 0)
			sched_yield();
		count(-1);
		if (i % 3 == 0)
			gate_leave(gate, pass);
	}
	gate_leave(gate, pass);
	return NULL;
}

START_TEST(no_more_work_at_the_same_time_than_there_are_places)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, come_and_go, &passes[i]),
		    0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_ge(most, 1);
	ck_assert_uint_le(most, PLACES);
	enter(0);
	enter(1);
}
END_TEST

static atomic_int at_work, held_up;

static void *
work_on(void *arg)
{
	struct gate_pass *pass = arg;

	for (int i = 0; i < 2000; i++) {
		ck_assert(gate_enter(gate, pass));
		gate_begin(gate, pass);
		sched_yield();
		if (!gate_has_place(gate, pass))
			atomic_fetch_add(&held_up, 1);
	}
	gate_leave(gate, pass);
	atomic_fetch_sub(&at_work, 1);
	return NULL;
}

START_TEST(no_place_is_lost_or_made_while_places_are_taken_away)
{
	pthread_t threads[THREADS];
	struct waiter waiter;

	atomic_store(&at_work, THREADS);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, work_on, &passes[i]), 0);
	while (atomic_load(&at_work) > 0)
		gate_look(gate, false);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_gt(held_up, 0);
	ck_assert(!gate_look(gate, false));
	begin(0);
	ck_assert(!is_alarmed());
	begin(1);
	ck_assert(is_alarmed());
	start(&waiter, 2);
	gate_leave(gate, &passes[0]);
	join(&waiter, true);
}
END_TEST

START_TEST(there_are_places_for_two_at_least)
{
	ck_assert_uint_ge(gate_places(), 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate");
	TCase *tc = tcase_create("gate");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_place_is_kept_from_piece_to_piece);
	tcase_add_test(tc, who_leaves_lets_another_in_and_the_last_comes_first);
	tcase_add_test(tc, a_place_that_was_left_is_free);
	tcase_add_test(tc, who_is_at_one_piece_for_two_looks_loses_the_place);
	tcase_add_test(tc, who_has_nothing_to_do_keeps_the_place);
	tcase_add_test(tc, the_alarm_is_raised_when_the_last_begins);
	tcase_add_test(tc, the_alarm_is_raised_for_whoever_asks_for_it);
	tcase_add_test(tc, nobody_waits_at_a_gate_that_is_shut);
	tcase_add_test(tc, no_more_work_at_the_same_time_than_there_are_places);
	tcase_add_test(
	    tc, no_place_is_lost_or_made_while_places_are_taken_away);
	tcase_add_test(tc, there_are_places_for_two_at_least);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
