/*
 * What becomes of bodies that are kept in memory until they are named. All
 * that they have in common with others is in bodies_test.c.
 */
#include "fcgi/body.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/temporary.h"
#include "tests/full_disk.h"
#include "tests/suite.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz"

static char dir[PATH_MAX], public_dir[PATH_MAX + 8];
static struct bodies *bodies;

static void
set_up(void)
{
	ck_assert(temporary_make(dir, sizeof(dir)));
	snprintf(public_dir, sizeof(public_dir), "%s.public", dir);
	ck_assert_int_eq(
	    bodies_open(dir, public_dir, BODIES_NAMELESS, &bodies), 1);
	bodies_forgo_syncs(bodies);
}

static void
tear_down(void)
{
	bodies_close(bodies);
	temporary_remove(dir);
	temporary_remove(public_dir);
}

static struct body *
begin(enum bodies_place place, int64_t size)
{
	struct body *body;

	ck_assert_int_eq(body_begin(bodies, TOKEN, place, size, &body), 1);
	return body;
}

/* The size of the file under the token, or -1. */
static int64_t
size_of_file(void)
{
	enum bodies_place place;
	int64_t size;

	return bodies_find(bodies, TOKEN, &place, &size) == 1 ? size : -1;
}

static const struct {
	enum bodies_place place;
	int64_t size;
	bool held;
} ways[] = {
    {BODIES_OWN, 1, true},
    {BODIES_OWN, BODY_HELD_MAX, true},
    {BODIES_OWN, BODY_HELD_MAX + 1, false},
    /* the web server would serve what is half written */
    {BODIES_PUBLIC, 1, false},
};

START_TEST(small_ones_that_nobody_can_see_are_held)
{
	struct body *body = begin(ways[_i].place, ways[_i].size);

	ck_assert_int_eq(body_descriptor(body) == -1, ways[_i].held);
	ck_assert_int_eq(body_write(body, "x", 1), 1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(size_of_file(), 1);
	body_end(body);
}
END_TEST

START_TEST(one_that_waits_for_the_disk_is_not_held)
{
	struct body *body;

	bodies_close(bodies);
	ck_assert_int_eq(bodies_open(dir, NULL, BODIES_NAMELESS, &bodies), 1);
	body = begin(BODIES_OWN, 1);
	ck_assert_int_ge(body_descriptor(body), 0);
	body_end(body);
}
END_TEST

START_TEST(no_more_is_held_than_was_said)
{
	struct body *body = begin(BODIES_OWN, 5);

	ck_assert_int_eq(body_write(body, "hello", 5), 1);
	ck_assert_int_eq(body_write(body, "!", 1), -1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(size_of_file(), 5);
	body_end(body);
}
END_TEST

START_TEST(a_part_that_a_killed_process_left_is_replaced)
{
	struct body *body = begin(BODIES_OWN, 5);
	int fd;

	ck_assert_int_eq(body_write(body, "hello", 5), 1);
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(mkdir("ab", 0700), 0);
	fd = open("ab/" TOKEN, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_eq(write(fd, "a longer one", 12), 12);
	close(fd);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(size_of_file(), 5);
	body_end(body);
}
END_TEST

START_TEST(one_for_which_there_is_no_room_leaves_nothing)
{
	struct body *body = begin(BODIES_OWN, 12);
	int rc;

	ck_assert_int_eq(body_write(body, "0123456789ab", 12), 1);
	full_disk_begin(10);
	rc = body_name(body);
	full_disk_end();
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(size_of_file(), -1);
	/* and it can be named when there is */
	body_end(body);
	body = begin(BODIES_OWN, 12);
	ck_assert_int_eq(body_write(body, "0123456789ab", 12), 1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(size_of_file(), 12);
	body_end(body);
}
END_TEST

START_TEST(a_name_that_cannot_be_given_is_broken)
{
	struct body *body = begin(BODIES_OWN, 1);

	ck_assert_int_eq(body_write(body, "x", 1), 1);
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(mkdir("ab", 0700), 0);
	ck_assert_int_eq(mkdir("ab/" TOKEN, 0700), 0);
	ck_assert_int_eq(body_name(body), -1);
	body_end(body);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("body");
	TCase *tc = tcase_create("body");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(
	    tc, small_ones_that_nobody_can_see_are_held, 0, COUNT(ways));
	tcase_add_test(tc, one_that_waits_for_the_disk_is_not_held);
	tcase_add_test(tc, no_more_is_held_than_was_said);
	tcase_add_test(tc, a_part_that_a_killed_process_left_is_replaced);
	tcase_add_test(tc, one_for_which_there_is_no_room_leaves_nothing);
	tcase_add_test(tc, a_name_that_cannot_be_given_is_broken);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
