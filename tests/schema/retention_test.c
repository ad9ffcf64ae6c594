/* The part of schema/store.c that lets slots go: reap, doomed, forget, erase,
 * and the checks. */
#include "schema/store.h"

#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

#define PUT_ENDS (NOW + PUT_WINDOW + UPLOAD_TIMEOUT)
#define MANY 10

/* What a store_slot_fn was called with. */
struct seen {
	int count;
	int64_t ids[MANY];
};

static void
see(void *arg, const struct slot *slot)
{
	struct seen *seen = arg;

	ck_assert_int_lt(seen->count, MANY);
	ck_assert_str_eq(slot->owner, OWNER);
	seen->ids[seen->count++] = slot->id;
}

/* ---- reaping ---- */

START_TEST(what_is_not_over_is_not_reaped)
{
	stored_size(1);
	granted_size(1);
	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS - 1, 100, false, NULL, NULL), 0);
	ck_assert_shell_eq(USAGE, "1 1 1 1");
}
END_TEST

START_TEST(an_unused_slot_is_reaped_when_its_put_must_have_ended)
{
	struct grant_result kept = stored_size(1);
	struct grant_result reaped = granted_size(1);
	struct seen seen = {0};

	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS, 100, false, see, &seen), 1);
	ck_assert_int_eq(seen.count, 1);
	ck_assert_int_eq(seen.ids[0], reaped.id);
	ck_assert_int_eq(store_knows(fixture_store, kept.token), 1);
	ck_assert_shell_eq(USAGE, "1 1 0 0");
}
END_TEST

START_TEST(an_upload_is_reaped_at_the_second_it_expires)
{
	struct grant_result result = stored_size(1);
	struct slot slot;

	ck_assert_int_eq(store_reap(fixture_store, NOW + RETENTION - 1, 100,
			     false, NULL, NULL),
	    0);
	ck_assert_int_eq(
	    store_reap(fixture_store, NOW + RETENTION, 100, false, NULL, NULL),
	    1);
	ck_assert_int_eq(store_find(fixture_store, result.token, &slot), 0);
	ck_assert_shell_eq(USAGE, "(none)");
	ck_assert_shell_eq(TOTAL, "0 0 0 0");
}
END_TEST

START_TEST(an_upload_without_end_is_never_reaped)
{
	fixture_limits.retention = UNITS_NEVER;
	stored_size(1);
	ck_assert_int_eq(
	    store_reap(fixture_store, UNITS_NEVER, 100, false, NULL, NULL), 0);
}
END_TEST

START_TEST(a_batch_is_no_larger_than_asked)
{
	struct seen seen = {0};

	for (int i = 0; i < 5; i++)
		granted_size(1);
	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS, 2, false, see, &seen), 2);
	ck_assert_int_eq(seen.count, 2);
	ck_assert_shell_eq(USAGE, "0 0 3 3");
	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS, 2, false, see, &seen), 2);
	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS, 2, false, see, &seen), 1);
	ck_assert_int_eq(seen.count, 5);
	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS, 2, false, see, &seen), 0);
}
END_TEST

START_TEST(many_are_reaped_up_to_as_many_as_asked)
{
	struct seen seen = {0};

	stored_size(1);
	for (int i = 0; i < 5; i++)
		granted_size(1);
	ck_assert_int_eq(
	    store_reap_many(fixture_store, PUT_ENDS, 3, see, &seen), 3);
	ck_assert_int_eq(seen.count, 3);
	ck_assert_shell_eq(USAGE, "1 1 2 2");
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "3");
	ck_assert_int_eq(
	    store_reap_many(fixture_store, PUT_ENDS, 3, see, &seen), 2);
	ck_assert_int_eq(seen.count, 5);
	ck_assert_int_eq(
	    store_reap_many(fixture_store, PUT_ENDS, 3, see, &seen), 0);
	ck_assert_shell_eq(USAGE, "1 1 0 0");
}
END_TEST

static int
reap_three(bool many, struct seen *seen)
{
	return many ? store_reap_many(fixture_store, PUT_ENDS, 3, see, seen)
		    : store_reap(fixture_store, PUT_ENDS, 3, false, see, seen);
}

START_TEST(a_batch_is_reaped_whole_or_not_at_all)
{
	struct seen seen = {0};

	for (int i = 0; i < 3; i++)
		granted_size(1);
	shell("CREATE TRIGGER last BEFORE DELETE ON slot WHEN "
	      "(SELECT count(*) FROM slot) = 1 "
	      "BEGIN SELECT RAISE(ABORT, 'no'); END");
	ck_assert_int_eq(reap_three(_i == 1, &seen), -1);
	shell("BEGIN IMMEDIATE"); /* nobody is locked out */
	ck_assert_shell_eq(USAGE, "0 0 3 3");
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "0");
}
END_TEST

