/*
 * The directory in which nginx puts whole bodies (its client_body_temp_path),
 * and the files in it that it hands over by name, in the parameter
 * REQUEST_BODY_FILE. A client cannot set that: its headers become HTTP_….
 * Still no more is believed than must be: a file that lies directly in that
 * directory or one of nginx's sub-directories of one digit, under a name of
 * digits, reached through no link, a regular file, with no other name, and
 * ours, since nginx runs as the user that we do. What is refused, or not
 * published, keeps its name: nginx removes it ("clean").
 *
 * nginx keeps the file open until the request ends, and writes no more to it.
 */
#ifndef FCGI_INCOMING_H
#define FCGI_INCOMING_H

#include <stdint.h>

#include "schema/token.h"

struct bodies;
struct incoming; /* the directory; may be used by many threads at once */

/* A file that was found to be as above. */
struct incoming_file {
	int dir; /* the directory that it lies in */
	int fd;  /* open for reading */
	int64_t size;
	char name[TOKEN_LEN + 1]; /* in that directory */
};

/* Opens the directory, making it where only it is missing. Bodies are renamed,
 * not copied: it must be of the file system, and the mount, of all trees of
 * bodies. 1; -1 (logged), *out NULL. */
int incoming_open(
    const char *path, const struct bodies *bodies, struct incoming **out);
void incoming_close(struct incoming *); /* accepts NULL */

/* Opens the file at the path that the web server named. 1, and the caller ends
 * *file by body_adopt or incoming_end; 0 not believed, or not there (logged
 * as an error: no client can bring that about); -1 broken (logged). */
int incoming_take(
    const struct incoming *, const char *path, struct incoming_file *file);
void incoming_end(struct incoming_file *);

/* Removes what crashes of nginx left: such files last written to before this
 * point in time. The number removed, or -1. */
int incoming_sweep(const struct incoming *, int64_t before);

#endif
