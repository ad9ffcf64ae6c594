/*
 * The trace of a program's calls, several programs one after the other in one
 * file. A record is a line of fields between tabs, the bytes that were written,
 * and a newline:
 *
 *	PID NAME RESULT INODE OFFSET LENGTH PATH OTHER
 *
 * INODE is that of what was written, synced or made (0: unknown). OFFSET is -1
 * where it is no regular file; of a sync it is how long the trace was when the
 * sync began: with several threads, of what was recorded after that it may have
 * done nothing. LENGTH is how many bytes follow the line.
 */
#ifndef TESTS_FAULTS_RECORD_H
#define TESTS_FAULTS_RECORD_H

#include <sys/types.h>

struct call;

/* The length of the trace; -1: there is none. */
off_t record_end(void);

/* Appends the call, which has ended with that result. Leaves errno alone. */
void record_call(const struct call *, long result);

#endif
