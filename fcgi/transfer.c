#include "fcgi/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum transfer
transfer_from(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return TRANSFER_NONE;
	if (S_ISREG(st.st_mode))
		return TRANSFER_FILE;
	return S_ISFIFO(st.st_mode) ? TRANSFER_PIPE : TRANSFER_NONE;
}

static ssize_t
move(enum transfer how, int from, int to, size_t max)
{
	switch (how) {
	case TRANSFER_FILE:
		return copy_file_range(from, NULL, to, NULL, max, 0);
	case TRANSFER_PIPE:
		return splice(from, NULL, to, NULL, max, SPLICE_F_MOVE);
	default:
		errno = EOPNOTSUPP;
		return -1;
	}
}

ssize_t
transfer_some(enum transfer how, int from, int to, size_t max)
{
	ssize_t n;

	do
		n = move(how, from, to, max);
	while (n == -1 && errno == EINTR);
	/* EXDEV before Linux 5.3 and between kinds of file systems; EBADF and
	 * EINVAL where a descriptor is not of the kind it has to be; EPERM by
	 * a filter that does not know the call */
	if (n == -1 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
			   errno == EBADF || errno == EPERM))
		errno = EOPNOTSUPP;
	return n;
}