START_TEST(who_yields_removes_all_the_same)
{
	struct store *s = fixture_store;

	ck_assert_int_eq(store_yield(s), 1);
	granted_size(1);
	ck_assert_int_eq(store_reap(s, PUT_ENDS, 10, false, NULL, NULL), 1);
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "1");
}
END_TEST

START_TEST(bulk_work_begins_and_ends)
{
	granted_size(1);
	ck_assert_int_eq(store_bulk_begin(fixture_store), 1);
	ck_assert_int_eq(
	    store_reap_many(fixture_store, PUT_ENDS, 3, see, &(struct seen){0}),
	    1);
	ck_assert_int_eq(store_bulk_end(fixture_store), 1);
	ck_assert_shell_eq(USAGE, "(none)");
}
END_TEST

START_TEST(a_dry_run_shows_all_and_changes_nothing)
{
	struct seen seen = {0};

	for (int i = 0; i < 5; i++)
		granted_size(1);
	ck_assert_int_eq(
	    store_reap(fixture_store, PUT_ENDS, 2, true, see, &seen), 5);
	ck_assert_int_eq(seen.count, 5);
	ck_assert_shell_eq(USAGE, "0 0 5 5");
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "0");
}
END_TEST

/* ---- the doomed ---- */

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(the_doomed_are_listed_in_order_from_any_point)
{
	char made[5][TOKEN_LEN + 1];
	char tokens[5][TOKEN_LEN + 1];

	for (int i = 0; i < 5; i++)
		memcpy(made[i], granted_size(1).token, sizeof(made[i]));
	qsort(made, 5, sizeof(made[0]), compare);
	store_reap(fixture_store, PUT_ENDS, 100, false, NULL, NULL);

	ck_assert_int_eq(store_doomed(fixture_store, "", tokens, 3), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(tokens[i], made[i]);
	ck_assert_int_eq(store_doomed(fixture_store, made[2], tokens, 5), 2);
	ck_assert_str_eq(tokens[0], made[3]);
	ck_assert_str_eq(tokens[1], made[4]);
	ck_assert_int_eq(store_doomed(fixture_store, made[4], tokens, 5), 0);
}
END_TEST

START_TEST(the_forgotten_are_known_no_more)
{
	struct grant_result first = stored_size(1), second = stored_size(1);
	char tokens[2][TOKEN_LEN + 1];

	shell("DELETE FROM slot");
	ck_assert_int_eq(store_knows(fixture_store, first.token), 1);
	memcpy(tokens[0], first.token, sizeof(tokens[0]));
	ck_assert_int_eq(store_forget(fixture_store, tokens, 1), 1);
	ck_assert_int_eq(store_knows(fixture_store, first.token), 0);
	ck_assert_int_eq(store_knows(fixture_store, second.token), 1);
	ck_assert_int_eq(store_doomed(fixture_store, "", tokens, 2), 1);
	ck_assert_str_eq(tokens[0], second.token);
}
END_TEST

START_TEST(a_live_slot_is_not_forgotten)
{
	struct grant_result result = stored_size(1);
	char tokens[1][TOKEN_LEN + 1];

	memcpy(tokens[0], result.token, sizeof(tokens[0]));
	ck_assert_int_eq(store_forget(fixture_store, tokens, 1), 1);
	ck_assert_int_eq(store_knows(fixture_store, result.token), 1);
}
END_TEST

START_TEST(doomed_that_cannot_be_listed_are_not_taken_for_none)
{
	char tokens[1][TOKEN_LEN + 1];

	shell("DROP TABLE doomed");
	ck_assert_int_eq(store_doomed(fixture_store, "", tokens, 1), -1);
}
END_TEST

/* ---- erasing ---- */

START_TEST(an_owner_is_erased_whole_and_alone)
{
	struct grant_request request = request_of(1);

	fixture_limits.slots_per_window = 100;
	for (int i = 0; i < 5; i++)
		stored_size(1);
	granted_size(1);
	request.owner = "juliet@example.org.example";
	granted(&request);

	ck_assert_int_eq(store_erase(fixture_store, OWNER, 4), 4);
	ck_assert_int_eq(store_erase(fixture_store, OWNER, 4), 2);
	ck_assert_int_eq(store_erase(fixture_store, OWNER, 4), 0);
	ck_assert_shell_eq("SELECT count(*) FROM slot", "1");
	ck_assert_shell_eq("SELECT count(*) FROM usage", "1");
	ck_assert_shell_eq("SELECT count(*) FROM recent", "1");
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "6");
	ck_assert_shell_eq(USAGE, "(none)");
}
END_TEST

