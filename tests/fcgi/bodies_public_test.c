/*
 * Two trees behind one struct bodies: our own, and the public one.
 */
#include "fcgi/bodies.h"
#include "fcgi/body.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/log.h"
#include "tests/temporary.h"
#include "tests/suite.h"

#define BODY_SIZE 100 /* more than any has */
#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define OTHER "zyxwvutsrqponmlkjihgfedcba"

static char dir[PATH_MAX - 100], own[PATH_MAX], public[PATH_MAX];
static struct bodies *bodies;

static const enum bodies_in_flight kinds[] = {BODIES_NAMELESS, BODIES_NAMED};
static const enum bodies_place places[] = {BODIES_OWN, BODIES_PUBLIC};

static void
set_up(void)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	ck_assert(temporary_make(dir, sizeof(dir)));
	snprintf(own, sizeof(own), "%s/own", dir);
	snprintf(public, sizeof(public), "%s/public", dir);
	umask(077); /* the worst for programs that share a group */
	ck_assert_int_eq(bodies_open(own, public, BODIES_NAMELESS, &bodies), 1);
}

static void
tear_down(void)
{
	bodies_close(bodies);
	temporary_remove(dir);
}

static void
reopen(const char *other, enum bodies_in_flight kind)
{
	bodies_close(bodies);
	bodies = NULL;
	ck_assert_int_eq(bodies_open(own, other, kind, &bodies), 1);
}

static int
publish(const char *token, enum bodies_place place, const char *text)
{
	struct body *body;
	int rc;

	ck_assert_int_eq(body_begin(bodies, token, place, BODY_SIZE, &body), 1);
	ck_assert_int_eq(body_write(body, text, strlen(text)), 1);
	ck_assert_int_eq(body_sync(body), 1);
	rc = body_name(body);
	if (rc == 1)
		rc = body_sync_name(body);
	body_end(body);
	return rc;
}

static void
put(const char *token, enum bodies_place place, const char *text)
{
	ck_assert_int_eq(publish(token, place, text), 1);
}

static void
assert_holds(const char *token, const char *text)
{
	char got[100] = "";
	int64_t size;
	int fd;

	ck_assert_int_eq(bodies_read(bodies, token, &fd, &size), 1);
	ck_assert_int_eq(read(fd, got, sizeof(got) - 1), size);
	close(fd);
	ck_assert_str_eq(got, text);
}

/* Whether the tree has the file; its mode if mode is not NULL. */
static bool
lies_in(const char *tree, const char *token, mode_t *mode)
{
	char path[PATH_MAX + 100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%.2s/%s", tree, token, token);
	if (lstat(path, &st) == -1)
		return false;
	if (mode != NULL)
		*mode = st.st_mode & 07777;
	return true;
}

/* Then the sync of the one's directory does for the other's name. */
START_TEST(only_within_a_tree_do_bodies_share_a_directory)
{
	static const char neighbour[] = "abcdefghijklmnopqrstuvwxya";
	struct body *body, *beside, *across;

	body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &body);
	body_begin(bodies, neighbour, BODIES_OWN, BODY_SIZE, &beside);
	body_begin(bodies, neighbour, BODIES_PUBLIC, BODY_SIZE, &across);
	ck_assert(body_shares_directory(body, beside));
	ck_assert(!body_shares_directory(body, across));
	body_end(body);
	body_end(beside);
	body_end(across);
}
END_TEST

START_TEST(a_body_lies_in_the_tree_it_was_begun_in)
{
	mode_t mode = 0;

	reopen(public, kinds[_i]);
	put(TOKEN, BODIES_PUBLIC, "seen by all");
	put(OTHER, BODIES_OWN, "kept");
	ck_assert(lies_in(public, TOKEN, &mode));
	ck_assert_int_eq(mode, 0640);
	ck_assert(!lies_in(own, TOKEN, NULL));
	ck_assert(lies_in(own, OTHER, NULL));
	ck_assert(!lies_in(public, OTHER, NULL));
}
END_TEST

START_TEST(a_body_is_read_from_either_tree)
{
	put(TOKEN, places[_i], "found");
	assert_holds(TOKEN, "found");
}
END_TEST

