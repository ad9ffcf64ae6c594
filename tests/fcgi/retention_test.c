#include "fcgi/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <utime.h>

#include "schema/log.h"
#include "tests/descriptor.h"
#include "tests/fcgi/slots.h"
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

/* ---- runs ---- */

static struct retention_summary sum;
static bool flat_out; /* how the runs of this test are */

static struct retention
job(bool dry_run)
{
	return (struct retention){
	    .store = slots_store,
	    .bodies = slots_bodies,
	    .now = NOW,
	    .longest_upload = 3600,
	    .dry_run = dry_run,
	    .flat_out = flat_out,
	};
}

static int
run(void)
{
	struct retention r = job(false);

	return retention_run(&r, &sum);
}

static int
dry_run(void)
{
	struct retention r = job(true);

	return retention_run(&r, &sum);
}

static int
erase(const char *owner)
{
	struct retention r = job(false);

	return retention_erase(&r, owner, &sum);
}

/* No trace but of the slots that are there. */
static void
assert_clean(void)
{
	ck_assert_int_eq(slots_count_doomed(), 0);
	ck_assert_int_eq(store_audit(slots_store, false), 0);
}

/* ---- what goes and what stays ---- */

START_TEST(an_expired_upload_goes_with_its_body)
{
	slots_add(1, JULIET, NOW);
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_row(1));
	ck_assert(!slots_has_body(1));
	ck_assert_int_eq(sum.expired, 1);
	ck_assert_int_eq(sum.files, 1);
	ck_assert_int_eq(sum.bytes, 100);
	ck_assert_int_eq(sum.unused + sum.deleted + sum.erased, 0);
	assert_clean();
}
END_TEST

START_TEST(an_upload_stays_until_its_second)
{
	slots_add(1, JULIET, NOW + 1);
	slots_add(2, JULIET, FUTURE);
	slots_add_row(3, JULIET, PAST, FUTURE);
	slots_sql("UPDATE slot SET expires_at = NULL WHERE id = 3");
	slots_add_body(3);
	ck_assert_int_eq(run(), 1);
	for (int n = 1; n <= 3; n++) {
		ck_assert(slots_has_row(n));
		ck_assert(slots_has_body(n));
	}
	ck_assert_int_eq(sum.files, 0);
	assert_clean();
}
END_TEST

START_TEST(a_slot_that_was_never_used_goes)
{
	slots_add_row(1, JULIET, 0, FUTURE);
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_row(1));
	ck_assert_int_eq(sum.unused, 1);
	ck_assert_int_eq(sum.expired, 0);
	ck_assert_int_eq(sum.files, 0);
	assert_clean();
}
END_TEST

START_TEST(a_slot_whose_put_may_still_end_stays)
{
	slots_add_row(1, JULIET, 0, FUTURE);
	slots_sql("UPDATE slot SET put_ends_at = %d", NOW + 1);
	ck_assert_int_eq(run(), 1);
	ck_assert(slots_has_row(1));
	ck_assert_int_eq(sum.unused, 0);
}
END_TEST

/* State S2 of docs/internals.md. */
START_TEST(a_body_that_was_never_acknowledged_goes_with_its_slot)
{
	slots_add_row(1, JULIET, 0, FUTURE);
	slots_add_body(1);
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_body(1));
	ck_assert_int_eq(sum.unused, 1);
	ck_assert_int_eq(sum.files, 1);
	assert_clean();
}
END_TEST

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

START_TEST(the_body_of_a_row_deleted_by_hand_goes)
{
	slots_add(1, JULIET, FUTURE);
	slots_add(2, JULIET, FUTURE);
	slots_sql("DELETE FROM slot WHERE id = 1");
	ck_assert_int_eq(run(), 1);
	ck_assert(!slots_has_body(1));
	ck_assert(slots_has_body(2));
	ck_assert_int_eq(sum.deleted, 1);
	ck_assert_int_eq(sum.files, 1);
	ck_assert_int_eq(sum.expired, 0);
	assert_clean();
}
END_TEST

START_TEST(a_body_that_is_gone_already_is_no_failure)
{
	slots_add_row(1, JULIET, PAST, PAST);
	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(sum.expired, 1);
	ck_assert_int_eq(sum.files, 0);
	assert_clean();
}
END_TEST

