/* schema/quota.c: making room for what is new. */
#include "tests/schema/quota_fixture.h"

#include "tests/suite.h"

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

START_TEST(what_could_be_evicted_is_not_waited_for)
{
	struct grant_request soon = request_of(300);

	fixture_limits.bytes_per_user = 1000;
	fixture_limits.when_full = WHEN_FULL_MAKE_ROOM;
	soon.expire_before = NOW + PUT_WINDOW;
	publish(granted(&soon).id, NOW);
	granted_size(600);
	/* The stored one goes first, which is no help. */
	assert_true_stamp(request_of(500), GRANT_BYTES_PER_USER, PUT_ENDS);
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
case_of_room(void)
{
	TCase *tc = tcase_create("make room");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, the_oldest_uploads_make_room);
	tcase_add_test(tc, a_file_makes_room_for_a_file);
	tcase_add_test(tc, nothing_is_evicted_where_it_cannot_suffice);
	tcase_add_test(tc, what_could_be_evicted_is_not_waited_for);
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
	Suite *suite = suite_create("quota of room");

	suite_add_tcase(suite, case_of_room());
	return suite_run(suite);
}
