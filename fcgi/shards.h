/*
 * The directories in which bodies lie: how they are named, made and walked.
 * Only fcgi/tree.c and fcgi/bodies.c use them; the files are their business.
 *
 * Functions that return a descriptor return -1 with errno and log nothing.
 */
#ifndef FCGI_SHARDS_H
#define FCGI_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "fcgi/bodies.h"
#include "schema/token.h"

#define SHARDS_COUNT (32 * 32)
/* "ab/abcdef…", with its NUL */
#define SHARDS_PATH_MAX (BODIES_SHARD_LEN + 1 + TOKEN_LEN + 1)

/* Opens the directory of all, making it durably where only it is missing. */
int shards_open_root(const char *path);

/* Opens the directory of that name below root. With make it is made, mode
 * 02770, where it is missing; its name is not yet durable then. */
int shards_open_directory(int root, const char *name, bool make);

/* The same for the shard of a valid token. */
int shards_open(int root, const char token[TOKEN_LEN + 1], bool make);

/* The position of a valid token's shard among all, below SHARDS_COUNT. */
size_t shards_index(const char token[TOKEN_LEN + 1]);

/* Writes the path of a valid token's file, relative to root. Returns path. */
char *shards_path(const char token[TOKEN_LEN + 1], char path[SHARDS_PATH_MAX]);

/* Whether a directory's name is that of a shard. */
bool shards_is_name(const char *name);

/* fsync, begun again when a signal interrupted it. 0; -1 with errno. */
int shards_sync(int fd);

/* What shards_walk found: name lies in the open directory dir. 1 counted, 0
 * not, -1 broken (logged): the walk ends. */
typedef int
shards_entry_fn(void *arg, int dir, const char *name, const struct stat *);

/* Calls visit for all that lies in the directory, which it closes, but for
 * names that begin with a dot. The sum of what visit returned; -1 (logged). */
int64_t shards_walk(int dir, shards_entry_fn *visit, void *arg);

#endif