static void
add_in_flight(const char *name, time_t written)
{
	struct utimbuf times = {written, written};

	mkdir(slots_path("bodies/incoming"), 0770);
	slots_write_file(slots_path(name), 10);
	ck_assert_int_eq(utime(slots_path(name), &times), 0);
}

START_TEST(only_bodies_in_flight_for_too_long_are_swept)
{
	const char *old = "bodies/incoming/oldoldoldoldoldoldoldoldol";
	const char *new = "bodies/incoming/newnewnewnewnewnewnewnewne";

	add_in_flight(old, NOW - 7201);
	add_in_flight(new, NOW - 7200);
	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(sum.swept, 1);
	ck_assert_int_ne(access(slots_path(old), F_OK), 0);
	ck_assert_int_eq(access(slots_path(new), F_OK), 0);
}
END_TEST

START_TEST(a_timeout_longer_than_history_sweeps_nothing)
{
	const char *name = "bodies/incoming/oldoldoldoldoldoldoldoldol";
	struct retention r = job(false);

	r.longest_upload = UNITS_NEVER;
	add_in_flight(name, 0);
	ck_assert_int_eq(retention_run(&r, &sum), 1);
	ck_assert_int_eq(access(slots_path(name), F_OK), 0);
}
END_TEST

START_TEST(more_than_one_batch_goes_in_one_run)
{
	const int count = 250;

	slots_sql("BEGIN");
	for (int n = 1; n <= count; n++)
		slots_add_row(n, JULIET, n % 2 == 0 ? PAST : 0, PAST);
	slots_sql("COMMIT");
	for (int n = 2; n <= count; n += 2)
		slots_add_body(n);
	slots_add(count + 1, JULIET, FUTURE);

	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(sum.expired, count / 2);
	ck_assert_int_eq(sum.unused, count / 2);
	ck_assert_int_eq(sum.files, count / 2);
	ck_assert_int_eq(slots_count_rows(), 1);
	ck_assert(slots_has_body(count + 1));
	ck_assert(!slots_has_body(count));
	assert_clean();
}
END_TEST

START_TEST(more_than_two_batches_go_in_a_run_that_is_flat_out)
{
	const int count = 20500;
	const int each = 50;

	slots_add_rows(1, count, PAST, PAST);
	slots_add_row(count + 1, JULIET, PAST, FUTURE);
	for (int n = each; n <= count; n += each)
		slots_add_body(n);
	slots_add_body(count + 1);
	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(sum.expired, count);
	ck_assert_int_eq(sum.files, count / each);
	ck_assert_int_eq(sum.bytes, 100 * count / each);
	ck_assert_int_eq(slots_count_rows(), 1);
	for (int n = each; n <= count; n += each)
		ck_assert(!slots_has_body(n));
	ck_assert(slots_has_body(count + 1));
	assert_clean();
}
END_TEST

START_TEST(a_run_that_is_flat_out_leaves_no_large_wal)
{
	struct stat st;

	slots_add_rows(1, 5000, PAST, PAST);
	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(stat(slots_path("db-wal"), &st), 0);
	ck_assert_int_lt(st.st_size, 100000);
}
END_TEST

/* ---- a dry run ---- */

