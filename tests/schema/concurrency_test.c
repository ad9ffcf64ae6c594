/* schema/store.c, used by several processes at once. */
#include "schema/store.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/schema/lock.h"
#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

#define PROCESSES 6
#define EACH 20 /* attempts per process */

/* Runs work in that many processes, each with a store of its own; the sum of
 * what they return, which must be less than 256 each. */
static int
in_processes(int processes, int (*work)(struct store *))
{
	int sum = 0;
	int status;

	for (int i = 0; i < processes; i++) {
		if (fork() == 0)
			_exit(work(open_store(STORE_DURABLE)));
	}
	for (int i = 0; i < processes; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status));
		ck_assert_int_ne(WEXITSTATUS(status), 255);
		sum += WEXITSTATUS(status);
	}
	return sum;
}

static int
grant_many(struct store *store)
{
	struct grant_request request = request_of(10);
	struct grant_result result;
	int count = 0;

	for (int i = 0; i < EACH; i++) {
		int rc = store_grant(store, &request, &result);

		if (rc == -1)
			return 255;
		count += rc;
	}
	return count;
}

/* In each limit, room for 17 requests of 10 bytes. */
static const struct {
	int64_t files, bytes, slots, window_bytes;
} budgets[] = {
    {17, UNITS_NEVER, UNITS_NEVER, UNITS_NEVER},
    {UNITS_NEVER, 179, UNITS_NEVER, UNITS_NEVER},
    {UNITS_NEVER, UNITS_NEVER, 17, UNITS_NEVER},
    {UNITS_NEVER, UNITS_NEVER, UNITS_NEVER, 170},
};

START_TEST(as_many_are_granted_at_once_as_fit)
{
	fixture_limits.files_per_user = budgets[_i].files;
	fixture_limits.bytes_per_user = budgets[_i].bytes;
	fixture_limits.slots_per_window = budgets[_i].slots;
	fixture_limits.bytes_per_window = budgets[_i].window_bytes;
	ck_assert_int_eq(in_processes(PROCESSES, grant_many), 17);
	ck_assert_shell_eq(USAGE, "0 0 17 170");
}
END_TEST

static int64_t contested;

static int
publish_contested(struct store *store)
{
	int rc = publish_one(store,
	    (struct publication){contested, NOW, fixture_sha256, 0},
	    link_nothing, NULL);

	return rc == -1 ? 255 : rc;
}

START_TEST(of_many_who_publish_a_slot_one_wins)
{
	contested = granted_size(1).id;
	ck_assert_int_eq(in_processes(PROCESSES, publish_contested), 1);
	ck_assert_shell_eq(USAGE, "1 1 0 0");
}
END_TEST

static int
reap_all(struct store *store)
{
	int sum = 0;
	int count;

	while ((count = store_reap(
		    store, NOW + RETENTION, 3, false, NULL, NULL)) > 0)
		sum += count;
	return count == -1 ? 255 : sum;
}

START_TEST(many_who_reap_take_each_slot_once)
{
	for (int i = 0; i < 50; i++)
		granted_size(1);
	ck_assert_int_eq(in_processes(PROCESSES, reap_all), 50);
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "50");
	ck_assert_shell_eq(TOTAL, "0 0 0 0");
}
END_TEST

static double
seconds_since(const struct timespec *start)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start->tv_sec) +
	       (double)(end.tv_nsec - start->tv_nsec) / 1e9;
}

START_TEST(a_locked_database_is_waited_for_and_then_an_error)
{
	struct grant_request request = request_of(1);
	struct grant_result result = granted_size(1);
	struct timespec start;
	struct store *store;
	struct slot slot;
	sqlite3 *lock;
	int calls = 0;

	ck_assert_int_eq(store_open(fixture_path, STORE_DURABLE, 1, &store), 1);
	lock = lock_hold(fixture_path);
	clock_gettime(CLOCK_MONOTONIC, &start);
	ck_assert_int_eq(
	    publish_one(store,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		link_nothing, &calls),
	    -1);
	ck_assert_double_ge(seconds_since(&start), 0.9);
	ck_assert_double_lt(seconds_since(&start), 5);
	/* Readers do not wait for writers. */
	ck_assert_int_eq(store_find(store, result.token, &slot), 1);
	ck_assert_int_eq(slot.stored_at, 0);
	sqlite3_close(lock);
	/* And when the lock is gone the handle works. */
	ck_assert_int_eq(store_grant(store, &request, &result), 1);
	store_close(store);
}
END_TEST

static void
ignore(void *arg, const struct slot *slot)
{
	(void)arg, (void)slot;
}

START_TEST(every_writing_operation_answers_a_locked_database)
{
	char tokens[1][TOKEN_LEN + 1] = {"abcdefghijklmnopqrstuvwxyz"};
	struct grant_request request = request_of(1);
	struct grant_result result;
	struct store *store;
	sqlite3 *lock;

	ck_assert_int_eq(store_open(fixture_path, STORE_DURABLE, 0, &store), 1);
	lock = lock_hold(fixture_path);
	ck_assert_int_eq(store_grant(store, &request, &result), -1);
	ck_assert_int_eq(store_reap(store, NOW, 1, false, NULL, NULL), -1);
	ck_assert_int_eq(store_forget(store, tokens, 1), -1);
	ck_assert_int_eq(store_erase(store, OWNER, 1), -1);
	ck_assert_int_eq(store_drop(store, 1), -1);
	ck_assert_int_eq(store_reap_many(store, NOW, 1, ignore, NULL), -1);
	ck_assert_int_eq(store_forget_recent(store, NOW, 1), -1);
	ck_assert_int_eq(store_tidy(store), -1);
	ck_assert_int_eq(store_audit(store, true), 0);
	ck_assert_int_eq(store_reap(store, NOW, 1, true, NULL, NULL), 0);
	ck_assert_int_eq(store_each(store, 0, 1, NULL, NULL), 0);
	ck_assert_int_eq(store_knows(store, tokens[0]), 0);
	sqlite3_close(lock);
	store_close(store);
}
END_TEST

START_TEST(a_killed_grant_leaves_whole_slots_and_true_counters)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct store *store = open_store(STORE_GRANT);

		for (;;)
			grant_many(store);
	}
	while (strcmp(shell_get("SELECT count(*) FROM slot"), "0") == 0)
		usleep(1000);
	usleep(50000); /* any moment will do */
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(store_audit(fixture_store, false), 0);
	granted_size(1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("concurrency");
	TCase *tc = tcase_create("processes");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_loop_test(
	    tc, as_many_are_granted_at_once_as_fit, 0, COUNT(budgets));
	tcase_add_test(tc, of_many_who_publish_a_slot_one_wins);
	tcase_add_test(tc, many_who_reap_take_each_slot_once);
	tcase_add_test(tc, a_locked_database_is_waited_for_and_then_an_error);
	tcase_add_test(tc, every_writing_operation_answers_a_locked_database);
	tcase_add_test(tc, a_killed_grant_leaves_whole_slots_and_true_counters);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
