/*
 * Which file systems are shared between machines. SQLite's WAL needs memory
 * shared by everyone who has the database open, and locks that hold: on a
 * network file system two hosts overwrite each other's commits in silence.
 */
#ifndef SCHEMA_NETWORK_FS_H
#define SCHEMA_NETWORK_FS_H

#include <stdint.h>

/* Judges a file system by statfs(2)'s f_type, cut to 32 bits.
 * 1 a network file system, 0 local as far as one can tell, -1 FUSE: may be
 * anything. *name is its name for people, NULL when local. */
int network_fs_judge(uint32_t f_type, const char **name);

#endif
