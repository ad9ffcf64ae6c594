#include "schema/store.h"

#include <sys/wait.h>

#include "schema/statement.h"
#include "tests/full_disk.h"
#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

static struct slot
found(const char *token)
{
	struct slot slot;

	ck_assert_int_eq(store_find(fixture_store, token, &slot), 1);
	return slot;
}

/* ---- granting and finding ---- */

START_TEST(a_granted_slot_is_found_with_all_that_was_asked)
{
	struct grant_result result = granted_size(12345);
	struct slot slot = found(result.token);

	ck_assert_int_eq(slot.id, result.id);
	ck_assert_str_eq(slot.token, result.token);
	ck_assert_str_eq(slot.secret, result.secret);
	ck_assert_str_ne(slot.token, slot.secret);
	ck_assert_str_eq(slot.owner, OWNER);
	ck_assert_int_eq(slot.purpose, PURPOSE_MESSAGE);
	ck_assert_str_eq(slot.file_name, "romeo.jpg");
	ck_assert_str_eq(slot.content_type, "image/jpeg");
	ck_assert_int_eq(slot.size, 12345);
	ck_assert_int_eq(slot.issued_at, NOW);
	ck_assert_int_eq(slot.put_expires_at, NOW + PUT_WINDOW);
	ck_assert_int_eq(slot.put_ends_at, NOW + PUT_WINDOW + UPLOAD_TIMEOUT);
	ck_assert_int_eq(slot.stored_at, 0);
	ck_assert_int_eq(slot.expires_at, NOW + RETENTION);
}
END_TEST

START_TEST(every_purpose_is_kept)
{
	struct grant_request request = request_of(1);

	request.purpose = (enum purpose)_i;
	ck_assert_int_eq(found(granted(&request).token).purpose, _i);
}
END_TEST

START_TEST(a_request_without_a_type_is_found_without_one)
{
	struct grant_request request = request_of(1);

	request.content_type = NULL;
	ck_assert_str_eq(found(granted(&request).token).content_type, "");
}
END_TEST

START_TEST(the_longest_texts_and_the_largest_size_are_kept_whole)
{
	struct grant_request request = request_of(INT64_MAX - 1);
	char name[STORE_NAME_MAX + 1], type[MEDIA_TYPE_MAX + 1];
	char owner[STORE_OWNER_MAX + 1];
	struct slot slot;

	memset(name, 'n', STORE_NAME_MAX);
	name[STORE_NAME_MAX] = '\0';
	memset(type, 't', MEDIA_TYPE_MAX);
	type[MEDIA_TYPE_MAX] = '\0';
	memset(owner, 'o', STORE_OWNER_MAX);
	owner[STORE_OWNER_MAX] = '\0';
	request.file_name = name;
	request.content_type = type;
	request.owner = owner;
	slot = found(granted(&request).token);
	ck_assert_str_eq(slot.file_name, name);
	ck_assert_str_eq(slot.content_type, type);
	ck_assert_str_eq(slot.owner, owner);
	ck_assert_int_eq(slot.size, INT64_MAX - 1);
}
END_TEST

START_TEST(a_name_too_long_is_refused_by_the_database)
{
	struct grant_request request = request_of(1);
	struct grant_result result;
	char name[STORE_NAME_MAX + 2];

	memset(name, 'n', STORE_NAME_MAX + 1);
	name[STORE_NAME_MAX + 1] = '\0';
	request.file_name = name;
	ck_assert_int_eq(store_grant(fixture_store, &request, &result), -1);
	ck_assert_shell_eq("SELECT count(*) FROM slot", "0");
	/* And the handle is none the worse for it. */
	granted_size(1);
}
END_TEST

START_TEST(a_token_nobody_was_given_is_not_found)
{
	struct slot slot;

	granted_size(1);
	ck_assert_int_eq(
	    store_find(fixture_store, "abcdefghijklmnopqrstuvwxyz", &slot), 0);
}
END_TEST

START_TEST(a_secret_finds_nothing)
{
	struct grant_result result = granted_size(1);
	struct slot slot;

	ck_assert_int_eq(store_find(fixture_store, result.secret, &slot), 0);
}
END_TEST

