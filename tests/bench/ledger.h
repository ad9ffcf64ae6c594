/*
 * The least that a server does which remembers its uploads: one row for each in
 * SQLite. Uploads that end at the same time share a commit.
 */
#ifndef TESTS_BENCH_LEDGER_H
#define TESTS_BENCH_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

struct ledger;

/* Makes the database, in WAL mode, which must not exist yet; durable: whether a
 * commit waits for the disk. NULL: not to be had, said on stderr. It stays open
 * as long as the process lives. */
struct ledger *ledger_open(const char *path, bool durable);

/* From any thread. 1 the row is committed, -1 not. */
int ledger_add(struct ledger *ledger, const char *name, int64_t size);

#endif
