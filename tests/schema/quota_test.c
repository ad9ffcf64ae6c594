#include "schema/quota.h"

#include "tests/schema/store_fixture.h"

#define PUT_ENDS (NOW + PUT_WINDOW + UPLOAD_TIMEOUT)

/* Asks, and expects a refusal. */
static struct grant_result
refused(const struct grant_request *request, enum grant_verdict verdict)
{
	struct grant_result result;

	ck_assert_int_eq(store_grant(fixture_store, request, &result), 0);
	ck_assert_int_eq(result.verdict, verdict);
	ck_assert_int_eq(result.id, 0);
	ck_assert_str_eq(result.token, "");
	ck_assert_int_eq(result.evicted_files, 0);
	ck_assert_int_eq(result.evicted_bytes, 0);
	return result;
}

static struct grant_result
refused_size(int64_t size, enum grant_verdict verdict)
{
	struct grant_request request = request_of(size);

	return refused(&request, verdict);
}

/* Asks again a second before retry_at and at retry_at: the stamp is true. */
static void
assert_true_stamp(
    struct grant_request request, enum grant_verdict verdict, int64_t retry_at)
{
	ck_assert_int_eq(refused(&request, verdict).retry_at, retry_at);
	request.now = retry_at - 1;
	ck_assert_int_eq(refused(&request, verdict).retry_at, retry_at);
	request.now = retry_at;
	granted(&request);
}

static struct grant_result
stored_at(int64_t size, int64_t now)
{
	struct grant_request request = request_of(size);
	struct grant_result result;

	request.now = now;
	result = granted(&request);
	publish(result.id, now);
	return result;
}

/* ---- per user ---- */

START_TEST(without_limits_everything_fits)
{
	for (int i = 0; i < 20; i++)
		stored_size(1 << 30);
	ck_assert_shell_eq(USAGE, "20 21474836480 0 0");
	ck_assert_shell_eq("SELECT count(*) FROM recent", "0");
}
END_TEST

START_TEST(the_last_file_that_is_allowed_fits_and_no_more)
{
	struct grant_result result;

	fixture_limits.files_per_user = 3;
	stored_size(1);
	granted_size(1);
	granted_size(1);
	result = refused_size(1, GRANT_FILES_PER_USER);
	ck_assert_int_eq(result.used, 3);
	ck_assert_int_eq(result.allowed, 3);
}
END_TEST

START_TEST(the_last_byte_that_is_allowed_fits_and_no_more)
{
	struct grant_result result;

	fixture_limits.bytes_per_user = 1000;
	stored_size(400);
	granted_size(500);
	result = refused_size(101, GRANT_BYTES_PER_USER);
	ck_assert_int_eq(result.used, 900);
	ck_assert_int_eq(result.allowed, 1000);
	granted_size(100);
	refused_size(1, GRANT_BYTES_PER_USER);
}
END_TEST

START_TEST(other_owners_and_purposes_count_for_themselves)
{
	struct grant_request request = request_of(1000);

	fixture_limits.bytes_per_user = 1000;
	fixture_limits.files_per_user = 1;
	fixture_limits.slots_per_window = 1;
	granted(&request);
	refused(&request, GRANT_FILES_PER_USER);
	request.owner = "romeo@example.org";
	granted(&request);
	request.owner = OWNER;
	request.purpose = PURPOSE_PROFILE;
	granted(&request);
}
END_TEST

START_TEST(a_file_over_the_limit_will_never_fit)
{
	fixture_limits.bytes_per_user = 1000;
	ck_assert_int_eq(
	    refused_size(1001, GRANT_BYTES_PER_USER).retry_at, UNITS_NEVER);
}
END_TEST

START_TEST(a_refusal_is_over_when_the_oldest_upload_expires)
{
	fixture_limits.files_per_user = 2;
	stored_at(1, NOW - 500);
	stored_at(1, NOW - 100);
	assert_true_stamp(
	    request_of(1), GRANT_FILES_PER_USER, NOW - 500 + RETENTION);
}
END_TEST

START_TEST(a_refusal_is_over_when_an_unused_slot_times_out)
{
	fixture_limits.files_per_user = 2;
	stored_at(1, NOW - 500);
	granted_size(1);
	assert_true_stamp(request_of(1), GRANT_FILES_PER_USER, PUT_ENDS);
}
END_TEST

