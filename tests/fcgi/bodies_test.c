#include "fcgi/bodies.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/body.h"
#include "tests/full_disk.h"
#include "tests/temporary.h"
#include "tests/suite.h"

#define BODY_SIZE 100 /* more than any has */
#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define OTHER "zyxwvutsrqponmlkjihgfedcba"

static char dir[PATH_MAX];
static struct bodies *bodies;

/* Every test that puts something runs with each kind of body in flight: the
 * last is kept in memory until it is named. */
static const struct kind {
	enum bodies_in_flight in_flight;
	bool forgoes_syncs;
} kinds[] = {
    {BODIES_NAMELESS, false}, {BODIES_NAMED, false}, {BODIES_NAMELESS, true}};

static void
set_up(void)
{
	ck_assert(temporary_make(dir, sizeof(dir)));
	umask(077); /* the worst for programs that share a group */
	bodies = NULL;
}

static void
tear_down(void)
{
	bodies_close(bodies);
	temporary_remove(dir);
}

static void
open_bodies(int kind)
{
	ck_assert_int_eq(
	    bodies_open(dir, NULL, kinds[kind].in_flight, &bodies), 1);
	if (kinds[kind].forgoes_syncs)
		bodies_forgo_syncs(bodies);
}

static void
put(const char *token, const char *text)
{
	struct body *body;

	ck_assert_int_eq(
	    body_begin(bodies, token, BODIES_OWN, BODY_SIZE, &body), 1);
	ck_assert_int_eq(body_write(body, text, strlen(text)), 1);
	ck_assert_int_eq(body_sync(body), 1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(body_sync_name(body), 1);
	body_end(body);
}

static void
assert_holds(const char *token, const char *text)
{
	char got[100] = "";
	int64_t size;
	int fd;

	ck_assert_int_eq(bodies_read(bodies, token, &fd, &size), 1);
	ck_assert_int_eq(size, (int64_t)strlen(text));
	ck_assert_int_eq(read(fd, got, sizeof(got) - 1), size);
	close(fd);
	ck_assert_str_eq(got, text);
}

static void
assert_absent(const char *token)
{
	int64_t size;
	int fd;

	ck_assert_int_eq(bodies_read(bodies, token, &fd, &size), 0);
	ck_assert_int_eq(fd, -1);
}

static void
ignore_file(void *arg, const char *path, const char *token, int64_t size,
    int64_t changed_at)
{
	(void)arg, (void)path, (void)token, (void)size, (void)changed_at;
}

static int64_t
count_files(void)
{
	return bodies_each(bodies, ignore_file, NULL);
}

/* The number of names in incoming/, or 0 where there is no such directory. */
static int
count_incoming(void)
{
	char path[PATH_MAX + 20];
	int found;

	snprintf(path, sizeof(path), "%s/incoming", dir);
	if (access(path, F_OK) == -1)
		return 0;
	/* nothing is older than the beginning, everything than the far end */
	ck_assert_int_eq(bodies_sweep(bodies, 0), 0);
	found = bodies_sweep(bodies, INT64_MAX);
	ck_assert_int_ge(found, 0);
	return found;
}

static mode_t
mode_of(const char *name)
{
	char path[PATH_MAX + 100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
make_file(const char *name, const char *text)
{
	char path[PATH_MAX + 100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(what_was_published_can_be_read)
{
	open_bodies(_i);
	put(TOKEN, "hello");
	assert_holds(TOKEN, "hello");
	assert_absent(OTHER);
	ck_assert_int_eq(count_files(), 1);
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(a_body_is_not_there_before_it_is_published)
{
	struct body *body;

	open_bodies(_i);
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &body), 1);
	ck_assert_int_eq(body_write(body, "half", 4), 1);
	ck_assert_int_eq(body_sync(body), 1);
	assert_absent(TOKEN);
	ck_assert_int_eq(count_files(), 0);
	body_end(body);
}
END_TEST

START_TEST(an_unpublished_body_leaves_nothing)
{
	struct body *body;

	open_bodies(_i);
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &body), 1);
	ck_assert_int_eq(body_write(body, "half", 4), 1);
	body_end(body);
	assert_absent(TOKEN);
	ck_assert_int_eq(count_files(), 0);
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(two_bodies_of_one_token_do_not_mix)
{
	struct body *first, *second;

	open_bodies(_i);
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &first), 1);
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &second), 1);
	ck_assert_int_eq(body_write(first, "one", 3), 1);
	ck_assert_int_eq(body_write(second, "two", 3), 1);
	ck_assert_int_eq(body_write(first, "!", 1), 1);
	ck_assert_int_eq(body_name(first), 1);
	ck_assert_int_eq(body_sync_name(first), 1);
	body_end(second);
	body_end(first);
	assert_holds(TOKEN, "one!");
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(what_a_crash_left_is_replaced)
{
	open_bodies(_i);
	put(TOKEN, "left by a crash");
	put(TOKEN, "whole");
	assert_holds(TOKEN, "whole");
	ck_assert_int_eq(count_files(), 1);
}
END_TEST

