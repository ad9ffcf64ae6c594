/*
 * Walls: what a program gives up once it has opened what it needs, so that a
 * defect in it is of less use to whoever finds one. Two of them: Landlock
 * (which files and ports can be reached) and seccomp (which system calls
 * there are). Neither needs root or a service manager. docs/security.md says
 * what they stop.
 */
#ifndef SCHEMA_WALLS_H
#define SCHEMA_WALLS_H

#include <stdbool.h>
#include <stdint.h>

struct config;

/* What stays possible. Paths may be NULL: nothing there. */
struct walls {
	const char *database; /* the file; its directory, too, for side files */
	const char *bodies;   /* directory */
	const char *public;   /* directory, of the same use */
	const char *incoming; /* directory from which files go to those */
	const char *socket;   /* a file that is removed at the end; others in
				 its directory can be, too */
	int64_t port;         /* to connect to by TCP; 0: no network at all */
	bool resolves;        /* needs files of the system to find addresses,
				 and DNS by TCP */
	bool daemon;          /* says at the level "info" what stands, once;
				 others at "debug", or they would each time */
};

/*
 * Raises the walls that the configuration wants and the kernel has, around
 * this process for good. Call it before there are threads, when database and
 * bodies exist. What does not stand is said, and the program goes on: it is
 * safe without, as safe as its code is.
 */
void walls_raise(const struct config *, const struct walls *);

#endif
