/*
 * The SHA-256 of a body: of what goes by, or of what lies in a file.
 * Results are 1 and -1 (logged).
 */
#ifndef FCGI_DIGEST_H
#define FCGI_DIGEST_H

#include <stddef.h>

#include "schema/store.h"

struct digest;

/* NULL: it cannot be begun (logged). */
struct digest *digest_begin(void);
int digest_add(struct digest *, const void *data, size_t len);
int digest_end(struct digest *, unsigned char sha256[STORE_SHA256_LEN]);
void digest_free(struct digest *); /* accepts NULL */

/* Of a whole file. Has the disk begin to write it meanwhile, piece by piece, so
 * that a sync that follows has little left to wait for. */
int digest_file(int fd, unsigned char sha256[STORE_SHA256_LEN]);

#endif
