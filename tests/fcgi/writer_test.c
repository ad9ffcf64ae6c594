/*
 * Uploads that are published at the same time. Syncs are counted by functions
 * that stand before the C library's, for SQLite as well.
 */
#include "fcgi/writer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/shards.h"
#include "tests/descriptor.h"
#include "tests/fcgi/writer_fixture.h"
#include "tests/full_disk.h"
#include "tests/suite.h"

#define THREADS 6

/* ---- syncs ---- */

static atomic_int syncs, file_syncs, wal_syncs, directory_syncs, root_syncs;
static const char *broken_shard; /* whose directory does not sync, or NULL */

static void
count_sync(int fd)
{
	char path[PATH_MAX];
	struct stat st;

	syncs++;
	wal_syncs += descriptor_is_wal(fd);
	descriptor_path(fd, path);
	if (fstat(fd, &st) == -1)
		return;
	file_syncs += S_ISREG(st.st_mode) && !descriptor_is_wal(fd);
	if (!S_ISDIR(st.st_mode) ||
	    strncmp(path, service.bodies_dir, strlen(service.bodies_dir)) != 0)
		return;
	if (strcmp(path, service.bodies_dir) == 0)
		root_syncs++;
	else
		directory_syncs++;
}

int
fsync(int fd)
{
	count_sync(fd);
	if (broken_shard != NULL && descriptor_ends_with(fd, broken_shard)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	count_sync(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

/* ---- threads ---- */

static void
join_all(struct publisher publishers[THREADS])
{
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(publishers[i].thread, NULL), 0);
		ck_assert_int_eq(sem_wait(&publishers[i].answered), 0);
		ck_assert_int_eq(publishers[i].answers, 1);
	}
}

static void
end_all(struct publisher publishers[THREADS])
{
	for (int i = 0; i < THREADS; i++)
		body_end(publishers[i].turn.body);
}

static int64_t
stored_at(const struct publisher *p)
{
	struct slot found;

	ck_assert_int_eq(store_find(service.grants, p->slot.token, &found), 1);
	return found.stored_at;
}

static int64_t
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The first leads, and waits for the database while the others come. */
static void
start_batch(struct publisher *publishers)
{
	for (int i = 0; i < THREADS; i++) {
		start(&publishers[i]);
		usleep(50 * 1000);
	}
	wal_syncs = directory_syncs = 0;
}

/* Publishes the first by itself and all others together. */
static void
publish_batch(struct publisher publishers[THREADS])
{
	with_lock(start_batch, publishers);
	join_all(publishers);
}

/* ---- tests ---- */

START_TEST(threads_publish_at_the_same_time)
{
	struct publisher publishers[THREADS];

	for (int i = 0; i < THREADS; i++)
		publishers[i] = new_publisher("aa");
	for (int i = 0; i < THREADS; i++)
		start(&publishers[i]);
	join_all(publishers);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(publishers[i].result, 1);
		ck_assert_int_eq(stored_at(&publishers[i]), SERVICE_NOW);
	}
	end_all(publishers);
}
END_TEST

START_TEST(of_threads_with_one_slot_one_wins)
{
	struct slot slot = service_grant(&service, "a", NULL, 5);
	struct publisher publishers[THREADS];
	int stored = 0;

	for (int i = 0; i < THREADS; i++)
		publishers[i] = publisher_of(slot, "aa");
	publish_batch(publishers);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_ge(publishers[i].result, 0);
		stored += publishers[i].result;
	}
	ck_assert_int_eq(stored, 1);
	end_all(publishers);
}
END_TEST

START_TEST(to_sync_a_body_is_to_sync_its_file)
{
	struct publisher p;

	file_syncs = 0;
	p = new_publisher("aa");
	ck_assert_int_eq(file_syncs, 1);
	publish(&p);
	ck_assert_int_eq(p.result, 1);
	ck_assert_int_eq(file_syncs, 1);
	body_end(p.turn.body);
}
END_TEST

