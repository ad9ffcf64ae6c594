/*
 * How much room the bodies' disk has, where the component can see it: it may
 * run on another machine's view of the disk, or without leave to look.
 */
#ifndef COMPONENT_DISK_H
#define COMPONENT_DISK_H

#include <stdint.h>

/* How many bytes more the file system of path takes while min_free bytes stay
 * free: 0 if fewer are free already. -1 it cannot be seen (not logged: errno
 * says why). */
int64_t disk_room(const char *path, int64_t min_free);

#endif
