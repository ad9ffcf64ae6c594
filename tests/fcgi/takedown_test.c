#include "fcgi/takedown.h"

#include <check.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "schema/monotonic.h"
#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define DEADLINE 30 /* seconds; it takes about one */

static struct service service;
static sqlite3 *shell; /* what an administrator's sqlite3 would be */
static struct takedown *takedown;

static void
set_up(void)
{
	service_open(&service);
	service.now = time(NULL);
	service_open_public(&service);
	ck_assert_int_eq(sqlite3_open(service.database, &shell), SQLITE_OK);
	sqlite3_busy_timeout(shell, 10000);
}

static void
tear_down(void)
{
	takedown_close(takedown);
	sqlite3_close(shell);
	service_close(&service);
}

static void
start(void)
{
	takedown = takedown_open(&service.config, service.http.bodies);
	ck_assert_ptr_nonnull(takedown);
	takedown_start(takedown);
}

/* A public file. */
static struct slot
stored(void)
{
	static const unsigned char sha256[STORE_SHA256_LEN];
	struct slot slot = service_grant(&service, "a.txt", NULL, 1);
	struct turn turn = {.publication = {slot.id, service.now, sha256, 0},
	    .done = service_ignore_turn};

	ck_assert_int_eq(body_begin(service.http.bodies, slot.token,
			     BODIES_PUBLIC, 1, &turn.body),
	    1);
	ck_assert_int_eq(body_write(turn.body, "x", 1), 1);
	writer_submit(service.http.writer, &turn);
	ck_assert(writer_publish(service.http.writer));
	ck_assert_int_eq(turn.publication.result, 1);
	body_end(turn.body);
	return slot;
}

static void
type(const char *sql, const struct slot *slot)
{
	char text[200];

	snprintf(
	    text, sizeof(text), "%s WHERE id = %lld", sql, (long long)slot->id);
	ck_assert_int_eq(
	    sqlite3_exec(shell, text, NULL, NULL, NULL), SQLITE_OK);
}

static bool
is_public(const struct slot *slot)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%.2s/%s", service.public_dir,
	    slot->token, slot->token);
	return access(path, F_OK) == 0;
}

static void
wait_until_gone(const struct slot *slot)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	time_t end = time(NULL) + DEADLINE;

	while (is_public(slot)) {
		ck_assert_int_lt(time(NULL), end);
		nanosleep(&moment, NULL);
	}
}

static const char *const ends[] = {
    "DELETE FROM slot", "UPDATE slot SET expires_at = issued_at"};

START_TEST(what_is_ended_by_hand_is_taken_down)
{
	struct slot ended = stored(), other = stored();

	start();
	type(ends[_i], &ended);
	wait_until_gone(&ended);
	ck_assert(is_public(&other));
	type(ends[_i], &other);
	wait_until_gone(&other);
}
END_TEST

START_TEST(more_than_a_batch_is_taken_down)
{
	struct slot ended[120];

	for (int i = 0; i < COUNT(ended); i++)
		ended[i] = stored();
	start();
	ck_assert_int_eq(
	    sqlite3_exec(shell, "DELETE FROM slot", NULL, NULL, NULL),
	    SQLITE_OK);
	for (int i = 0; i < COUNT(ended); i++)
		wait_until_gone(&ended[i]);
}
END_TEST

START_TEST(what_was_ended_before_the_start_is_taken_down)
{
	struct slot slot = stored();

	type(ends[_i], &slot);
	start();
	wait_until_gone(&slot);
}
END_TEST

/* Whoever made a mistake in the shell can still take it back. */
START_TEST(what_was_taken_down_is_not_lost)
{
	struct slot slot = stored();
	int64_t size;
	int fd;

	start();
	type("UPDATE slot SET expires_at = issued_at", &slot);
	wait_until_gone(&slot);
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 1);
	close(fd);
	ck_assert_int_eq(bodies_remove(service.http.bodies, slot.token), 1);
}
END_TEST

/* Where the end comes within the second after a change, the look that was due
 * is not made any more. */
START_TEST(the_end_does_not_wait_for_a_look)
{
	struct slot first = stored(), second = stored();
	int64_t began;

	type("UPDATE slot SET expires_at = issued_at", &first);
	start();
	wait_until_gone(&first); /* so the look at the start is over */
	began = monotonic_ms();
	type("DELETE FROM slot", &second);
	takedown_close(takedown);
	takedown = NULL;
	ck_assert(is_public(&second) || monotonic_ms() - began > 900);
}
END_TEST

START_TEST(without_a_public_directory_nothing_is_watched)
{
	service.config.public = NULL;
	takedown = takedown_open(&service.config, service.http.bodies);
	ck_assert_ptr_null(takedown);
	takedown_start(takedown);
}
END_TEST

START_TEST(a_database_that_is_not_there_is_not_watched)
{
	service.config.database = service.public_dir;
	ck_assert_int_eq(rmdir(service.public_dir), 0);
	takedown = takedown_open(&service.config, service.http.bodies);
	ck_assert_ptr_null(takedown);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("takedown");
	TCase *tc = tcase_create("watching");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 2 * DEADLINE);
	tcase_add_loop_test(
	    tc, what_is_ended_by_hand_is_taken_down, 0, COUNT(ends));
	tcase_add_test(tc, more_than_a_batch_is_taken_down);
	tcase_add_loop_test(
	    tc, what_was_ended_before_the_start_is_taken_down, 0, COUNT(ends));
	tcase_add_test(tc, what_was_taken_down_is_not_lost);
	tcase_add_test(tc, the_end_does_not_wait_for_a_look);
	tcase_add_test(tc, without_a_public_directory_nothing_is_watched);
	tcase_add_test(tc, a_database_that_is_not_there_is_not_watched);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
