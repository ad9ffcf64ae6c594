/*
 * A temporary directory for the targets that need a store: made once for a
 * process, and removed when it ends.
 */
#ifndef TESTS_FUZZ_DIRECTORY_H
#define TESTS_FUZZ_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/temporary.h"

static char directory_path[200];

static inline void
directory_remove(void)
{
	temporary_remove(directory_path);
}

static inline void
directory_make(void)
{
	FUZZ_CLAIM(temporary_make(directory_path, sizeof(directory_path)));
	FUZZ_CLAIM(atexit(directory_remove) == 0);
}

#endif
