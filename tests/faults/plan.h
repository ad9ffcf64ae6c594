/*
 * What shall go wrong, and when: faults.so is preloaded (LD_PRELOAD) into a
 * program under test and steered by its environment.
 *
 *	FAULTS_KILL=N      SIGKILL in place of the N-th call that counts
 *	FAULTS_TEAR=1      ... after it has written half, if it writes
 *	FAULTS_FAIL=N      the N-th call that counts fails
 *	FAULTS_TIMES=N     ... and that many in all (all that follow)
 *	FAULTS_ERRNO=N     ... with this errno (28, ENOSPC)
 *	FAULTS_CALLS=A,B   only calls of these names count (all of calls.c)
 *	FAULTS_PATH=TEXT   only calls on a path with this in it count
 *	FAULTS_END=TEXT    only calls on a path that ends with this count
 *	FAULTS_SWITCH=FILE calls count only while this file is not empty
 *	FAULTS_TRACE=FILE  every call is appended to FILE: see record.h
 *	FAULTS_CLOCK=FILE  the time of day is off by the seconds in FILE
 *	FAULTS_NAMED=1     the file system has no O_TMPFILE
 *
 * The first call is number 1. Calls on SQLite's -shm do not count. What a
 * program or a library of its own changes through glibc's stdio is neither seen
 * nor counted.
 */
#ifndef TESTS_FAULTS_PLAN_H
#define TESTS_FAULTS_PLAN_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A call that changes something. */
struct call {
	const char *name;
	int fd;               /* what is written or synced; -1: a path */
	char path[PATH_MAX];  /* of what is changed, absolute */
	char other[PATH_MAX]; /* link, rename: what gets that name; or "" */
	const void *data;     /* what is written, or NULL */
	size_t len;
	off_t offset; /* where in the file; -1: not a file; see record.h */
};

/* Counts the call. True: it must fail, and errno is set. It does not return
 * where the plan says kill. */
bool plan_fails(const struct call *);

/* Whether O_TMPFILE is to be refused. */
bool plan_is_named(void);

/* A descriptor of the file of FAULTS_TRACE or FAULTS_CLOCK, or -1. */
int plan_trace(void);
int plan_clock(void);

#endif
