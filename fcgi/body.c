#include "fcgi/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/incoming.h"
#include "fcgi/shards.h"
#include "fcgi/tree.h"
#include "schema/log.h"

struct body {
	bool forgoes_syncs;
	struct tree *tree;
	const struct tree *other; /* the other tree, or NULL */
	int fd;
	int incoming; /* the directory of its temporary name, or -1 */
	char token[TOKEN_LEN + 1];
	char path[SHARDS_PATH_MAX];    /* in the tree, once it has a name */
	char temporary[TOKEN_LEN + 1]; /* "": it has none */
	bool adopted;                  /* the temporary name was there before */

	char *held; /* the bytes, in place of fd; NULL: they are in a file */
	size_t len, size;
};

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* ---- its beginning ---- */

/* Of errors, the one for which there may be a remedy: the shard that is to
 * have the file is missing. 1 it has been made; -1 with errno. */
static int
mend_shard(const struct body *body)
{
	int fd;

	if (errno != ENOENT)
		return -1;
	fd = shards_open(body->tree->dir, body->token, true);
	if (fd == -1)
		return -1;
	close(fd);
	return 1;
}

static int
create_named(struct body *body)
{
	int dir = shards_open_directory(body->tree->dir, TREE_INCOMING, true);

	if (dir == -1)
		return -1;
	body->incoming = dir;
	if (token_make(body->temporary) != 1) {
		errno = EIO;
		return -1;
	}
	return openat(dir, body->temporary,
	    O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, TREE_FILE_MODE);
}

/* In its shard, and so near to what lies there. */
static int
open_nameless(const struct body *body)
{
	char shard[BODIES_SHARD_LEN + 1] = "";

	memcpy(shard, body->token, BODIES_SHARD_LEN);
	return openat(body->tree->dir, shard,
	    O_TMPFILE | O_RDWR | O_CLOEXEC | O_NOFOLLOW, TREE_FILE_MODE);
}

static int
create_nameless(const struct body *body)
{
	int fd = open_nameless(body);

	if (fd == -1 && mend_shard(body) == 1)
		fd = open_nameless(body);
	return fd;
}

static int
set_mode(const struct body *body)
{
	return body->tree->exact_modes ? 0 : fchmod(body->fd, TREE_FILE_MODE);
}

/* 1, 0, -1. */
static int
create(struct body *body)
{
	struct tree *tree = body->tree;

	body->fd = tree->nameless ? create_nameless(body) : create_named(body);
	if (body->fd == -1 || set_mode(body) == -1)
		return tree_no_room(tree, "create a file");
	return 1;
}

static int
hold(struct body *body, size_t size)
{
	body->held = malloc(size);
	body->size = size;
	if (body->held == NULL)
		log_error("%s: out of memory", body->tree->path);
	return body->held != NULL ? 1 : -1;
}

/* A body without a file. NULL: refused or broken (logged). */
static struct body *
make_body(
    struct bodies *b, const char token[TOKEN_LEN + 1], enum bodies_place place)
{
	struct tree *tree = bodies_tree(b, place);
	struct body *body;

	if (!token_valid(token, strlen(token))) {
		log_error("%s: refused a name that is no token", tree->path);
		return NULL;
	}
	if (tree_check_place(tree) == -1)
		return NULL;
	body = malloc(sizeof(*body));
	if (body == NULL) {
		log_error("%s: out of memory", tree->path);
		return NULL;
	}
	*body = (struct body){.forgoes_syncs = bodies_forgoes_syncs(b),
	    .tree = tree,
	    .other = bodies_tree(
		b, place == BODIES_OWN ? BODIES_PUBLIC : BODIES_OWN),
	    .fd = -1,
	    .incoming = -1};
	memcpy(body->token, token, sizeof(body->token));
	shards_path(token, body->path);
	return body;
}

/* Hands the body over, or ends it, by the result of what was done. */
static int
begun(struct body *body, int rc, struct body **out)
{
	*out = rc == 1 ? body : NULL;
	if (rc != 1)
		body_end(body);
	return rc;
}

/* One call that makes a file under its name is half of what it takes to make
 * one without and name it later. But a public name is open to all at once, and
 * bytes that must be synced first need a file. */
static bool
may_be_held(const struct body *body, enum bodies_place place, int64_t size)
{
	return body->forgoes_syncs && place == BODIES_OWN && size > 0 &&
	       size <= BODY_HELD_MAX;
}

int
body_begin(struct bodies *b, const char token[TOKEN_LEN + 1],
    enum bodies_place place, int64_t size, struct body **out)
{
	struct body *body = make_body(b, token, place);
	int rc = -1;

	if (body != NULL)
		rc = may_be_held(body, place, size) ? hold(body, (size_t)size)
						    : create(body);
	return begun(body, rc, out);
}

static int
adopt(struct body *body, struct incoming_file *file)
{
	body->adopted = true;
	memcpy(body->temporary, file->name, sizeof(body->temporary));
	body->incoming = file->dir;
	body->fd = file->fd;
	file->dir = file->fd = -1;
	if (fchmod(body->fd, TREE_FILE_MODE) == -1)
		return tree_broken(body->tree, "take a file over");
	return 1;
}

int
body_adopt(struct bodies *b, const char token[TOKEN_LEN + 1],
    enum bodies_place place, struct incoming_file *file, struct body **out)
{
	struct body *body = make_body(b, token, place);
	int rc = begun(body, body ? adopt(body, file) : -1, out);