START_TEST(a_refusal_is_over_when_an_unused_slot_expires)
{
	struct grant_request request = request_of(1);

	fixture_limits.files_per_user = 1;
	request.expire_before = NOW + 60;
	granted(&request);
	assert_true_stamp(request_of(1), GRANT_FILES_PER_USER, NOW + 60);
}
END_TEST

START_TEST(bytes_are_waited_for_until_enough_have_gone)
{
	fixture_limits.bytes_per_user = 1000;
	stored_at(300, NOW - 300);
	stored_at(300, NOW - 200);
	stored_at(300, NOW - 100);
	assert_true_stamp(
	    request_of(700), GRANT_BYTES_PER_USER, NOW - 200 + RETENTION);
}
END_TEST

START_TEST(what_never_expires_never_gives_way)
{
	fixture_limits.files_per_user = 1;
	fixture_limits.retention = UNITS_NEVER;
	stored_size(1);
	ck_assert_int_eq(
	    refused_size(1, GRANT_FILES_PER_USER).retry_at, UNITS_NEVER);
}
END_TEST

START_TEST(what_is_over_does_not_count_before_cleanup_comes)
{
	struct grant_request request = request_of(1);

	fixture_limits.files_per_user = 2;
	stored_at(1, NOW - RETENTION);
	request.now = NOW - PUT_WINDOW - UPLOAD_TIMEOUT;
	granted(&request);
	granted_size(1);
	granted_size(1);
	ck_assert_shell_eq(USAGE, "0 0 2 2");
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "2");
}
END_TEST

START_TEST(nothing_is_removed_while_the_request_fits)
{
	fixture_limits.files_per_user = 3;
	stored_at(1, NOW - RETENTION);
	granted_size(1);
	granted_size(1);
	ck_assert_shell_eq(USAGE, "1 1 2 2");
}
END_TEST

START_TEST(for_a_limit_of_ones_own_others_are_left_alone)
{
	struct grant_request request = request_of(1);

	request.owner = "romeo@example.org";
	granted(&request);
	fixture_limits.files_per_user = 1;
	request.owner = OWNER;
	request.now = PUT_ENDS;
	granted(&request);
	refused(&request, GRANT_FILES_PER_USER);
	ck_assert_shell_eq("SELECT count(*) FROM slot", "2");
}
END_TEST

/* ---- per window ---- */

START_TEST(slots_of_a_window_are_counted)
{
	struct grant_result result;

	fixture_limits.slots_per_window = 2;
	stored_at(1, NOW - 600);
	stored_at(1, NOW - 300);
	result = refused_size(1, GRANT_SLOTS_PER_WINDOW);
	ck_assert_int_eq(result.used, 2);
	ck_assert_int_eq(result.allowed, 2);
	assert_true_stamp(
	    request_of(1), GRANT_SLOTS_PER_WINDOW, NOW - 600 + 3600);
}
END_TEST

START_TEST(bytes_of_a_window_are_counted)
{
	fixture_limits.bytes_per_window = 1000;
	stored_at(400, NOW - 600);
	stored_at(400, NOW - 300);
	ck_assert_int_eq(refused_size(201, GRANT_BYTES_PER_WINDOW).used, 800);
	assert_true_stamp(
	    request_of(800), GRANT_BYTES_PER_WINDOW, NOW - 300 + 3600);
}
END_TEST

START_TEST(deleting_an_upload_does_not_give_its_window_back)
{
	fixture_limits.slots_per_window = 1;
	stored_size(1);
	shell("DELETE FROM slot");
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, NOW + 3600);
}
END_TEST

START_TEST(an_unused_slot_leaves_the_window_when_it_times_out)
{
	fixture_limits.slots_per_window = 1;
	granted_size(1);
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, PUT_ENDS);
}
END_TEST

START_TEST(an_unused_slot_leaves_the_window_when_it_is_deleted)
{
	fixture_limits.slots_per_window = 1;
	granted_size(1);
	shell("DELETE FROM slot");
	granted_size(1);
}
END_TEST

START_TEST(what_leaves_the_window_first_need_not_have_come_first)
{
	fixture_limits.slots_per_window = 2;
	stored_at(1, NOW - 100);
	granted_size(1);
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, PUT_ENDS);
}
END_TEST