START_TEST(a_body_is_found_in_either_tree)
{
	enum bodies_place place;
	int64_t size;

	put(TOKEN, places[_i], "text");
	ck_assert_int_eq(bodies_find(bodies, TOKEN, &place, &size), 1);
	ck_assert_int_eq(place, places[_i]);
	ck_assert_int_eq(size, 4);
	ck_assert_int_eq(bodies_find(bodies, OTHER, &place, &size), 0);
}
END_TEST

START_TEST(a_body_is_removed_from_either_tree)
{
	int64_t size;
	int fd;

	put(TOKEN, places[_i], "x");
	ck_assert_int_eq(bodies_remove(bodies, TOKEN), 1);
	ck_assert_int_eq(bodies_settle(bodies, TOKEN), 1);
	ck_assert(!lies_in(own, TOKEN, NULL));
	ck_assert(!lies_in(public, TOKEN, NULL));
	ck_assert_int_eq(bodies_remove(bodies, TOKEN), 0);
	ck_assert_int_eq(bodies_read(bodies, TOKEN, &fd, &size), 0);
}
END_TEST

START_TEST(a_body_that_is_withdrawn_lies_in_our_own_tree)
{
	put(TOKEN, BODIES_PUBLIC, "still there");
	ck_assert_int_eq(bodies_withdraw(bodies, TOKEN), 1);
	ck_assert(!lies_in(public, TOKEN, NULL));
	ck_assert(lies_in(own, TOKEN, NULL));
	assert_holds(TOKEN, "still there");
	ck_assert_int_eq(bodies_withdraw(bodies, TOKEN), 0);
	ck_assert_int_eq(bodies_remove(bodies, TOKEN), 1);
}
END_TEST

START_TEST(only_public_bodies_are_withdrawn)
{
	put(TOKEN, BODIES_OWN, "x");
	ck_assert_int_eq(bodies_withdraw(bodies, TOKEN), 0);
	ck_assert_int_eq(
	    bodies_withdraw(bodies, "../own/ab/abcdefghijklmnopqr"), 0);
	reopen(NULL, BODIES_NAMED);
	ck_assert_int_eq(bodies_withdraw(bodies, TOKEN), 0);
	assert_holds(TOKEN, "x");
}
END_TEST

/* A machine without /dev/shm, or with all on one, has no such case. */
START_TEST(a_body_on_another_file_system_is_withdrawn_too)
{
	char shm[] = "/dev/shm/putslot.XXXXXX";

	if (mkdtemp(shm) == NULL)
		return;
	reopen(shm, BODIES_NAMELESS);
	put(TOKEN, BODIES_PUBLIC, "x");
	ck_assert_int_eq(bodies_withdraw(bodies, TOKEN), 1);
	ck_assert(!lies_in(shm, TOKEN, NULL));
	ck_assert_int_eq(bodies_withdraw(bodies, TOKEN), 0);
	temporary_remove(shm);
}
END_TEST

START_TEST(what_a_crash_left_in_the_other_tree_is_replaced)
{
	put(TOKEN, places[_i], "left over");
	put(TOKEN, places[1 - _i], "the one");
	ck_assert(
	    !lies_in(places[_i] == BODIES_OWN ? own : public, TOKEN, NULL));
	assert_holds(TOKEN, "the one");
}
END_TEST

START_TEST(nothing_is_published_beside_what_cannot_be_removed)
{
	char path[PATH_MAX + 100];

	/* a directory cannot be unlinked, whoever tries */
	put(TOKEN, BODIES_OWN, "x");
	snprintf(path, sizeof(path), "%s/%.2s/%s", own, TOKEN, TOKEN);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(publish(TOKEN, BODIES_PUBLIC, "y"), -1);
	ck_assert(!lies_in(public, TOKEN, NULL));
}
END_TEST

START_TEST(without_a_public_tree_what_lies_there_is_not_seen)
{
	int64_t size;
	int fd;

	put(TOKEN, BODIES_PUBLIC, "x");
	reopen(NULL, BODIES_NAMED);
	ck_assert_int_eq(bodies_read(bodies, TOKEN, &fd, &size), 0);
	ck_assert_int_eq(bodies_remove(bodies, TOKEN), 0);
	ck_assert_int_eq(bodies_settle(bodies, TOKEN), 1);
	ck_assert(lies_in(public, TOKEN, NULL));
}
END_TEST

