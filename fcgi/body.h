/*
 * A body on its way in: from the first byte of an upload to its name in the
 * directories of fcgi/bodies.h. Until then it has no name that a reader could
 * meet, and leaves nothing behind when it ends, or when the process does.
 *
 * It belongs to one thread at a time. Results are 1 yes, 0 no room (ENOSPC,
 * EDQUOT, EFBIG), -1 broken (logged here).
 */
#ifndef FCGI_BODY_H
#define FCGI_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi/bodies.h"
#include "schema/token.h"

/* Where nobody waits for the disk, bodies of up to so many bytes are kept in
 * memory until they are named. */
#define BODY_HELD_MAX 32768

struct body;
struct incoming_file;

/* Begins a body of at most size bytes, which will be published under token in
 * that place. 1, 0, -1. */
int body_begin(struct bodies *, const char token[TOKEN_LEN + 1],
    enum bodies_place, int64_t size, struct body **out);

/* The same with a file that is there and whole, on the same disk. It is ended
 * with the body, or at once when there is none. body_name takes its name; one
 * that is not published keeps it. */
int body_adopt(struct bodies *, const char token[TOKEN_LEN + 1],
    enum bodies_place, struct incoming_file *file, struct body **out);

/* Appends. 1 all written; 0; -1. */
int body_write(struct body *, const void *data, size_t len);

/* Where the bytes go, open for reading and writing, for who appends or reads
 * them by other means; -1 while they are in memory. body_end closes it. */
int body_descriptor(const struct body *);

/* Makes the bytes durable: after it, only the name is missing. 1, 0, -1. */
int body_sync(struct body *);

/* Gives the body its name. A file of that name is what a crash left (the
 * caller holds the store's word that none is stored) and is replaced.
 * 1, 0, -1. */
int body_name(struct body *);

/* Makes the body's name durable, and with it all names that were given in the
 * same directory before. 1, 0, -1. */
int body_sync_name(struct body *);

/* Whether one body_sync_name does for both. */
bool body_shares_directory(const struct body *, const struct body *);

/* Ends a body: one that was not published leaves nothing. Accepts NULL. */
void body_end(struct body *);

#endif
