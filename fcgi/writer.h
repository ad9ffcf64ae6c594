/*
 * The one handle of a process that writes to the store: SQLite takes one
 * writer at a time, and threads of one process that queue here are
 * served in turn, where SQLite's own waiting is neither fair nor fast.
 */
#ifndef FCGI_WRITER_H
#define FCGI_WRITER_H

#include <stdint.h>

#include "schema/store.h"

struct writer;

/* Opens the store for durable writing; busy_timeout in seconds. 1 or -1
 * (logged), *out NULL. */
int
writer_open(const char *database, int64_t busy_timeout, struct writer **out);
void writer_close(struct writer *); /* accepts NULL */

/* store_publish, one thread after the other. Who has no turn within the
 * busy_timeout gets -1 (logged), so nobody waits longer than two of them. */
int writer_publish(struct writer *, int64_t id, int64_t now,
    const unsigned char sha256[STORE_SHA256_LEN], int (*link_body)(void *),
    void *arg);

#endif
