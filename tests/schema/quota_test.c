#include "schema/quota.h"

#include "tests/schema/quota_fixture.h"
#include "tests/suite.h"

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

/* Each takes time, in which others wait for the database. */
START_TEST(a_request_removes_a_hundred_of_others_at_most)
{
	struct grant_request request = request_of(1);

	request.owner = "romeo@example.org";
	for (int i = 0; i < 150; i++)
		granted(&request);
	request = request_of(120);
	request.now = PUT_ENDS;
	request.max_total = 150;
	ck_assert_int_eq(refused(&request, GRANT_TOTAL).used, 50);
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
	tcase_add_test(tc, a_request_removes_a_hundred_of_others_at_most);
	tcase_add_test(tc, what_timed_out_of_others_gives_its_room_back);
	tcase_add_test(tc, a_disk_without_room_takes_nothing);
	tcase_add_test(tc, sizes_that_add_up_beyond_all_numbers_are_refused);
	tcase_add_test(tc, of_several_limits_the_last_to_give_way_is_named);
	return tc;
}

int
main(void)
{
	Suite *suite = suite_create("quota");

	suite_add_tcase(suite, case_of_refusals());
	return suite_run(suite);
}