/* retention, expire_before -> expires_at, put_expires_at, put_ends_at */
static const struct {
	int64_t retention, expire_before, expires, put_expires, put_ends;
} lives[] = {
    {RETENTION, UNITS_NEVER, NOW + RETENTION, NOW + 300, NOW + 1200},
    {UNITS_NEVER, UNITS_NEVER, UNITS_NEVER, NOW + 300, NOW + 1200},
    {UNITS_NEVER - 1, UNITS_NEVER, UNITS_NEVER, NOW + 300, NOW + 1200},
    {RETENTION, NOW + 5000, NOW + 5000, NOW + 300, NOW + 1200},
    {RETENTION, NOW + 2 * RETENTION, NOW + RETENTION, NOW + 300, NOW + 1200},
    {RETENTION, NOW + 1000, NOW + 1000, NOW + 300, NOW + 1000},
    {RETENTION, NOW + 10, NOW + 10, NOW + 10, NOW + 10},
};

START_TEST(a_slot_lives_as_long_as_retention_and_request_say)
{
	struct grant_request request = request_of(1);
	struct slot slot;

	fixture_limits.retention = lives[_i].retention;
	request.expire_before = lives[_i].expire_before;
	slot = found(granted(&request).token);
	ck_assert_int_eq(slot.expires_at, lives[_i].expires);
	ck_assert_int_eq(slot.put_expires_at, lives[_i].put_expires);
	ck_assert_int_eq(slot.put_ends_at, lives[_i].put_ends);
}
END_TEST

START_TEST(an_id_is_never_used_again)
{
	struct grant_result first = granted_size(1);

	shell("DELETE FROM slot");
	ck_assert_int_gt(granted_size(1).id, first.id);
	first = stored_size(1);
	shell("DELETE FROM slot");
	store_close(fixture_store);
	fixture_store = open_store(STORE_GRANT);
	ck_assert_int_gt(granted_size(1).id, first.id);
}
END_TEST

/* ---- publishing ---- */

static int
count_call(void *arg)
{
	*(int *)arg += 1;
	return 1;
}

static int
fail_to_link(void *arg)
{
	*(int *)arg += 1;
	return -1;
}

START_TEST(a_published_slot_is_stored)
{
	struct grant_result result = granted_size(1);
	struct slot slot;
	int calls = 0;

	ck_assert_int_eq(
	    publish_one(fixture_store,
		(struct publication){result.id, NOW + 7, fixture_sha256, 0},
		count_call, &calls),
	    1);
	ck_assert_int_eq(calls, 1);
	slot = found(result.token);
	ck_assert_int_eq(slot.stored_at, NOW + 7);
	ck_assert_mem_eq(slot.sha256, fixture_sha256, STORE_SHA256_LEN);
}
END_TEST

START_TEST(a_sha256_may_come_later_and_once)
{
	struct grant_result result = granted_size(1);
	unsigned char other[STORE_SHA256_LEN] = {9};
	struct slot slot;
	int calls = 0;

	ck_assert_int_eq(
	    store_note_sha256(fixture_store, result.id, fixture_sha256), 0);
	ck_assert_int_eq(publish_one(fixture_store,
			     (struct publication){result.id, NOW + 7, NULL, 0},
			     count_call, &calls),
	    1);
	slot = found(result.token);
	ck_assert_int_eq(slot.stored_at, NOW + 7);
	ck_assert(!slot.digested);
	ck_assert_int_eq(
	    store_note_sha256(fixture_store, result.id, fixture_sha256), 1);
	ck_assert_int_eq(store_note_sha256(fixture_store, result.id, other), 0);
	slot = found(result.token);
	ck_assert(slot.digested);
	ck_assert_mem_eq(slot.sha256, fixture_sha256, STORE_SHA256_LEN);
	ck_assert_int_eq(store_note_sha256(fixture_store, 4711, other), 0);
}
END_TEST

START_TEST(a_slot_is_published_once)
{
	struct grant_result result = stored_size(1);
	int calls = 0;

	ck_assert_int_eq(
	    publish_one(fixture_store,
		(struct publication){result.id, NOW + 7, fixture_sha256, 0},
		count_call, &calls),
	    0);
	ck_assert_int_eq(calls, 0);
	ck_assert_int_eq(found(result.token).stored_at, NOW);
}
END_TEST

