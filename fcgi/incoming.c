#include "fcgi/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/shards.h"
#include "schema/log.h"

/* nginx's own mode: what lies there is nobody's business yet. The group is
 * that of the directory around, if that has the set-group-ID bit. */
#define DIRECTORY_MODE 0700
#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
/* O_NONBLOCK: to open a FIFO must not wait. */
#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

struct incoming {
	int dir;
	char *path; /* without a slash at its end */
};

static int
broken(const struct incoming *in, const char *what)
{
	log_error("%s: cannot %s: %s", in->path, what, strerror(errno));
	return -1;
}

/* ---- the directory ---- */

static void
drop_last_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

static int
open_directory(struct incoming *in)
{
	/* here a symbolic link is the administrator's choice */
	if (mkdir(in->path, DIRECTORY_MODE) == -1 && errno != EEXIST)
		return broken(in, "make the directory");
	in->dir = open(in->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return in->dir == -1 ? broken(in, "open the directory") : 1;
}

int
incoming_open(
    const char *path, const struct bodies *bodies, struct incoming **out)
{
	struct incoming *in = calloc(1, sizeof(*in));

	*out = NULL;
	if (in != NULL)
		in->dir = -1;
	if (in == NULL || (in->path = strdup(path)) == NULL) {
		log_error("%s: out of memory", path);
		incoming_close(in);
		return -1;
	}
	drop_last_slashes(in->path);
	if (open_directory(in) == -1 ||
	    bodies_share_disk(bodies, in->dir, in->path) != 1) {
		incoming_close(in);
		return -1;
	}
	*out = in;
	return 1;
}

void
incoming_close(struct incoming *in)
{
	if (in == NULL)
		return;
	if (in->dir >= 0)
		close(in->dir);
	free(in->path);
	free(in);
}

/* ---- a file ---- */

static bool
is_number(const char *name, size_t len)
{
	return len > 0 && len <= TOKEN_LEN && strspn(name, "0123456789") >= len;
}

/* The part of the path below the directory; NULL when it is not below. */
static const char *
below(const struct incoming *in, const char *path)
{
	size_t len = strlen(in->path);

	if (strncmp(path, in->path, len) != 0 || path[len] != '/')
		return NULL;
	return path + len + 1;
}

/* Takes apart "7/0000000017" or "0000000017": level is "" for the latter.
 * Digits alone can lead nowhere else. */
static bool
split(const char *rest, char level[2], char name[TOKEN_LEN + 1])
{
	level[0] = level[1] = '\0';
	if (is_number(rest, 1) && rest[1] == '/') {
		level[0] = rest[0];
		rest += 2;
	}
	if (!is_number(rest, strlen(rest)))
		return false;
	memcpy(name, rest, strlen(rest) + 1);
	return true;
}

static int
refuse(const char *path, const char *why)
{
	log_error("%s: not taken over from the web server: %s", path, why);
	return 0;
}

/* Opens both. 1; 0 with errno. */
static int
open_file(
    const struct incoming *in, const char *level, struct incoming_file *file)
{
	file->dir = openat(in->dir, level[0] ? level : ".", DIRECTORY_FLAGS);
	if (file->dir == -1)
		return 0;
	file->fd = openat(file->dir, file->name, FILE_FLAGS);
	return file->fd != -1;
}

static int
judge_file(const char *path, struct incoming_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st) == -1) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode))
		return refuse(path, "no regular file");
	if (st.st_nlink != 1)
		return refuse(path, "it has other names, too");
	if (st.st_uid != geteuid())
		return refuse(
		    path, "not of the user that this program runs as");
	file->size = st.st_size;
	return 1;
}

int
incoming_take(
    const struct incoming *in, const char *path, struct incoming_file *file)
{
	const char *rest = below(in, path);
	char level[2];
	int rc;

	*file = (struct incoming_file){.dir = -1, .fd = -1};
	if (rest == NULL || !split(rest, level, file->name))
		return refuse(path, "not where files of \"incoming\" lie");
	if (open_file(in, level, file) == 0)
		rc = refuse(path, strerror(errno));
	else
		rc = judge_file(path, file);
	if (rc != 1)
		incoming_end(file);
	return rc;
}

void
incoming_end(struct incoming_file *file)
{
	if (file->dir >= 0)
		close(file->dir);
	if (file->fd >= 0)
		close(file->fd);
	file->dir = file->fd = -1;
}

/* ---- what crashes left ---- */

struct sweep {
	const struct incoming *incoming;
	int64_t before;
	bool inside; /* one of the sub-directories */
};

static int
sweep_entry(void *arg, int dir, const char *name, const struct stat *st)
{
	struct sweep *sweep = arg;
	struct sweep deeper = {sweep->incoming, sweep->before, true};
	int fd;

	if (!is_number(name, strlen(name)))
		return 0;
	if (S_ISDIR(st->st_mode) && !sweep->inside) {
		fd = openat(dir, name, DIRECTORY_FLAGS);
		if (fd == -1)
			return broken(sweep->incoming, "open a directory");
		return (int)shards_walk(fd, sweep_entry, &deeper);
	}
	if (!S_ISREG(st->st_mode) || st->st_mtime >= sweep->before)
		return 0;
	if (unlinkat(dir, name, 0) == 0)
		return 1;
	return errno == ENOENT ? 0
			       : broken(sweep->incoming, "remove a leftover");
}

int
incoming_sweep(const struct incoming *in, int64_t before)
{
	struct sweep sweep = {.incoming = in, .before = before};
	/* a descriptor of its own: reading a directory moves its position */
	int fd = openat(in->dir, ".", DIRECTORY_FLAGS);
	int64_t removed;

	if (fd == -1)
		return broken(in, "open the directory");
	removed = shards_walk(fd, sweep_entry, &sweep);
	return removed > INT_MAX ? INT_MAX : (int)removed;
}
