/*
 * The handles of a process that look slots up, for threads that are more than
 * they: a look-up is over in some microseconds, and a handle takes a hundred
 * times the memory of a thread that waits.
 */
#ifndef FCGI_READERS_H
#define FCGI_READERS_H

#include <stddef.h>
#include <stdint.h>

#include "schema/token.h"

/* More are hardly needed: a look-up is a small part of a request. */
#define READERS_MAX 4

struct readers; /* may be used by many threads at once */
struct slot;

/* Opens as many handles as so many threads need; busy_timeout in seconds. 1 or
 * -1 (logged), *out NULL. */
int readers_open(const char *database, int64_t busy_timeout, size_t threads,
    struct readers **out);
void readers_close(struct readers *); /* accepts NULL */

/* store_find, with a handle that is free, or when one gets free. */
int
readers_find(struct readers *, const char token[TOKEN_LEN + 1], struct slot *);

#endif
