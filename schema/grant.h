/*
 * Deciding on one slot and recording it. Private to the store, which says in
 * which transaction.
 */
#ifndef SCHEMA_GRANT_H
#define SCHEMA_GRANT_H

struct grant_request;
struct grant_result;
struct store;

/* As store_grant, within the write transaction that is open. After -1 a part
 * may have been done, for the caller to undo. */
int grant_decide(
    struct store *, const struct grant_request *, struct grant_result *result);

#endif
