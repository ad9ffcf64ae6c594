/*
 * The database's check of itself. Private to the store.
 */
#ifndef SCHEMA_AUDIT_H
#define SCHEMA_AUDIT_H

#include <stdbool.h>

struct store;

/* As store_audit, within the write transaction that is open. */
int audit_run(struct store *, bool repair);

#endif