START_TEST(modes_do_not_depend_on_the_umask)
{
	open_bodies(_i);
	put(TOKEN, "x");
	ck_assert_int_eq(mode_of("ab"), 02770);
	ck_assert_int_eq(mode_of("ab/" TOKEN), 0640);
	if (kinds[_i].in_flight == BODIES_NAMED)
		ck_assert_int_eq(mode_of("incoming"), 02770);
}
END_TEST

START_TEST(the_directory_is_made_with_its_mode)
{
	size_t len = strlen(dir);

	snprintf(dir + len, sizeof(dir) - len, "/new");
	open_bodies(0);
	ck_assert_int_eq(mode_of(""), 02770);
	put(TOKEN, "x");
	temporary_remove(dir);
	dir[len] = '\0';
}
END_TEST

START_TEST(a_directory_without_a_parent_is_refused)
{
	char path[PATH_MAX + 20];

	snprintf(path, sizeof(path), "%s/no/such", dir);
	ck_assert_int_eq(bodies_open(path, NULL, BODIES_NAMELESS, &bodies), -1);
	ck_assert_ptr_null(bodies);
}
END_TEST

START_TEST(a_full_disk_is_no_room_and_leaves_nothing)
{
	struct body *body;
	int rc;

	open_bodies(_i);
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &body), 1);
	full_disk_begin(10);
	rc = body_write(body, "0123456789ab", 12);
	if (rc == 1 && kinds[_i].forgoes_syncs)
		rc = body_name(body);
	full_disk_end();
	ck_assert_int_eq(rc, 0);
	body_end(body);
	ck_assert_int_eq(count_files(), 0);
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

static const char *const no_tokens[] = {"", "..", "../../etc/passwd",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxy",
    "abcdefghijklmnopqrstuvwxyza", "ab/defghijklmnopqrstuvwxyz",
    "abcdefghijklmnopqrstuvwxy1"};

START_TEST(a_name_that_is_no_token_reaches_no_file)
{
	const char *name = no_tokens[_i];
	struct body *body;
	int64_t size;
	int fd;

	open_bodies(0);
	ck_assert_int_eq(
	    body_begin(bodies, name, BODIES_OWN, BODY_SIZE, &body), -1);
	ck_assert_ptr_null(body);
	ck_assert_int_eq(bodies_read(bodies, name, &fd, &size), 0);
	ck_assert_int_eq(bodies_remove(bodies, name), 0);
	ck_assert_int_eq(bodies_settle(bodies, name), 1);
}
END_TEST

START_TEST(nothing_is_put_into_a_directory_that_lost_its_name)
{
	char away[PATH_MAX + 8];
	struct body *body;

	open_bodies(_i);
	put(TOKEN, "one");
	snprintf(away, sizeof(away), "%s.away", dir);
	ck_assert_int_eq(rename(dir, away), 0);
	ck_assert_int_eq(
	    body_begin(bodies, OTHER, BODIES_OWN, BODY_SIZE, &body), -1);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(
	    body_begin(bodies, OTHER, BODIES_OWN, BODY_SIZE, &body), -1);
	ck_assert_int_eq(rmdir(dir), 0);
	ck_assert_int_eq(rename(away, dir), 0);
	put(OTHER, "two");
}
END_TEST

START_TEST(a_symbolic_link_in_a_bodys_place_leads_nowhere)
{
	char path[PATH_MAX + 100];
	int64_t size;
	int fd;

	open_bodies(0);
	put(TOKEN, "four");
	snprintf(path, sizeof(path), "%s/%.2s/%s", dir, OTHER, OTHER);
	put(OTHER, "another");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("../ab/" TOKEN, path), 0);
	ck_assert_int_eq(bodies_read(bodies, OTHER, &fd, &size), -1);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(a_removed_body_is_gone)
{
	open_bodies(0);
	put(TOKEN, "four");
	ck_assert_int_eq(bodies_remove(bodies, TOKEN), 1);
	ck_assert_int_eq(bodies_remove(bodies, TOKEN), 0);
	ck_assert_int_eq(bodies_settle_all(bodies), 1);
	ck_assert_int_eq(bodies_settle(bodies, TOKEN), 1);
	ck_assert_int_eq(bodies_settle(bodies, OTHER), 1);
	assert_absent(TOKEN);
}
END_TEST

