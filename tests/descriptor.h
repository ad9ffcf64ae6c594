/*
 * What open descriptors stand for: for tests that stand in the way of calls,
 * and for those that look for what was left open.
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

static inline bool
descriptor_ends_with(int fd, const char *ending)
{
	char path[PATH_MAX];
	size_t len;

	descriptor_path(fd, path);
	len = strlen(path);
	return len > strlen(ending) &&
	       strcmp(path + len - strlen(ending), ending) == 0;
}

/* Whether it is the WAL of a database. */
static inline bool
descriptor_is_wal(int fd)
{
	return descriptor_ends_with(fd, "-wal");
}

/* How many are open, of the first thousand. */
static inline int
descriptor_count(void)
{
	char path[PATH_MAX];
	int count = 0;

	for (int fd = 0; fd < 1000; fd++) {
		descriptor_path(fd, path);
		count += path[0] != '\0';
	}
	return count;
}

#endif
