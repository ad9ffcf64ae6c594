/*
 * Several grants in one transaction.
 */
#include "schema/store.h"

#include <time.h>

#include "tests/full_disk.h"
#include "tests/schema/lock.h"
#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

#define SLOTS "SELECT count(*) FROM slot"
/* What each of the grants is worth, so that sums tell which were recorded. */
#define SIZES "SELECT group_concat(size, ' ') FROM slot"
#define BAD_SIZE 13

/* Grants in a batch; the result of store_grant. */
static int
grant(int64_t size)
{
	struct grant_request request = request_of(size);
	struct grant_result result;

	return store_grant(fixture_store, &request, &result);
}

START_TEST(a_batch_is_recorded_at_its_end_and_as_a_whole)
{
	store_batch_begin(fixture_store);
	ck_assert_int_eq(grant(1), 1);
	ck_assert_int_eq(grant(2), 1);
	ck_assert_shell_eq(SLOTS, "0");
	ck_assert_int_eq(store_batch_end(fixture_store), 1);
	ck_assert_shell_eq(SIZES, "1 2");
	ck_assert_shell_eq(USAGE, "0 0 2 3");
	ck_assert_shell_eq(TOTAL, "0 0 2 3");
}
END_TEST

START_TEST(each_grant_of_a_batch_counts_those_before_it)
{
	fixture_limits.files_per_user = 2;
	store_batch_begin(fixture_store);
	ck_assert_int_eq(grant(1), 1);
	ck_assert_int_eq(grant(2), 1);
	ck_assert_int_eq(grant(3), 0);
	ck_assert_int_eq(store_batch_end(fixture_store), 1);
	ck_assert_shell_eq(SIZES, "1 2");
}
END_TEST

/* The statement that fails, and how: the one thing or another is undone by
 * SQLite, but a slot without its place in the window is for us to undo. */
static const char *const troubles[] = {
    "CREATE TRIGGER trouble BEFORE INSERT ON slot WHEN new.size = 13 "
    "BEGIN SELECT RAISE(ABORT, 'trouble'); END",
    "CREATE TRIGGER trouble AFTER INSERT ON slot WHEN new.size = 13 "
    "BEGIN SELECT RAISE(FAIL, 'trouble'); END",
    "CREATE TRIGGER trouble BEFORE INSERT ON recent WHEN new.size = 13 "
    "BEGIN SELECT RAISE(ABORT, 'trouble'); END",
};

START_TEST(a_grant_that_breaks_spoils_none_of_the_others)
{
	fixture_limits.slots_per_window = 10;
	shell(troubles[_i]);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	store_batch_begin(fixture_store);
	ck_assert_int_eq(grant(1), 1);
	ck_assert_int_eq(grant(BAD_SIZE), -1);
	ck_assert_int_eq(grant(2), 1);
	ck_assert_int_eq(store_batch_end(fixture_store), 1);
	ck_assert_shell_eq(SIZES, "1 2");
	ck_assert_shell_eq(USAGE, "0 0 2 3");
	ck_assert_shell_eq("SELECT count(*) FROM recent", "2");
	ck_assert_int_eq(store_audit(fixture_store, false), 0);
}
END_TEST

START_TEST(a_batch_that_sqlite_has_undone_records_nothing)
{
	shell("CREATE TRIGGER trouble AFTER INSERT ON slot WHEN new.size = 13 "
	      "BEGIN SELECT RAISE(ROLLBACK, 'trouble'); END");
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	store_batch_begin(fixture_store);
	ck_assert_int_eq(grant(1), 1);
	ck_assert_int_eq(grant(BAD_SIZE), -1);
	ck_assert_int_eq(
	    grant(2), -1); /* and not in a transaction of its own */
	ck_assert_int_eq(store_batch_end(fixture_store), -1);
	ck_assert_shell_eq(SLOTS, "0");
	ck_assert_int_eq(grant(3), 1);
	ck_assert_shell_eq(SIZES, "3");
}
END_TEST

START_TEST(a_batch_whose_commit_fails_records_nothing)
{
	int rc;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	store_batch_begin(fixture_store);
	ck_assert_int_eq(grant(1), 1);
	ck_assert_int_eq(grant(2), 1);
	full_disk_begin(1);
	rc = store_batch_end(fixture_store);
	full_disk_end();
	ck_assert_int_eq(rc, -1);
	shell("BEGIN IMMEDIATE"); /* nobody is locked out */
	ck_assert_shell_eq(SLOTS, "0");
	store_batch_begin(fixture_store);
	ck_assert_int_eq(grant(3), 1);
	ck_assert_int_eq(store_batch_end(fixture_store), 1);
	ck_assert_shell_eq(SIZES, "3");
}
END_TEST

START_TEST(a_locked_database_is_waited_for_once)
{
	struct timespec begin, end;
	sqlite3 *lock;

	store_close(fixture_store);
	ck_assert_int_eq(
	    store_open(fixture_path, STORE_GRANT, 1, &fixture_store), 1);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	lock = lock_hold(fixture_path);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	store_batch_begin(fixture_store);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(grant(1), -1);
	ck_assert_int_eq(store_batch_end(fixture_store), -1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_int_lt(end.tv_sec - begin.tv_sec, 5);
	sqlite3_close(lock);
	ck_assert_int_eq(grant(1), 1);
	ck_assert_shell_eq(SLOTS, "1");
}
END_TEST

START_TEST(a_batch_without_a_grant_waits_for_nobody)
{
	sqlite3 *lock;

	lock = lock_hold(fixture_path);
	store_batch_begin(fixture_store);
	ck_assert_int_eq(store_batch_end(fixture_store), 1);
	sqlite3_close(lock);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store_batch");
	TCase *tc = tcase_create("store_batch");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, a_batch_is_recorded_at_its_end_and_as_a_whole);
	tcase_add_test(tc, each_grant_of_a_batch_counts_those_before_it);
	tcase_add_loop_test(tc, a_grant_that_breaks_spoils_none_of_the_others,
	    0, COUNT(troubles));
	tcase_add_test(tc, a_batch_that_sqlite_has_undone_records_nothing);
	tcase_add_test(tc, a_batch_whose_commit_fails_records_nothing);
	tcase_add_test(tc, a_locked_database_is_waited_for_once);
	tcase_add_test(tc, a_batch_without_a_grant_waits_for_nobody);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
