/*
 * The one handle of a process that writes to the store: SQLite takes one
 * writer at a time, and the uploads of one process that queue here are
 * published in turn, where SQLite's own waiting is neither fair nor fast.
 *
 * Uploads that come to their end while others are being published are then
 * published together, in one transaction with one commit: so their flushes of
 * the disk are shared. A thread leaves its upload here and goes on; the first
 * that has nothing better to do publishes what has come together, until none is
 * left, and answers it. So no thread sleeps for another, and whoever is alone
 * waits for nobody.
 */
#ifndef FCGI_WRITER_H
#define FCGI_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/store.h"

/* The most uploads that share a transaction. */
#define WRITER_BATCH 64

/* writer_find: the handle is in use. */
#define WRITER_BUSY 2

struct body;
struct writer;

/* One upload that is to be published. From writer_submit until done is called
 * it is the writer's, and must stay where it is. */
struct turn {
	struct publication publication;
	struct body *body; /* was synced */
	/* Called once, from any thread, with the publication's result; the turn
	 * may end with it. */
	void (*done)(struct turn *);

	/* the writer's own */
	int64_t came; /* milliseconds, by the clock that nobody sets */
	struct turn *next;
	const struct turn *syncer; /* who syncs its directory; NULL: nobody */
};

/* Opens the store, with STORE_DURABLE, or with STORE_GRANT for uploads that may
 * be lost in a power cut; busy_timeout in seconds. 1 or -1 (logged), *out
 * NULL. */
int writer_open(const char *database, enum store_access, int64_t busy_timeout,
    struct writer **out);
void writer_close(struct writer *); /* accepts NULL */

/* Leaves an upload to be published. */
void writer_submit(struct writer *, struct turn *);

/* Makes the slots of what was submitted stored, and the bodies durable under
 * their tokens, as store_publish_all: those that share a transaction. Who has
 * no turn within the busy_timeout gets -1 (logged), so nobody waits longer than
 * two of them. True: there may be more; false: there was nothing, or another
 * thread has the handle. */
bool writer_publish(struct writer *);

/* Does so until there is nothing more to do. */
void writer_publish_all(struct writer *);

/* Whether there is something to publish and nobody has the handle. Each thread
 * that calls any of these functions must see to that before it rests. */
bool writer_waits(struct writer *);

/* store_find with the writing handle, if nobody is at it: its cache holds the
 * pages that it has written, where a reader's has lost them all with the last
 * commit. Whoever was in another's way then publishes in its place; where that
 * takes as long as the disk does, the handle is never lent. 1, 0, -1;
 * WRITER_BUSY. */
int writer_find(
    struct writer *, const char token[TOKEN_LEN + 1], struct slot *slot);

#endif
