/*
 * The one handle of a process that writes to the store: SQLite takes one
 * writer at a time, and threads of one process that queue here are served in
 * turn, where SQLite's own waiting is neither fair nor fast.
 *
 * Uploads that come to their end while others are being published wait, and
 * are then published together: the first of them leads, and makes for all of
 * them one transaction with one commit. So their flushes of the disk are
 * shared; whoever is alone waits for nobody.
 */
#ifndef FCGI_WRITER_H
#define FCGI_WRITER_H

#include <stdint.h>

#include "schema/store.h"

/* The most uploads that share a transaction. */
#define WRITER_BATCH 64

struct body;
struct writer;

/* Opens the store, with STORE_DURABLE, or with STORE_GRANT for uploads that may
 * be lost in a power cut; busy_timeout in seconds. 1 or -1 (logged), *out
 * NULL. */
int writer_open(const char *database, enum store_access, int64_t busy_timeout,
    struct writer **out);
void writer_close(struct writer *); /* accepts NULL */

/* Makes a slot stored and its body, which was synced, durable under its token:
 * store_publish_all, for many threads. The result of the publication; its own
 * is not looked at. Who has no turn within the busy_timeout gets -1 (logged),
 * so nobody waits longer than two of them. */
int
writer_publish(struct writer *, const struct publication *, struct body *body);

#endif
