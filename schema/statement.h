/*
 * Every SQL statement that the programs run, and the few things done with
 * one: start, bind, step, read, end. Private to the store.
 *
 * Use: statement_start, bind by name, then statement_run for one without rows,
 * or statement_step while it returns 1 and statement_end. What goes wrong is
 * remembered by the statement, logged once, and returned as -1 by the step.
 */
#ifndef SCHEMA_STATEMENT_H
#define SCHEMA_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;
struct wal;

enum statement_id {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_SAVEPOINT,
	STMT_ROLLBACK_TO,
	STMT_RELEASE,
	STMT_TRANSACTIONS_END = STMT_RELEASE,

	STMT_INSERT,
	STMT_FIND,
	STMT_PUBLISH,
	STMT_NOTE_SHA256,
	STMT_UNPUBLISH,
	STMT_NEWEST,

	STMT_USAGE,
	STMT_WINDOW,
	STMT_TOTAL,
	STMT_REMEMBER,
	STMT_DELETE_OVER,
	STMT_DELETE_OVER_ANY,
	STMT_OLDEST,
	STMT_EVICT,
	STMT_USAGE_LEAVES,
	STMT_WINDOW_LEAVES,

	STMT_OVER,
	STMT_OVER_SOME,
	STMT_DELETE,
	STMT_DOOMED,
	STMT_FORGET,
	STMT_ERASE,
	STMT_ERASE_RECENT,

	STMT_EACH,
	STMT_KNOWS,
	STMT_DROP,
	STMT_INTEGRITY,
	STMT_WRONG_USAGE,
	STMT_WRONG_TOTAL,
	STMT_CLEAR_USAGE,
	STMT_REPAIR_USAGE,
	STMT_REPAIR_TOTAL,
	STMT_TIDY_RECENT,
	STMT_LIMIT_ANALYSIS,
	STMT_OPTIMIZE,
	STMT_COUNT
};

struct statement {
	struct sqlite3_stmt *handle;
	const char *aim; /* for the log: "cannot AIM: …" */
	bool broken;
};

/* Of the grants between store_batch_begin and store_batch_end. */
enum batch_state {
	BATCH_NONE,
	BATCH_EMPTY, /* begun, no transaction yet */
	BATCH_OPEN,  /* in its transaction */
	BATCH_BROKEN /* nothing of it will be recorded */
};

struct store {
	struct sqlite3 *db;
	struct wal *wal; /* NULL unless opened with STORE_GRANT */
	enum batch_state batch;
	bool durable; /* opened with STORE_DURABLE */
	/* All slots up to this id are on the disk: whoever granted them, this
	 * handle has synced the WAL since. */
	int64_t durable_grant;
	struct statement statements[STMT_COUNT];
};

/* Prepares all of them on store->db, so that a mistake in one shows at once.
 * One that was not prepared is when it is first started. 1 or -1. */
int statement_prepare_all(struct store *);

/* Prepares those that begin and end transactions: whoever finds no memory in
 * the middle of one must be able to roll it back. 1 or -1. */
int statement_prepare_transactions(struct store *);
void statement_finalize_all(struct store *);

/* A statement without bindings, ready to be bound. */
struct statement *statement_start(struct store *, enum statement_id);

/* name has its colon. Texts and blobs must outlive the last step. */
void statement_bind_int(struct statement *, const char *name, int64_t);
/* UNITS_NEVER is stored as NULL. */
void statement_bind_time(struct statement *, const char *name, int64_t);
/* NULL is stored as NULL. */
void statement_bind_text(struct statement *, const char *name, const char *);
void statement_bind_blob(
    struct statement *, const char *name, const void *, size_t len);

/* 1 a row, 0 no more (ended), -1 (ended). */
int statement_step(struct statement *);
/* Steps to the end. The number of rows that it changed, or -1. */
int statement_run(struct statement *);
/* To be called when rows are left unread: an open statement holds its view of
 * the database, and the WAL cannot be reset. */
void statement_end(struct statement *);

/* Columns of the present row, counted from 0; SQL's NULL is 0 or "". */
int64_t statement_int(const struct statement *, int column);
/* NULL is UNITS_NEVER. */
int64_t statement_time(const struct statement *, int column);
/* 1; -1 it does not fit (the next step fails); of a blob also 0, NULL. */
int statement_text(struct statement *, int column, char *buf, size_t len);
int statement_blob(struct statement *, int column, void *buf, size_t len);

#endif
