/*
 * A temporary directory for the targets that need a store: made once for a
 * process, and removed when it ends.
 */
#ifndef TESTS_FUZZ_DIRECTORY_H
#define TESTS_FUZZ_DIRECTORY_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

static char directory_path[200];

static inline int
directory_remove_entry(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static inline void
directory_remove(void)
{
	nftw(directory_path, directory_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void
directory_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(directory_path, sizeof(directory_path),
	    "%s/putslot-fuzz.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	FUZZ_CLAIM(mkdtemp(directory_path) != NULL);
	FUZZ_CLAIM(atexit(directory_remove) == 0);
}

#endif
