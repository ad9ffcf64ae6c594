#include "tests/bench/ledger.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SHA256 "0123456789abcdefghijklmnopqrstuv" /* one that is made up */
#define SHA256_LEN 32
#define BUSY_MS 10000

struct ledger {
	sqlite3 *db; /* the leader's */
	sqlite3_stmt *begin;
	sqlite3_stmt *record;
	sqlite3_stmt *commit;
	bool own;
	pthread_mutex_t mutex;
	bool led; /* somebody commits */
	struct ledger_row *waiting;
};

struct ledger_reader {
	sqlite3 *db;
	sqlite3_stmt *find;
};

static const char small_table[] =
    "CREATE TABLE upload (name TEXT PRIMARY KEY, size INTEGER NOT NULL) "
    "WITHOUT ROWID";
static const char small_record[] = "INSERT INTO upload VALUES (?, ?)";

/* The two statements with which putslot takes an upload (schema/statement.c:
 * STMT_FIND and STMT_PUBLISH). */
static const char own_find[] =
    "SELECT id, token, secret, owner, purpose, file_name, content_type, size, "
    "issued_at, put_expires_at, put_ends_at, stored_at, expires_at, sha256 "
    "FROM slot WHERE token = ?";
static const char own_record[] =
    "UPDATE slot SET stored_at = ?1, sha256 = ?3 "
    "WHERE id = ?2 AND stored_at IS NULL AND put_ends_at > ?1 "
    "AND (expires_at IS NULL OR expires_at > ?1)";

/* ---- opening ---- */

static bool
run_sql(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool
prepare(sqlite3 *db, const char *sql, sqlite3_stmt **st)
{
	return sqlite3_prepare_v2(db, sql, -1, st, NULL) == SQLITE_OK;
}

struct ledger *
ledger_open(const char *path, bool own, bool durable)
{
	static struct ledger l = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	l.own = own;
	if (sqlite3_open(path, &l.db) == SQLITE_OK &&
	    sqlite3_busy_timeout(l.db, BUSY_MS) == SQLITE_OK &&
	    run_sql(l.db, "PRAGMA journal_mode = WAL") &&
	    run_sql(l.db, durable ? "PRAGMA synchronous = FULL"
				  : "PRAGMA synchronous = NORMAL") &&
	    run_sql(l.db, "PRAGMA wal_autocheckpoint = 8000") &&
	    (own || run_sql(l.db, small_table)) &&
	    prepare(l.db, "BEGIN IMMEDIATE", &l.begin) &&
	    prepare(l.db, own ? own_record : small_record, &l.record) &&
	    prepare(l.db, "COMMIT", &l.commit))
		return &l;
	fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(l.db));
	return NULL;
}

struct ledger_reader *
ledger_reader_open(const char *path)
{
	struct ledger_reader *r = calloc(1, sizeof(*r));

	if (r != NULL && sqlite3_open(path, &r->db) == SQLITE_OK &&
	    sqlite3_busy_timeout(r->db, BUSY_MS) == SQLITE_OK &&
	    prepare(r->db, own_find, &r->find))
		return r;
	fprintf(stderr, "%s: cannot be read\n", path);
	free(r);
	return NULL;
}

/* ---- reading ---- */

int64_t
ledger_reader_find(struct ledger_reader *r, const char *token)
{
	int64_t id = -1;

	sqlite3_bind_text(r->find, 1, token, -1, SQLITE_STATIC);
	if (sqlite3_step(r->find) == SQLITE_ROW) {
		id = sqlite3_column_int64(r->find, 0);
		for (int i = 1; i < sqlite3_column_count(r->find); i++)
			sqlite3_column_blob(r->find, i);
	}
	sqlite3_reset(r->find);
	return id;
}

/* ---- writing ---- */

static bool
step(sqlite3_stmt *st)
{
	bool done = sqlite3_step(st) == SQLITE_DONE;

	sqlite3_reset(st);
	return done;
}

static bool
record(struct ledger *l, const struct ledger_row *row, int64_t now)
{
	if (l->own) {
		sqlite3_bind_int64(l->record, 1, now);
		sqlite3_bind_blob(
		    l->record, 3, SHA256, SHA256_LEN, SQLITE_STATIC);
	} else {
		sqlite3_bind_text(l->record, 1, row->name, -1, SQLITE_STATIC);
	}
	sqlite3_bind_int64(l->record, 2, row->number);
	return step(l->record) && sqlite3_changes(l->db) == 1;
}

static int
commit(struct ledger *l, const struct ledger_row *rows)
{
	const int64_t now = time(NULL);
	bool good = step(l->begin);

	for (; good && rows != NULL; rows = rows->next)
		good = record(l, rows, now);
	if (good && step(l->commit))
		return 1;
	fprintf(stderr, "ledger: %s\n", sqlite3_errmsg(l->db));
	run_sql(l->db, "ROLLBACK");
	return -1;
}

/* All that wait; NULL when there are none, and who asked leads no longer. */
static struct ledger_row *
take_waiting(struct ledger *l)
{
	struct ledger_row *rows;

	pthread_mutex_lock(&l->mutex);
	rows = l->waiting;
	l->waiting = NULL;
	l->led = rows != NULL;
	pthread_mutex_unlock(&l->mutex);
	return rows;
}

static void
lead(struct ledger *l)
{
	struct ledger_row *rows, *next;

	while ((rows = take_waiting(l)) != NULL) {
		int result = commit(l, rows);

		for (; rows != NULL; rows = next) {
			next = rows->next;
			rows->done(rows, result);
		}
	}
}

void
ledger_add(struct ledger *l, struct ledger_row *row)
{
	bool leads;

	pthread_mutex_lock(&l->mutex);
	row->next = l->waiting;
	l->waiting = row;
	leads = !l->led;
	l->led = true;
	pthread_mutex_unlock(&l->mutex);
	if (leads)
		lead(l);
}
