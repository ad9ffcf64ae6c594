#include "component/disk.h"

#include <sys/statvfs.h>

int64_t
disk_room(const char *path, int64_t min_free)
{
	struct statvfs fs;
	int64_t free_bytes;

	if (statvfs(path, &fs) != 0)
		return -1;
	/* What an unprivileged process may use; a file system that counts
	 * beyond 63 bits is not full. */
	if (__builtin_mul_overflow(fs.f_bavail, fs.f_frsize, &free_bytes))
		free_bytes = INT64_MAX;
	return free_bytes > min_free ? free_bytes - min_free : 0;
}
