/*
 * Landlock, Linux's way for a process to keep itself from files: everything
 * is out of reach but what struct walls names, and /dev/urandom, from which
 * SQLite takes its random numbers. See landlock(7).
 */
#ifndef SCHEMA_LANDLOCK_H
#define SCHEMA_LANDLOCK_H

struct walls;

/*
 * The process must have given up new privileges (PR_SET_NO_NEW_PRIVS).
 * Returns the version of Landlock's ABI by which the wall stands, at least 2;
 * or 0 and *why not, a text without the reason that errno has (0: none).
 */
int landlock_raise(const struct walls *, const char **why);

#endif