START_TEST(a_slot_used_at_the_last_moment_counts_for_the_whole_window)
{
	struct grant_result first;

	fixture_limits.slots_per_window = 1;
	first = granted_size(1);
	publish(first.id, PUT_ENDS - 1);
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, NOW + 3600);
}
END_TEST

START_TEST(a_window_shorter_than_a_put_counts_no_longer_than_itself)
{
	fixture_limits.slots_per_window = 1;
	fixture_limits.window = 60;
	granted_size(1);
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, NOW + 60);
}
END_TEST

START_TEST(a_window_without_end_never_gives_way)
{
	fixture_limits.slots_per_window = 1;
	fixture_limits.window = UNITS_NEVER;
	stored_size(1);
	ck_assert_int_eq(
	    refused_size(1, GRANT_SLOTS_PER_WINDOW).retry_at, UNITS_NEVER);
}
END_TEST

START_TEST(a_window_that_was_changed_counts_what_was_before)
{
	fixture_limits.slots_per_window = 1;
	fixture_limits.window = _i == 0 ? 7200 : 1800;
	stored_size(1);
	fixture_limits.window = 3600;
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, NOW + 3600);
}
END_TEST

/* ---- the whole store ---- */

START_TEST(the_total_counts_everybody)
{
	struct grant_request request = request_of(600);
	struct grant_result result;

	request.max_total = 1000;
	granted(&request);
	request.owner = "romeo@example.org";
	request.purpose = PURPOSE_PROFILE;
	result = refused(&request, GRANT_TOTAL);
	ck_assert_int_eq(result.used, 600);
	ck_assert_int_eq(result.allowed, 1000);
	ck_assert_int_eq(result.retry_at, UNITS_NEVER);
	request.size = 400;
	granted(&request);
}
END_TEST

START_TEST(the_room_on_the_disk_is_promised_once)
{
	struct grant_request request = request_of(600);
	struct grant_result result;

	request.room = 1000;
	granted(&request);
	request.owner = "romeo@example.org";
	request.size = 401;
	result = refused(&request, GRANT_DISK);
	ck_assert_int_eq(result.used, 600);
	ck_assert_int_eq(result.allowed, 1000);
	ck_assert_int_eq(result.retry_at, UNITS_NEVER);
	request.size = 400;
	granted(&request);
}
END_TEST

START_TEST(what_is_stored_has_left_the_room_already)
{
	struct grant_request request = request_of(600);

	stored_size(600);
	request.room = 600;
	granted(&request);
}
END_TEST

START_TEST(a_slot_that_timed_out_gives_its_room_back)
{
	struct grant_request request = request_of(600);

	request.room = 1000;
	granted(&request);
	request.now = PUT_ENDS - 1;
	refused(&request, GRANT_DISK);
	request.now = PUT_ENDS;
	granted(&request);
}
END_TEST

START_TEST(what_is_over_of_others_does_not_count_in_the_total)
{
	struct grant_request request = request_of(600);

	request.max_total = 1000;
	request.owner = "romeo@example.org";
	publish(granted(&request).id, NOW);
	request.owner = OWNER;
	request.now = NOW + RETENTION - 1;
	refused(&request, GRANT_TOTAL);
	request.now = NOW + RETENTION;
	granted(&request);
}
END_TEST

START_TEST(what_timed_out_of_others_gives_its_room_back)
{
	struct grant_request request = request_of(600);

	request.room = 1000;
	request.owner = "romeo@example.org";
	granted(&request);
	request.owner = OWNER;
	request.now = PUT_ENDS - 1;
	refused(&request, GRANT_DISK);
	request.now = PUT_ENDS;
	granted(&request);
}
END_TEST

START_TEST(a_disk_without_room_takes_nothing)
{
	struct grant_request request = request_of(1);

	request.room = 0;
	refused(&request, GRANT_DISK);
}
END_TEST

START_TEST(sizes_that_add_up_beyond_all_numbers_are_refused)
{
	granted_size(INT64_MAX / 2 + 1);
	refused_size(INT64_MAX / 2 + 1, GRANT_TOTAL);
	granted_size(INT64_MAX / 2);
}
END_TEST

