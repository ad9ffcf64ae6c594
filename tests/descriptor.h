/*
 * What an open descriptor stands for: for tests that stand in the way of calls.
 */
#ifndef TESTS_DESCRIPTOR_H
#define TESTS_DESCRIPTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Its path; "pipe:[1]" and the like for what has none, "" for what is not open.
 */
static inline void
descriptor_path(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX - 1);
	path[len > 0 ? len : 0] = '\0';
}

/* Whether it is the WAL of a database. */
static inline bool
descriptor_is_wal(int fd)
{
	char path[PATH_MAX];
	size_t len;

	descriptor_path(fd, path);
	len = strlen(path);
	return len > 4 && strcmp(path + len - 4, "-wal") == 0;
}

#endif
