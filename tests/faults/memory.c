/*
 * Memory that runs out: memory.so is preloaded and steered by
 *
 *	MEMORY_FAIL=N    the N-th allocation fails
 *	MEMORY_TIMES=N   ... and that many in all (all that follow)
 *	MEMORY_SKIP=A,B  allocations by objects whose path has one of these in
 *	                 it neither count nor fail (none)
 *	MEMORY_SWITCH=F  allocations count only while this file is not empty
 *	MEMORY_COUNT=F   at its end the program writes to F how many there were
 *
 * A library of its own: what replaces malloc is best not there where nobody
 * asked for it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_OF_THE_WAY 401 /* below every usual limit */

/* glibc's own, under the names that it exports besides. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static long fail, times;
static const char *skip;
static int switch_file = -1, count_file = -1;
static atomic_long counted;
static atomic_bool ready;

/* At the start, as the program may later wall itself in, and out of the way of
 * the numbers that it counts on. */
static int
open_early(const char *path, int flags)
{
	int low, high;

	if (!path)
		return -1;
	low = open(path, flags | O_CLOEXEC);
	high = fcntl(low, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	if (high == -1) {
		perror(path);
		abort();
	}
	close(low);
	return high;
}

__attribute__((constructor)) static void
read_environment(void)
{
	const char *first = getenv("MEMORY_FAIL");
	const char *many = getenv("MEMORY_TIMES");

	fail = first ? strtol(first, NULL, 10) : 0;
	times = many ? strtol(many, NULL, 10) : LONG_MAX;
	skip = getenv("MEMORY_SKIP");
	switch_file = open_early(getenv("MEMORY_SWITCH"), O_RDONLY);
	count_file = open_early(getenv("MEMORY_COUNT"), O_WRONLY);
	atomic_store(&ready, true);
}

__attribute__((destructor)) static void
tell_count(void)
{
	char text[32];
	int len;

	atomic_store(&ready, false);
	if (count_file == -1)
		return;
	len = snprintf(text, sizeof(text), "%ld\n", atomic_load(&counted));
	if (pwrite(count_file, text, (size_t)len, 0) == -1)
		perror("MEMORY_COUNT");
}

/* Whether the object that called is to be spared. */
static bool
is_skipped(const void *caller)
{
	char word[64];
	Dl_info info;

	if (!skip || !dladdr(caller, &info) || !info.dli_fname)
		return false;
	for (const char *at = skip; *at; at += strcspn(at, ",")) {
		at += *at == ',';
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, ","), at);
		if (strstr(info.dli_fname, word))
			return true;
	}
	return false;
}

static bool
is_off(void)
{
	char byte;

	return !atomic_load(&ready) ||
	       (switch_file != -1 && pread(switch_file, &byte, 1, 0) != 1);
}

static bool
fails(const void *caller)
{
	long number;

	if (is_off() || is_skipped(caller))
		return false;
	number = atomic_fetch_add(&counted, 1) + 1;
	if (fail == 0 || number < fail || number - fail >= times)
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	if (fails(__builtin_return_address(0)))
		return NULL;
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	if (fails(__builtin_return_address(0)))
		return NULL;
	return __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	if (fails(__builtin_return_address(0)))
		return NULL;
	return __libc_realloc(old, size);
}