START_TEST(of_several_limits_the_last_to_give_way_is_named)
{
	struct grant_request request = request_of(1);

	fixture_limits.files_per_user = 1;
	fixture_limits.slots_per_window = 1;
	stored_size(1);
	/* The window is over in an hour, the upload stays for a day. */
	assert_true_stamp(request, GRANT_FILES_PER_USER, NOW + RETENTION);
	shell("DELETE FROM slot; DELETE FROM recent");
	fixture_limits.window = 2 * RETENTION;
	stored_size(1);
	assert_true_stamp(request, GRANT_SLOTS_PER_WINDOW, NOW + 2 * RETENTION);
}
END_TEST

/* ---- making room ---- */

START_TEST(the_oldest_uploads_make_room)
{
	struct grant_request request = request_of(500);
	struct grant_result oldest, result;

	fixture_limits.bytes_per_user = 1000;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	oldest = stored_at(300, NOW - 300);
	stored_at(300, NOW - 200);
	stored_at(300, NOW - 100);
	result = granted(&request);
	ck_assert_int_eq(result.evicted_files, 2);
	ck_assert_int_eq(result.evicted_bytes, 600);
	ck_assert_shell_eq(USAGE, "1 300 1 500");
	ck_assert_int_eq(store_knows(fixture_store, oldest.token), 1);
	ck_assert_shell_eq("SELECT count(*) FROM doomed", "2");
}
END_TEST

START_TEST(a_file_makes_room_for_a_file)
{
	struct grant_request request = request_of(1);

	fixture_limits.files_per_user = 2;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	stored_size(5);
	stored_size(6);
	ck_assert_int_eq(granted(&request).evicted_bytes, 5);
	ck_assert_shell_eq(USAGE, "1 6 1 1");
}
END_TEST

START_TEST(nothing_is_evicted_where_it_cannot_suffice)
{
	fixture_limits.bytes_per_user = 1000;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	stored_size(300);
	granted_size(600);
	/* Even without the stored one, the reserved one is in the way. */
	assert_true_stamp(request_of(500), GRANT_BYTES_PER_USER, PUT_ENDS);
	/* The stored one then went to make room, and only then. */
	ck_assert_shell_eq(USAGE, "1 300 1 500");
}
END_TEST

START_TEST(only_the_same_purpose_and_owner_make_room)
{
	struct grant_request request = request_of(1);

	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	request.purpose = PURPOSE_PERMANENT;
	publish(granted(&request).id, NOW);
	request.owner = "romeo@example.org";
	request.purpose = PURPOSE_MESSAGE;
	publish(granted(&request).id, NOW);
	fixture_limits.files_per_user = 1;
	stored_size(1);
	granted_size(1);
	ck_assert_shell_eq("SELECT group_concat(owner || purpose, ' ') "
			   "FROM (SELECT * FROM slot ORDER BY id)",
	    "juliet@example.orgpermanent romeo@example.orgmessage "
	    "juliet@example.orgmessage");
}
END_TEST

START_TEST(a_slot_that_awaits_its_put_never_makes_room)
{
	struct grant_result awaiting;

	fixture_limits.files_per_user = 2;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	awaiting = granted_size(1);
	stored_size(1);
	ck_assert_int_eq(granted_size(1).evicted_files, 1);
	publish(awaiting.id, NOW);
	ck_assert_shell_eq(USAGE, "1 1 1 1");
}
END_TEST

START_TEST(evicting_gives_back_no_window)
{
	fixture_limits.files_per_user = 1;
	fixture_limits.slots_per_window = 2;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	stored_size(1);
	stored_size(1);
	assert_true_stamp(request_of(1), GRANT_SLOTS_PER_WINDOW, NOW + 3600);
	ck_assert_shell_eq(USAGE, "0 0 1 1");
}
END_TEST

START_TEST(room_for_the_user_is_room_in_the_total)
{
	struct grant_request request = request_of(600);

	fixture_limits.bytes_per_user = 700;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	request.max_total = 1000;
	publish(granted(&request).id, NOW);
	ck_assert_int_eq(granted(&request).evicted_files, 1);
}
END_TEST

START_TEST(nobody_makes_room_for_the_total)
{
	struct grant_request request = request_of(600);

	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	request.max_total = 1000;
	publish(granted(&request).id, NOW);
	refused(&request, GRANT_TOTAL);
	ck_assert_shell_eq(USAGE, "1 600 0 0");
}
END_TEST