static void
note_path(void *arg, const char *path, const char *token, int64_t size,
    int64_t changed_at)
{
	char *paths = arg;

	(void)changed_at;
	ck_assert_ptr_nonnull(token);
	ck_assert_int_eq(size, 1);
	strncat(paths, path, 2 * PATH_MAX - strlen(paths) - 1);
}

START_TEST(a_walk_goes_through_both_trees)
{
	static char paths[2 * PATH_MAX];

	put(TOKEN, BODIES_PUBLIC, "x");
	put(OTHER, BODIES_OWN, "y");
	ck_assert_int_eq(bodies_each(bodies, note_path, paths), 2);
	ck_assert_ptr_nonnull(strstr(paths, public));
	ck_assert_ptr_nonnull(strstr(paths, own));
}
END_TEST

/* A body that stays in flight under a temporary name, as after a crash. */
static struct body *
leave_in_flight(enum bodies_place place)
{
	struct body *body;

	ck_assert_int_eq(body_begin(bodies, TOKEN, place, BODY_SIZE, &body), 1);
	ck_assert_int_eq(body_write(body, "x", 1), 1);
	return body;
}

START_TEST(both_trees_are_swept)
{
	struct body *flying[BODIES_PLACE_COUNT];

	reopen(public, BODIES_NAMED);
	for (int i = 0; i < BODIES_PLACE_COUNT; i++)
		flying[i] = leave_in_flight(places[i]);
	ck_assert_int_eq(bodies_sweep(bodies, 0), 0);
	ck_assert_int_eq(bodies_sweep(bodies, INT64_MAX), 2);
	for (int i = 0; i < BODIES_PLACE_COUNT; i++)
		body_end(flying[i]);
}
END_TEST

START_TEST(a_tree_that_was_replaced_takes_nothing)
{
	char away[PATH_MAX + 10];
	struct body *body;
	const char *tree = places[_i] == BODIES_OWN ? own : public;

	snprintf(away, sizeof(away), "%s.away", tree);
	ck_assert_int_eq(rename(tree, away), 0);
	ck_assert_int_eq(mkdir(tree, 0770), 0);
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, places[_i], BODY_SIZE, &body), -1);
	put(TOKEN, places[1 - _i], "the other is as it was");
}
END_TEST

START_TEST(both_trees_tell_their_free_space)
{
	ck_assert_int_gt(bodies_free_space(bodies, places[_i]), 0);
}
END_TEST

START_TEST(a_public_tree_that_cannot_be_opened_opens_nothing)
{
	struct bodies *none;

	ck_assert_int_eq(
	    bodies_open(own, "/dev/null/public", BODIES_NAMED, &none), -1);
	ck_assert_ptr_null(none);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("public bodies");
	TCase *tc = tcase_create("two trees");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, only_within_a_tree_do_bodies_share_a_directory);
	tcase_add_loop_test(
	    tc, a_body_lies_in_the_tree_it_was_begun_in, 0, COUNT(kinds));
	tcase_add_loop_test(
	    tc, a_body_is_read_from_either_tree, 0, COUNT(places));
	tcase_add_loop_test(
	    tc, a_body_is_found_in_either_tree, 0, COUNT(places));
	tcase_add_loop_test(
	    tc, a_body_is_removed_from_either_tree, 0, COUNT(places));
	tcase_add_test(tc, a_body_that_is_withdrawn_lies_in_our_own_tree);
	tcase_add_test(tc, only_public_bodies_are_withdrawn);
	tcase_add_test(tc, a_body_on_another_file_system_is_withdrawn_too);
	tcase_add_loop_test(tc, what_a_crash_left_in_the_other_tree_is_replaced,
	    0, COUNT(places));
	tcase_add_test(tc, nothing_is_published_beside_what_cannot_be_removed);
	tcase_add_test(tc, without_a_public_tree_what_lies_there_is_not_seen);
	tcase_add_test(tc, a_walk_goes_through_both_trees);
	tcase_add_test(tc, both_trees_are_swept);
	tcase_add_loop_test(
	    tc, a_tree_that_was_replaced_takes_nothing, 0, COUNT(places));
	tcase_add_loop_test(
	    tc, both_trees_tell_their_free_space, 0, COUNT(places));
	tcase_add_test(tc, a_public_tree_that_cannot_be_opened_opens_nothing);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
