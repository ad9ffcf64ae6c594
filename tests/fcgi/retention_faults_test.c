/*
 * Retention where something goes wrong: files that stay, disks that do not
 * sync, other processes, and an end in the middle.
 */
#include "fcgi/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/descriptor.h"
#include "tests/fcgi/retention_fixture.h"
#include "tests/suite.h"

/* ---- faults: these stand before the C library's, in SQLite as well ---- */

static struct {
	int steps;        /* calls seen */
	int kill_at;      /* the step that is not survived; 0: none */
	int unlink_errno; /* what removing fail_token gives; 0: nothing */
	char fail_token[TOKEN_LEN + 1];
	bool directories_do_not_sync;
	int directories_synced;
	int wals_synced;
	int rests;
	bool unlinked_unsynced; /* a body went before any sync of the WAL */
} fault;

static void
step(void)
{
	if (++fault.steps == fault.kill_at)
		kill(getpid(), SIGKILL);
}

int
unlinkat(int dir, const char *path, int flags)
{
	step();
	if (fault.wals_synced == 0)
		fault.unlinked_unsynced = true;
	if (fault.unlink_errno != 0 && strstr(path, fault.fail_token) != NULL) {
		errno = fault.unlink_errno;
		return -1;
	}
	return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int
fsync(int fd)
{
	struct stat st;

	step();
	fault.wals_synced += descriptor_is_wal(fd);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		fault.directories_synced++;
		if (fault.directories_do_not_sync) {
			errno = EIO;
			return -1;
		}
	}
	return (int)syscall(SYS_fsync, fd);
}

/* What was removed anywhere is made durable by this, in a run that is flat out.
 */
int
syncfs(int fd)
{
	step();
	if (fault.directories_do_not_sync) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_syncfs, fd);
}

int
fdatasync(int fd)
{
	step();
	fault.wals_synced += descriptor_is_wal(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int
nanosleep(const struct timespec *t, struct timespec *rest)
{
	fault.rests++;
	return (int)syscall(SYS_nanosleep, t, rest);
}

/* ---- what must be durable before what, and whom a run leaves alone ---- */

/* Evictions are committed without waiting for the disk: a power cut could
 * bring the row back, but not the body. */
START_TEST(a_removal_is_on_the_disk_before_its_body_goes)
{
	slots_add(1, JULIET, FUTURE);
	slots_sql("PRAGMA synchronous = OFF");
	slots_sql("DELETE FROM slot WHERE id = 1");
	fault.wals_synced = 0;
	fault.unlinked_unsynced = false;
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_body(1));
	ck_assert(!fault.unlinked_unsynced);
}
END_TEST

START_TEST(a_token_is_not_forgotten_before_its_removal_is_durable)
{
	slots_add(1, JULIET, PAST);
	fault.directories_do_not_sync = true;
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(sum.failed, 1);
	ck_assert_int_eq(slots_count_doomed(), 1);

	/* The next run finds no file, and must settle the shard all the same.
	 */
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(slots_count_doomed(), 1);

	fault.directories_do_not_sync = false;
	ck_assert_int_eq(run(), 1);
	assert_clean();
}
END_TEST

START_TEST(neighbours_in_a_shard_are_settled_together)
{
	for (int n = 1; n <= 20; n++)
		slots_add(32 * n, JULIET, PAST);
	slots_add(1, JULIET, PAST);
	slots_add(31, JULIET, PAST);
	fault.directories_synced = 0;
	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(sum.files, 22);
	ck_assert_int_eq(fault.directories_synced, 3);
}
END_TEST

/* The disk and the database are others', too. */
START_TEST(a_run_waits_for_the_disk_seldom_and_rests_often)
{
	slots_add_rows(1, 100, PAST, PAST);
	fault.wals_synced = fault.rests = 0;
	ck_assert_int_eq(run(), 1);
	ck_assert_int_le(fault.wals_synced, 5); /* of twice as many commits */
	if (flat_out)
		ck_assert_int_eq(fault.rests, 0);
	else
		ck_assert_int_ge(fault.rests, 100 / 10);
}
END_TEST

/* ---- failures ---- */

static const int unlink_errors[] = {EACCES, EIO, EROFS};

START_TEST(a_body_that_cannot_be_removed_waits_for_the_next_run)
{
	slots_add(1, JULIET, PAST);
	slots_add(2, JULIET, PAST);
	slots_add(33, JULIET, PAST); /* in the shard of the first */
	fault.unlink_errno = unlink_errors[_i];
	memcpy(fault.fail_token, slots_token(1), TOKEN_LEN);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(sum.failed, 1);
	ck_assert_int_eq(sum.files, 2);
	ck_assert(slots_has_body(1));
	ck_assert(!slots_has_body(2) && !slots_has_body(33));
	ck_assert_int_eq(slots_count_doomed(), 1);

	fault.unlink_errno = 0;
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_body(1));
	ck_assert_int_eq(sum.deleted, 1);
	assert_clean();
}
END_TEST

START_TEST(an_erasure_that_leaves_a_body_is_not_done)
{
	struct retention r = job(false);

	slots_add(1, JULIET, FUTURE);
	fault.unlink_errno = EACCES;
	ck_assert_int_eq(retention_erase(&r, JULIET, &sum), 0);
	ck_assert_int_eq(sum.failed, 1);
	fault.unlink_errno = 0;
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_body(1));
}
END_TEST

