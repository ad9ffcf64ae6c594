/*
 * The database file: made, judged, opened and brought up to date. Private to
 * the store.
 */
#ifndef SCHEMA_DATABASE_H
#define SCHEMA_DATABASE_H

#include <sqlite3.h>
#include <stdint.h>

#include "schema/store.h"

/* "pslt", in the file's header: says whose the file is. */
#define DATABASE_APPLICATION_ID 0x70736c74

/* As store_open; *out is to be closed with sqlite3_close. 1 or -1. */
int database_open(
    const char *path, enum store_access, int64_t busy_timeout, sqlite3 **out);

/* Makes everything durable that anybody has committed to the WAL so far, also
 * what was committed without waiting for the disk. 1 or -1 (logged). */
int database_sync(sqlite3 *db);

/* Whether the file that is open still has its name. What is committed to one
 * that was removed or replaced is lost to every program that starts later. 1,
 * or -1 (logged). */
int database_check_place(sqlite3 *db);

/* See store_yield and store_bulk_begin. */
int database_yield(sqlite3 *db);
int database_bulk_begin(sqlite3 *db);
int database_bulk_end(sqlite3 *db);

#endif
