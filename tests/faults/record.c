#include "tests/faults/record.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/faults/plan.h"

static unsigned long
inode_of(const struct call *call)
{
	struct stat st;
	int rc = call->fd >= 0 ? fstat(call->fd, &st) : lstat(call->path, &st);

	return rc == 0 ? st.st_ino : 0;
}

off_t
record_end(void)
{
	struct stat st;
	int file = plan_trace();

	return file != -1 && fstat(file, &st) == 0 ? st.st_size : -1;
}

void
record_call(const struct call *call, long result)
{
	static char newline[] = "\n";
	char line[2 * PATH_MAX + 256];
	size_t len = result > 0 && call->data ? (size_t)result : 0;
	int file = plan_trace();
	int saved = errno;
	int n;

	if (file == -1)
		return;
	n = snprintf(line, sizeof(line), "%d\t%s\t%ld\t%lu\t%ld\t%zu\t%s\t%s\n",
	    getpid(), call->name, result, inode_of(call), (long)call->offset,
	    len, call->path, call->other);
	if (n > 0) {
		const struct iovec parts[] = {
		    {line, (size_t)n},
		    {(void *)(size_t)call->data, len},
		    {newline, 1},
		};
		syscall(SYS_writev, file, parts, 3);
	}
	errno = saved;
}
