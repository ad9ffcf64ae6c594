/*
 * How long to wait before the next attempt to connect: growing, so that a
 * server that is down is left in peace, and scattered, so that the components
 * of a server that comes back do not all arrive at once.
 */
#ifndef COMPONENT_BACKOFF_H
#define COMPONENT_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LONGEST_MS 60000

struct backoff {
	int64_t next_ms; /* 0: as if never failed before */
};

/* The next wait in milliseconds: doubles from call to call, and is between
 * three quarters and five quarters of its nominal length, as random decides. */
int64_t backoff_next(struct backoff *, uint32_t random);

/* Attempts are known to be in vain until someone acts: the longest wait. */
void backoff_slow(struct backoff *);

/* All is well: the next failure begins with the first wait again. */
void backoff_reset(struct backoff *);

#endif
