/*
 * How the WAL reaches the disk when no commit waits for it: what the store asks
 * of the kernel is counted by functions that stand before the C library's.
 */
#include "schema/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/descriptor.h"
#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

#define WRITE_EACH (512 * 2072) /* bytes */
#define CHECKPOINT_AT (8000 * 2072)
#define MOST_FRAMES 40 /* of one commit */

static int begun;
static int syncs;
static int failure; /* of sync_file_range, an errno */

int
sync_file_range(int fd, off64_t offset, off64_t len, unsigned flags)
{
	begun++;
	errno = failure;
	return failure != 0
		   ? -1
		   : (int)syscall(SYS_sync_file_range, fd, offset, len, flags);
}

int
fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

static int64_t
wal_size(void)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", fixture_path);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_size;
}

/* Grants until the WAL is so long. */
static void
fill_wal(int64_t bytes)
{
	while (wal_size() < bytes)
		granted_size(1);
}

START_TEST(the_kernel_is_told_to_write_the_wal_after_each_mebibyte)
{
	syncs = 0;
	fill_wal(WRITE_EACH / 2);
	ck_assert_int_eq(begun, 0);
	fill_wal(WRITE_EACH + MOST_FRAMES * 2072);
	ck_assert_int_eq(begun, 1);
	fill_wal(4 * (WRITE_EACH + MOST_FRAMES * 2072));
	ck_assert_int_eq(begun, 4);
	ck_assert_int_eq(syncs, 0);
}
END_TEST

START_TEST(a_full_wal_goes_into_the_database_and_starts_anew)
{
	int64_t full;

	failure = _i;
	fill_wal(CHECKPOINT_AT);
	syncs = 0;
	while (syncs == 0)
		granted_size(1);
	full = wal_size();
	ck_assert_int_lt(full, CHECKPOINT_AT + MOST_FRAMES * 2072);
	begun = 0;
	for (int i = 0; i < 300; i++)
		granted_size(1);
	ck_assert_int_eq(wal_size(), full);
	ck_assert_int_ge(begun, 2);
	ck_assert_shell_eq("PRAGMA integrity_check", "ok");
}
END_TEST

/* An old view holds the checkpoint up; no grant fails for that. */
START_TEST(a_reader_in_the_way_of_a_checkpoint_harms_nobody)
{
	sqlite3 *reader;

	granted_size(1);
	ck_assert_int_eq(sqlite3_open(fixture_path, &reader), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(
		reader, "BEGIN; SELECT count(*) FROM slot", NULL, NULL, NULL),
	    SQLITE_OK);
	fill_wal(CHECKPOINT_AT + 100 * 2072);
	sqlite3_close(reader);
	granted_size(1);
	ck_assert_shell_eq("PRAGMA integrity_check", "ok");
}
END_TEST

START_TEST(a_store_that_is_closed_leaves_no_descriptor_open)
{
	int open;

	store_close(fixture_store);
	open = descriptor_count();
	store_close(open_store(STORE_GRANT));
	ck_assert_int_eq(descriptor_count(), open);
	fixture_store = open_store(STORE_GRANT);
}
END_TEST

START_TEST(a_database_without_a_wal_is_none_the_worse)
{
	char path[PATH_MAX + 32];
	struct sqlite3 *db;
	struct wal *wal;

	snprintf(path, sizeof(path), "%s.copy", fixture_path);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(wal_tend(db, &wal), 1);
	ck_assert_int_eq(
	    sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	wal_free(wal);
	ck_assert_int_eq(begun, 0);
}
END_TEST

int
main(void)
{
	static const int failures[] = {0, EIO};
	Suite *suite = suite_create("wal");
	TCase *tc = tcase_create("wal");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(
	    tc, the_kernel_is_told_to_write_the_wal_after_each_mebibyte);
	for (int i = 0; i < COUNT(failures); i++)
		tcase_add_loop_test(tc,
		    a_full_wal_goes_into_the_database_and_starts_anew,
		    failures[i], failures[i] + 1);
	tcase_add_test(tc, a_reader_in_the_way_of_a_checkpoint_harms_nobody);
	tcase_add_test(tc, a_store_that_is_closed_leaves_no_descriptor_open);
	tcase_add_test(tc, a_database_without_a_wal_is_none_the_worse);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