	incoming_end(file);
	return rc;
}

/* ---- its bytes ---- */

static int
write_file(const struct body *body, const char *next, size_t len)
{
	while (len > 0) {
		ssize_t n = write(body->fd, next, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return tree_no_room(body->tree, "write");
		next += n;
		len -= (size_t)n;
	}
	return 1;
}

int
body_write(struct body *body, const void *data, size_t len)
{
	if (body->held == NULL)
		return write_file(body, data, len);
	if (len > body->size - body->len) {
		errno = EFBIG;
		return tree_broken(body->tree, "keep more than was said");
	}
	memcpy(body->held + body->len, data, len);
	body->len += len;
	return 1;
}

int
body_descriptor(const struct body *body)
{
	return body->fd;
}

int
body_sync(struct body *body)
{
	if (!body->forgoes_syncs && shards_sync(body->fd) == -1)
		return tree_no_room(body->tree, "sync a file");
	return 1;
}

/* ---- its name ---- */

/* Whether the name stands for the open file, which was looked at, rather than
 * for what has come into the place of its temporary name since. */
static bool
is_named_itself(const struct body *body)
{
	struct stat named, ours;

	return fstatat(body->tree->dir, body->path, &named,
		   AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(body->fd, &ours) == 0 && named.st_dev == ours.st_dev &&
	       named.st_ino == ours.st_ino;
}

static int
link_temporary(const struct body *body)
{
	if (linkat(body->incoming, body->temporary, body->tree->dir, body->path,
		0) == -1)
		return -1;
	if (!body->adopted || is_named_itself(body))
		return 0;
	unlinkat(body->tree->dir, body->path, 0);
	errno = ESTALE;
	return -1;
}

static int
link_name(struct body *body)
{
	char path[TREE_FD_PATH_MAX];

	if (body->temporary[0] != '\0')
		return link_temporary(body);
	return linkat(AT_FDCWD, tree_fd_path(body->fd, path), body->tree->dir,
	    body->path, AT_SYMLINK_FOLLOW);
}

static int
create_under_name(struct body *body)
{
	body->fd = openat(body->tree->dir, body->path,
	    O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
	    TREE_FILE_MODE);
	return body->fd == -1 ? -1 : 0;
}

/* What it takes that the name can be given. 1 to be tried again; -1 errno. */
static int
make_way(const struct body *body)
{
	if (errno != EEXIST)
		return mend_shard(body);
	/* a leftover; gone: just as well */
	if (unlinkat(body->tree->dir, body->path, 0) == -1 && errno != ENOENT)
		return -1;
	return 1;
}

/* The shard may be missing, and then the name be taken. */
static int
give_name(struct body *body, int (*give)(struct body *))
{
	int attempts = 3;

	while (give(body) == -1)
		if (--attempts == 0 || make_way(body) == -1)
			return tree_no_room(body->tree, "name a file");
	return 1;
}
static void
drop_temporary(struct body *body)
{
	if (body->temporary[0] == '\0')
		return;
	if (unlinkat(body->incoming, body->temporary, 0) == -1 &&
	    errno != ENOENT)
		log_warn("%s: cannot remove a temporary name: %s",
		    body->tree->path, strerror(errno));
	body->temporary[0] = '\0';
}

/* A crash may have left a body of this name in the other tree, when the
 * configuration was another: of two, readers might take the wrong one. 0; -1
 * (logged). */
static int
remove_from_other(const struct body *body)
{
	int rc = 0;

	if (body->other != NULL)
		rc = tree_remove(body->other, body->token);
	if (rc == 1)
		rc = tree_settle(body->other, body->token);
	return rc == -1 ? -1 : 0;
}

/* Writes what was held. A process that is killed here leaves a part under the
 * name, which is a leftover as the whole would be: nobody is shown it before
 * the store says that it is stored. */
static int
write_held(struct body *body)
{
	int rc = give_name(body, create_under_name);

	if (rc != 1)
		return rc;
	if (set_mode(body) == -1)
		rc = tree_broken(body->tree, "set the mode of a file");
	if (rc == 1)
		rc = write_file(body, body->held, body->len);
	if (rc != 1)
		tree_remove(body->tree, body->token);
	return rc;
}

int
body_name(struct body *body)
{
	int rc;

	if (remove_from_other(body) == -1)
		return -1;
	if (body->held != NULL)
		return write_held(body);
	rc = give_name(body, link_name);
	if (rc == 1)
		drop_temporary(body);
	return rc;
}

/* Makes all names in the body's shard durable, and that of the shard. 0; -1
 * with errno. */
static int
sync_shard(const struct body *body)
{
	int fd = shards_open(body->tree->dir, body->token, false);
	int rc;

	if (fd == -1)
		return -1;
	rc = shards_sync(fd);
	if (rc == 0)
		rc = tree_settle_shard(body->tree, body->token);
	close(fd);
	return rc;
}

int
body_sync_name(struct body *body)
{
	if (!body->forgoes_syncs && sync_shard(body) == -1)
		return tree_no_room(body->tree, "sync a directory");
	return 1;
}

bool
body_shares_directory(const struct body *a, const struct body *b)
{
	return a->tree == b->tree &&
	       shards_index(a->token) == shards_index(b->token);
}

void
body_end(struct body *body)
{
	if (body == NULL)
		return;
	if (!body->adopted)
		drop_temporary(body);
	close_fd(body->incoming);
	close_fd(body->fd);
	free(body->held);
	free(body);
}
