#include "schema/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "schema/walls.h"

#define BIT(n) (UINT64_C(1) << (n))

/* Of later kernels than Debian 12's headers know. */
#define FS_TRUNCATE BIT(14)
#define NET_CONNECT_TCP BIT(1)
#define RULE_NET_PORT 2

#define DNS_PORT 53

struct ruleset {
	uint64_t files;
	uint64_t network;
	uint64_t scopes;
};

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

/* ABI 1 lets no file be linked into another directory, which bodies need
 * where there are no nameless files. */
#define ABI_LEAST 2

/* What is forbidden unless a rule allows it: all that the ABI knows. A row
 * counts from its ABI on. */
static const struct {
	int abi;
	struct ruleset forbidden;
} versions[] = {
    {2, {.files = BIT(14) - 1}},                /* up to REFER */
    {3, {.files = FS_TRUNCATE}},                /* */
    {4, {.network = BIT(0) | NET_CONNECT_TCP}}, /* bind, connect */
    {5, {.files = BIT(15)}},                    /* ioctl of devices */
    {6, {.scopes = BIT(1)}},                    /* signals to others */
};

/* SQLite opens the directory, too, to sync it. */
#define DATABASE_RIGHTS                                               \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE |             \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define BODIES_RIGHTS                                                      \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |      \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |  \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_REFER)
#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static struct ruleset
forbidden_by(int abi)
{
	struct ruleset all = {0};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (versions[i].abi > abi)
			break;
		all.files |= versions[i].forbidden.files;
		all.network |= versions[i].forbidden.network;
		all.scopes |= versions[i].forbidden.scopes;
	}
	return all;
}

/* Allows rights below path; nothing is to be allowed where nothing is. */
static int
allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	long rc;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT ? 0 : -1;
	rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
	    &rule, 0);
	close(rule.parent_fd);
	return rc == 0 ? 0 : -1;
}

/* Allows rights in the directory that a file lies in: that of the file itself,
 * not of a link to it, since SQLite has its side files there. */
static int
allow_around(int ruleset, const char *file, uint64_t rights)
{
	char path[PATH_MAX];

	if (realpath(file, path) == NULL)
		return -1;
	return allow(ruleset, dirname(path), rights);
}

static int
allow_port(int ruleset, int64_t port)
{
	const struct port_rule rule = {NET_CONNECT_TCP, (uint64_t)port};

	return syscall(
		   SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0
		   ? 0
		   : -1;
}

/* 0; -1 with errno. */
static int
allow_all(int ruleset, const struct walls *w, const struct ruleset *forbidden)
{
	const uint64_t known = forbidden->files;
	int rc = 0;

	if (w->database != NULL)
		rc =
		    allow_around(ruleset, w->database, DATABASE_RIGHTS & known);
	if (rc == 0 && w->bodies != NULL)
		rc = allow(ruleset, w->bodies, BODIES_RIGHTS & known);
	if (rc == 0 && w->public != NULL)
		rc = allow(ruleset, w->public, BODIES_RIGHTS & known);
	/* What moves must gain no rights by it (REFER). */
	if (rc == 0 && w->incoming != NULL)
		rc = allow(ruleset, w->incoming, BODIES_RIGHTS & known);
	if (rc == 0 && w->socket != NULL)
		rc = allow_around(
		    ruleset, w->socket, LANDLOCK_ACCESS_FS_REMOVE_FILE);
	/* for SQLite, which would make do with the time */
	if (rc == 0)
		rc = allow(
		    ruleset, "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE);
	/* which files a resolver reads, and where they move to when the
	 * network changes, is not ours to know */
	if (rc == 0 && w->resolves)
		rc = allow(ruleset, "/", READ_RIGHTS);
	if (rc == 0 && w->port > 0 && forbidden->network != 0)
		rc = allow_port(ruleset, w->port);
	if (rc == 0 && w->resolves && forbidden->network != 0)
		rc = allow_port(ruleset, DNS_PORT); /* of long answers */
	return rc;
}

int
landlock_raise(const struct walls *walls, const char **why)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset forbidden = forbidden_by((int)abi);
	int ruleset = -1;

	*why = "the kernel has none";
	if (abi < 1)
		return 0;
	errno = 0;
	*why = "the kernel's is of ABI 1, which is too strict";
	if (abi < ABI_LEAST)
		return 0;
	*why = "it cannot be raised";
	/* fields that the kernel does not know are 0, and so do no harm */
	ruleset = (int)syscall(
	    SYS_landlock_create_ruleset, &forbidden, sizeof(forbidden), 0);
	if (ruleset == -1)
		return 0;
	if (allow_all(ruleset, walls, &forbidden) == -1 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
		abi = 0;
	close(ruleset);
	return (int)abi;
}