START_TEST(a_directory_in_a_bodys_place_does_not_stop_a_run)
{
	slots_add_row(1, JULIET, PAST, PAST);
	ck_assert_int_eq(mkdir(slots_body_path(1), 0770), 0);
	slots_add(2, JULIET, PAST);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(sum.failed, 1);
	ck_assert(!slots_has_body(2));
	ck_assert_int_eq(slots_count_doomed(), 1);
}
END_TEST

START_TEST(more_failures_than_a_batch_do_not_make_a_run_endless)
{
	slots_add_rows(1, 250, PAST, PAST);
	slots_add_bodies(1, 250);
	fault.unlink_errno = EACCES;
	fault.fail_token[0] = '\0'; /* every one */
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(sum.failed, 250);
	ck_assert_int_eq(sum.files, 0);
	ck_assert_int_eq(slots_count_doomed(), 250);
}
END_TEST

START_TEST(a_locked_database_ends_the_run)
{
	slots_add(1, JULIET, PAST);
	slots_lock();
	ck_assert_int_eq(run(), -1);
	ck_assert(slots_has_body(1));
	slots_sql("ROLLBACK");
	ck_assert_int_eq(run(), 1);
}
END_TEST

/* ---- several processes ---- */

/* Runs in a process of its own; the wait status. */
static int
wait_for(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* Call without open handles. */
static pid_t
start_run(int kill_at)
{
	pid_t pid = fork();
	int rc = 0;

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	slots_open(STORE_DURABLE);
	fault.steps = 0;
	fault.kill_at = kill_at;
	rc = run();
	fault.kill_at = 0;
	slots_close();
	_exit(rc == 1 ? 0 : 1);
}

START_TEST(two_runs_at_once_do_the_work_of_one)
{
	const int count = 300;
	pid_t one = 0;
	pid_t two = 0;

	slots_add_rows(1, count, PAST, PAST);
	slots_add_bodies(1, count);
	slots_add(count + 1, JULIET, FUTURE);
	slots_close();

	one = start_run(0);
	two = start_run(0);
	ck_assert_int_eq(wait_for(one), 0);
	ck_assert_int_eq(wait_for(two), 0);

	slots_open(STORE_DURABLE);
	ck_assert_int_eq(slots_count_rows(), 1);
	for (int n = 1; n <= count; n++)
		ck_assert(!slots_has_body(n));
	ck_assert(slots_has_body(count + 1));
	assert_clean();
}
END_TEST

static void
fill_for_a_killed_run(void)
{
	slots_sql("DELETE FROM slot");
	slots_sql("DELETE FROM doomed");
	slots_add(1, JULIET, PAST);
	slots_add(2, JULIET, PAST);
	slots_add(33, JULIET, PAST);
	slots_add_row(4, ROMEO, 0, FUTURE);
	slots_add_body(4);
	slots_add(5, ROMEO, FUTURE);
	slots_sql("DELETE FROM slot WHERE token = '%s'", slots_token(5));
	slots_add(6, ROMEO, FUTURE);
}

/* No file without a row that names its token, no stored row without its file:
 * the guarantee of docs/internals.md. */
static void
assert_guarantee(void)
{
	struct fsck_summary found;

	ck_assert_int_eq(slots_check(false, &found), 1);
}

START_TEST(a_run_may_be_killed_at_any_step)
{
	int status = 0;
	int kill_at = 0;

	do {
		fill_for_a_killed_run();
		slots_close();
		status = wait_for(start_run(++kill_at));
		slots_open(STORE_DURABLE);
		assert_guarantee();
		ck_assert_int_eq(run(), 1);
		ck_assert_int_eq(slots_count_rows(), 1);
		ck_assert(slots_has_row(6) && slots_has_body(6));
		for (int n = 1; n <= 5; n++)
			ck_assert(!slots_has_body(n));
		ck_assert(!slots_has_body(33));
		assert_guarantee();
		assert_clean();
	} while (WIFSIGNALED(status));
	ck_assert_int_eq(status, 0);
	/* Five bodies and five commits at least: it was killed often. */
	ck_assert_int_ge(kill_at, 12);
}
END_TEST

static void
add_failures(TCase *tc)
{
	tcase_add_test(tc, a_removal_is_on_the_disk_before_its_body_goes);
	tcase_add_test(tc, a_run_waits_for_the_disk_seldom_and_rests_often);
	tcase_add_loop_test(tc,
	    a_body_that_cannot_be_removed_waits_for_the_next_run, 0,
	    COUNT(unlink_errors));
	tcase_add_test(tc, a_directory_in_a_bodys_place_does_not_stop_a_run);
	tcase_add_test(
	    tc, more_failures_than_a_batch_do_not_make_a_run_endless);
	tcase_add_test(
	    tc, a_token_is_not_forgotten_before_its_removal_is_durable);
	tcase_add_test(tc, a_locked_database_ends_the_run);
	tcase_add_test(tc, two_runs_at_once_do_the_work_of_one);
	tcase_add_test(tc, a_run_may_be_killed_at_any_step);
}

int
main(void)
{
	Suite *s = suite_create("retention, with faults");
	TCase *usual = slots_case(s, "failures", set_up);

	add_failures(usual);
	tcase_add_test(usual, neighbours_in_a_shard_are_settled_together);
	tcase_add_test(usual, an_erasure_that_leaves_a_body_is_not_done);
	add_failures(slots_case(s, "failures, flat out", set_up_flat_out));
	return suite_run(s);
}