START_TEST(the_first_body_of_a_shard_makes_it_durable_too)
{
	static const char *const shards[] = {"aa", "aa", "bb"};
	static const int expected[] = {1, 1, 2};

	root_syncs = 0;
	for (int i = 0; i < COUNT(shards); i++) {
		struct publisher p = new_publisher(shards[i]);
		publish(&p);
		ck_assert_int_eq(p.result, 1);
		ck_assert_int_eq(root_syncs, expected[i]);
		body_end(p.turn.body);
	}
}
END_TEST

START_TEST(those_who_wait_share_a_commit_and_a_sync_of_each_directory)
{
	static const char *const shards[THREADS] = {
	    "aa", "bb", "cc", "bb", "cc", "dd"};
	struct publisher publishers[THREADS];

	for (int i = 0; i < THREADS; i++)
		publishers[i] = new_publisher(shards[i]);
	publish_batch(publishers);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(publishers[i].result, 1);
	/* before the first names, when all had been granted; two commits */
	ck_assert_int_eq(wal_syncs, 1 + 2);
	ck_assert_int_eq(directory_syncs, 1 + 3);
	end_all(publishers);
}
END_TEST

START_TEST(who_may_lose_uploads_waits_for_no_disk)
{
	struct publisher p;
	struct writer *careless = open_careless();

	syncs = 0;
	p = new_publisher("aa");
	p.writer = careless;
	publish(&p);
	ck_assert_int_eq(p.result, 1);
	ck_assert_int_eq(syncs, 0);
	body_end(p.turn.body);
	writer_close(careless);
}
END_TEST

/* More than one thread writes the bodies of these. */
START_TEST(many_bodies_that_are_held_are_all_written)
{
	struct publisher publishers[2 * THREADS];
	struct writer *careless = open_careless();

	for (int i = 0; i < 2 * THREADS; i++) {
		struct slot slot = service_grant(&service, "a", NULL, 5);
		publishers[i] = publisher_of(
		    slot, (char[]){slot.token[0], slot.token[1], '\0'});
		publishers[i].writer = careless;
		if (i == THREADS)
			publishers[i].slot.id = 4711;
		submit(&publishers[i]);
	}
	ck_assert(writer_publish(careless));
	for (int i = 0; i < 2 * THREADS; i++) {
		const struct publisher *p = &publishers[i];
		int dir = openat(AT_FDCWD, service.bodies_dir, O_PATH);
		char name[SHARDS_PATH_MAX];
		struct stat st;

		shards_path(p->slot.token, name);
		ck_assert_int_eq(p->result, i != THREADS);
		ck_assert_int_eq(fstatat(dir, name, &st, 0) == 0, p->result);
		ck_assert(p->result == 0 || st.st_size == 5);
		close(dir);
		body_end(p->turn.body);
	}
	writer_close(careless);
}
END_TEST

START_TEST(one_that_fails_or_is_late_spoils_none_of_the_others)
{
	struct publisher publishers[THREADS];
	char path[400];

	for (int i = 0; i < THREADS; i++)
		publishers[i] = new_publisher("aa");
	/* no name for the first of a batch, and no slot for another */
	snprintf(path, sizeof(path), "%s/aa/aa%.24s", service.bodies_dir,
	    publishers[1].slot.token + BODIES_SHARD_LEN);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	publishers[4].slot.id = 4711;
	publish_batch(publishers);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(publishers[i].result, i == 1 ? -1 : i != 4);
		ck_assert_int_eq(stored_at(&publishers[i]),
		    i == 1 || i == 4 ? 0 : SERVICE_NOW);
	}
	/* and it can be put again */
	ck_assert_int_eq(rmdir(path), 0);
	publish(&publishers[1]);
	ck_assert_int_eq(publishers[1].result, 1);
	end_all(publishers);
}
END_TEST

START_TEST(a_directory_that_does_not_sync_spoils_all_that_are_in_it)
{
	static const char *const shards[THREADS] = {
	    "aa", "bb", "cc", "bb", "cc", "bb"};
	struct publisher publishers[THREADS];

	for (int i = 0; i < THREADS; i++)
		publishers[i] = new_publisher(shards[i]);
	broken_shard = "/bb";
	publish_batch(publishers);
	for (int i = 0; i < THREADS; i++) {
		bool broken = strcmp(shards[i], "bb") == 0;
		ck_assert_int_eq(publishers[i].result, broken ? -1 : 1);
		ck_assert_int_eq(
		    stored_at(&publishers[i]), broken ? 0 : SERVICE_NOW);
	}
	end_all(publishers);
}
END_TEST

