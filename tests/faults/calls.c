/*
 * The calls that change something, in place of glibc's: each is shown to the
 * plan, made by the kernel's own number, and recorded. Linux on a machine of
 * 64 bits is assumed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/descriptor.h"
#include "tests/faults/plan.h"
#include "tests/faults/record.h"

/* ---- what a call is about ---- */

/* The absolute form of a name in a directory. */
static void
resolve(int dir, const char *name, char path[PATH_MAX])
{
	size_t len;
	int fd;

	if (strncmp(name, "/proc/self/fd/", 14) == 0) {
		fd = (int)strtol(name + 14, NULL, 10);
		descriptor_path(fd, path);
		return;
	}
	path[0] = '\0';
	if (name[0] != '/' && dir == AT_FDCWD && !getcwd(path, PATH_MAX))
		return;
	if (name[0] != '/' && dir != AT_FDCWD)
		descriptor_path(dir, path);
	len = strlen(path);
	snprintf(path + len, PATH_MAX - len, "%s%s", name[0] == '/' ? "" : "/",
	    name);
}

static void
of_descriptor(struct call *call, const char *name, int fd)
{
	call->name = name;
	call->fd = fd;
	descriptor_path(fd, call->path);
	call->other[0] = '\0';
	call->data = NULL;
	call->len = 0;
	call->offset = -1;
}

static void
of_path(struct call *call, const char *name, int dir, const char *path)
{
	call->name = name;
	call->fd = -1;
	resolve(dir, path, call->path);
	call->other[0] = '\0';
	call->data = NULL;
	call->len = 0;
	call->offset = -1;
}

static long
ended(const struct call *call, long result)
{
	record_call(call, result);
	return result;
}

/* ---- data ---- */

static bool
write_fails(
    struct call *call, const char *name, int fd, const void *data, size_t len)
{
	of_descriptor(call, name, fd);
	call->data = data;
	call->len = len;
	call->offset = lseek(fd, 0, SEEK_CUR);
	return plan_fails(call);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	struct call call;

	if (write_fails(&call, "write", fd, data, len))
		return -1;
	return ended(&call, syscall(SYS_write, fd, data, len));
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	struct call call;

	if (write_fails(&call, "send", fd, data, len))
		return -1;
	return ended(&call, syscall(SYS_sendto, fd, data, len, flags, NULL, 0));
}

/* A short write is a good one: the rest of the parts comes in the next. */
ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	return count > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : 0;
}

ssize_t
pwrite(int fd, const void *data, size_t len, off_t offset)
{
	struct call call;

	of_descriptor(&call, "pwrite", fd);
	call.data = data;
	call.len = len;
	call.offset = offset;
	if (plan_fails(&call))
		return -1;
	return ended(&call, syscall(SYS_pwrite64, fd, data, len, offset));
}

/* What the kernel moved to a file by itself is read back from it. A plan that
 * tears has nothing to write half of. */
static void
record_moved(struct call *call, long moved)
{
	char *data = NULL;

	if (moved > 0 && call->offset >= 0)
		data = malloc((size_t)moved);
	if (data && pread(call->fd, data, (size_t)moved, call->offset) == moved)
		call->data = data;
	record_call(call, moved);
	free(data);
}

static bool
move_fails(struct call *call, int out, const off64_t *at)
{
	of_descriptor(call, "write", out);
	call->offset = at ? *at : lseek(out, 0, SEEK_CUR);
	return plan_fails(call);
}

ssize_t
copy_file_range(
    int in, off64_t *from, int out, off64_t *to, size_t len, unsigned int flags)
{
	struct call call;
	long moved;

	if (move_fails(&call, out, to))
		return -1;
	moved = syscall(SYS_copy_file_range, in, from, out, to, len, flags);
	record_moved(&call, moved);
	return moved;
}

