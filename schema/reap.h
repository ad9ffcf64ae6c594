/*
 * Many slots removed at once. Private to the store.
 */
#ifndef SCHEMA_REAP_H
#define SCHEMA_REAP_H

#include "schema/store.h"

/* What store_reap_many does within the write transaction that is open. The
 * number of slots, or -1. */
int
reap_many(struct store *, int64_t now, int max, store_slot_fn *seen, void *arg);

#endif
