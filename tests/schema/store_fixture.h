/*
 * What the tests of the store share: a database in a directory of its own,
 * requests that need few words, and a plain SQLite handle such as the sqlite3
 * shell has. Use as a checked fixture: a handle must not cross a fork.
 */
#ifndef TESTS_SCHEMA_STORE_FIXTURE_H
#define TESTS_SCHEMA_STORE_FIXTURE_H

#include <check.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/limits.h"
#include "schema/log.h"
#include "schema/store.h"
#include "tests/schema/publications.h"
#include "tests/temporary.h"

#define NOW 1700000000 /* when the tests happen */
#define OWNER "juliet@example.org"
#define TIMEOUT 10 /* seconds */
#define PUT_WINDOW 300
#define UPLOAD_TIMEOUT 900
#define RETENTION 86400

static char fixture_dir[PATH_MAX];
static char fixture_path[PATH_MAX + 16];
static struct store *fixture_store;
static struct limits fixture_limits;
static const unsigned char fixture_sha256[STORE_SHA256_LEN] = {1, 2, 3};

static inline struct limits
no_limits(void)
{
	return (struct limits){
	    .enabled = true,
	    .max_file_size = UNITS_NEVER,
	    .retention = RETENTION,
	    .bytes_per_user = UNITS_NEVER,
	    .files_per_user = UNITS_NEVER,
	    .window = 3600,
	    .slots_per_window = UNITS_NEVER,
	    .bytes_per_window = UNITS_NEVER,
	    .when_full = WHEN_FULL_REFUSE,
	};
}

/* A directory, no database in it yet. */
static inline void
set_up_directory(void)
{
	ck_assert(temporary_make(fixture_dir, sizeof(fixture_dir)));
	snprintf(
	    fixture_path, sizeof(fixture_path), "%s/putslot.db", fixture_dir);
	fixture_limits = no_limits();
	log_open("test", LOG_LEVEL_ERROR, false);
}

static inline void
tear_down_directory(void)
{
	static const char *const endings[] = {
	    "", "-wal", "-shm", "-journal", ".copy"};
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", fixture_path, endings[i]);
		unlink(path);
	}
	/* Fails, and so reports, when anything else was left there. */
	ck_assert_int_eq(rmdir(fixture_dir), 0);
}

static inline struct store *
open_store(enum store_access access)
{
	struct store *store;

	ck_assert_int_eq(store_open(fixture_path, access, TIMEOUT, &store), 1);
	return store;
}

static inline void
set_up_store(void)
{
	set_up_directory();
	fixture_store = open_store(STORE_GRANT);
}

static inline void
tear_down_store(void)
{
	store_close(fixture_store);
	tear_down_directory();
}

static inline struct grant_request
request_of(int64_t size)
{
	return (struct grant_request){
	    .owner = OWNER,
	    .purpose = PURPOSE_MESSAGE,
	    .file_name = "romeo.jpg",
	    .content_type = "image/jpeg",
	    .size = size,
	    .expire_before = UNITS_NEVER,
	    .now = NOW,
	    .put_window = PUT_WINDOW,
	    .upload_timeout = UPLOAD_TIMEOUT,
	    .max_total = UNITS_NEVER,
	    .room = UNITS_NEVER,
	    .limits = &fixture_limits,
	};
}

/* Grants, or fails the test. */
static inline struct grant_result
granted(const struct grant_request *request)
{
	struct grant_result result;

	ck_assert_int_eq(store_grant(fixture_store, request, &result), 1);
	ck_assert_int_eq(result.verdict, GRANT_OK);
	return result;
}

static inline struct grant_result
granted_size(int64_t size)
{
	struct grant_request request = request_of(size);

	return granted(&request);
}

static inline int
link_nothing(void *arg)
{
	(void)arg;
	return 1;
}

static inline void
publish(int64_t id, int64_t now)
{
	ck_assert_int_eq(publish_one(fixture_store,
			     (struct publication){id, now, fixture_sha256, 0},
			     link_nothing, NULL),
	    1);
}

/* A stored upload of OWNER's. */
static inline struct grant_result
stored_size(int64_t size)
{
	struct grant_result result = granted_size(size);

	publish(result.id, NOW);
	return result;
}

/* Runs SQL as an administrator would, on a handle of its own. */
static inline int
try_shell(const char *sql)
{
	sqlite3 *db;
	int code;

	ck_assert_int_eq(sqlite3_open(fixture_path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, TIMEOUT * 1000);
	code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return code;
}

static inline void
shell(const char *sql)
{
	ck_assert_int_eq(try_shell(sql), SQLITE_OK);
}

/* The first column of the first row, as text; "(none)", "(null)". */
static inline const char *
shell_get(const char *sql)
{
	static char text[4][4096];
	static int turn;
	char *buf = text[turn++ % 4];
	sqlite3_stmt *st;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(fixture_path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, TIMEOUT * 1000);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) != SQLITE_ROW)
		snprintf(buf, sizeof(text[0]), "(none)");
	else if (sqlite3_column_type(st, 0) == SQLITE_NULL)
		snprintf(buf, sizeof(text[0]), "(null)");
	else
		snprintf(buf, sizeof(text[0]), "%s",
		    (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return buf;
}

#define ck_assert_shell_eq(sql, expected) \
	ck_assert_str_eq(shell_get(sql), (expected))

/* usage of OWNER and the purpose message: "files bytes files bytes", stored
 * and reserved. */
#define USAGE                                                   \
	"SELECT stored_files || ' ' || stored_bytes || ' ' || " \
	"reserved_files || ' ' || reserved_bytes FROM usage "   \
	"WHERE owner = 'juliet@example.org' AND purpose = 'message'"
#define TOTAL                                                   \
	"SELECT stored_files || ' ' || stored_bytes || ' ' || " \
	"reserved_files || ' ' || reserved_bytes FROM total"

#endif
