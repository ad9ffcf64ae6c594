#include "fcgi/writer.h"

#include <check.h>
#include <pthread.h>
#include <time.h>

#include "tests/fcgi/service.h"

#define THREADS 6

static struct service service;

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

/* ---- threads that publish at the same time ---- */

struct publisher {
	pthread_t thread;
	struct writer *writer;
	struct slot slot;
	int result;
};

static int
link_nothing(void *arg)
{
	(void)arg;
	return 1;
}

static void *
publish(void *arg)
{
	static const unsigned char sha256[STORE_SHA256_LEN] = {1};
	struct publisher *p = arg;

	p->result = writer_publish(
	    p->writer, p->slot.id, SERVICE_NOW, sha256, link_nothing, NULL);
	return NULL;
}

static void
publish_all(struct publisher publishers[THREADS])
{
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&publishers[i].thread, NULL,
				     publish, &publishers[i]),
		    0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(publishers[i].thread, NULL), 0);
}

static int64_t
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* ---- tests ---- */

START_TEST(threads_publish_one_after_the_other)
{
	struct publisher publishers[THREADS];
	struct slot found;

	for (int i = 0; i < THREADS; i++)
		publishers[i] =
		    (struct publisher){.writer = service.http.writer,
			.slot = service_grant(&service, "a", NULL, 5)};
	publish_all(publishers);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(publishers[i].result, 1);
		ck_assert_int_eq(store_find(service.http.reader,
				     publishers[i].slot.token, &found),
		    1);
		ck_assert_int_eq(found.stored_at, SERVICE_NOW);
	}
}
END_TEST

START_TEST(of_threads_with_one_slot_one_wins)
{
	struct slot slot = service_grant(&service, "a", NULL, 5);
	struct publisher publishers[THREADS];
	int stored = 0;

	for (int i = 0; i < THREADS; i++)
		publishers[i] = (struct publisher){
		    .writer = service.http.writer, .slot = slot};
	publish_all(publishers);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_ge(publishers[i].result, 0);
		stored += publishers[i].result;
	}
	ck_assert_int_eq(stored, 1);
}
END_TEST

/* Holds the database's lock, as another program may, while it publishes. */
static int
publish_against_lock(void *publishers)
{
	publish_all(publishers);
	return 1;
}

START_TEST(nobody_waits_longer_than_two_timeouts_for_a_locked_database)
{
	static const unsigned char sha256[STORE_SHA256_LEN] = {1};
	struct slot slot = service_grant(&service, "a", NULL, 5);
	struct slot other = service_grant(&service, "b", NULL, 5);
	struct publisher publishers[THREADS];
	struct writer *hasty;
	int64_t began;

	ck_assert_int_eq(writer_open(service.database, 1, &hasty), 1);
	for (int i = 0; i < THREADS; i++)
		publishers[i] =
		    (struct publisher){.writer = hasty, .slot = slot};
	began = seconds_now();
	ck_assert_int_eq(
	    writer_publish(service.http.writer, other.id, SERVICE_NOW, sha256,
		publish_against_lock, publishers),
	    1);
	ck_assert_int_le(seconds_now() - began, 2 + 1);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(publishers[i].result, -1);

	/* and the writer works as before */
	publishers[0].result = 0;
	publish(&publishers[0]);
	ck_assert_int_eq(publishers[0].result, 1);
	writer_close(hasty);
}
END_TEST

START_TEST(a_database_that_cannot_be_opened_gives_no_writer)
{
	struct writer *none = service.http.writer;
	char path[300];

	snprintf(path, sizeof(path), "%s/missing/db", service.dir);
	ck_assert_int_eq(writer_open(path, 1, &none), -1);
	ck_assert_ptr_null(none);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("writer");
	TCase *tc = tcase_create("writer");
	SRunner *sr;
	int failures;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, threads_publish_one_after_the_other);
	tcase_add_test(tc, of_threads_with_one_slot_one_wins);
	tcase_add_test(
	    tc, nobody_waits_longer_than_two_timeouts_for_a_locked_database);
	tcase_add_test(tc, a_database_that_cannot_be_opened_gives_no_writer);
	suite_add_tcase(s, tc);

	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures == 0 ? 0 : 1;
}