START_TEST(a_dry_run_foretells_a_run_and_changes_nothing)
{
	struct retention_summary foretold;

	slots_add(1, JULIET, PAST);
	slots_add_row(2, JULIET, 0, FUTURE);
	slots_add_row(3, ROMEO, 0, FUTURE);
	slots_add_body(3);
	slots_add(4, ROMEO, FUTURE);
	slots_sql("DELETE FROM slot WHERE id = 4");
	slots_add(5, ROMEO, FUTURE);
	slots_add_rows(10, 149, 0, FUTURE);

	slots_reopen(STORE_READ);
	ck_assert_int_eq(dry_run(), 1);
	foretold = sum;
	ck_assert_int_eq(slots_count_rows(), 144);
	ck_assert_int_eq(slots_count_doomed(), 1);
	ck_assert(slots_has_body(1) && slots_has_body(3) && slots_has_body(4));

	slots_reopen(STORE_DURABLE);
	ck_assert_int_eq(run(), 1);
	ck_assert_mem_eq(&foretold, &sum, sizeof(sum));
	ck_assert_int_eq(sum.files, 3);
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

/* ---- erasing a user ---- */

START_TEST(erasing_a_user_leaves_the_others_alone)
{
	slots_add(1, JULIET, FUTURE);
	slots_add_row(2, JULIET, 0, FUTURE);
	slots_add(3, ROMEO, FUTURE);
	slots_add(4, "juliet@example.organ", FUTURE);
	slots_add(5, ROMEO, PAST); /* an erasure is no run of retention */
	ck_assert_int_eq(erase(JULIET), 1);
	ck_assert_int_eq(sum.erased, 2);
	ck_assert_int_eq(sum.files, 1);
	ck_assert_int_eq(sum.expired + sum.deleted, 0);
	ck_assert(!slots_has_row(1) && !slots_has_body(1));
	ck_assert(!slots_has_row(2));
	for (int n = 3; n <= 5; n++)
		ck_assert(slots_has_row(n) && slots_has_body(n));
	assert_clean();
}
END_TEST

START_TEST(erasing_a_user_forgets_all_that_is_counted)
{
	slots_add(1, JULIET, FUTURE);
	slots_add(2, ROMEO, FUTURE);
	slots_sql("INSERT INTO recent VALUES (1, '" JULIET "', 'message', 100, "
		  "0, %d, NULL), (2, '" ROMEO "', 'message', 100, 0, %d, NULL)",
	    FUTURE, FUTURE);
	ck_assert_int_eq(erase(JULIET), 1);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM recent"), 1);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM usage WHERE owner = "
				   "'" JULIET "'"),
	    0);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM usage"), 1);
}
END_TEST

START_TEST(a_user_with_more_than_a_batch_is_erased_whole)
{
	slots_add_rows(1, 250, PAST, FUTURE);
	slots_add_row(251, ROMEO, PAST, FUTURE);
	ck_assert_int_eq(erase(JULIET), 1);
	ck_assert_int_eq(sum.erased, 250);
	ck_assert_int_eq(slots_count_rows(), 1);
	assert_clean();
}
END_TEST

START_TEST(erasing_an_unknown_user_is_done_at_once)
{
	slots_add(1, JULIET, FUTURE);
	ck_assert_int_eq(erase("nobody@example.org"), 1);
	ck_assert_int_eq(sum.erased, 0);
	ck_assert(slots_has_row(1));
}
END_TEST

START_TEST(a_dry_erasure_foretells_and_changes_nothing)
{
	struct retention r;

	slots_add(1, JULIET, FUTURE);
	slots_add_row(2, JULIET, 0, FUTURE);
	slots_add(3, ROMEO, FUTURE);
	slots_reopen(STORE_READ);
	r = job(true);
	ck_assert_int_eq(retention_erase(&r, JULIET, &sum), 1);
	ck_assert_int_eq(sum.erased, 2);
	ck_assert_int_eq(sum.files, 1);
	ck_assert_int_eq(slots_count_rows(), 3);
	ck_assert(slots_has_body(1));
}
END_TEST

/* ---- what is said ---- */

