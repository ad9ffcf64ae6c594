#include "fcgi/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "schema/log.h"

char *
tree_fd_path(int fd, char path[TREE_FD_PATH_MAX])
{
	/* cannot fail, nor be cut: a number has eleven characters at most */
	snprintf(path, TREE_FD_PATH_MAX, "/proc/self/fd/%d", fd);
	return path;
}

int
tree_broken(const struct tree *tree, const char *what)
{
	log_error("%s: cannot %s: %s", tree->path, what, strerror(errno));
	return -1;
}

int
tree_no_room(const struct tree *tree, const char *what)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return 0;
	return tree_broken(tree, what);
}

/* Whether this process can give a nameless file a name, which takes a mounted
 * /proc. */
static bool
can_be_named(int fd)
{
	char path[TREE_FD_PATH_MAX];
	struct stat st;

	return lstat(tree_fd_path(fd, path), &st) == 0;
}

/* Learns what a new file is like, from one without a name. Where the file
 * system has no such files, all are given their mode. An error of another kind
 * (a directory that may not be written to) is left for body_begin to meet. */
static void
try_file(struct tree *tree)
{
	struct stat st;
	int fd = openat(
	    tree->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, TREE_FILE_MODE);

	if (fd == -1) {
		tree->nameless = errno != EOPNOTSUPP && errno != EISDIR &&
				 errno != ENOENT && errno != EINVAL;
		return;
	}
	tree->nameless = can_be_named(fd);
	tree->exact_modes =
	    fstat(fd, &st) == 0 && (st.st_mode & 07777) == TREE_FILE_MODE;
	close(fd);
}

int
tree_open(const char *path, enum bodies_in_flight in_flight, struct tree **out)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	struct stat st;

	*out = NULL;
	if (tree == NULL || (tree->path = strdup(path)) == NULL) {
		log_error("%s: out of memory", path);
		free(tree);
		return -1;
	}
	for (size_t i = 0; i < SHARDS_COUNT; i++)
		atomic_init(&tree->settled[i], false);
	tree->dir = shards_open_root(path);
	if (tree->dir == -1 || fstat(tree->dir, &st) == -1) {
		tree_broken(tree, "open the directory");
		tree_close(tree);
		return -1;
	}
	tree->dev = st.st_dev;
	tree->ino = st.st_ino;
	if (in_flight == BODIES_NAMELESS)
		try_file(tree);
	*out = tree;
	return 1;
}

void
tree_close(struct tree *tree)
{
	if (tree == NULL)
		return;
	if (tree->dir >= 0)
		close(tree->dir);
	free(tree->path);
	free(tree);
}

int64_t
tree_free_space(const struct tree *tree)
{
	struct statvfs fs;
	int64_t bytes;

	if (fstatvfs(tree->dir, &fs) == -1)
		return tree_broken(tree, "learn the free space");
	if (__builtin_mul_overflow(fs.f_bavail, fs.f_frsize, &bytes))
		return INT64_MAX;
	return bytes;
}

int
tree_check_place(const struct tree *tree)
{
	struct stat named;

	if (stat(tree->path, &named) == 0 && named.st_dev == tree->dev &&
	    named.st_ino == tree->ino)
		return 1;
	log_error(
	    "%s was removed or replaced: start the program anew", tree->path);
	return -1;
}

int
tree_settle_shard(struct tree *tree, const char token[TOKEN_LEN + 1])
{
	atomic_bool *settled = &tree->settled[shards_index(token)];

	if (atomic_load(settled))
		return 0;
	if (shards_sync(tree->dir) == -1)
		return -1;
	atomic_store(settled, true);
	return 0;
}

/* ---- bodies at rest ---- */

int
tree_read(const struct tree *tree, const char token[TOKEN_LEN + 1], int *fd,
    int64_t *size)
{
	char path[SHARDS_PATH_MAX];
	struct stat st;

	*fd = -1;
	if (!token_valid(token, strlen(token)))
		return 0;
	*fd = openat(tree->dir, shards_path(token, path),
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1)
		return errno == ENOENT ? 0 : tree_broken(tree, "open a file");
	if (fstat(*fd, &st) == -1) {
		tree_broken(tree, "examine a file");
		close(*fd);
		*fd = -1;
		return -1;
	}
	*size = st.st_size;
	return 1;
}

