/*
 * Threads for calls that wait for the disk: made at the same time, they wait
 * together, where one after the other each would have to wait for its own turn
 * of the disk.
 */
#ifndef FCGI_CREW_H
#define FCGI_CREW_H

#include <stddef.h>

struct crew;

typedef void crew_fn(void *item);

/* A crew of up to so many threads besides the caller's, which are started when
 * they are first needed: they then have the walls of who needs them. 1 or -1
 * (logged), *out NULL. */
int crew_open(size_t threads, struct crew **out);
void crew_close(struct crew *); /* accepts NULL */

/* Calls work once for each item, and returns when all calls have. For one
 * caller at a time. Where threads cannot be had, the caller's does it alone. */
void crew_run(struct crew *, crew_fn *work, void *const *items, size_t count);

#endif
