/*
 * Slots whose bodies have come become stored, several at a time. Private to
 * the store.
 */
#ifndef SCHEMA_PUBLISH_H
#define SCHEMA_PUBLISH_H

#include <stddef.h>

#include "schema/store.h"

/* What store_publish_all does within the write transaction that is open: marks
 * the rows, has the bodies named, and takes back the mark of those that could
 * not be. 1 to be committed; 0 nothing has changed, or nothing that may stay;
 * -1. The results are those of store_publish_all if the commit succeeds. */
int publish_all(struct store *, struct publication *const *list, size_t count,
    store_name_fn *name_all, void *arg);

/* The transaction could not be begun or committed: gives this result to all
 * whose own is 1. */
void publish_fail(struct publication *const *list, size_t count, int result);

#endif
