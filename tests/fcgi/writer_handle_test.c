/* Who has the writer's handle: one at a time, and whoever comes next. */
#include "fcgi/writer.h"

#include <check.h>
#include <time.h>
#include <unistd.h>

#include "tests/fcgi/writer_fixture.h"
#include "tests/suite.h"

/* As turn.done: looks its own slot up with the handle that published it. */
static void
find_own(struct turn *turn)
{
	struct publisher *p = (struct publisher *)turn;
	struct slot found;

	p->found = writer_find(p->writer, p->slot.token, &found);
	note_result(turn);
}

static void
find_while_one_publishes(struct publisher *p)
{
	struct slot found;

	start(&p[0]);
	usleep(50 * 1000);
	p[0].found = writer_find(p[0].writer, p[0].slot.token, &found);
	/* nor can the next be published, but by who is at it */
	submit(&p[1]);
	ck_assert(!writer_waits(p[0].writer));
	ck_assert(!writer_publish(p[0].writer));
}

START_TEST(the_handle_is_not_lent_while_it_is_used)
{
	struct publisher p[2] = {new_publisher("aa"), new_publisher("aa")};

	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &p[0].writer), 1);
	p[1].writer = p[0].writer;
	with_lock(find_while_one_publishes, p);
	ck_assert_int_eq(p[0].found, WRITER_BUSY);
	ck_assert_int_eq(pthread_join(p[0].thread, NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(p[i].answers, 1);
		ck_assert_int_eq(p[i].result, 1);
		body_end(p[i].turn.body);
	}
	writer_close(p[0].writer);
}
END_TEST

START_TEST(the_handle_is_lent_where_it_waits_for_no_disk)
{
	struct publisher p[2];
	struct writer *careless = open_careless();
	struct slot found;

	for (int i = 0; i < 2; i++) {
		p[i] = new_publisher("aa");
		p[i].writer = careless;
		ck_assert_int_eq(
		    writer_find(careless, p[i].slot.token, &found), 1);
		ck_assert_int_eq(found.stored_at, 0);
		p[i].done = find_own;
		publish(&p[i]);
		ck_assert_int_eq(sem_wait(&p[i].answered), 0);
		ck_assert_int_eq(p[i].result, 1);
		ck_assert_int_eq(p[i].found, 1);
		ck_assert_int_eq(
		    writer_find(careless, p[i].slot.token, &found), 1);
		ck_assert_int_eq(found.stored_at, SERVICE_NOW);
		body_end(p[i].turn.body);
	}
	ck_assert_int_eq(
	    writer_find(careless, "abcdefghijklmnopqrstuvwxyz", &found), 0);
	ck_assert_int_eq(
	    writer_find(service.http.writer, p[0].slot.token, &found),
	    WRITER_BUSY);
	writer_close(careless);
}
END_TEST

static atomic_bool enough;

static void *
find_again_and_again(void *arg)
{
	struct publisher *p = arg;
	struct slot found;

	while (!enough)
		ck_assert_int_ne(
		    writer_find(p->writer, p->slot.token, &found), -1);
	return NULL;
}

/* Of which the other asks either for the handle or whether it is free. */
START_TEST(who_was_in_the_way_publishes_in_place_of_the_other)
{
	struct publisher finder = {.slot = {.token = "x"}}, p;
	struct timespec deadline;

	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &finder.writer), 1);
	ck_assert_int_eq(
	    pthread_create(&finder.thread, NULL, find_again_and_again, &finder),
	    0);
	for (int i = 0; i < 100; i++) {
		p = new_publisher("aa");
		p.writer = finder.writer;
		submit(&p);
		if (_i == 0 || writer_waits(p.writer))
			writer_publish_all(p.writer);
		clock_gettime(CLOCK_REALTIME, &deadline);
		deadline.tv_sec += 10;
		ck_assert_int_eq(sem_timedwait(&p.answered, &deadline), 0);
		body_end(p.turn.body);
	}
	enough = true;
	ck_assert_int_eq(pthread_join(finder.thread, NULL), 0);
	writer_close(finder.writer);
}
END_TEST

/* As turn.done: publishes the next one meanwhile. */
static void
publish_next(struct turn *turn)
{
	struct publisher *p = (struct publisher *)turn;

	ck_assert(writer_waits(p->writer));
	ck_assert(writer_publish(p->writer));
	note_result(turn);
}

START_TEST(while_some_are_answered_the_next_are_published)
{
	struct publisher first = new_publisher("aa"), next;
	struct slot slot = first.slot;

	/* of one slot, so that they cannot go together */
	next = publisher_of(slot, "bb");
	first.done = publish_next;
	ck_assert(!writer_waits(service.http.writer));
	submit(&first);
	submit(&next);
	ck_assert(writer_waits(service.http.writer));
	ck_assert(writer_publish(service.http.writer));
	ck_assert(!writer_waits(service.http.writer));
	ck_assert(!writer_publish(service.http.writer));
	ck_assert_int_eq(first.result, 1);
	ck_assert_int_eq(next.result, 0);
	body_end(first.turn.body);
	body_end(next.turn.body);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("the writer's handle");
	TCase *tc = tcase_create("handle");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, the_handle_is_lent_where_it_waits_for_no_disk);
	tcase_add_test(tc, the_handle_is_not_lent_while_it_is_used);
	tcase_add_loop_test(
	    tc, who_was_in_the_way_publishes_in_place_of_the_other, 0, 2);
	tcase_add_test(tc, while_some_are_answered_the_next_are_published);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
