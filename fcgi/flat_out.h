/*
 * Removes all that is over as fast as the machine can: rows in transactions of
 * thousands and, meanwhile, in a thread of its own, the bodies of those before.
 * The order of things is that of any run: a body goes when the removal of its
 * row is durable, a token is forgotten when that of its body is.
 *
 * Nobody else writes to the database for most of the time.
 */
#ifndef FCGI_FLAT_OUT_H
#define FCGI_FLAT_OUT_H

#include "schema/store.h"

struct bodies;

struct flat_out {
	struct store *store;
	struct bodies *bodies;
	int64_t now;         /* what is over by then goes */
	store_slot_fn *seen; /* called as by store_reap_many */
	void *arg;
	/* what was done: */
	int64_t files; /* bodies removed, and the bytes in them */
	int64_t bytes;
	int64_t failed; /* could not be removed: their tokens stay doomed */
};

/* 1; -1 broken (logged): what was done stays done. */
int flat_out_reap(struct flat_out *);

#endif
