/*
 * The one slot with which the null components answer everything, and what they
 * record of each answer: nothing, a small row, or the very row that putslot
 * does, in the tables and with the triggers of schema/. No limit is looked up.
 */
#ifndef TESTS_BENCH_NULL_SLOTS_H
#define TESTS_BENCH_NULL_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

struct null_slots;

/* For the component with that JID, which is borrowed. database: a file that
 * does not exist yet, or NULL: nothing is recorded; own: putslot's row. NULL:
 * not to be had (said on stderr). It stays as long as the process lives. */
struct null_slots *
null_slots_open(const char *jid, const char *database, bool own);

/* Records a slot of who sent the request with that id, and writes its answer.
 * The load generator has neither long names nor odd characters. 1; -1. */
int null_slots_answer(struct null_slots *, const char *from, const char *id);

/* Commits what was recorded. *text, of *len bytes, are the answers since the
 * last call, until the next one. 1; -1 (said on stderr). */
int null_slots_take(struct null_slots *, const char **text, size_t *len);

#endif