int
tree_find(
    const struct tree *tree, const char token[TOKEN_LEN + 1], int64_t *size)
{
	char path[SHARDS_PATH_MAX];
	struct stat st;

	if (!token_valid(token, strlen(token)))
		return 0;
	if (fstatat(tree->dir, shards_path(token, path), &st,
		AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0
				       : tree_broken(tree, "examine a file");
	*size = st.st_size;
	return 1;
}

int
tree_remove(const struct tree *tree, const char token[TOKEN_LEN + 1])
{
	char path[SHARDS_PATH_MAX];

	if (!token_valid(token, strlen(token)))
		return 0;
	if (unlinkat(tree->dir, shards_path(token, path), 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : tree_broken(tree, "remove a file");
}

/* Makes the shard that a file needs, if it is that what was missing, rather
 * than the file. 1 it was; 0 the file; -1 with errno. */
static int
make_missing_shard(const struct tree *from, const struct tree *to,
    const char token[TOKEN_LEN + 1])
{
	char path[SHARDS_PATH_MAX];
	int fd;

	if (faccessat(from->dir, shards_path(token, path), F_OK, 0) == -1)
		return errno == ENOENT ? 0 : -1;
	fd = shards_open(to->dir, token, true);
	if (fd == -1)
		return -1;
	close(fd);
	return 1;
}

int
tree_move(const struct tree *from, const struct tree *to,
    const char token[TOKEN_LEN + 1])
{
	char path[SHARDS_PATH_MAX];
	int rc = 1;

	if (!token_valid(token, strlen(token)))
		return 0;
	shards_path(token, path);
	while (renameat(from->dir, path, to->dir, path) == -1) {
		if (errno == EXDEV)
			return tree_remove(from, token);
		if (errno == ENOENT)
			rc = make_missing_shard(from, to, token);
		else
			rc = -1;
		if (rc != 1)
			break;
	}
	return rc == -1 ? tree_broken(from, "move a file") : rc;
}

int
tree_settle(const struct tree *tree, const char token[TOKEN_LEN + 1])
{
	int fd, rc = 1;

	if (!token_valid(token, strlen(token)))
		return 1;
	fd = shards_open(tree->dir, token, false);
	if (fd == -1) /* without a shard no removal waits for the disk */
		return errno == ENOENT ? 1 : tree_broken(tree, "open a shard");
	if (shards_sync(fd) == -1)
		rc = tree_broken(tree, "sync a directory");
	close(fd);
	return rc;
}

/* A flush for each of a thousand shards would take longer than the removals. */
int
tree_settle_all(const struct tree *tree)
{
	return syncfs(tree->dir) == 0
		   ? 1
		   : tree_broken(tree, "sync all directories");
}

/* ---- walks ---- */

struct sweep {
	const struct tree *tree;
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
	return errno == ENOENT ? 0
			       : tree_broken(sweep->tree, "remove a leftover");
}

int
tree_sweep(const struct tree *tree, int64_t before)
{
	struct sweep sweep = {.tree = tree, .before = before};
	int fd = shards_open_directory(tree->dir, TREE_INCOMING, false);
	int64_t removed;

	if (fd == -1)
		return errno == ENOENT
			   ? 0
			   : tree_broken(tree, "open " TREE_INCOMING);
	removed = shards_walk(fd, sweep_entry, &sweep);
	return removed > INT_MAX ? INT_MAX : (int)removed;
}

struct visitor {
	const struct tree *tree;
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
	    path, sizeof(path), "%s/%s/%s", v->tree->path, v->shard, name);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return tree_broken(v->tree, "name what lies in a shard");
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
		return tree_broken(v->tree, "open a shard");
	v->shard = name;
	files = shards_walk(fd, visit_file, v);
	if (files == -1)
		return -1;
	v->files += files;
	return 1;
}

int64_t
tree_each(const struct tree *tree, bodies_file_fn *found, void *arg)
{
	struct visitor v = {.tree = tree, .found = found, .arg = arg};
	/* a descriptor of its own: reading a directory moves its position */
	int fd = openat(tree->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return tree_broken(tree, "open the directory");
	return shards_walk(fd, visit_shard, &v) == -1 ? -1 : v.files;
}
