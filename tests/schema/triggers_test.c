/* schema/001-initial.sql: what its triggers, checks and views do when rows are
 * changed by hand, on a plain SQLite handle, as in the sqlite3 shell. */
#include "tests/schema/store_fixture.h"

#include "tests/suite.h"

#define NOBODY                                                           \
	"SELECT count(*) FROM usage WHERE owner = 'juliet@example.org' " \
	"AND purpose = 'message'"
#define ROMEO                                                   \
	"SELECT stored_files || ' ' || stored_bytes || ' ' || " \
	"reserved_files || ' ' || reserved_bytes FROM usage "   \
	"WHERE owner = 'romeo@example.org'"
/* Not a fixed letter put in: one token in 32 has it there already. */
#define OTHER_TOKEN "substr(token, 2) || substr(token, 1, 1)"
#define COPY_AS(id)                                                   \
	"INSERT INTO slot SELECT " id ", " OTHER_TOKEN ", secret, "   \
	"owner, purpose, file_name, content_type, size, issued_at, "  \
	"put_expires_at, put_ends_at, stored_at, expires_at, sha256 " \
	"FROM slot LIMIT 1"
#define NEW_SLOT                                                             \
	"INSERT INTO slot (token, secret, owner, purpose, file_name, size, " \
	"issued_at, put_expires_at, put_ends_at) VALUES "

/* No store has the database open while the administrator types. */
static void
set_up_by_hand(void)
{
	set_up_store();
	stored_size(100);
	granted_size(20);
	store_close(fixture_store);
}

/* Every counter is what the slots add up to, and the store can be used. */
static void
tear_down_by_hand(void)
{
	fixture_store = open_store(STORE_DURABLE);
	ck_assert_int_eq(store_audit(fixture_store, false), 0);
	tear_down_store();
}

/* A change; the owner's usage and the total after it. */
static const struct {
	const char *sql, *usage, *total;
} changes[] = {
    {"DELETE FROM slot WHERE stored_at IS NULL", "1 100 0 0", "1 100 0 0"},
    {"DELETE FROM slot WHERE stored_at > 0", "0 0 1 20", "0 0 1 20"},
    {"DELETE FROM slot", "(none)", "0 0 0 0"},
    {"UPDATE slot SET size = size * 2", "1 200 1 40", "1 200 1 40"},
    {"UPDATE slot SET stored_at = NULL, sha256 = NULL", "0 0 2 120",
	"0 0 2 120"},
    {"UPDATE slot SET stored_at = 5, sha256 = zeroblob(32)", "2 120 0 0",
	"2 120 0 0"},
    {"UPDATE slot SET stored_at = 5, sha256 = NULL", "2 120 0 0", "2 120 0 0"},
    {"UPDATE slot SET stored_at = 5 WHERE stored_at > 0", "1 100 1 20",
	"1 100 1 20"},
    {"UPDATE slot SET owner = 'romeo@example.org'", "(none)", "1 100 1 20"},
    {"UPDATE slot SET purpose = 'profile' WHERE stored_at IS NULL", "1 100 0 0",
	"1 100 1 20"},
    {"UPDATE slot SET file_name = 'x', expires_at = 0", "1 100 1 20",
	"1 100 1 20"},
    {"INSERT INTO slot SELECT id + 10, " OTHER_TOKEN ", secret, "
     "owner, purpose, file_name, content_type, 5, issued_at, "
     "put_expires_at, put_ends_at, stored_at, expires_at, sha256 FROM slot",
	"2 105 2 25", "2 105 2 25"},
    {"BEGIN; DELETE FROM slot; ROLLBACK", "1 100 1 20", "1 100 1 20"},
};

START_TEST(counters_follow_every_change_by_hand)
{
	shell(changes[_i].sql);
	ck_assert_shell_eq(USAGE, changes[_i].usage);
	ck_assert_shell_eq(TOTAL, changes[_i].total);
}
END_TEST

START_TEST(an_upload_given_to_another_counts_for_the_other)
{
	shell("UPDATE slot SET owner = 'romeo@example.org', size = 7 "
	      "WHERE stored_at > 0");
	ck_assert_shell_eq(USAGE, "0 0 1 20");
	ck_assert_shell_eq(ROMEO, "1 7 0 0");
}
END_TEST

START_TEST(the_token_of_every_deleted_slot_is_doomed)
{
	const char *tokens = shell_get("SELECT group_concat(token) "
				       "FROM (SELECT * FROM slot "
				       "ORDER BY token)");

	shell("DELETE FROM slot");
	ck_assert_shell_eq("SELECT group_concat(token) FROM doomed", tokens);
	ck_assert_shell_eq("SELECT doomed_at BETWEEN strftime('%s') - 60 "
			   "AND strftime('%s') + 0 FROM doomed",
	    "1");
}
END_TEST