/* How long after its issue, and whether a slot that expires after 1000 s and
 * whose PUT ends after 1200 s, or the reverse, can be published. */
static const struct {
	int64_t retention, when;
	int result;
} moments[] = {
    {RETENTION, PUT_WINDOW + UPLOAD_TIMEOUT - 1, 1},
    {RETENTION, PUT_WINDOW + UPLOAD_TIMEOUT, 0},
    {1000, 999, 1},
    {1000, 1000, 0},
    {UNITS_NEVER, 1199, 1},
};

START_TEST(a_put_that_ends_too_late_is_refused)
{
	struct grant_result result;
	int calls = 0;

	fixture_limits.retention = moments[_i].retention;
	result = granted_size(1);
	ck_assert_int_eq(publish_one(fixture_store,
			     (struct publication){result.id,
				 NOW + moments[_i].when, fixture_sha256, 0},
			     count_call, &calls),
	    moments[_i].result);
	ck_assert_int_eq(calls, moments[_i].result);
}
END_TEST

START_TEST(a_slot_taken_down_by_hand_cannot_be_published)
{
	struct grant_result result = granted_size(1);

	shell("UPDATE slot SET expires_at = 0");
	ck_assert_int_eq(
	    publish_one(fixture_store,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		link_nothing, NULL),
	    0);
}
END_TEST

START_TEST(a_slot_that_is_gone_cannot_be_published)
{
	int calls = 0;

	ck_assert_int_eq(publish_one(fixture_store,
			     (struct publication){4711, NOW, fixture_sha256, 0},
			     count_call, &calls),
	    0);
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_clock_before_1970_grants_nothing)
{
	struct grant_request request = request_of(5);
	struct grant_result result;

	request.now = -86400;
	ck_assert_int_eq(store_grant(fixture_store, &request, &result), -1);
	ck_assert_shell_eq("SELECT count(*) FROM slot", "0");
}
END_TEST

START_TEST(a_database_that_lost_its_name_takes_nothing)
{
	struct grant_result result = granted_size(1);
	char away[PATH_MAX + 32];

	snprintf(away, sizeof(away), "%s.away", fixture_path);
	ck_assert_int_eq(rename(fixture_path, away), 0);
	ck_assert_int_eq(
	    publish_one(fixture_store,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		link_nothing, NULL),
	    -1);
	ck_assert_int_eq(store_erase(fixture_store, OWNER, 1), -1);
	ck_assert_int_eq(rename(away, fixture_path), 0);
	ck_assert_int_eq(found(result.token).stored_at, 0);
	publish(result.id, NOW);
}
END_TEST

static int
find_no_room(void *arg)
{
	(void)arg;
	return 0;
}

START_TEST(a_disk_without_room_is_told_from_other_failures)
{
	struct grant_result result = granted_size(1);

	ck_assert_int_eq(
	    publish_one(fixture_store,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		find_no_room, NULL),
	    STORE_FULL);
	ck_assert_int_eq(found(result.token).stored_at, 0);
	publish(result.id, NOW);
}
END_TEST

START_TEST(a_failed_link_leaves_the_slot_awaiting_its_put)
{
	struct grant_result result = granted_size(1);
	int calls = 0;

	ck_assert_int_eq(
	    publish_one(fixture_store,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		fail_to_link, &calls),
	    -1);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(found(result.token).stored_at, 0);
	shell("BEGIN IMMEDIATE"); /* nobody is locked out */
	ck_assert_shell_eq(USAGE, "0 0 1 1");
	publish(result.id, NOW);
}
END_TEST

static void
count_namings(void *arg, struct publication *const *list, size_t count)
{
	(void)list, (void)count;
	*(int *)arg += 1;
}

START_TEST(where_all_come_too_late_none_is_named)
{
	struct publication gone = {4711, NOW, fixture_sha256, 0};
	struct publication *list[] = {&gone};
	int calls = 0;

	store_publish_all(fixture_store, list, 1, count_namings, &calls);
	ck_assert_int_eq(gone.result, 0);
	ck_assert_int_eq(calls, 0);
}
END_TEST