START_TEST(a_window_is_erased_when_only_it_is_left)
{
	fixture_limits.slots_per_window = 100;
	stored_size(1);
	shell("DELETE FROM slot");
	ck_assert_shell_eq("SELECT count(*) FROM recent", "1");
	ck_assert_int_eq(store_erase(fixture_store, OWNER, 4), 0);
	ck_assert_shell_eq("SELECT count(*) FROM recent", "0");
}
END_TEST

/* ---- checks ---- */

static void
drop(void *arg, const struct slot *slot)
{
	(void)arg;
	ck_assert_int_eq(
	    store_drop(fixture_store, slot->id), slot->stored_at != 0);
}

START_TEST(each_slot_is_shown_in_order_from_any_point)
{
	struct seen seen = {0};
	int64_t ids[5];

	for (int i = 0; i < 5; i++)
		ids[i] = granted_size(1).id;
	ck_assert_int_eq(store_each(fixture_store, 0, 3, see, &seen), 3);
	ck_assert_int_eq(store_each(fixture_store, ids[2], 3, see, &seen), 2);
	ck_assert_int_eq(store_each(fixture_store, ids[4], 3, see, &seen), 0);
	ck_assert_int_eq(seen.count, 5);
	ck_assert_mem_eq(seen.ids, ids, sizeof(ids));
}
END_TEST

START_TEST(who_is_shown_slots_may_drop_them)
{
	stored_size(1);
	granted_size(1);
	stored_size(1);
	ck_assert_int_eq(store_each(fixture_store, 0, 10, drop, NULL), 3);
	ck_assert_shell_eq(USAGE, "0 0 1 1");
}
END_TEST

START_TEST(only_stored_slots_are_dropped)
{
	struct grant_result awaiting = granted_size(1);
	struct grant_result stored = stored_size(1);

	ck_assert_int_eq(store_drop(fixture_store, awaiting.id), 0);
	ck_assert_int_eq(store_drop(fixture_store, stored.id), 1);
	ck_assert_int_eq(store_drop(fixture_store, stored.id), 0);
	ck_assert_int_eq(store_knows(fixture_store, stored.token), 1);
}
END_TEST

START_TEST(a_sound_database_passes_the_audit)
{
	ck_assert_int_eq(store_audit(fixture_store, false), 0);
	stored_size(1);
	granted_size(2);
	ck_assert_int_eq(store_audit(fixture_store, true), 0);
}
END_TEST

static const char *const falsehoods[] = {
    "UPDATE usage SET stored_files = stored_files + 1",
    "UPDATE usage SET stored_bytes = 0",
    "UPDATE usage SET reserved_files = 7",
    "UPDATE usage SET reserved_bytes = 7",
    "UPDATE usage SET owner = 'romeo@example.org'",
    "DELETE FROM usage",
    "INSERT INTO usage VALUES ('x', 'message', 1, 1, 0, 0)",
    "UPDATE total SET stored_files = 0",
    "UPDATE total SET reserved_bytes = 0",
    "UPDATE total SET last_id = 0",
    "DELETE FROM total",
    "DROP TRIGGER slot_deleted; DELETE FROM slot WHERE stored_at > 0",
};

START_TEST(a_false_counter_is_found_and_put_right)
{
	stored_size(3);
	granted_size(2);
	shell(falsehoods[_i]);
	ck_assert_int_ge(store_audit(fixture_store, false), 1);
	ck_assert_int_ge(store_audit(fixture_store, true), 1);
	ck_assert_int_eq(store_audit(fixture_store, false), 0);
	ck_assert_str_eq(shell_get(USAGE), shell_get(TOTAL));
	ck_assert_shell_eq("SELECT last_id FROM total", "2");
}
END_TEST

START_TEST(putting_counters_right_frees_no_id)
{
	int64_t newest;

	fixture_limits.slots_per_window = 10;
	newest = stored_size(1).id;
	shell("DELETE FROM slot; UPDATE total SET stored_files = 7");
	ck_assert_int_eq(store_audit(fixture_store, true), 1);
	ck_assert_int_gt(stored_size(1).id, newest);
	/* What is left of it tells. */
	newest = stored_size(1).id;
	shell("DELETE FROM slot; DELETE FROM total");
	ck_assert_int_eq(store_audit(fixture_store, true), 1);
	ck_assert_int_gt(granted_size(1).id, newest);
}
END_TEST

