/*
 * The database's check of itself. Private to the store.
 */
#ifndef SCHEMA_AUDIT_H
#define SCHEMA_AUDIT_H

struct store;

/* The number of mistakes found in the structure, in the counters (each logged),
 * or -1. They read, without holding a lock that a writer would wait for: the
 * first reads the whole database. */
int audit_structure(struct store *);
int audit_counters(struct store *);

/* Puts the counters right, within the write transaction that is open. 1, -1. */
int audit_recount(struct store *);

#endif
