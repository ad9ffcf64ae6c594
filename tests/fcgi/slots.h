/*
 * A store and its bodies in a temporary directory, filled by plain SQL and
 * plain files: what the tests of retention and of the check start from. The
 * functions fail the running test when they cannot do what they say.
 */
#ifndef TESTS_FCGI_SLOTS_H
#define TESTS_FCGI_SLOTS_H

#include <check.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/fsck.h"
#include "schema/log.h"
#include "schema/store.h"
#include "tests/temporary.h"

#define JULIET "juliet@example.org"
#define ROMEO "romeo@example.net"

/* Points in time of the rows; the tests' "now" lies between the two. */
#define PAST 1000000
#define NOW 2000000
#define FUTURE 3000000

/* How old a file must be for slots_check to judge it, in seconds. */
#define GRACE 3600

static char slots_dir[PATH_MAX - 100];
static struct store *slots_store;
static struct bodies *slots_bodies;
static sqlite3 *slots_shell; /* what an administrator's sqlite3 would be */

static inline const char *
slots_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", slots_dir, name);
	return path;
}

/* A handle of SQLite must not be there when the process forks. */
static inline void
slots_open(enum store_access access)
{
	ck_assert_int_eq(
	    store_open(slots_path("db"), access, 10, &slots_store), 1);
	ck_assert_int_eq(bodies_open(slots_path("bodies"), NULL, BODIES_NAMED,
			     &slots_bodies),
	    1);
	ck_assert_int_eq(
	    sqlite3_open(slots_path("db"), &slots_shell), SQLITE_OK);
	sqlite3_busy_timeout(slots_shell, 10000);
}

static inline void
slots_close(void)
{
	sqlite3_close(slots_shell);
	bodies_close(slots_bodies);
	store_close(slots_store);
	slots_shell = NULL;
	slots_bodies = NULL;
	slots_store = NULL;
}

static inline void
slots_reopen(enum store_access access)
{
	slots_close();
	slots_open(access);
}

static inline void
slots_set_up(void)
{
	ck_assert(temporary_make(slots_dir, sizeof(slots_dir)));
	log_open("test", LOG_LEVEL_ERROR, false);
	slots_open(STORE_DURABLE);
}

static inline void
slots_tear_down(void)
{
	slots_close();
	temporary_remove(slots_dir);
}

/* Of the suite; each of its tests gets slots of its own. set_up calls
 * slots_set_up, or is that. */
static inline TCase *
slots_case(Suite *suite, const char *name, void (*set_up)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, set_up, slots_tear_down);
	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	return tc;
}

/* Files have been made now; the check is made after their grace. */
static inline int
slots_check(bool repair, struct fsck_summary *sum)
{
	struct fsck job = {
	    .store = slots_store,
	    .bodies = slots_bodies,
	    .now = time(NULL) + GRACE + 10,
	    .grace = GRACE,
	    .repair = repair,
	};

	return fsck_run(&job, sum);
}

/* ---- the database, by hand ---- */

/* Runs one statement; the first column of its first row, or 0. */
static inline int64_t __attribute__((format(printf, 1, 2)))
slots_sql(const char *fmt, ...)
{
	sqlite3_stmt *stmt = NULL;
	char sql[1000];
	int64_t value = 0;
	va_list args;
	int rc = 0;

	va_start(args, fmt);
	vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	ck_assert_int_eq(
	    sqlite3_prepare_v2(slots_shell, sql, -1, &stmt, NULL), SQLITE_OK);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	else
		ck_assert_msg(rc == SQLITE_DONE, "%s: %s", sql,
		    sqlite3_errmsg(slots_shell));
	sqlite3_finalize(stmt);
	return value;
}

/* The token of the n-th slot, n < 32768; neighbours lie in different shards.
 * Valid until the next call. */
static inline const char *
slots_token(int n)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	static char token[TOKEN_LEN + 1];

	memset(token, 'q', TOKEN_LEN);
	token[0] = 's';
	for (int i = 1; i <= 3; i++, n /= 32)
		token[i] = digits[n % 32];
	return token;
}

/* Adds the n-th slot, without a file. Its id is n, if that is free. A stored_at
 * of 0: it awaits its PUT. The time for that PUT ends in the past. */
static inline void
slots_add_row(int n, const char *owner, int64_t stored_at, int64_t expires_at)
{
	slots_sql("INSERT INTO slot (id, token, secret, owner, purpose, "
		  "file_name, size, issued_at, put_expires_at, put_ends_at, "
		  "stored_at, expires_at, sha256) VALUES ((SELECT max(%d, "
		  "last_id + 1) FROM total), '%s', "
		  "'zzzzzzzzzzzzzzzzzzzzzzzzzz', '%s', 'message', 'a.txt', "
		  "100, 10, 20, %d, nullif(%lld, 0), %lld, "
		  "iif(%lld = 0, NULL, zeroblob(32)))",
	    n, slots_token(n), owner, PAST, (long long)stored_at,
	    (long long)expires_at, (long long)stored_at);
}

/* The same for all from first to last. */
static inline void
slots_add_rows(int first, int last, int64_t stored_at, int64_t expires_at)
{
	slots_sql("BEGIN");
	for (int n = first; n <= last; n++)
		slots_add_row(n, JULIET, stored_at, expires_at);
	slots_sql("COMMIT");
}

static inline bool
slots_has_row(int n)
{
	return slots_sql("SELECT count(*) FROM slot WHERE token = '%s'",
		   slots_token(n)) == 1;
}

static inline int64_t
slots_count_rows(void)
{
	return slots_sql("SELECT count(*) FROM slot");
}

static inline int64_t
slots_count_doomed(void)
{
	return slots_sql("SELECT count(*) FROM doomed");
}

/* Locks the database until slots_sql("ROLLBACK"), and slots_store does not wait
 * for it any more. */
static inline void
slots_lock(void)
{
	store_close(slots_store);
	ck_assert_int_eq(
	    store_open(slots_path("db"), STORE_DURABLE, 0, &slots_store), 1);
	slots_sql("BEGIN IMMEDIATE");
}

/* ---- the bodies, by hand ---- */

/* The path of the n-th slot's body; its shard is made if need be. */
static inline const char *
slots_body_path(int n)
{
	const char *token = slots_token(n);
	char name[TOKEN_LEN + 20];

	snprintf(name, sizeof(name), "bodies/%.2s", token);
	mkdir(slots_path(name), 0770);
	snprintf(name, sizeof(name), "bodies/%.2s/%s", token, token);
	return slots_path(name);
}

static inline void
slots_write_file(const char *path, off_t size)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(truncate(path, size), 0);
}

static inline void
slots_add_body(int n)
{
	slots_write_file(slots_body_path(n), 100);
}

static inline void
slots_add_bodies(int first, int last)
{
	for (int n = first; n <= last; n++)
		slots_add_body(n);
}

static inline bool
slots_has_body(int n)
{
	struct stat st;

	return lstat(slots_body_path(n), &st) == 0;
}

/* A stored upload, whole. */
static inline void
slots_add(int n, const char *owner, int64_t expires_at)
{
	slots_add_row(n, owner, PAST, expires_at);
	slots_add_body(n);
}

#endif