ssize_t
splice(
    int in, off64_t *from, int out, off64_t *to, size_t len, unsigned int flags)
{
	struct call call;
	long moved;

	if (move_fails(&call, out, to))
		return -1;
	moved = syscall(SYS_splice, in, from, out, to, len, flags);
	record_moved(&call, moved);
	return moved;
}

int
ftruncate(int fd, off_t length)
{
	struct call call;

	of_descriptor(&call, "ftruncate", fd);
	call.offset = length;
	if (plan_fails(&call))
		return -1;
	return (int)ended(&call, syscall(SYS_ftruncate, fd, length));
}

/* What is recorded while it runs may come too late for it. */
static int
sync_by(const char *name, long number, int fd)
{
	struct call call;

	of_descriptor(&call, name, fd);
	call.offset = record_end();
	if (plan_fails(&call))
		return -1;
	return (int)ended(&call, syscall(number, fd));
}

int
fsync(int fd)
{
	return sync_by("fsync", SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return sync_by("fdatasync", SYS_fdatasync, fd);
}

/* ---- names ---- */

static bool
is_nameless(int flags)
{
	return (flags & O_TMPFILE) == O_TMPFILE;
}

static bool
makes_file(int dir, const char *path, int flags)
{
	return is_nameless(flags) ||
	       ((flags & O_CREAT) &&
		   faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0);
}

static int
make_file(int dir, const char *path, int flags, mode_t mode)
{
	struct call call;

	of_path(&call, "create", dir, path);
	if (plan_fails(&call))
		return -1;
	call.fd = (int)syscall(SYS_openat, dir, path, flags, mode);
	if (call.fd >= 0)
		descriptor_path(call.fd, call.path);
	return (int)ended(&call, call.fd);
}

static int
open_at(int dir, const char *path, int flags, mode_t mode)
{
	if (is_nameless(flags) && plan_is_named()) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (makes_file(dir, path, flags))
		return make_file(dir, path, flags, mode);
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t
mode_in(int flags, va_list more)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_in(flags, more);
	va_end(more);
	return open_at(dir, path, flags, mode);
}

int
open(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_in(flags, more);
	va_end(more);
	return open_at(AT_FDCWD, path, flags, mode);
}

/* glibc's opens the file without our seeing it. */
int
mkstemp(char *path)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char *end = path + strlen(path) - 6;
	unsigned char random[6];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -1;
	for (int i = 0; i < 6; i++)
		end[i] = letters[random[i] % 32];
	return open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
	struct call call;

	of_path(&call, "mkdir", dir, path);
	if (plan_fails(&call))
		return -1;
	return (int)ended(&call, syscall(SYS_mkdirat, dir, path, mode));
}

int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int
linkat(int from_dir, const char *from, int dir, const char *path, int flags)
{
	struct call call;

	of_path(&call, "link", dir, path);
	resolve(from_dir, from, call.other);
	if (plan_fails(&call))
		return -1;
	return (int)ended(
	    &call, syscall(SYS_linkat, from_dir, from, dir, path, flags));
}

int
link(const char *from, const char *path)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, path, 0);
}

int
unlinkat(int dir, const char *path, int flags)
{
	struct call call;

	of_path(&call, "unlink", dir, path);
	if (plan_fails(&call))
		return -1;
	return (int)ended(&call, syscall(SYS_unlinkat, dir, path, flags));
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int
rename(const char *from, const char *path)
{
	struct call call;

	of_path(&call, "rename", AT_FDCWD, path);
	resolve(AT_FDCWD, from, call.other);
	if (plan_fails(&call))
		return -1;
	return (int)ended(
	    &call, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, path, 0));
}

/* ---- names for large files ---- */

/* On this machine all files are large: the same calls, by another name. */
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
int openat64(int dir, const char *path, int flags, ...)
    __attribute__((alias("openat")));
int mkstemp64(char *path) __attribute__((alias("mkstemp")));
ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
    __attribute__((alias("pwrite")));
int ftruncate64(int fd, off_t length) __attribute__((alias("ftruncate")));
