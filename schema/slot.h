/*
 * Rows of the table slot as struct slot. Private to the store.
 */
#ifndef SCHEMA_SLOT_H
#define SCHEMA_SLOT_H

struct slot;
struct statement;

/* Steps st, whose columns must be the slot's, and reads the row.
 * 1 read; 0 no more (ended); -1 broken (ended). */
int slot_next(struct statement *st, struct slot *);

/* Reads at most max rows of st and ends it. The number read, or -1. */
int slot_fetch(struct statement *st, struct slot *slots, int max);

#endif