START_TEST(the_sweep_takes_only_old_bodies_in_flight)
{
	struct body *body;
	int64_t now = time(NULL);

	open_bodies(1);
	put(OTHER, "stays");
	ck_assert_int_eq(
	    body_begin(bodies, TOKEN, BODIES_OWN, BODY_SIZE, &body), 1);
	make_file("incoming/README", "foreign");
	ck_assert_int_eq(bodies_sweep(bodies, now - 60), 0);
	ck_assert_int_eq(bodies_sweep(bodies, now + 60), 1);
	body_end(body);
	ck_assert_int_eq(mode_of("incoming/README"), 0600);
	assert_holds(OTHER, "stays");
}
END_TEST

START_TEST(a_sweep_without_incoming_finds_nothing)
{
	open_bodies(0);
	ck_assert_int_eq(bodies_sweep(bodies, INT64_MAX), 0);
}
END_TEST

struct seen {
	int tokens;
	int foreign;
	int64_t bytes;
};

static void
note_file(void *arg, const char *path, const char *token, int64_t size,
    int64_t changed_at)
{
	struct seen *seen = arg;

	if (token == NULL) {
		seen->foreign++;
		return;
	}
	seen->tokens++;
	seen->bytes += size;
	ck_assert_int_eq(strncmp(path, dir, strlen(dir)), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_lt(llabs((long long)(changed_at - time(NULL))), 60);
}

START_TEST(every_file_in_the_shards_is_found)
{
	struct seen seen = {0};

	open_bodies(0);
	put(TOKEN, "four");
	put(OTHER, "seven..");
	make_file("ab/notes.txt", "foreign");
	make_file("ab/bbcdefghijklmnopqrstuvwxyz", "in the wrong shard");
	make_file("notes.txt", "in no shard");
	ck_assert_int_eq(bodies_each(bodies, note_file, &seen), 4);
	ck_assert_int_eq(seen.tokens, 2);
	ck_assert_int_eq(seen.foreign, 2);
	ck_assert_int_eq(seen.bytes, 11);
	/* a second walk begins anew */
	ck_assert_int_eq(count_files(), 4);
}
END_TEST

START_TEST(there_is_free_space)
{
	open_bodies(0);
	ck_assert_int_gt(bodies_free_space(bodies, BODIES_OWN), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("bodies");
	TCase *tc = tcase_create("bodies");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(
	    tc, what_was_published_can_be_read, 0, COUNT(kinds));
	tcase_add_loop_test(
	    tc, a_body_is_not_there_before_it_is_published, 0, COUNT(kinds));
	tcase_add_loop_test(
	    tc, an_unpublished_body_leaves_nothing, 0, COUNT(kinds));
	tcase_add_loop_test(
	    tc, two_bodies_of_one_token_do_not_mix, 0, COUNT(kinds));
	tcase_add_loop_test(tc, what_a_crash_left_is_replaced, 0, COUNT(kinds));
	tcase_add_loop_test(tc,
	    nothing_is_put_into_a_directory_that_lost_its_name, 0,
	    COUNT(kinds));
	tcase_add_loop_test(
	    tc, modes_do_not_depend_on_the_umask, 0, COUNT(kinds));
	tcase_add_test(tc, the_directory_is_made_with_its_mode);
	tcase_add_test(tc, a_directory_without_a_parent_is_refused);
	tcase_add_loop_test(
	    tc, a_full_disk_is_no_room_and_leaves_nothing, 0, COUNT(kinds));
	tcase_add_loop_test(
	    tc, a_name_that_is_no_token_reaches_no_file, 0, COUNT(no_tokens));
	tcase_add_test(tc, a_symbolic_link_in_a_bodys_place_leads_nowhere);
	tcase_add_test(tc, a_removed_body_is_gone);
	tcase_add_test(tc, the_sweep_takes_only_old_bodies_in_flight);
	tcase_add_test(tc, a_sweep_without_incoming_finds_nothing);
	tcase_add_test(tc, every_file_in_the_shards_is_found);
	tcase_add_test(tc, there_is_free_space);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
