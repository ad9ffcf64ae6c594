#include "schema/statement.h"

#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

/* Those that run while somebody waits must never read a whole table. */
static const enum statement_id hot[] = {STMT_FIND, STMT_PUBLISH,
    STMT_NOTE_SHA256, STMT_UNPUBLISH, STMT_USAGE, STMT_WINDOW, STMT_DELETE_OVER,
    STMT_DELETE_OVER_ANY, STMT_OLDEST, STMT_EVICT, STMT_USAGE_LEAVES,
    STMT_WINDOW_LEAVES, STMT_OVER, STMT_OVER_SOME, STMT_DELETE, STMT_DOOMED,
    STMT_FORGET, STMT_ERASE, STMT_ERASE_RECENT, STMT_EACH, STMT_KNOWS,
    STMT_DROP, STMT_TIDY_RECENT};

START_TEST(no_statement_that_somebody_waits_for_scans_a_table)
{
	struct statement *st = &fixture_store->statements[hot[_i]];
	sqlite3_stmt *plan;
	char sql[1024];
	int rows = 0;

	snprintf(
	    sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(st->handle));
	ck_assert_int_eq(
	    sqlite3_prepare_v2(fixture_store->db, sql, -1, &plan, NULL),
	    SQLITE_OK);
	for (; sqlite3_step(plan) == SQLITE_ROW; rows++) {
		const char *step = (const char *)sqlite3_column_text(plan, 3);

		ck_assert_msg(
		    strncmp(step, "SCAN", 4) != 0, "%s: %s", st->aim, step);
	}
	ck_assert_int_gt(rows, 0);
	sqlite3_finalize(plan);
}
END_TEST

START_TEST(every_statement_says_what_it_is_for)
{
	for (int i = 0; i < STMT_COUNT; i++) {
		ck_assert_ptr_nonnull(fixture_store->statements[i].handle);
		ck_assert_ptr_nonnull(fixture_store->statements[i].aim);
	}
}
END_TEST

START_TEST(a_parameter_that_does_not_exist_fails_the_step)
{
	struct statement *st = statement_start(fixture_store, STMT_FIND);

	statement_bind_text(st, ":tokken", "a");
	statement_bind_text(st, ":token", "a");
	ck_assert_int_eq(statement_step(st), -1);
	/* And a new start forgets it. */
	st = statement_start(fixture_store, STMT_FIND);
	statement_bind_text(st, ":token", "a");
	ck_assert_int_eq(statement_step(st), 0);
}
END_TEST

START_TEST(a_start_forgets_what_was_bound)
{
	struct grant_result result = granted_size(1);
	struct statement *st = statement_start(fixture_store, STMT_FIND);

	statement_bind_text(st, ":token", result.token);
	ck_assert_int_eq(statement_step(st), 1);
	st = statement_start(fixture_store, STMT_FIND);
	ck_assert_int_eq(statement_step(st), 0);
}
END_TEST

START_TEST(never_is_null_and_back)
{
	struct grant_result result;
	struct statement *st;

	fixture_limits.retention = UNITS_NEVER;
	result = granted_size(1);
	ck_assert_shell_eq("SELECT expires_at FROM slot", "(null)");
	st = statement_start(fixture_store, STMT_FIND);
	statement_bind_text(st, ":token", result.token);
	ck_assert_int_eq(statement_step(st), 1);
	ck_assert_int_eq(statement_time(st, 12), UNITS_NEVER);
	ck_assert_int_eq(statement_time(st, 8), NOW);
	statement_end(st);
}
END_TEST

START_TEST(what_does_not_fit_is_an_error_and_never_cut)
{
	struct grant_result result = stored_size(1);
	struct statement *st = statement_start(fixture_store, STMT_FIND);
	char text[TOKEN_LEN + 1];
	unsigned char blob[STORE_SHA256_LEN];

	statement_bind_text(st, ":token", result.token);
	ck_assert_int_eq(statement_step(st), 1);
	ck_assert_int_eq(statement_text(st, 1, text, TOKEN_LEN + 1), 1);
	ck_assert_str_eq(text, result.token);
	ck_assert_int_eq(statement_blob(st, 13, blob, sizeof(blob)), 1);
	ck_assert_int_eq(statement_text(st, 1, text, TOKEN_LEN), -1);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(statement_blob(st, 13, blob, sizeof(blob) - 1), -1);
	ck_assert_int_eq(statement_step(st), -1);
}
END_TEST

START_TEST(a_run_counts_the_rows_it_changed)
{
	struct statement *st;

	for (int i = 0; i < 3; i++)
		granted_size(1);
	st = statement_start(fixture_store, STMT_ERASE);
	statement_bind_text(st, ":owner", OWNER);
	statement_bind_int(st, ":max", 2);
	ck_assert_int_eq(statement_run(st), 2);
}
END_TEST

START_TEST(a_reader_prepares_a_statement_when_it_is_first_started)
{
	struct grant_result result = granted_size(1);
	struct store *reader;
	struct slot slot;

	ck_assert_int_eq(store_open(fixture_path, STORE_READ, 0, &reader), 1);
	ck_assert_ptr_null(reader->statements[STMT_FIND].handle);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(store_find(reader, result.token, &slot), 1);
	ck_assert_ptr_nonnull(reader->statements[STMT_FIND].handle);
	ck_assert_ptr_null(reader->statements[STMT_INSERT].handle);
	store_close(reader);
}
END_TEST

START_TEST(what_cannot_be_prepared_fails_the_step)
{
	struct store *reader;
	struct slot slot;

	ck_assert_int_eq(store_open(fixture_path, STORE_READ, 0, &reader), 1);
	shell("ALTER TABLE slot RENAME COLUMN secret TO sekret");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
		    store_find(reader, "abcdefghijklmnopqrstuvwxyz", &slot),
		    -1);
	store_close(reader);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("statement");
	TCase *tc = tcase_create("statement");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_loop_test(tc,
	    no_statement_that_somebody_waits_for_scans_a_table, 0, COUNT(hot));
	tcase_add_test(tc, every_statement_says_what_it_is_for);
	tcase_add_test(tc, a_parameter_that_does_not_exist_fails_the_step);
	tcase_add_test(tc, a_start_forgets_what_was_bound);
	tcase_add_test(tc, never_is_null_and_back);
	tcase_add_test(tc, what_does_not_fit_is_an_error_and_never_cut);
	tcase_add_test(tc, a_run_counts_the_rows_it_changed);
	tcase_add_test(
	    tc, a_reader_prepares_a_statement_when_it_is_first_started);
	tcase_add_test(tc, what_cannot_be_prepared_fails_the_step);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