static void
tear_index(void)
{
	stored_size(3);
	shell("PRAGMA writable_schema = ON;"
	      "UPDATE sqlite_schema SET sql = 'CREATE INDEX slot_unused ON "
	      "slot (put_ends_at)' WHERE name = 'slot_unused'");
	store_close(fixture_store);
	fixture_store = open_store(STORE_DURABLE);
}

START_TEST(a_torn_index_is_found)
{
	tear_index();
	ck_assert_int_ge(store_audit(fixture_store, true), 1);
}
END_TEST

START_TEST(what_cannot_be_counted_is_no_sound_database)
{
	shell("DROP VIEW recount");
	ck_assert_int_eq(store_audit(fixture_store, false), -1);
	/* also where a mistake was found that would make up for it */
	tear_index();
	ck_assert_int_eq(store_audit(fixture_store, false), -1);
}
END_TEST

START_TEST(no_more_than_asked_is_forgotten_of_what_left_its_window)
{
	struct grant_request request = request_of(1);

	fixture_limits.slots_per_window = 10000;
	for (int i = 0; i < 1200; i++)
		granted(&request);
	request.now = NOW + 1;
	granted(&request);
	shell("UPDATE slot SET stored_at = 1, sha256 = zeroblob(32)");
	ck_assert_int_eq(
	    store_forget_recent(fixture_store, NOW + 3599, 1000), 0);
	ck_assert_shell_eq("SELECT count(*) FROM recent", "1201");
	ck_assert_int_eq(
	    store_forget_recent(fixture_store, NOW + 3600, 1000), 1000);
	ck_assert_int_eq(
	    store_forget_recent(fixture_store, NOW + 3600, 1000), 200);
	ck_assert_shell_eq("SELECT count(*) FROM recent", "1");
}
END_TEST

static TCase *
case_of_checks(void)
{
	TCase *tc = tcase_create("checks");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, each_slot_is_shown_in_order_from_any_point);
	tcase_add_test(tc, who_is_shown_slots_may_drop_them);
	tcase_add_test(tc, only_stored_slots_are_dropped);
	tcase_add_test(tc, a_sound_database_passes_the_audit);
	tcase_add_test(tc, putting_counters_right_frees_no_id);
	tcase_add_loop_test(
	    tc, a_false_counter_is_found_and_put_right, 0, COUNT(falsehoods));
	tcase_add_test(tc, a_torn_index_is_found);
	tcase_add_test(tc, what_cannot_be_counted_is_no_sound_database);
	tcase_add_test(
	    tc, no_more_than_asked_is_forgotten_of_what_left_its_window);
	return tc;
}

static TCase *
case_of_retention(void)
{
	TCase *tc = tcase_create("retention");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, what_is_not_over_is_not_reaped);
	tcase_add_test(
	    tc, an_unused_slot_is_reaped_when_its_put_must_have_ended);
	tcase_add_test(tc, an_upload_is_reaped_at_the_second_it_expires);
	tcase_add_test(tc, an_upload_without_end_is_never_reaped);
	tcase_add_test(tc, a_batch_is_no_larger_than_asked);
	tcase_add_test(tc, many_are_reaped_up_to_as_many_as_asked);
	tcase_add_loop_test(tc, a_batch_is_reaped_whole_or_not_at_all, 0, 2);
	tcase_add_test(tc, who_yields_removes_all_the_same);
	tcase_add_test(tc, bulk_work_begins_and_ends);
	tcase_add_test(tc, a_dry_run_shows_all_and_changes_nothing);
	tcase_add_test(tc, the_doomed_are_listed_in_order_from_any_point);
	tcase_add_test(tc, doomed_that_cannot_be_listed_are_not_taken_for_none);
	tcase_add_test(tc, the_forgotten_are_known_no_more);
	tcase_add_test(tc, a_live_slot_is_not_forgotten);
	tcase_add_test(tc, an_owner_is_erased_whole_and_alone);
	tcase_add_test(tc, a_window_is_erased_when_only_it_is_left);
	return tc;
}

int
main(void)
{
	Suite *suite = suite_create("retention");

	suite_add_tcase(suite, case_of_retention());
	suite_add_tcase(suite, case_of_checks());
	return suite_run(suite);
}
