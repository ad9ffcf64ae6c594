/*
 * The one handle of a process that writes to the store: SQLite takes one
 * writer at a time, and threads of one process that queue on a mutex are
 * served in turn, where SQLite's own waiting is neither fair nor fast.
 */
#ifndef FCGI_WRITER_H
#define FCGI_WRITER_H

#include <stdint.h>

#include "schema/store.h"

struct writer;

/* Opens the store for durable writing. 1 or -1 (logged). */
int
writer_open(const char *database, int64_t busy_timeout, struct writer **out);
void writer_close(struct writer *); /* accepts NULL */

/* store_publish, one thread after the other. */
int writer_publish(struct writer *, int64_t id, int64_t now,
    const unsigned char sha256[STORE_SHA256_LEN], int (*link_body)(void *),
    void *arg);

#endif
