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

#endif
