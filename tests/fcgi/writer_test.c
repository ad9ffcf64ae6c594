/*
 * Threads that publish at the same time. Syncs are counted by functions that
 * stand before the C library's, for SQLite as well.
 */
#include "fcgi/writer.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/shards.h"
#include "tests/descriptor.h"
#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define THREADS 6

static struct service service;

/* ---- syncs ---- */

static atomic_int syncs, wal_syncs, directory_syncs;

static void
count_sync(int fd)
{
	char path[PATH_MAX];
	struct stat st;

	syncs++;
	wal_syncs += descriptor_is_wal(fd);
	descriptor_path(fd, path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) &&
	    strncmp(path, service.bodies_dir, strlen(service.bodies_dir)) ==
		0 &&
	    strcmp(path, service.bodies_dir) != 0)
		directory_syncs++;
}

int
fsync(int fd)
{
	count_sync(fd);
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	count_sync(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

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
	struct turn turn; /* first: the writer gives it back */
	pthread_t thread;
	struct writer *writer;
	struct slot slot;
	void (*done)(struct turn *); /* NULL: note_result */
	int result;
	int found;
	atomic_int answers;
	sem_t answered;
};

/* shard: the first two letters of the body's name. */
static struct publisher
publisher_of(struct slot slot, const char *shard)
{
	struct publisher p = {.writer = service.http.writer, .slot = slot};

	memcpy(p.slot.token, shard, BODIES_SHARD_LEN);
	ck_assert_int_eq(body_begin(service.http.bodies, p.slot.token,
			     BODIES_OWN, 5, &p.turn.body),
	    1);
	ck_assert_int_eq(body_write(p.turn.body, "hello", 5), 1);
	ck_assert_int_eq(body_sync(p.turn.body), 1);
	memcpy(p.slot.token, slot.token, BODIES_SHARD_LEN);
	return p;
}

static struct publisher
new_publisher(const char *shard)
{
	return publisher_of(service_grant(&service, "a", NULL, 5), shard);
}

/* As turn.done, whichever thread calls it. */
static void
note_result(struct turn *turn)
{
	struct publisher *p = (struct publisher *)turn;

	p->result = turn->publication.result;
	p->answers++;
	sem_post(&p->answered);
}

static void *
publish(void *arg)
{
	static const unsigned char sha256[STORE_SHA256_LEN] = {1};
	struct publisher *p = arg;

	p->turn.publication =
	    (struct publication){p->slot.id, SERVICE_NOW, sha256, 0};
	p->turn.done = p->done != NULL ? p->done : note_result;
	sem_init(&p->answered, 0, 0);
	writer_submit(p->writer, &p->turn);
	writer_publish_all(p->writer);
	return NULL;
}

static void
start(struct publisher *p)
{
	ck_assert_int_eq(pthread_create(&p->thread, NULL, publish, p), 0);
}

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

/* Calls act(arg) while the database is locked, as another program may. */
struct lock {
	void (*act)(struct publisher *);
	struct publisher *publishers;
};

static void
act_under_lock(void *arg, struct publication *const *list, size_t count)
{
	const struct lock *lock = arg;

	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(list[0]->result, 1);
	lock->act(lock->publishers);
}

static void
with_lock(void (*act)(struct publisher *), struct publisher *publishers)
{
	static const unsigned char sha256[STORE_SHA256_LEN] = {1};
	struct lock lock = {act, publishers};
	struct publication other = {
	    .id = service_grant(&service, "b", NULL, 5).id,
	    .now = SERVICE_NOW,
	    .sha256 = sha256};
	struct publication *list[] = {&other};

	store_publish_all(service.grants, list, 1, act_under_lock, &lock);
	ck_assert_int_eq(other.result, 1);
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
	struct writer *careless;

	bodies_forgo_syncs(service.http.bodies);
	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &careless), 1);
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

	start(p);
	usleep(50 * 1000);
	p->found = writer_find(p->writer, p->slot.token, &found);
	ck_assert(!writer_publish(p->writer));
}

