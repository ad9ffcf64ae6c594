/*
 * How much room the bodies' disk has, where the component can see it: it may
 * run on another machine's view of the disk, or without leave to look.
 */
#ifndef COMPONENT_DISK_H
#define COMPONENT_DISK_H

#include <stdint.h>

/* Whether, with size bytes more, min_free bytes stay free on the file system
 * of path. 1 yes; 0 no; -1 it cannot be seen (not logged: errno says why). */
int disk_has_room(const char *path, int64_t size, int64_t min_free);

#endif
