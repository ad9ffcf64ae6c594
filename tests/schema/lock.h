/*
 * A database that somebody else is writing to.
 */
#ifndef TESTS_SCHEMA_LOCK_H
#define TESTS_SCHEMA_LOCK_H

#include <check.h>
#include <sqlite3.h>

/* Takes the write lock of the database, as another program would, until the
 * handle is closed. */
static inline sqlite3 *
lock_hold(const char *path)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

#endif
