#include "fcgi/shards.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/temporary.h"
#include "tests/suite.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define ALPHABET "abcdefghijklmnopqrstuvwxyz234567"
#define THREADS 8

static char dir[PATH_MAX];
static int root;

static void
set_up(void)
{
	ck_assert(temporary_make(dir, sizeof(dir)));
	umask(077);
	root = shards_open_root(dir);
	ck_assert_int_ge(root, 0);
}

static void
tear_down(void)
{
	close(root);
	temporary_remove(dir);
}

START_TEST(every_shard_has_a_position_of_its_own)
{
	static bool taken[SHARDS_COUNT];
	char token[] = TOKEN;

	for (const char *a = ALPHABET; *a; a++)
		for (const char *b = ALPHABET; *b; b++) {
			token[0] = *a;
			token[1] = *b;
			size_t index = shards_index(token);
			ck_assert_uint_lt(index, SHARDS_COUNT);
			ck_assert(!taken[index]);
			taken[index] = true;
		}
}
END_TEST

START_TEST(a_path_is_the_shard_and_the_token)
{
	char path[SHARDS_PATH_MAX];

	ck_assert_str_eq(shards_path(TOKEN, path), "ab/" TOKEN);
}
END_TEST

static const struct {
	const char *name;
	bool yes;
} names[] = {
    {"ab", true},
    {"z7", true},
    {"22", true},
    {"", false},
    {"a", false},
    {"abc", false},
    {"AB", false},
    {"a1", false},
    {"..", false},
    {"a/", false},
    {"incoming", false},
};

START_TEST(a_shards_name_is_the_beginning_of_a_token)
{
	ck_assert_int_eq(shards_is_name(names[_i].name), names[_i].yes);
}
END_TEST

START_TEST(a_missing_shard_is_made_only_on_demand)
{
	int fd = shards_open(root, TOKEN, false);

	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(errno, ENOENT);
	fd = shards_open(root, TOKEN, true);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fd = shards_open(root, TOKEN, false);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_shard_is_not_followed)
{
	ck_assert_int_eq(symlinkat("/tmp", root, "ab"), 0);
	ck_assert_int_eq(shards_open(root, TOKEN, true), -1);
}
END_TEST

static void *
make(void *arg)
{
	pthread_barrier_t *barrier = arg;
	int fd;

	pthread_barrier_wait(barrier);
	fd = shards_open(root, TOKEN, true);
	if (fd == -1)
		return arg;
	close(fd);
	return NULL;
}

START_TEST(threads_that_make_the_same_shard_all_get_it)
{
	pthread_t threads[THREADS];
	pthread_barrier_t barrier;
	struct stat st;
	void *failed;

	for (int round = 0; round < 50; round++) {
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (int i = 0; i < THREADS; i++)
			pthread_create(&threads[i], NULL, make, &barrier);
		for (int i = 0; i < THREADS; i++) {
			pthread_join(threads[i], &failed);
			ck_assert_ptr_null(failed);
		}
		ck_assert_int_eq(fstatat(root, "ab", &st, 0), 0);
		ck_assert_int_eq(st.st_mode & 07777, 02770);
		ck_assert_int_eq(unlinkat(root, "ab", AT_REMOVEDIR), 0);
		pthread_barrier_destroy(&barrier);
	}
}
END_TEST

static int
stop_at_two(void *arg, int fd, const char *name, const struct stat *st)
{
	int *seen = arg;

	(void)fd, (void)name, (void)st;
	return ++*seen == 2 ? -1 : 1;
}

static int
count_all(void *arg, int fd, const char *name, const struct stat *st)
{
	(void)arg, (void)fd, (void)name, (void)st;
	return 1;
}

START_TEST(a_walk_sums_up_and_ends_where_something_broke)
{
	int seen = 0;

	for (const char *name = "abcd"; *name; name++) {
		char made[] = {*name, '\0'};
		ck_assert_int_eq(mkdirat(root, made, 0700), 0);
	}
	ck_assert_int_eq(mkdirat(root, ".hidden", 0700), 0);
	ck_assert_int_eq(shards_walk(dup(root), count_all, NULL), 4);
	ck_assert_int_eq(lseek(root, 0, SEEK_SET), 0);
	ck_assert_int_eq(shards_walk(dup(root), stop_at_two, &seen), -1);
	ck_assert_int_eq(seen, 2);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("shards");
	TCase *tc = tcase_create("shards");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, every_shard_has_a_position_of_its_own);
	tcase_add_test(tc, a_path_is_the_shard_and_the_token);
	tcase_add_loop_test(
	    tc, a_shards_name_is_the_beginning_of_a_token, 0, COUNT(names));
	tcase_add_test(tc, a_missing_shard_is_made_only_on_demand);
	tcase_add_test(tc, a_link_in_the_place_of_a_shard_is_not_followed);
	tcase_add_test(tc, threads_that_make_the_same_shard_all_get_it);
	tcase_add_test(tc, a_walk_sums_up_and_ends_where_something_broke);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