/* Standard error of a run, in a buffer. */
static void
run_into(char *text, size_t len)
{
	const char *path = slots_path("log");
	int saved = dup(STDERR_FILENO);
	FILE *f = NULL;

	ck_assert_ptr_nonnull(freopen(path, "w", stderr));
	log_open("test", LOG_LEVEL_DEBUG, false);
	ck_assert_int_eq(run(), 1);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	f = fopen(slots_path("log"), "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, len - 1, f)] = '\0';
	fclose(f);
}

START_TEST(every_slot_is_told_with_its_reason_and_without_its_token)
{
	char text[4096];

	slots_add(7, JULIET, PAST);
	slots_add_row(8, ROMEO, 0, FUTURE);
	slots_add(9, ROMEO, FUTURE);
	slots_sql("DELETE FROM slot WHERE id = 9");
	run_into(text, sizeof(text));
	ck_assert_ptr_nonnull(
	    strstr(text, "slot 7 of " JULIET ", message, 100 bytes: expired"));
	ck_assert_ptr_nonnull(strstr(
	    text, "slot 8 of " ROMEO ", message, 100 bytes: never used"));
	ck_assert_ptr_nonnull(strstr(text, "100 bytes: row deleted"));
	for (int n = 7; n <= 9; n++)
		ck_assert_ptr_null(strstr(text, slots_token(n)));
}
END_TEST

START_TEST(the_summary_is_one_line)
{
	const struct retention_summary figures = {
	    .files = 14,
	    .bytes = 1536,
	    .expired = 12,
	    .unused = 5,
	    .erased = 3,
	    .deleted = 2,
	    .swept = 6,
	    .failed = 1,
	};
	char text[300] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	retention_print(&figures, false, out);
	fclose(out);
	ck_assert_str_eq(text,
	    "removed 14 files, 1.5 KiB; expired 12, never used 5, erased 3, "
	    "row deleted 2, incoming 6, failed 1\n");
	out = fmemopen(text, sizeof(text), "w");
	retention_print(&figures, true, out);
	fclose(out);
	ck_assert_ptr_eq(strstr(text, "would remove 14 files"), text);
}
END_TEST

static void
set_up(void)
{
	memset(&fault, 0, sizeof(fault));
	slots_set_up();
}

static void
set_up_flat_out(void)
{
	set_up();
	flat_out = true;
}

static void
add_runs(TCase *tc)
{
	tcase_add_test(tc, an_expired_upload_goes_with_its_body);
	tcase_add_test(tc, an_upload_stays_until_its_second);
	tcase_add_test(tc, a_slot_that_was_never_used_goes);
	tcase_add_test(tc, a_slot_whose_put_may_still_end_stays);
	tcase_add_test(
	    tc, a_body_that_was_never_acknowledged_goes_with_its_slot);
	tcase_add_test(tc, a_removal_is_on_the_disk_before_its_body_goes);
	tcase_add_test(tc, the_body_of_a_row_deleted_by_hand_goes);
	tcase_add_test(tc, a_body_that_is_gone_already_is_no_failure);
	tcase_add_test(tc, only_bodies_in_flight_for_too_long_are_swept);
	tcase_add_test(tc, a_timeout_longer_than_history_sweeps_nothing);
	tcase_add_test(tc, more_than_one_batch_goes_in_one_run);
	tcase_add_test(tc, a_dry_run_foretells_a_run_and_changes_nothing);
}

static void
add_failures(TCase *tc)
{
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

static void
add_erasures(TCase *tc)
{
	tcase_add_test(tc, erasing_a_user_leaves_the_others_alone);
	tcase_add_test(tc, erasing_a_user_forgets_all_that_is_counted);
	tcase_add_test(tc, a_user_with_more_than_a_batch_is_erased_whole);
	tcase_add_test(tc, erasing_an_unknown_user_is_done_at_once);
	tcase_add_test(tc, a_dry_erasure_foretells_and_changes_nothing);
}

/* What only one of the two ways has. */
static void
add_ways(Suite *s)
{
	TCase *usual = slots_case(s, "the usual way", set_up);
	TCase *fast = slots_case(s, "flat out", set_up_flat_out);

	tcase_add_test(usual, neighbours_in_a_shard_are_settled_together);
	tcase_add_test(
	    fast, more_than_two_batches_go_in_a_run_that_is_flat_out);
	tcase_add_test(fast, a_run_that_is_flat_out_leaves_no_large_wal);
}

int
main(void)
{
	Suite *s = suite_create("retention");
	TCase *said = NULL;

	add_runs(slots_case(s, "runs", set_up));
	add_runs(slots_case(s, "runs, flat out", set_up_flat_out));
	add_failures(slots_case(s, "failures", set_up));
	add_failures(slots_case(s, "failures, flat out", set_up_flat_out));
	add_erasures(slots_case(s, "erasures", set_up));
	add_ways(s);
	said = slots_case(s, "said", set_up);
	tcase_add_test(
	    said, every_slot_is_told_with_its_reason_and_without_its_token);
	tcase_add_test(said, the_summary_is_one_line);
	return suite_run(s);
}