START_TEST(the_handle_is_not_lent_while_it_is_used)
{
	struct publisher p = new_publisher("aa");

	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &p.writer), 1);
	with_lock(find_while_one_publishes, &p);
	ck_assert_int_eq(p.found, WRITER_BUSY);
	ck_assert_int_eq(pthread_join(p.thread, NULL), 0);
	ck_assert_int_eq(p.result, 1);
	body_end(p.turn.body);
	writer_close(p.writer);
}
END_TEST

START_TEST(the_handle_is_lent_where_it_waits_for_no_disk)
{
	struct publisher p[2];
	struct writer *careless;
	struct slot found;

	bodies_forgo_syncs(service.http.bodies);
	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &careless), 1);
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
		publish(&p);
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
	next.turn.publication = (struct publication){.id = slot.id};
	next.turn.done = note_result;
	sem_init(&next.answered, 0, 0);
	first.done = publish_next;
	ck_assert(!writer_waits(service.http.writer));
	first.turn.publication =
	    (struct publication){.id = slot.id, .now = SERVICE_NOW};
	first.turn.done = publish_next;
	sem_init(&first.answered, 0, 0);
	writer_submit(service.http.writer, &first.turn);
	writer_submit(service.http.writer, &next.turn);
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

/* More than one thread writes the bodies of these. */
START_TEST(many_bodies_that_are_held_are_all_written)
{
	struct publisher publishers[2 * THREADS];
	struct writer *careless;

	bodies_forgo_syncs(service.http.bodies);
	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &careless), 1);
	for (int i = 0; i < 2 * THREADS; i++) {
		struct slot slot = service_grant(&service, "a", NULL, 5);
		publishers[i] = publisher_of(
		    slot, (char[]){slot.token[0], slot.token[1], '\0'});
		publishers[i].turn.publication = (struct publication){
		    .id = i == THREADS ? 4711 : slot.id, .now = SERVICE_NOW};
		publishers[i].turn.done = note_result;
		sem_init(&publishers[i].answered, 0, 0);
		writer_submit(careless, &publishers[i].turn);
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
	/* no name for the third, and no slot for the fifth */
	snprintf(path, sizeof(path), "%s/aa/aa%.24s", service.bodies_dir,
	    publishers[2].slot.token + BODIES_SHARD_LEN);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	publishers[4].slot.id = 4711;
	publish_batch(publishers);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(publishers[i].result, i == 2 ? -1 : i != 4);
		ck_assert_int_eq(stored_at(&publishers[i]),
		    i == 2 || i == 4 ? 0 : SERVICE_NOW);
	}
	/* and it can be put again */
	ck_assert_int_eq(rmdir(path), 0);
	publish(&publishers[2]);
	ck_assert_int_eq(publishers[2].result, 1);
	end_all(publishers);
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
	struct publisher publishers[THREADS];
	struct writer *hasty;
	int64_t began;

	ck_assert_int_eq(
	    writer_open(service.database, STORE_DURABLE, 1, &hasty), 1);
	for (int i = 0; i < THREADS; i++) {
		publishers[i] = new_publisher("aa");
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
	Suite *s = suite_create("writer");
	TCase *tc = tcase_create("writer");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, threads_publish_at_the_same_time);
	tcase_add_test(tc, of_threads_with_one_slot_one_wins);
	tcase_add_test(
	    tc, those_who_wait_share_a_commit_and_a_sync_of_each_directory);
	tcase_add_test(tc, who_may_lose_uploads_waits_for_no_disk);
	tcase_add_test(tc, the_handle_is_lent_where_it_waits_for_no_disk);
	tcase_add_test(tc, the_handle_is_not_lent_while_it_is_used);
	tcase_add_test(tc, who_was_in_the_way_publishes_in_place_of_the_other);
	tcase_add_test(tc, while_some_are_answered_the_next_are_published);
	tcase_add_test(tc, many_bodies_that_are_held_are_all_written);
	tcase_add_test(tc, one_that_fails_or_is_late_spoils_none_of_the_others);
	tcase_add_test(
	    tc, nobody_waits_longer_than_two_timeouts_for_a_locked_database);
	tcase_add_test(tc, a_database_that_cannot_be_opened_gives_no_writer);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
