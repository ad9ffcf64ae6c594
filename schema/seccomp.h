/*
 * seccomp: system calls that none of the programs makes are refused, so that
 * a defect of the kernel in one of them is out of reach. See seccomp(2).
 */
#ifndef SCHEMA_SECCOMP_H
#define SCHEMA_SECCOMP_H

#include <stdbool.h>

/*
 * The process must have given up new privileges (PR_SET_NO_NEW_PRIVS).
 * network: sockets of other families than UNIX may be made.
 * 1 the wall stands; 0 it does not: *why not, and errno.
 */
int seccomp_raise(bool network, const char **why);

#endif
