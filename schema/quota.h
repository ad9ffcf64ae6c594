/*
 * Whether a request fits what its owner, the window and the whole store still
 * allow. Private to the store.
 */
#ifndef SCHEMA_QUOTA_H
#define SCHEMA_QUOTA_H

#include <stdint.h>

struct grant_request;
struct grant_result;
struct store;

/* Makes the request fit, within the write transaction that is open: removes
 * slots that are over, the owner's, and some of everyone's where all are in the
 * way, and evicts where the limits say so.
 * 1 it fits, result->evicted_* set; 0 it does not: verdict, used, allowed and
 * retry_at set; -1. */
int quota_fit(
    struct store *, const struct grant_request *, struct grant_result *result);

/* Counts a granted slot in its window, where there is a limit on windows.
 * unused_until is when it stops to count if nothing is uploaded. 1 or -1. */
int quota_remember(struct store *, const struct grant_request *,
    int64_t slot_id, int64_t unused_until);

#endif
