/*
 * A disk without room, as far as this process is concerned: its files do not
 * grow beyond a size. A write that would gives EFBIG, after a short one, which
 * stands for ENOSPC. Nothing can be asserted meanwhile: the report of a failure
 * is written to a file, too.
 */
#ifndef TESTS_FULL_DISK_H
#define TESTS_FULL_DISK_H

#include <check.h>
#include <signal.h>
#include <sys/resource.h>

static inline void
full_disk_set(rlim_t bytes)
{
	const struct rlimit limit = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* bytes: the size beyond which no file grows. */
static inline void
full_disk_begin(rlim_t bytes)
{
	full_disk_set(bytes);
}

static inline void
full_disk_end(void)
{
	full_disk_set(RLIM_INFINITY);
}

#endif
