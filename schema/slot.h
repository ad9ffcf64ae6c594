/*
 * Rows of the table slot as struct slot. Private to the store.
 */
#ifndef SCHEMA_SLOT_H
#define SCHEMA_SLOT_H

#include <stdint.h>

struct slot;
struct statement;
struct store;

/* Steps st, whose columns must be the slot's, and reads the row.
 * 1 read; 0 no more (ended); -1 broken (ended). */
int slot_next(struct statement *st, struct slot *);

/* Reads at most max rows of st and ends it. The number read, or -1. */
int slot_fetch(struct statement *st, struct slot *slots, int max);

/* Deletes the row of that id within the transaction that is open. 1; 0 there is
 * none; -1. */
int slot_delete(struct store *, int64_t id);

#endif
