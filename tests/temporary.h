/*
 * Directories that tests make for themselves, and clear away.
 */
#ifndef TESTS_TEMPORARY_H
#define TESTS_TEMPORARY_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Where they lie: $TMPDIR, or /tmp. */
static inline const char *
temporary_base(void)
{
	const char *base = getenv("TMPDIR");

	return base != NULL && *base != '\0' ? base : "/tmp";
}

/* Makes an empty one, and writes its path. False: it could not be made. */
static inline bool
temporary_make(char *path, size_t size)
{
	int len =
	    snprintf(path, size, "%s/putslot-test.XXXXXX", temporary_base());

	return len > 0 && (size_t)len < size && mkdtemp(path) != NULL;
}

static inline int
temporary_remove_entry(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Removes a directory and all that is below it; links, not what they lead to.
 */
static inline void
temporary_remove(const char *path)
{
	nftw(path, temporary_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
