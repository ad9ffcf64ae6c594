#include "tests/faults/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OUT_OF_THE_WAY 400 /* below every usual limit */

static struct {
	long kill, fail, times;
	int error;
	bool tear, named;
	const char *calls, *path, *end;
	int on, trace, clock; /* descriptors, or -1 */
} plan = {.on = -1, .trace = -1, .clock = -1};

static atomic_long counted;

static long
number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : otherwise;
}

/* Opened at the start, as the program may later wall itself in, and out of the
 * way of the numbers that it counts on. */
static int
open_early(const char *name, int flags)
{
	const char *path = getenv(name);
	long low, high;

	if (!path)
		return -1;
	low = syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
	high = fcntl((int)low, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	if (high == -1) {
		perror(path);
		abort();
	}
	close((int)low);
	return (int)high;
}

__attribute__((constructor)) static void
read_environment(void)
{
	plan.kill = number("FAULTS_KILL", 0);
	plan.fail = number("FAULTS_FAIL", 0);
	plan.times = number("FAULTS_TIMES", LONG_MAX);
	plan.error = (int)number("FAULTS_ERRNO", ENOSPC);
	plan.tear = getenv("FAULTS_TEAR") != NULL;
	plan.named = getenv("FAULTS_NAMED") != NULL;
	plan.calls = getenv("FAULTS_CALLS");
	plan.path = getenv("FAULTS_PATH");
	plan.end = getenv("FAULTS_END");
	plan.on = open_early("FAULTS_SWITCH", O_RDONLY);
	plan.trace = open_early("FAULTS_TRACE", O_WRONLY | O_APPEND);
	plan.clock = open_early("FAULTS_CLOCK", O_RDONLY);
}

/* Whether name is one of the words between commas. */
static bool
is_among(const char *name, const char *words)
{
	size_t len = strlen(name);

	for (const char *word = words; word; word = strchr(word, ',')) {
		word += *word == ',';
		if (strncmp(word, name, len) == 0 &&
		    (word[len] == ',' || word[len] == '\0'))
			return true;
	}
	return false;
}

static bool
ends_with(const char *path, const char *end)
{
	size_t len = strlen(path);

	return len >= strlen(end) && strcmp(path + len - strlen(end), end) == 0;
}

/* SQLite's -shm is memory that happens to have a name. */
static bool
counts(const struct call *call)
{
	char byte;

	if (plan.on != -1 &&
	    syscall(SYS_pread64, plan.on, &byte, (size_t)1, 0L) != 1)
		return false;
	return !ends_with(call->path, "-shm") &&
	       (!plan.calls || is_among(call->name, plan.calls)) &&
	       (!plan.path || strstr(call->path, plan.path)) &&
	       (!plan.end || ends_with(call->path, plan.end));
}

static void
tear(const struct call *call)
{
	if (!call->data)
		return;
	if (call->offset < 0)
		syscall(SYS_write, call->fd, call->data, call->len / 2);
	else
		syscall(SYS_pwrite64, call->fd, call->data, call->len / 2,
		    call->offset);
}

bool
plan_fails(const struct call *call)
{
	long number;

	if (!counts(call))
		return false;
	number = atomic_fetch_add(&counted, 1) + 1;
	if (number == plan.kill) {
		if (plan.tear)
			tear(call);
		for (;;)
			kill(getpid(), SIGKILL);
	}
	if (plan.fail == 0 || number < plan.fail ||
	    number - plan.fail >= plan.times)
		return false;
	errno = plan.error;
	return true;
}

bool
plan_is_named(void)
{
	return plan.named;
}

int
plan_trace(void)
{
	return plan.trace;
}

int
plan_clock(void)
{
	return plan.clock;
}
