#include "fcgi/retention.h"

#include <utime.h>

#include "schema/log.h"
#include "tests/fcgi/retention_fixture.h"
#include "tests/suite.h"

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

static int
dry_run(void)
{
	struct retention r = job(true);

	return retention_run(&r, &sum);
}

START_TEST(a_dry_run_sweeps_nothing)
{
	const char *name = "bodies/incoming/oldoldoldoldoldoldoldoldol";

	add_in_flight(name, 0);
	ck_assert_int_eq(dry_run(), 1);
	ck_assert_int_eq(access(slots_path(name), F_OK), 0);
}
END_TEST

START_TEST(a_directory_that_cannot_be_swept_breaks_the_run)
{
	slots_add(1, JULIET, PAST);
	slots_write_file(slots_path("bodies/incoming"), 1);
	ck_assert_int_eq(run(), -1);
	ck_assert(!slots_has_body(1)); /* what can be done was done */
}
END_TEST

START_TEST(what_has_left_its_window_is_forgotten_at_once)
{
	slots_sql("WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n "
		  "WHERE i < 250) INSERT INTO recent SELECT i, '" JULIET
		  "', 'message', 100, 0, iif(i = 250, %d, %d), NULL FROM n",
	    FUTURE, PAST);
	ck_assert_int_eq(run(), 1);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM recent"), 1);
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
add_runs(TCase *tc)
{
	tcase_add_test(tc, an_expired_upload_goes_with_its_body);
	tcase_add_test(tc, an_upload_stays_until_its_second);
	tcase_add_test(tc, a_slot_that_was_never_used_goes);
	tcase_add_test(tc, a_slot_whose_put_may_still_end_stays);
	tcase_add_test(
	    tc, a_body_that_was_never_acknowledged_goes_with_its_slot);
	tcase_add_test(tc, the_body_of_a_row_deleted_by_hand_goes);
	tcase_add_test(tc, a_body_that_is_gone_already_is_no_failure);
	tcase_add_test(tc, only_bodies_in_flight_for_too_long_are_swept);
	tcase_add_test(tc, a_dry_run_sweeps_nothing);
	tcase_add_test(tc, a_directory_that_cannot_be_swept_breaks_the_run);
	tcase_add_test(tc, what_has_left_its_window_is_forgotten_at_once);
	tcase_add_test(tc, a_timeout_longer_than_history_sweeps_nothing);
	tcase_add_test(tc, more_than_one_batch_goes_in_one_run);
	tcase_add_test(tc, a_dry_run_foretells_a_run_and_changes_nothing);
}

int
main(void)
{
	Suite *s = suite_create("retention");
	TCase *fast = slots_case(s, "runs, flat out", set_up_flat_out);
	TCase *said = slots_case(s, "said", set_up);

	add_runs(slots_case(s, "runs", set_up));
	add_runs(fast);
	tcase_add_test(
	    fast, more_than_two_batches_go_in_a_run_that_is_flat_out);
	tcase_add_test(fast, a_run_that_is_flat_out_leaves_no_large_wal);
	tcase_add_test(
	    said, every_slot_is_told_with_its_reason_and_without_its_token);
	tcase_add_test(said, the_summary_is_one_line);
	return suite_run(s);
}