/* A body stays until cleanup comes, so evicting it frees nothing by now. */
START_TEST(nobody_makes_room_for_the_disk)
{
	struct grant_request request = request_of(600);

	fixture_limits.files_per_user = 1;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	stored_size(600);
	request.room = 599;
	refused(&request, GRANT_DISK);
	ck_assert_shell_eq(USAGE, "1 600 0 0");
}
END_TEST

static TCase *
case_of_refusals(void)
{
	TCase *tc = tcase_create("refuse");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, without_limits_everything_fits);
	tcase_add_test(tc, the_last_file_that_is_allowed_fits_and_no_more);
	tcase_add_test(tc, the_last_byte_that_is_allowed_fits_and_no_more);
	tcase_add_test(tc, other_owners_and_purposes_count_for_themselves);
	tcase_add_test(tc, a_file_over_the_limit_will_never_fit);
	tcase_add_test(tc, a_refusal_is_over_when_the_oldest_upload_expires);
	tcase_add_test(tc, a_refusal_is_over_when_an_unused_slot_times_out);
	tcase_add_test(tc, a_refusal_is_over_when_an_unused_slot_expires);
	tcase_add_test(tc, bytes_are_waited_for_until_enough_have_gone);
	tcase_add_test(tc, what_never_expires_never_gives_way);
	tcase_add_test(tc, what_is_over_does_not_count_before_cleanup_comes);
	tcase_add_test(tc, nothing_is_removed_while_the_request_fits);
	tcase_add_test(tc, for_a_limit_of_ones_own_others_are_left_alone);
	tcase_add_test(tc, the_total_counts_everybody);
	tcase_add_test(tc, the_room_on_the_disk_is_promised_once);
	tcase_add_test(tc, what_is_stored_has_left_the_room_already);
	tcase_add_test(tc, a_slot_that_timed_out_gives_its_room_back);
	tcase_add_test(tc, what_is_over_of_others_does_not_count_in_the_total);
	tcase_add_test(tc, what_timed_out_of_others_gives_its_room_back);
	tcase_add_test(tc, a_disk_without_room_takes_nothing);
	tcase_add_test(tc, sizes_that_add_up_beyond_all_numbers_are_refused);
	tcase_add_test(tc, of_several_limits_the_last_to_give_way_is_named);
	return tc;
}

static TCase *
case_of_windows(void)
{
	TCase *tc = tcase_create("window");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, slots_of_a_window_are_counted);
	tcase_add_test(tc, bytes_of_a_window_are_counted);
	tcase_add_test(tc, deleting_an_upload_does_not_give_its_window_back);
	tcase_add_test(tc, an_unused_slot_leaves_the_window_when_it_times_out);
	tcase_add_test(tc, an_unused_slot_leaves_the_window_when_it_is_deleted);
	tcase_add_test(
	    tc, what_leaves_the_window_first_need_not_have_come_first);
	tcase_add_test(
	    tc, a_slot_used_at_the_last_moment_counts_for_the_whole_window);
	tcase_add_test(
	    tc, a_window_shorter_than_a_put_counts_no_longer_than_itself);
	tcase_add_test(tc, a_window_without_end_never_gives_way);
	tcase_add_loop_test(
	    tc, a_window_that_was_changed_counts_what_was_before, 0, 2);
	return tc;
}

static TCase *
case_of_room(void)
{
	TCase *tc = tcase_create("make room");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, the_oldest_uploads_make_room);
	tcase_add_test(tc, a_file_makes_room_for_a_file);
	tcase_add_test(tc, nothing_is_evicted_where_it_cannot_suffice);
	tcase_add_test(tc, only_the_same_purpose_and_owner_make_room);
	tcase_add_test(tc, a_slot_that_awaits_its_put_never_makes_room);
	tcase_add_test(tc, evicting_gives_back_no_window);
	tcase_add_test(tc, room_for_the_user_is_room_in_the_total);
	tcase_add_test(tc, nobody_makes_room_for_the_total);
	tcase_add_test(tc, nobody_makes_room_for_the_disk);
	return tc;
}

int
main(void)
{
	Suite *suite = suite_create("quota");

	suite_add_tcase(suite, case_of_refusals());
	suite_add_tcase(suite, case_of_windows());
	suite_add_tcase(suite, case_of_room());
	return run_suite(suite);
}
