/*
 * The WAL of a handle whose commits do not wait for the disk. Private to the
 * store.
 */
#ifndef SCHEMA_WAL_H
#define SCHEMA_WAL_H

struct sqlite3;
struct wal;

/*
 * Takes checkpoints over from SQLite, in whose way a commit would find all of
 * a full WAL still to be written to the disk: 10 ms for 16 MiB, in which
 * nobody is served. From here on the kernel is told after each MiB to begin
 * with it, and nobody waits. What is durable when stays as it was.
 * 1 and *out to be freed after the handle is closed; -1 (logged).
 */
int wal_tend(struct sqlite3 *db, struct wal **out);
void wal_free(struct wal *); /* accepts NULL */

#endif
