#include "fcgi/bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fcgi/shards.h"
#include "schema/log.h"

#define FILE_MODE 0640
#define INCOMING "incoming"

/* "/proc/self/fd/" and a number */
#define FD_PATH_MAX 40

struct bodies {
	int dir;
	char *path; /* for the log, and for people */
	bool nameless;
	/* Whether this process has made the shard's own name durable. Another
	 * process may have made the directory without having come to its fsync,
	 * so finding it there is not enough. */
	atomic_bool settled[SHARDS_COUNT];
};

struct body {
	struct bodies *bodies;
	int shard; /* the directory of its name to be */
	int fd;
	int incoming; /* the directory of its temporary name, or -1 */
	char token[TOKEN_LEN + 1];
	char temporary[TOKEN_LEN + 1]; /* "": it has none */
};

/* Says in the log what errno is about. -1. */
static int
broken(const struct bodies *b, const char *what)
{
	log_error("%s: cannot %s: %s", b->path, what, strerror(errno));
	return -1;
}

/* 0 when errno says that there is no room; any other error is -1, logged. */
static int
no_room(const struct bodies *b, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return 0;
	return broken(b, what);
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Whether the file system holds nameless files and this process can give them
 * a name, which takes a mounted /proc. An error of another kind (a directory
 * that may not be written to) is left for bodies_begin to meet. */
static bool
can_be_nameless(int dir)
{
	char path[FD_PATH_MAX];
	struct stat st;
	int fd, len;
	bool yes;

	fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
	if (fd == -1)
		return errno != EOPNOTSUPP && errno != EISDIR &&
		       errno != ENOENT && errno != EINVAL;
	len = snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	yes = len > 0 && (size_t)len < sizeof(path) && lstat(path, &st) == 0;
	close(fd);
	return yes;
}

int
bodies_open(
    const char *path, enum bodies_in_flight in_flight, struct bodies **out)
{
	struct bodies *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (b == NULL || (b->path = strdup(path)) == NULL) {
		log_error("%s: out of memory", path);
		free(b);
		return -1;
	}
	for (size_t i = 0; i < SHARDS_COUNT; i++)
		atomic_init(&b->settled[i], false);
	b->dir = shards_open_root(path);
	if (b->dir == -1) {
		broken(b, "open the directory");
		bodies_close(b);
		return -1;
	}
	b->nameless = in_flight == BODIES_NAMELESS && can_be_nameless(b->dir);
	*out = b;
	return 1;
}

void
bodies_close(struct bodies *b)
{
	if (b == NULL)
		return;
	close_fd(b->dir);
	free(b->path);
	free(b);
}

int64_t
bodies_free_space(struct bodies *b)
{
	struct statvfs fs;
	int64_t bytes;

	if (fstatvfs(b->dir, &fs) == -1)
		return broken(b, "learn the free space");
	if (__builtin_mul_overflow(fs.f_bavail, fs.f_frsize, &bytes))
		return INT64_MAX;
	return bytes;
}

/* ---- a body on its way in ---- */

/* Whether the directory that is open still has its name: another may have
 * taken its place, or a disk been mounted there, and what went into the old one
 * would be lost to every program that starts later. */
static int
check_place(const struct bodies *b)
{
	struct stat ours, named;

	if (fstat(b->dir, &ours) == 0 && stat(b->path, &named) == 0 &&
	    ours.st_dev == named.st_dev && ours.st_ino == named.st_ino)
		return 1;
	log_error(
	    "%s was removed or replaced: start the program anew", b->path);
	return -1;
}

static int
create_named(struct body *body)
{
	int dir = shards_open_directory(body->bodies->dir, INCOMING, true);

	if (dir == -1)
		return -1;
	body->incoming = dir;
	if (token_make(body->temporary) != 1) {
		errno = EIO;
		return -1;
	}
	return openat(dir, body->temporary,
	    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, FILE_MODE);
}

static int
create_nameless(struct body *body)
{
	return openat(
	    body->shard, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
}

/* Opens the file and the directory that it will be named in. 1, 0, -1. */
static int
create(struct body *body)
{
	struct bodies *b = body->bodies;

	body->shard = shards_open(b->dir, body->token, true);
	if (body->shard == -1)
		return no_room(b, "open a shard");
	body->fd = b->nameless ? create_nameless(body) : create_named(body);
	if (body->fd == -1 || fchmod(body->fd, FILE_MODE) == -1)
		return no_room(b, "create a file");
	return 1;
}

int
bodies_begin(
    struct bodies *b, const char token[TOKEN_LEN + 1], struct body **out)
{
	struct body *body;
	int rc;

	*out = NULL;
	if (!token_valid(token, strlen(token))) {
		log_error("%s: refused a name that is no token", b->path);
		return -1;
	}
	if (check_place(b) == -1)
		return -1;
	body = malloc(sizeof(*body));
	if (body == NULL) {
		log_error("%s: out of memory", b->path);
		return -1;
	}
	*body =
	    (struct body){.bodies = b, .shard = -1, .fd = -1, .incoming = -1};
	memcpy(body->token, token, sizeof(body->token));
	rc = create(body);
	if (rc == 1)
		*out = body;
	else
		bodies_end(body);
	return rc;
}

int
bodies_write(struct body *body, const void *data, size_t len)
{
	const char *next = data;

	while (len > 0) {
		ssize_t n = write(body->fd, next, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return no_room(body->bodies, "write");
		next += n;
		len -= (size_t)n;
	}
	return 1;
}

int
bodies_sync(struct body *body)
{
	if (shards_sync(body->fd) == -1)
		return no_room(body->bodies, "sync a file");
	return 1;
}

/* Gives the body its name, unless the name is taken. 0; -1 with errno. */
static int
link_name(const struct body *body)
{
	char path[FD_PATH_MAX];
	int len;

	if (body->temporary[0] != '\0')
		return linkat(body->incoming, body->temporary, body->shard,
		    body->token, 0);
	len = snprintf(path, sizeof(path), "/proc/self/fd/%d", body->fd);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return linkat(
	    AT_FDCWD, path, body->shard, body->token, AT_SYMLINK_FOLLOW);
}

static int
replace_leftover(const struct body *body)
{
	if (unlinkat(body->shard, body->token, 0) == -1 && errno != ENOENT)
		return -1;
	return link_name(body);
}

static void
drop_temporary(struct body *body)
{
	if (body->temporary[0] == '\0')
		return;
	if (unlinkat(body->incoming, body->temporary, 0) == -1 &&
	    errno != ENOENT)
		log_warn("%s: cannot remove a temporary name: %s",
		    body->bodies->path, strerror(errno));
	body->temporary[0] = '\0';
}

/* Makes the name of the token's shard durable, once per process. */
static int
settle_shard(struct bodies *b, const char token[TOKEN_LEN + 1])
{
	atomic_bool *settled = &b->settled[shards_index(token)];

	if (atomic_load(settled))
		return 0;
	if (shards_sync(b->dir) == -1)
		return -1;
	atomic_store(settled, true);
	return 0;
}

int
bodies_publish(struct body *body)
{
	struct bodies *b = body->bodies;
	int rc = link_name(body);

	if (rc == -1 && errno == EEXIST)
		rc = replace_leftover(body);
	if (rc == -1)
		return no_room(b, "name a file");
	drop_temporary(body);
	if (shards_sync(body->shard) == -1 ||
	    settle_shard(b, body->token) == -1)
		return no_room(b, "sync a directory");
	return 1;
}

void
bodies_end(struct body *body)
{
	if (body == NULL)
		return;
	if (body->incoming >= 0)
		drop_temporary(body);
	close_fd(body->incoming);
	close_fd(body->shard);
	close_fd(body->fd);
	free(body);
}

/* ---- bodies at rest ---- */

int
bodies_read(
    struct bodies *b, const char token[TOKEN_LEN + 1], int *fd, int64_t *size)
{
	char path[SHARDS_PATH_MAX];
	struct stat st;

	*fd = -1;
	if (!token_valid(token, strlen(token)))
		return 0;
	*fd = openat(b->dir, shards_path(token, path),
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1)
		return errno == ENOENT ? 0 : broken(b, "open a file");
	if (fstat(*fd, &st) == -1) {
		broken(b, "examine a file");
		close(*fd);
		*fd = -1;
		return -1;
	}
	*size = st.st_size;
	return 1;
}

int
bodies_remove(struct bodies *b, const char token[TOKEN_LEN + 1])
{
	char path[SHARDS_PATH_MAX];

	if (!token_valid(token, strlen(token)))
		return 0;
	if (unlinkat(b->dir, shards_path(token, path), 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : broken(b, "remove a file");
}

int
bodies_settle(struct bodies *b, const char token[TOKEN_LEN + 1])
{
	int fd, rc = 1;

	if (!token_valid(token, strlen(token)))
		return 1;
	fd = shards_open(b->dir, token, false);
	if (fd == -1) /* without a shard no removal waits for the disk */
		return errno == ENOENT ? 1 : broken(b, "open a shard");
	if (shards_sync(fd) == -1)
		rc = broken(b, "sync a directory");
	close(fd);
	return rc;
}

/* ---- walks ---- */

struct sweep {
	struct bodies *bodies;
	int64_t before;
};

static int
sweep_entry(void *arg, int dir, const char *name, const struct stat *st)
{
	const struct sweep *sweep = arg;

	if (!S_ISREG(st->st_mode) || st->st_mtime >= sweep->before ||
	    !token_valid(name, strlen(name)))
		return 0;
	if (unlinkat(dir, name, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : broken(sweep->bodies, "remove a leftover");
}

int
bodies_sweep(struct bodies *b, int64_t before)
{
	struct sweep sweep = {.bodies = b, .before = before};
	int fd = shards_open_directory(b->dir, INCOMING, false);
	int64_t removed;

	if (fd == -1)
		return errno == ENOENT ? 0 : broken(b, "open " INCOMING);
	removed = shards_walk(fd, sweep_entry, &sweep);
	return removed > INT_MAX ? INT_MAX : (int)removed;
}

struct visitor {
	struct bodies *bodies;
	bodies_file_fn *found;
	void *arg;
	const char *shard;
	int64_t files;
};

static int
visit_file(void *arg, int dir, const char *name, const struct stat *st)
{
	struct visitor *v = arg;
	const char *token = NULL;
	char path[PATH_MAX];
	int len;

	(void)dir;
	if (token_valid(name, strlen(name)) && S_ISREG(st->st_mode) &&
	    strncmp(name, v->shard, BODIES_SHARD_LEN) == 0)
		token = name;
	len = snprintf(
	    path, sizeof(path), "%s/%s/%s", v->bodies->path, v->shard, name);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return broken(v->bodies, "name what lies in a shard");
	}
	v->found(v->arg, path, token, st->st_size, st->st_ctime);
	return 1;
}

static int
visit_shard(void *arg, int dir, const char *name, const struct stat *st)
{
	struct visitor *v = arg;
	int64_t files;
	int fd;

	if (!S_ISDIR(st->st_mode) || !shards_is_name(name))
		return 0;
	fd = shards_open_directory(dir, name, false);
	if (fd == -1)
		return broken(v->bodies, "open a shard");
	v->shard = name;
	files = shards_walk(fd, visit_file, v);
	if (files == -1)
		return -1;
	v->files += files;
	return 1;
}

int64_t
bodies_each(struct bodies *b, bodies_file_fn *found, void *arg)
{
	struct visitor v = {.bodies = b, .found = found, .arg = arg};
	/* a descriptor of its own: reading a directory moves its position */
	int fd = openat(b->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return broken(b, "open the directory");
	return shards_walk(fd, visit_shard, &v) == -1 ? -1 : v.files;
}
