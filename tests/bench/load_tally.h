/*
 * What a run of a load generator came to: how long each request took, and how
 * it ended.
 */
#ifndef TESTS_BENCH_LOAD_TALLY_H
#define TESTS_BENCH_LOAD_TALLY_H

#include <stdint.h>
#include <stdio.h>

struct load_tally {
	uint32_t *latencies; /* µs, of the requests that were answered 2xx */
	size_t count;
	size_t room;
	uint64_t bytes;        /* of bodies, in either direction */
	uint64_t broken;       /* no whole answer came */
	uint64_t status[1000]; /* by status, all answers */
};

/* Monotonic clock, seconds. */
double load_tally_now(void);

/* One answer with that status after that many seconds; bytes of its body, or
 * of the request's. 1 counted, -1 no memory. */
int load_tally_add(
    struct load_tally *tally, unsigned status, double seconds, uint64_t bytes);

/* Adds everything that the other holds. 1 done, -1 no memory. */
int load_tally_merge(struct load_tally *tally, const struct load_tally *other);

/* Sorts the latencies and prints one JSON object and a newline, with the CPU
 * that this process has taken so far. */
void load_tally_print(struct load_tally *tally, double seconds, FILE *out);

/* Frees what the tally holds, not the tally. */
void load_tally_free(struct load_tally *tally);

#endif
