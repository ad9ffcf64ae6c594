/* schema/quota.c: the limits per window. */
#include "tests/schema/quota_fixture.h"

#include "tests/suite.h"

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

START_TEST(an_unused_slot_that_expires_sooner_leaves_the_window_then)
{
	struct grant_request request = request_of(1);

	fixture_limits.slots_per_window = 1;
	request.expire_before = NOW + PUT_WINDOW;
	granted(&request);
	assert_true_stamp(
	    request_of(1), GRANT_SLOTS_PER_WINDOW, NOW + PUT_WINDOW);
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
	ck_assert_int_eq(store_forget_recent(fixture_store, NOW + 9999, 10), 0);
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

static TCase *
case_of_windows(void)
{
	TCase *tc = tcase_create("window");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, slots_of_a_window_are_counted);
	tcase_add_test(tc, bytes_of_a_window_are_counted);
	tcase_add_test(tc, deleting_an_upload_does_not_give_its_window_back);
	tcase_add_test(tc, an_unused_slot_leaves_the_window_when_it_times_out);
	tcase_add_test(
	    tc, an_unused_slot_that_expires_sooner_leaves_the_window_then);
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

int
main(void)
{
	Suite *suite = suite_create("quota of windows");

	suite_add_tcase(suite, case_of_windows());
	return suite_run(suite);
}
