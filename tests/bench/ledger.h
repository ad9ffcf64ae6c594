/*
 * The least that a server does which remembers its uploads: one row for each in
 * SQLite. Uploads that end at the same time share a commit, and no thread waits
 * for another's.
 */
#ifndef TESTS_BENCH_LEDGER_H
#define TESTS_BENCH_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct ledger;
struct ledger_reader;

struct ledger_row {
	const char *name;
	int64_t number; /* its size; in putslot's database the slot's id */
	/* From the thread that committed it: 1 it is, -1 it is not. The row
	 * may then be freed. */
	void (*done)(struct ledger_row *, int result);
	struct ledger_row *next; /* the ledger's */
};

/* Makes the database, in WAL mode, which must not exist yet; or, with own,
 * takes putslot's, in which its slots are marked as stored. durable: whether a
 * commit waits for the disk. NULL: not to be had, said on stderr. It stays open
 * as long as the process lives. */
struct ledger *ledger_open(const char *path, bool own, bool durable);

/* From any thread, which may have to commit the rows of others, too. */
void ledger_add(struct ledger *, struct ledger_row *);

/* Looks slots of putslot's database up, for one thread at a time. NULL: not to
 * be had, said on stderr. */
struct ledger_reader *ledger_reader_open(const char *path);

/* The id of the slot with that token, all of which is read, or -1. */
int64_t ledger_reader_find(struct ledger_reader *, const char *token);

#endif
