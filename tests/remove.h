/*
 * How tests clear away what they made.
 */
#ifndef TESTS_REMOVE_H
#define TESTS_REMOVE_H

#include <ftw.h>
#include <stdio.h>

static inline int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Removes a directory and all that is below it; links, not what they lead to.
 */
static inline void
remove_tree(const char *path)
{
	nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
