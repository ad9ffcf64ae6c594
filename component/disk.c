#include "component/disk.h"

#include <sys/statvfs.h>

int
disk_has_room(const char *path, int64_t size, int64_t min_free)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (statvfs(path, &fs) != 0)
		return -1;
	/* What an unprivileged process may use; a file system that counts
	 * beyond 64 bits is not full. */
	if (__builtin_mul_overflow(
		(uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &free_bytes))
		return 1;
	return free_bytes >= (uint64_t)size &&
	       free_bytes - (uint64_t)size >= (uint64_t)min_free;
}
