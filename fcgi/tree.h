/*
 * One directory of bodies, with its shards. fcgi/bodies.c keeps one or two of
 * them: what is asked about a body goes there, and what comes through body.c.
 * Results are 1 yes, 0 no, -1 broken (logged here).
 */
#ifndef FCGI_TREE_H
#define FCGI_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgi/bodies.h"
#include "fcgi/shards.h"
#include "schema/token.h"

#define TREE_FILE_MODE 0640
#define TREE_INCOMING "incoming"

/* May be used by many threads at once. */
struct tree {
	int dir;
	char *path; /* for the log, and for people */
	dev_t dev;  /* the directory itself */
	ino_t ino;
	bool nameless; /* whether bodies in flight need no name */
	/* whether files get the mode that they are made with: a umask, or the
	 * default in an ACL, may take of it */
	bool exact_modes;
	/* Whether this process has made the shard's own name durable. Another
	 * process may have made the directory without having come to its fsync,
	 * so finding it there is not enough. */
	atomic_bool settled[SHARDS_COUNT];
};

/* Opens (and makes, if its parent exists) the directory. 1; -1, *out NULL. */
int tree_open(const char *path, enum bodies_in_flight, struct tree **out);
void tree_close(struct tree *); /* accepts NULL */

/* "/proc/self/fd/" and a number */
#define TREE_FD_PATH_MAX 40

/* Writes the path under which an open file that has no name can be given one.
 * Returns path. */
char *tree_fd_path(int fd, char path[TREE_FD_PATH_MAX]);

/* Says in the log what errno is about. -1. */
int tree_broken(const struct tree *, const char *what);

/* 0 when errno says that there is no room; any other error is -1, logged. */
int tree_no_room(const struct tree *, const char *what);

/* Whether the directory that is open still has its name: another may have
 * taken its place, or a disk been mounted there, and what went into the old one
 * would be lost to every program that starts later. 1 or -1. */
int tree_check_place(const struct tree *);

/* Makes the name of the token's shard durable, once per process. 0; -1 with
 * errno, not logged. */
int tree_settle_shard(struct tree *, const char token[TOKEN_LEN + 1]);

/* Moves a body from one tree into the other, or removes it where they are on
 * different file systems. 1 moved, 0 it was not there, -1. */
int tree_move(const struct tree *from, const struct tree *to,
    const char token[TOKEN_LEN + 1]);

/* As the functions of fcgi/bodies.h that have the same names, in this tree
 * alone. */
int64_t tree_free_space(const struct tree *);
int tree_read(const struct tree *, const char token[TOKEN_LEN + 1], int *fd,
    int64_t *size);
int
tree_find(const struct tree *, const char token[TOKEN_LEN + 1], int64_t *size);
int tree_remove(const struct tree *, const char token[TOKEN_LEN + 1]);
int tree_settle(const struct tree *, const char token[TOKEN_LEN + 1]);
int tree_settle_all(const struct tree *);
int tree_sweep(const struct tree *, int64_t before);
int64_t tree_each(const struct tree *, bodies_file_fn *found, void *arg);

#endif
