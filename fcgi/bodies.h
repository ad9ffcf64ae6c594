/*
 * Bodies: the uploaded files on disk. The only module that knows how they
 * lie there; putslot.fcgi and putslot-cleanup share it.
 *
 *	DIR/ab/abcdef…      the body of token abcdef…, one of 1024 shards,
 *	                    each made when first needed
 *	DIR/incoming/…      bodies in flight, only on file systems that cannot
 *	                    hold a nameless file (O_TMPFILE)
 *
 * There may be two such directories: our own, from which this program alone
 * serves, and a public one, from which the web server does. A new body goes
 * where its caller says; whatever is asked about a body at rest is answered
 * for both, so that the answer does not depend on what the configuration was
 * when it came. A token has one body: to publish it in one tree removes what
 * a crash left in the other.
 *
 * Directories are made 02770 and files 0640, whatever the umask, so that the
 * group shares them. A path is never built from anything but a valid token.
 * Results are 1 yes, 0 no, -1 broken (logged here).
 */
#ifndef FCGI_BODIES_H
#define FCGI_BODIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/token.h"

#define BODIES_SHARD_LEN TOKEN_SHARD_LEN

struct bodies; /* the directories; may be used by many threads at once */
struct tree;   /* one of them */

enum bodies_in_flight {
	BODIES_NAMELESS, /* O_TMPFILE where the file system has it */
	BODIES_NAMED     /* always a temporary name, as on NFS */
};

enum bodies_place {
	BODIES_OWN,
	BODIES_PUBLIC, /* only where bodies_open was given a directory */
	BODIES_PLACE_COUNT
};

/* Opens (and makes, if its parent exists) our own directory, and the public
 * one, NULL where there is none. 1; -1, *out NULL. */
int bodies_open(const char *own, const char *public, enum bodies_in_flight,
    struct bodies **out);
void bodies_close(struct bodies *); /* accepts NULL */

/* From now on body_sync and body_sync_name do nothing: for who can bear to lose
 * uploads in a power cut. */
void bodies_forgo_syncs(struct bodies *);

/* For fcgi/body.c, which brings bodies in. The tree is NULL where there is no
 * public directory. */
bool bodies_forgoes_syncs(const struct bodies *);
struct tree *bodies_tree(const struct bodies *, enum bodies_place);

/* Whether what lies in that directory can be given a name in all places: they
 * must share its file system, and the mount. path is for the log. 1; 0, -1
 * (both logged). */
int bodies_share_disk(const struct bodies *, int dir, const char *path);

/* Bytes that an ordinary user may still write on the file system of a place
 * that is there; -1. */
int64_t bodies_free_space(struct bodies *, enum bodies_place);

/* ---- bodies at rest ---- */

/* "ab/abcdef…", with its NUL */
#define BODIES_PATH_MAX (BODIES_SHARD_LEN + 1 + TOKEN_LEN + 1)

/* Writes where the body of a valid token lies in either place. Returns path. */
char *bodies_path(const char token[TOKEN_LEN + 1], char path[BODIES_PATH_MAX]);

/* Opens a published body for reading, our own directory being looked into
 * first: what is public the web server has mostly served. 1 and *fd (the caller
 * closes) and *size in bytes; 0 there is none; -1. */
int bodies_read(
    struct bodies *, const char token[TOKEN_LEN + 1], int *fd, int64_t *size);

/* Looks for a body in the same order without opening it. 1 and where it is and
 * its size in bytes; 0 there is none; -1. */
int bodies_find(struct bodies *, const char token[TOKEN_LEN + 1],
    enum bodies_place *, int64_t *size);

/* Removes a body's name wherever it is. 1 removed, 0 there was none, -1. */
int bodies_remove(struct bodies *, const char token[TOKEN_LEN + 1]);

/* Takes a body out of the public directory, so that only this program can
 * serve it any more: into our own or, where that is on another file system,
 * away. Not made durable. 1 taken, 0 it was not there, -1. */
int bodies_withdraw(struct bodies *, const char token[TOKEN_LEN + 1]);

/* Makes the removals in the shard of this token durable. 1 or -1. */
int bodies_settle(struct bodies *, const char token[TOKEN_LEN + 1]);

/* Makes all removals durable, with whatever else has been written to those file
 * systems: for thousands, all over the shards. 1 or -1. */
int bodies_settle_all(struct bodies *);

/* Removes what crashes left in incoming/: files last written before this
 * point in time. The number removed, or -1. */
int bodies_sweep(struct bodies *, int64_t before);

/* One file found by bodies_each. token is NULL when the name is none: such a
 * file is foreign. */
typedef void bodies_file_fn(void *arg, const char *path, const char *token,
    int64_t size, int64_t changed_at);

/* Calls found for every file in the shards. The number of files, or -1. */
int64_t bodies_each(struct bodies *, bodies_file_fn *found, void *arg);

#endif
