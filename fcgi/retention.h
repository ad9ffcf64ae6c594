/*
 * Retention: what putslot-cleanup does with a store and its bodies. Rows go
 * first and leave their tokens among the doomed; then the bodies of doomed
 * tokens are unlinked; a token is forgotten when its removal is durable. So a
 * run may be killed at any point, and the next one goes on where it stood;
 * several runs at once do the same work and do not harm each other.
 *
 * The store's lock is held for ten rows at a time, and left alone for three
 * times as long as it was held: uploads and slot requests go in between.
 * Memory is constant. flat_out is for when nobody else has anything to do.
 */
#ifndef FCGI_RETENTION_H
#define FCGI_RETENTION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct bodies;
struct store;

struct retention {
	struct store *store; /* STORE_READ is enough for a dry run */
	struct bodies *bodies;
	int64_t now; /* seconds since 1970 UTC: what is over by then goes */
	/* Seconds from a slot's issue to the end of its PUT. A body in flight
	 * that stood still for twice as long is what a crash left. */
	int64_t longest_upload;
	bool dry_run;  /* change nothing, count what would be removed */
	bool flat_out; /* as fast as possible, see fcgi/flat_out.h */
};

struct retention_summary {
	int64_t files;   /* bodies removed */
	int64_t bytes;   /* in those files */
	int64_t expired; /* uploads whose time was over */
	int64_t unused;  /* slots whose PUT never came */
	int64_t erased;  /* slots of the user to be forgotten */
	/* Of the files, those whose row was gone before the run: deleted by
	 * hand, evicted, or left by a killed run. */
	int64_t deleted;
	int64_t swept; /* bodies in flight that a crash left; 0 in a dry run */
	/* Bodies that could not be removed: their tokens stay doomed, and the
	 * next run tries again. */
	int64_t failed;
};

/* One run: removes what is over at now, what earlier runs left, and forgets
 * what no longer counts. Each slot, and each body whose row was gone before,
 * is one line of the log (LOG_LEVEL_DEBUG) with its reason.
 * 1 all done; 0 done but for what *sum counts as failed; -1 broken (logged),
 * *sum says how far it came. */
int retention_run(const struct retention *, struct retention_summary *sum);

/* Forgets one user whole: slots, stored or not, everything counted, bodies.
 * Nobody else's rows are touched. owner is a bare JID as the database has it;
 * a user without any trace is erased already. Returns as retention_run. */
int retention_erase(
    const struct retention *, const char *owner, struct retention_summary *sum);

/* Writes the summary as one line. */
void retention_print(const struct retention_summary *, bool dry_run, FILE *out);

#endif