START_TEST(a_disk_without_room_for_a_body_is_told_from_other_failures)
{
	struct publisher p;
	struct writer *careless = open_careless();

	p = new_publisher("aa"); /* which is held in memory */
	p.writer = careless;
	full_disk_begin(4);
	publish(&p);
	full_disk_end();
	ck_assert_int_eq(p.result, STORE_FULL);
	ck_assert_int_eq(stored_at(&p), 0);
	publish(&p);
	ck_assert_int_eq(p.result, 1);
	body_end(p.turn.body);
	writer_close(careless);
}
END_TEST

START_TEST(more_than_a_batch_goes_in_several)
{
	static struct publisher publishers[WRITER_BATCH + 3];

	for (int i = 0; i < COUNT(publishers); i++) {
		publishers[i] = new_publisher("aa");
		submit(&publishers[i]);
	}
	ck_assert(writer_publish(service.http.writer));
	ck_assert_int_eq(publishers[WRITER_BATCH - 1].answers, 1);
	ck_assert_int_eq(publishers[WRITER_BATCH].answers, 0);
	ck_assert(writer_publish(service.http.writer));
	for (int i = 0; i < COUNT(publishers); i++) {
		ck_assert_int_eq(publishers[i].result, 1);
		body_end(publishers[i].turn.body);
	}
}
END_TEST

static void
publish_and_wait(struct publisher *publishers)
{
	for (int i = 0; i < THREADS; i++)
		start(&publishers[i]);
	join_all(publishers);
}

START_TEST(nobody_waits_longer_than_two_timeouts_for_a_locked_database)
{
	/* of one slot, each has a batch of its own */
	struct slot slot = service_grant(&service, "a", NULL, 5);
	struct publisher publishers[THREADS];
	struct writer *hasty;
	int64_t began;

	ck_assert_int_eq(
	    writer_open(service.database, STORE_DURABLE, 1, &hasty), 1);
	for (int i = 0; i < THREADS; i++) {
		publishers[i] =
		    _i == 0 ? new_publisher("aa") : publisher_of(slot, "aa");
		publishers[i].writer = hasty;
	}
	began = seconds_now();
	with_lock(publish_and_wait, publishers);
	ck_assert_int_le(seconds_now() - began, 2 + 1);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(publishers[i].result, -1);

	/* and the writer works as before */
	publish(&publishers[0]);
	ck_assert_int_eq(publishers[0].result, 1);
	end_all(publishers);
	writer_close(hasty);
}
END_TEST

START_TEST(a_database_that_cannot_be_opened_gives_no_writer)
{
	struct writer *none = service.http.writer;
	char path[300];

	snprintf(path, sizeof(path), "%s/missing/db", service.dir);
	ck_assert_int_eq(writer_open(path, STORE_DURABLE, 1, &none), -1);
	ck_assert_ptr_null(none);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("writer");
	TCase *tc = tcase_create("writer");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, threads_publish_at_the_same_time);
	tcase_add_test(tc, of_threads_with_one_slot_one_wins);
	tcase_add_test(tc, to_sync_a_body_is_to_sync_its_file);
	tcase_add_test(tc, the_first_body_of_a_shard_makes_it_durable_too);
	tcase_add_test(
	    tc, those_who_wait_share_a_commit_and_a_sync_of_each_directory);
	tcase_add_test(tc, who_may_lose_uploads_waits_for_no_disk);
	tcase_add_test(tc, many_bodies_that_are_held_are_all_written);
	tcase_add_test(tc, one_that_fails_or_is_late_spoils_none_of_the_others);
	tcase_add_test(
	    tc, a_directory_that_does_not_sync_spoils_all_that_are_in_it);
	tcase_add_test(
	    tc, a_disk_without_room_for_a_body_is_told_from_other_failures);
	tcase_add_test(tc, more_than_a_batch_goes_in_several);
	tcase_add_loop_test(tc,
	    nobody_waits_longer_than_two_timeouts_for_a_locked_database, 0, 2);
	tcase_add_test(tc, a_database_that_cannot_be_opened_gives_no_writer);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