START_TEST(a_commit_that_finds_no_room_stores_nothing)
{
	struct grant_result result = granted_size(1);
	struct publication one = {result.id, NOW, fixture_sha256, 0};
	struct publication gone = {4711, NOW, fixture_sha256, 0};
	struct publication *list[] = {&one, &gone};
	int calls = 0;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	full_disk_begin(1);
	store_publish_all(fixture_store, list, 2, count_namings, &calls);
	full_disk_end();
	ck_assert_int_eq(one.result, STORE_FULL);
	ck_assert_int_eq(gone.result, 0);
	ck_assert_int_eq(calls, 1);
	shell("BEGIN IMMEDIATE"); /* nobody is locked out */
	ck_assert_int_eq(found(result.token).stored_at, 0);
	publish(result.id, NOW);
}
END_TEST

/* Each upload adds a digest to its row, until one needs another page. */
START_TEST(a_database_that_may_not_grow_is_full)
{
	enum { MANY = 200 };
	int64_t ids[MANY];
	int rc = 1;

	for (int i = 0; i < MANY; i++)
		ids[i] = granted_size(1).id;
	ck_assert_int_eq(sqlite3_exec(fixture_store->db,
			     "PRAGMA max_page_count = 1", NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	for (int i = 0; i < MANY && rc == 1; i++)
		rc = publish_one(fixture_store,
		    (struct publication){ids[i], NOW, fixture_sha256, 0},
		    link_nothing, NULL);
	ck_assert_int_eq(rc, STORE_FULL);
}
END_TEST

static int
die(void *arg)
{
	(void)arg;
	_exit(0);
}

START_TEST(nobody_sees_the_slot_stored_before_its_body_is_linked)
{
	struct grant_result result = granted_size(1);
	pid_t pid = fork();
	int status;

	/* The child dies within link_body, as in a crash. */
	if (pid == 0) {
		struct store *store = open_store(STORE_DURABLE);

		publish_one(store,
		    (struct publication){result.id, NOW, fixture_sha256, 0},
		    die, NULL);
		_exit(9);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(found(result.token).stored_at, 0);
	publish(result.id, NOW);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("grant and publish");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, a_granted_slot_is_found_with_all_that_was_asked);
	tcase_add_loop_test(tc, every_purpose_is_kept, 0, PURPOSE_COUNT);
	tcase_add_test(tc, a_request_without_a_type_is_found_without_one);
	tcase_add_test(
	    tc, the_longest_texts_and_the_largest_size_are_kept_whole);
	tcase_add_test(tc, a_name_too_long_is_refused_by_the_database);
	tcase_add_test(tc, a_token_nobody_was_given_is_not_found);
	tcase_add_test(tc, a_secret_finds_nothing);
	tcase_add_loop_test(tc,
	    a_slot_lives_as_long_as_retention_and_request_say, 0, COUNT(lives));
	tcase_add_test(tc, an_id_is_never_used_again);
	tcase_add_test(tc, a_published_slot_is_stored);
	tcase_add_test(tc, a_sha256_may_come_later_and_once);
	tcase_add_test(tc, a_slot_is_published_once);
	tcase_add_loop_test(
	    tc, a_put_that_ends_too_late_is_refused, 0, COUNT(moments));
	tcase_add_test(tc, a_slot_taken_down_by_hand_cannot_be_published);
	tcase_add_test(tc, a_slot_that_is_gone_cannot_be_published);
	tcase_add_test(tc, a_failed_link_leaves_the_slot_awaiting_its_put);
	tcase_add_test(tc, a_clock_before_1970_grants_nothing);
	tcase_add_test(tc, a_database_that_lost_its_name_takes_nothing);
	tcase_add_test(tc, a_disk_without_room_is_told_from_other_failures);
	tcase_add_test(tc, where_all_come_too_late_none_is_named);
	tcase_add_test(tc, a_commit_that_finds_no_room_stores_nothing);
	tcase_add_test(tc, a_database_that_may_not_grow_is_full);
	tcase_add_test(
	    tc, nobody_sees_the_slot_stored_before_its_body_is_linked);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
