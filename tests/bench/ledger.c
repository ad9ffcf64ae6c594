#include "tests/bench/ledger.h"

#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>

/* A row that waits, on the stack of its thread. */
struct row {
	const char *name;
	int64_t size;
	int result; /* 0 until it is known */
	sem_t turn; /* the result is known, or this thread is to lead */
	struct row *next;
};

struct ledger {
	sqlite3 *db; /* the leader's */
	sqlite3_stmt *begin;
	sqlite3_stmt *insert;
	sqlite3_stmt *commit;
	pthread_mutex_t mutex;
	bool led; /* somebody commits */
	struct row *waiting;
};

struct ledger *
ledger_open(const char *path, bool durable)
{
	static struct ledger l = {.mutex = PTHREAD_MUTEX_INITIALIZER};

	if (sqlite3_open(path, &l.db) == SQLITE_OK &&
	    sqlite3_exec(l.db,
		durable ? "PRAGMA journal_mode = WAL; "
			  "PRAGMA synchronous = FULL"
			: "PRAGMA journal_mode = WAL; "
			  "PRAGMA synchronous = NORMAL",
		NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(l.db,
		"CREATE TABLE upload (name TEXT PRIMARY KEY, "
		"size INTEGER NOT NULL) WITHOUT ROWID",
		NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(l.db, "BEGIN IMMEDIATE", -1, &l.begin, NULL) ==
		SQLITE_OK &&
	    sqlite3_prepare_v2(l.db, "INSERT INTO upload VALUES (?, ?)", -1,
		&l.insert, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(l.db, "COMMIT", -1, &l.commit, NULL) ==
		SQLITE_OK)
		return &l;
	fprintf(stderr, "%s: %s\n", path, sqlite3_errmsg(l.db));
	return NULL;
}

static bool
step(sqlite3_stmt *st)
{
	bool done = sqlite3_step(st) == SQLITE_DONE;

	sqlite3_reset(st);
	return done;
}

static int
commit(struct ledger *l, const struct row *rows)
{
	bool good = step(l->begin);

	for (; good && rows != NULL; rows = rows->next) {
		sqlite3_bind_text(l->insert, 1, rows->name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(l->insert, 2, rows->size);
		good = step(l->insert);
	}
	if (good && step(l->commit))
		return 1;
	fprintf(stderr, "ledger: %s\n", sqlite3_errmsg(l->db));
	sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Commits all that wait, and has one of those that came meanwhile lead
 * next. */
static void
lead(struct ledger *l)
{
	struct row *rows, *next;
	int result;

	pthread_mutex_lock(&l->mutex);
	rows = l->waiting;
	l->waiting = NULL;
	pthread_mutex_unlock(&l->mutex);

	result = commit(l, rows);
	for (; rows != NULL; rows = next) {
		next = rows->next; /* the row is gone with its thread's turn */
		rows->result = result;
		sem_post(&rows->turn);
	}

	pthread_mutex_lock(&l->mutex);
	if (l->waiting != NULL)
		sem_post(&l->waiting->turn);
	else
		l->led = false;
	pthread_mutex_unlock(&l->mutex);
}

int
ledger_add(struct ledger *l, const char *name, int64_t size)
{
	struct row row = {.name = name, .size = size};
	bool leads;

	if (sem_init(&row.turn, 0, 0) != 0)
		return -1;
	pthread_mutex_lock(&l->mutex);
	row.next = l->waiting;
	l->waiting = &row;
	leads = !l->led;
	l->led = true;
	pthread_mutex_unlock(&l->mutex);

	if (!leads)
		sem_wait(&row.turn);
	if (row.result == 0)
		lead(l);
	sem_destroy(&row.turn);
	return row.result;
}
