#include "fcgi/incoming.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/body.h"
#include "schema/log.h"
#include "tests/temporary.h"
#include "tests/suite.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define NOBODY 65534
#define LONG_NAME "in/000000000000000000000000001" /* one digit too much */

static char dir[200];
static struct bodies *bodies;
static struct incoming *incoming;

/* A path in the tests' own directory; four of them are valid at a time. */
static const char *
in_dir(const char *name)
{
	static char paths[4][300];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_dir(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static bool
exists(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0;
}

static void
set_up(void)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	ck_assert(temporary_make(dir, sizeof(dir)));
	ck_assert_int_eq(
	    bodies_open(in_dir("bodies"), NULL, BODIES_NAMELESS, &bodies), 1);
	ck_assert_int_eq(incoming_open(in_dir("in"), bodies, &incoming), 1);
	ck_assert_int_eq(mkdir(in_dir("in/3"), 0700), 0);
	ck_assert_int_eq(mkdir(in_dir("in/3/4"), 0700), 0);
	ck_assert_int_eq(mkdir(in_dir("inside"), 0700), 0);
	write_file("in/0000000001", "one");
	write_file("in/3/0000000013", "thirteen");
}

static void
tear_down(void)
{
	incoming_close(incoming);
	bodies_close(bodies);
	temporary_remove(dir);
}

/* Takes and lets go again. */
static int
take(const char *path)
{
	struct incoming_file file;
	int rc = incoming_take(incoming, path, &file);

	if (rc == 1)
		incoming_end(&file);
	ck_assert_int_eq(file.dir, -1);
	ck_assert_int_eq(file.fd, -1);
	return rc;
}

/* ---- what is believed ---- */

START_TEST(a_file_in_the_directory_or_one_below_is_taken)
{
	struct incoming_file file;
	char text[9] = "";

	ck_assert_int_eq(take(in_dir("in/0000000001")), 1);
	ck_assert_int_eq(
	    incoming_take(incoming, in_dir("in/3/0000000013"), &file), 1);
	ck_assert_int_eq(file.size, 8);
	ck_assert_str_eq(file.name, "0000000013");
	ck_assert_int_eq(read(file.fd, text, sizeof(text)), 8);
	ck_assert_str_eq(text, "thirteen");
	incoming_end(&file);
	ck_assert(exists("in/3/0000000013"));
}
END_TEST

/* Paths below the tests' directory, but for those that begin with a slash.
 * Where nothing else is said they lead to a file, were they followed. */
static const char *const lies[] = {
    "/etc/passwd", "/0000000001", "0000000001", "in", "in/", "in/3", "in/3/",
    "in//0000000001", "in/0000000002", /* not there */
    "in/9/0000000001", "in/./0000000001", "in/../bodies", "in/../in/0000000001",
    "in/3/../0000000001", "in/3/4/0000000001", "in/33/0000000001",
    "in/3/0000000013/", LONG_NAME, "inside/0000000001", "inx0000000001",
    "insid/../in/0000000001", "in/name", "in/0000000001x",
    "in/5",            /* a symbolic link to a file */
    "in/6",            /* a symbolic link to a file outside */
    "in/7/0000000001", /* a symbolic link to a directory */
    "in/8",            /* a FIFO */
    "in/99",           /* a directory */
    "in/10",           /* has two names */
};

START_TEST(nothing_else_is_believed)
{
	const char *lie = lies[_i];

	ck_assert_int_eq(mkdir(in_dir("insid"), 0700), 0);
	ck_assert_int_eq(mkdir(in_dir("in/33"), 0700), 0);
	write_file("inside/0000000001", "x");
	write_file("in/name", "x");
	write_file("in/0000000001x", "x");
	write_file(LONG_NAME, "x");
	write_file("in/33/0000000001", "x");
	write_file("in/10", "x");
	write_file("in/3/4/0000000001", "x");
	ck_assert_int_eq(link(in_dir("in/10"), in_dir("other")), 0);
	ck_assert_int_eq(symlink("0000000001", in_dir("in/5")), 0);
	ck_assert_int_eq(symlink("../inside/0000000001", in_dir("in/6")), 0);
	ck_assert_int_eq(symlink("../inside", in_dir("in/7")), 0);
	ck_assert_int_eq(mkfifo(in_dir("in/8"), 0600), 0);
	ck_assert_int_eq(mkdir(in_dir("in/99"), 0700), 0);
	ck_assert_int_eq(take(lie[0] == '/' ? lie : in_dir(lie)), 0);
}
END_TEST

START_TEST(a_file_of_somebody_else_is_not_believed)
{
	ck_assert_int_eq(chown(in_dir("in/0000000001"), NOBODY, 0), 0);
	ck_assert_int_eq(take(in_dir("in/0000000001")), 0);
}
END_TEST

START_TEST(a_slash_at_the_end_of_the_setting_does_no_harm)
{
	incoming_close(incoming);
	ck_assert_int_eq(incoming_open(in_dir("in///"), bodies, &incoming), 1);
	ck_assert_int_eq(take(in_dir("in/0000000001")), 1);
}
END_TEST

/* ---- the directory ---- */

START_TEST(a_directory_on_another_disk_is_refused)
{
	struct stat here, there;
	char other[] = "/dev/shm/incoming-test.XXXXXX";
	struct incoming *none;

	if (mkdtemp(other) == NULL)
		return; /* there is no other disk */
	ck_assert_int_eq(stat(dir, &here), 0);
	ck_assert_int_eq(stat(other, &there), 0);
	ck_assert_int_eq(incoming_open(other, bodies, &none),
	    here.st_dev == there.st_dev ? 1 : -1);
	incoming_close(none);
	rmdir(other);
}
END_TEST

START_TEST(the_directory_is_made_for_its_owner_alone)
{
	struct incoming *made;
	struct stat st;

	umask(0);
	ck_assert_int_eq(incoming_open(in_dir("made"), bodies, &made), 1);
	ck_assert_int_eq(stat(in_dir("made"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	incoming_close(made);
}
END_TEST

START_TEST(a_directory_that_cannot_be_made_is_refused)
{
	struct incoming *none;

	ck_assert_int_eq(incoming_open(in_dir("no/where"), bodies, &none), -1);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(
	    incoming_open(in_dir("in/0000000001"), bodies, &none), -1);
	ck_assert_ptr_null(none);
}
END_TEST

/* ---- taking over ---- */

static struct body *
adopt(const char *path)
{
	struct incoming_file file;
	struct body *body;

	ck_assert_int_eq(incoming_take(incoming, path, &file), 1);
	ck_assert_int_eq(
	    body_adopt(bodies, TOKEN, BODIES_OWN, &file, &body), 1);
	return body;
}

START_TEST(a_file_becomes_a_body_without_being_copied)
{
	struct stat before, after;
	struct body *body;

	ck_assert_int_eq(stat(in_dir("in/3/0000000013"), &before), 0);
	body = adopt(in_dir("in/3/0000000013"));
	ck_assert(!exists("bodies/ab/" TOKEN));
	ck_assert_int_eq(body_sync(body), 1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(body_sync_name(body), 1);
	body_end(body);
	ck_assert(!exists("in/3/0000000013"));
	ck_assert_int_eq(stat(in_dir("bodies/ab/" TOKEN), &after), 0);
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode & 07777, 0640);
	ck_assert_uint_eq(after.st_nlink, 1);
}
END_TEST

START_TEST(a_body_that_is_not_published_keeps_its_name_for_nginx)
{
	body_end(adopt(in_dir("in/0000000001")));
	ck_assert(exists("in/0000000001"));
	ck_assert(!exists("bodies/ab/" TOKEN));
}
END_TEST

/* It was looked at; what has its name by now was not. */
START_TEST(what_has_taken_the_place_of_a_file_is_not_published)
{
	struct body *body = adopt(in_dir("in/0000000001"));

	write_file("in/0000000002", "another");
	ck_assert_int_eq(
	    rename(in_dir("in/0000000002"), in_dir("in/0000000001")), 0);
	ck_assert_int_eq(body_name(body), -1);
	ck_assert(!exists("bodies/ab/" TOKEN));
	body_end(body);
}
END_TEST

START_TEST(a_file_that_cannot_be_adopted_is_closed)
{
	static const char odd[TOKEN_LEN + 1] = "odd";
	int before = dup(0), after;
	struct incoming_file file;
	struct body *body;

	close(before);
	ck_assert_int_eq(
	    incoming_take(incoming, in_dir("in/0000000001"), &file), 1);
	ck_assert_int_eq(body_adopt(bodies, odd, BODIES_OWN, &file, &body), -1);
	ck_assert_ptr_null(body);
	after = dup(0);
	ck_assert_int_eq(after, before);
}
END_TEST

/* ---- what crashes left ---- */

START_TEST(old_files_of_nginx_are_swept_and_nothing_else)
{
	static const char *const old[] = {"in/0000000001", "in/3/0000000013",
	    "in/name", "in/3/4/0000000014", "in/8"};
	const struct timespec long_ago[] = {{1000, 0}, {1000, 0}};

	write_file("in/name", "x");
	write_file("in/3/4/0000000014", "x");
	ck_assert_int_eq(mkfifo(in_dir("in/8"), 0600), 0);
	for (int i = 0; i < COUNT(old); i++) {
		ck_assert_int_eq(
		    utimensat(AT_FDCWD, in_dir(old[i]), long_ago, 0), 0);
	}
	write_file("in/0000000002", "x");
	ck_assert_int_eq(incoming_sweep(incoming, 1000), 0);
	ck_assert_int_eq(incoming_sweep(incoming, 2000), 2);
	ck_assert_int_eq(incoming_sweep(incoming, 2000), 0);
	ck_assert(exists("in/0000000002"));
	ck_assert(exists("in/name"));
	ck_assert(exists("in/3/4/0000000014"));
	ck_assert(exists("in/8"));
	ck_assert(exists("in/3"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("incoming");
	TCase *tc = tcase_create("incoming");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_file_in_the_directory_or_one_below_is_taken);
	tcase_add_loop_test(tc, nothing_else_is_believed, 0, COUNT(lies));
	if (geteuid() == 0) /* nobody else may give files away */
		tcase_add_test(tc, a_file_of_somebody_else_is_not_believed);
	tcase_add_test(tc, a_slash_at_the_end_of_the_setting_does_no_harm);
	tcase_add_test(tc, a_directory_on_another_disk_is_refused);
	tcase_add_test(tc, the_directory_is_made_for_its_owner_alone);
	tcase_add_test(tc, a_directory_that_cannot_be_made_is_refused);
	tcase_add_test(tc, a_file_becomes_a_body_without_being_copied);
	tcase_add_test(
	    tc, a_body_that_is_not_published_keeps_its_name_for_nginx);
	tcase_add_test(tc, what_has_taken_the_place_of_a_file_is_not_published);
	tcase_add_test(tc, a_file_that_cannot_be_adopted_is_closed);
	tcase_add_test(tc, old_files_of_nginx_are_swept_and_nothing_else);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