static const char *const refusals[] = {
    "UPDATE slot SET token = " OTHER_TOKEN,
    "UPDATE slot SET id = id + 10",
    "REPLACE INTO slot SELECT * FROM slot",
    "REPLACE INTO slot SELECT 1, " OTHER_TOKEN ", secret, owner, purpose, "
    "file_name, content_type, size, issued_at, put_expires_at, put_ends_at, "
    "stored_at, expires_at, sha256 FROM slot LIMIT 1",
    COPY_AS("0"),
    COPY_AS("-1"),
    COPY_AS("2"),
    "INSERT OR REPLACE INTO slot SELECT id + 10, token, secret, owner, "
    "purpose, file_name, content_type, size, issued_at, put_expires_at, "
    "put_ends_at, stored_at, expires_at, sha256 FROM slot",
    "UPDATE slot SET secret = token",
    "UPDATE slot SET secret = upper(secret)",
    "UPDATE slot SET secret = substr(secret, 2)",
    "UPDATE slot SET purpose = 'persistent'",
    "UPDATE slot SET owner = ''",
    "UPDATE slot SET file_name = ''",
    "UPDATE slot SET content_type = ''",
    "UPDATE slot SET size = 0",
    "UPDATE slot SET size = 'much'",
    "UPDATE slot SET expires_at = 'tomorrow'",
    "UPDATE slot SET stored_at = NULL",
    "UPDATE slot SET sha256 = x'00'",
    "UPDATE slot SET put_expires_at = put_ends_at + 1",
    "UPDATE slot SET put_expires_at = issued_at - 1",
    "INSERT INTO total VALUES (2, 0, 0, 0, 0, 0)",
    "UPDATE total SET stored_files = -1",
    "UPDATE usage SET stored_files = -1",
    NEW_SLOT "('aaaaaaaaaaaaaaaaaaaaaaaaa/', 'bbbbbbbbbbbbbbbbbbbbbbbbbb', "
	     "'o', 'message', 'n', 1, 1, 2, 3)",
};

START_TEST(what_would_break_a_rule_is_refused)
{
	ck_assert_int_eq(try_shell(refusals[_i]), SQLITE_CONSTRAINT);
	ck_assert_shell_eq(USAGE, "1 100 1 20");
}
END_TEST

START_TEST(setting_a_token_to_itself_is_no_change)
{
	shell("UPDATE slot SET id = id, token = token");
}
END_TEST

START_TEST(the_window_follows_its_slot)
{
	fixture_store = open_store(STORE_GRANT);
	fixture_limits.slots_per_window = 10;
	granted_size(5);
	store_close(fixture_store);
	ck_assert_shell_eq("SELECT unused_until FROM recent", "1700001200");
	shell("UPDATE slot SET put_ends_at = 1700008888");
	ck_assert_shell_eq("SELECT unused_until FROM recent", "1700008888");
	shell("UPDATE slot SET size = 7");
	ck_assert_shell_eq("SELECT size FROM recent", "7");
	shell("UPDATE slot SET owner = 'r@example.org', purpose = 'profile', "
	      "size = 6, put_ends_at = 1700009999");
	ck_assert_shell_eq("SELECT owner || purpose || size || unused_until "
			   "FROM recent",
	    "r@example.orgprofile61700009999");
	shell("UPDATE slot SET stored_at = 5, sha256 = zeroblob(32)");
	ck_assert_shell_eq("SELECT unused_until FROM recent", "(null)");
	shell("DELETE FROM slot");
	ck_assert_shell_eq("SELECT count(*) FROM recent", "1");
}
END_TEST

/* What is left of the two slots, 1 and 2, and an id that had been given. */
static const struct {
	const char *deletion, *again;
} used_ids[] = {
    {"DELETE FROM slot WHERE id = 2", COPY_AS("2")},
    {"DELETE FROM slot WHERE id = 2", COPY_AS("NULL")},
    {"DELETE FROM slot WHERE id = 1", COPY_AS("1")},
    {"DELETE FROM slot", NEW_SLOT "('aaaaaaaaaaaaaaaaaaaaaaaaaa', "
				  "'bbbbbbbbbbbbbbbbbbbbbbbbbb', 'o', "
				  "'message', 'n', 1, 1, 2, 3)"},
};

START_TEST(an_id_that_was_used_is_refused)
{
	shell(used_ids[_i].deletion);
	ck_assert_int_eq(try_shell(used_ids[_i].again), SQLITE_CONSTRAINT);
	ck_assert_shell_eq("SELECT last_id FROM total", "2");
}
END_TEST

START_TEST(ids_that_were_not_used_are_taken)
{
	shell(COPY_AS("NULL"));
	ck_assert_shell_eq("SELECT max(id) FROM slot", "3");
	shell("DELETE FROM slot WHERE id = 3;" COPY_AS(
	    "(SELECT last_id + 1 FROM total)"));
	ck_assert_shell_eq("SELECT max(id) FROM slot", "4");
	shell("DELETE FROM slot WHERE id = 4;" COPY_AS("1000"));
	fixture_store = open_store(STORE_GRANT);
	ck_assert_int_eq(granted_size(1).id, 1001);
	store_close(fixture_store);
}
END_TEST

/* ---- views ---- */

static const char *const views[] = {
    "slots", "usages", "expiring", "unused", "recount"};

START_TEST(no_view_shows_a_token_or_a_secret)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT * FROM %s", views[_i]);
	ck_assert_int_eq(sqlite3_open(fixture_path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const char *name = sqlite3_column_name(st, i);
		const char *text = (const char *)sqlite3_column_text(st, i);

		ck_assert_ptr_null(strstr(name, "token"));
		ck_assert_ptr_null(strstr(name, "secret"));
		ck_assert(text == NULL || !token_valid(text, strlen(text)));
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}
END_TEST

/* A change of the one slot, and the state that people see. The rows are of
 * 2023: over, unless they are told to last. */
static const struct {
	const char *change, *state;
} states[] = {
    {"stored_at IS NULL; UPDATE slot SET put_ends_at = 9999999999, "
     "expires_at = 9999999999",
	"awaiting upload"},
    {"stored_at IS NULL; UPDATE slot SET put_ends_at = 9999999999, "
     "expires_at = NULL",
	"awaiting upload"},
    {"stored_at IS NULL; UPDATE slot SET expires_at = NULL", "timed out"},
    {"stored_at IS NULL; UPDATE slot SET put_ends_at = 9999999999, "
     "expires_at = 0",
	"timed out"},
    {"stored_at > 0; UPDATE slot SET expires_at = 0", "expired"},
    {"stored_at > 0; UPDATE slot SET expires_at = 9999999999", "stored"},
    {"stored_at > 0; UPDATE slot SET expires_at = NULL", "stored"},
};

START_TEST(a_state_says_what_would_be_answered)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "DELETE FROM slot WHERE NOT %s",
	    states[_i].change);
	shell(sql);
	ck_assert_shell_eq("SELECT state FROM slots", states[_i].state);
}
END_TEST

static const struct {
	const char *size, *text;
} sizes[] = {
    {"1", "1 B"},
    {"1023", "1023 B"},
    {"1024", "1.0 KiB"},
    {"1572864", "1.5 MiB"},
    {"104857616", "100.0 MiB"},
    {"3221225472", "3.0 GiB"},
    {"4611686018427387904", "4294967296.0 GiB"},
};

START_TEST(sizes_have_units)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
	    "DELETE FROM slot WHERE stored_at > 0; UPDATE slot SET size = %s",
	    sizes[_i].size);
	shell(sql);
	ck_assert_shell_eq("SELECT size FROM slots", sizes[_i].text);
}
END_TEST

START_TEST(times_are_text_in_utc)
{
	ck_assert_shell_eq("SELECT issued FROM slots", "2023-11-14 22:13:20");
	ck_assert_shell_eq(
	    "SELECT expires FROM expiring", "2023-11-15 22:13:20");
	shell("UPDATE slot SET expires_at = NULL");
	ck_assert_shell_eq("SELECT expires FROM slots", "never");
}
END_TEST

START_TEST(the_views_show_the_rows_they_are_named_for)
{
	ck_assert_shell_eq(
	    "SELECT count(*) || max(size) FROM expiring", "1100 B");
	ck_assert_shell_eq("SELECT count(*) || max(size) FROM unused", "120 B");
	ck_assert_shell_eq("SELECT stored_files || stored_size || "
			   "reserved_files || reserved_size FROM usages",
	    "10.0 MiB10.0 MiB");
	shell("UPDATE slot SET expires_at = NULL");
	ck_assert_shell_eq("SELECT count(*) FROM expiring", "0");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("triggers");
	TCase *tc = tcase_create("by hand");

	tcase_add_checked_fixture(tc, set_up_by_hand, tear_down_by_hand);
	tcase_add_loop_test(
	    tc, counters_follow_every_change_by_hand, 0, COUNT(changes));
	tcase_add_test(tc, an_upload_given_to_another_counts_for_the_other);
	tcase_add_test(tc, the_token_of_every_deleted_slot_is_doomed);
	tcase_add_loop_test(
	    tc, what_would_break_a_rule_is_refused, 0, COUNT(refusals));
	tcase_add_loop_test(
	    tc, an_id_that_was_used_is_refused, 0, COUNT(used_ids));
	tcase_add_test(tc, ids_that_were_not_used_are_taken);
	tcase_add_test(tc, setting_a_token_to_itself_is_no_change);
	tcase_add_test(tc, the_window_follows_its_slot);
	tcase_add_loop_test(
	    tc, no_view_shows_a_token_or_a_secret, 0, COUNT(views));
	tcase_add_loop_test(
	    tc, a_state_says_what_would_be_answered, 0, COUNT(states));
	tcase_add_loop_test(tc, sizes_have_units, 0, COUNT(sizes));
	tcase_add_test(tc, times_are_text_in_utc);
	tcase_add_test(tc, the_views_show_the_rows_they_are_named_for);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
