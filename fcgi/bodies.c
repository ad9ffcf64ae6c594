#include "fcgi/bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/incoming.h"
#include "fcgi/shards.h"
#include "fcgi/tree.h"
#include "schema/log.h"

/* "/proc/self/fd/" and a number */
#define FD_PATH_MAX 40

struct bodies {
	bool forgoes_syncs;
	struct tree *trees[BODIES_PLACE_COUNT]; /* NULL: not there */
};

struct body {
	bool forgoes_syncs;
	struct tree *tree;
	const struct tree *other; /* the other tree, or NULL */
	int shard;                /* the directory of its name to be */
	int fd;
	int incoming; /* the directory of its temporary name, or -1 */
	char token[TOKEN_LEN + 1];
	char temporary[TOKEN_LEN + 1]; /* "": it has none */
	bool adopted;                  /* the temporary name was there before */
};

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static enum bodies_place
other_than(enum bodies_place place)
{
	return place == BODIES_OWN ? BODIES_PUBLIC : BODIES_OWN;
}

int
bodies_open(const char *own, const char *public,
    enum bodies_in_flight in_flight, struct bodies **out)
{
	struct bodies *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (b == NULL) {
		log_error("%s: out of memory", own);
		return -1;
	}
	if (tree_open(own, in_flight, &b->trees[BODIES_OWN]) == -1 ||
	    (public != NULL &&
		tree_open(public, in_flight, &b->trees[BODIES_PUBLIC]) == -1)) {
		bodies_close(b);
		return -1;
	}
	*out = b;
	return 1;
}

void
bodies_close(struct bodies *b)
{
	if (b == NULL)
		return;
	for (int i = 0; i < BODIES_PLACE_COUNT; i++)
		tree_close(b->trees[i]);
	free(b);
}

/* What tells file systems, and mounts of one of them, apart. */
static int
get_mount(int dir, struct statx *stx)
{
	return statx(
	    dir, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, stx);
}

static bool
same_mount(const struct statx *a, const struct statx *b)
{
	/* before Linux 5.8 nobody says which mount it is: both are 0 */
	return a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor &&
	       a->stx_mnt_id == b->stx_mnt_id;
}

int
bodies_share_disk(const struct bodies *b, int dir, const char *path)
{
	struct statx theirs, ours;

	for (int i = 0; i < BODIES_PLACE_COUNT; i++) {
		if (b->trees[i] == NULL)
			continue;
		if (get_mount(dir, &theirs) == -1 ||
		    get_mount(b->trees[i]->dir, &ours) == -1)
			return tree_broken(b->trees[i], "examine the mount");
		if (same_mount(&ours, &theirs))
			continue;
		log_error("%s and %s must be on one file system, and in one "
			  "mount of it: files are moved from there to here",
		    path, b->trees[i]->path);
		return 0;
	}
	return 1;
}

void
bodies_forgo_syncs(struct bodies *b)
{
	b->forgoes_syncs = true;
}

int64_t
bodies_free_space(struct bodies *b, enum bodies_place place)
{
	return tree_free_space(b->trees[place]);
}

/* ---- a body on its way in ---- */

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

static int
create_nameless(struct body *body)
{
	return openat(
	    body->shard, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, TREE_FILE_MODE);
}

/* Opens the file and the directory that it will be named in. 1, 0, -1. */
static int
create(struct body *body)
{
	struct tree *tree = body->tree;

	body->shard = shards_open(tree->dir, body->token, true);
	if (body->shard == -1)
		return tree_no_room(tree, "open a shard");
	body->fd = tree->nameless ? create_nameless(body) : create_named(body);
	if (body->fd == -1 || fchmod(body->fd, TREE_FILE_MODE) == -1)
		return tree_no_room(tree, "create a file");
	return 1;
}

/* A body without a file. NULL: refused or broken (logged). */
static struct body *
make_body(
    struct bodies *b, const char token[TOKEN_LEN + 1], enum bodies_place place)
{
	struct tree *tree = b->trees[place];
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
	*body = (struct body){.forgoes_syncs = b->forgoes_syncs,
	    .tree = tree,
	    .other = b->trees[other_than(place)],
	    .shard = -1,
	    .fd = -1,
	    .incoming = -1};
	memcpy(body->token, token, sizeof(body->token));
	return body;
}

/* Hands the body over, or ends it, by the result of what was done. */
static int
begun(struct body *body, int rc, struct body **out)
{
	*out = rc == 1 ? body : NULL;
	if (rc != 1)
		bodies_end(body);
	return rc;
}

int
bodies_begin(struct bodies *b, const char token[TOKEN_LEN + 1],
    enum bodies_place place, struct body **out)
{
	struct body *body = make_body(b, token, place);

	return begun(body, body ? create(body) : -1, out);
}

static int
adopt(struct body *body, struct incoming_file *file)
{
	body->adopted = true;
	memcpy(body->temporary, file->name, sizeof(body->temporary));
	body->incoming = file->dir;
	body->fd = file->fd;
	file->dir = file->fd = -1;
	body->shard = shards_open(body->tree->dir, body->token, true);
	if (body->shard == -1)
		return tree_no_room(body->tree, "open a shard");
	if (fchmod(body->fd, TREE_FILE_MODE) == -1)
		return tree_broken(body->tree, "take a file over");
	return 1;
}

int
bodies_adopt(struct bodies *b, const char token[TOKEN_LEN + 1],
    enum bodies_place place, struct incoming_file *file, struct body **out)
{
	struct body *body = make_body(b, token, place);
	int rc = begun(body, body ? adopt(body, file) : -1, out);

	incoming_end(file);
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
			return tree_no_room(body->tree, "write");
		next += n;
		len -= (size_t)n;
	}
	return 1;
}

int
bodies_descriptor(const struct body *body)
{
	return body->fd;
}

int
bodies_sync(struct body *body)
{
	if (!body->forgoes_syncs && shards_sync(body->fd) == -1)
		return tree_no_room(body->tree, "sync a file");
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

int
bodies_name(struct body *body)
{
	int rc;

	if (remove_from_other(body) == -1)
		return -1;
	rc = link_name(body);
	if (rc == -1 && errno == EEXIST)
		rc = replace_leftover(body);
	if (rc == -1)
		return tree_no_room(body->tree, "name a file");
	drop_temporary(body);
	return 1;
}

int
bodies_sync_name(struct body *body)
{
	struct tree *tree = body->tree;

	if (body->forgoes_syncs)
		return 1;
	if (shards_sync(body->shard) == -1 ||
	    tree_settle_shard(tree, body->token) == -1)
		return tree_no_room(tree, "sync a directory");
	return 1;
}

bool
bodies_share_directory(const struct body *a, const struct body *b)
{
	return a->tree == b->tree &&
	       shards_index(a->token) == shards_index(b->token);
}

void
bodies_end(struct body *body)
{
	if (body == NULL)
		return;
	if (!body->adopted)
		drop_temporary(body);
	close_fd(body->incoming);
	close_fd(body->shard);
	close_fd(body->fd);
	free(body);
}

/* ---- bodies at rest ---- */

char *
bodies_path(const char token[TOKEN_LEN + 1], char path[BODIES_PATH_MAX])
{
	return shards_path(token, path);
}

/* Where a body is looked for: one that is withdrawn from the public may be in
 * neither place when each is looked into. */
static const enum bodies_place order[] = {
    BODIES_OWN, BODIES_PUBLIC, BODIES_OWN};
#define LOOKS(b) ((b)->trees[BODIES_PUBLIC] ? 3 : 1)

int
bodies_read(
    struct bodies *b, const char token[TOKEN_LEN + 1], int *fd, int64_t *size)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < LOOKS(b); i++)
		rc = tree_read(b->trees[order[i]], token, fd, size);
	return rc;
}

int
bodies_find(struct bodies *b, const char token[TOKEN_LEN + 1],
    enum bodies_place *place, int64_t *size)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < LOOKS(b); i++) {
		*place = order[i];
		rc = tree_find(b->trees[order[i]], token, size);
	}
	return rc;
}

/* Calls each for both trees, also when the first is broken: for the public one
 * first, as what is withdrawn meanwhile is met in our own. */
static int
for_both(struct bodies *b, const char token[TOKEN_LEN + 1],
    int (*each)(const struct tree *, const char *))
{
	bool broken = false;
	int rc = 0;

	for (int i = BODIES_PLACE_COUNT - 1; i >= 0; i--) {
		int one = b->trees[i] != NULL ? each(b->trees[i], token) : 0;

		broken = broken || one == -1;
		rc = one == 1 ? 1 : rc;
	}
	return broken ? -1 : rc;
}

int
bodies_remove(struct bodies *b, const char token[TOKEN_LEN + 1])
{
	return for_both(b, token, tree_remove);
}

int
bodies_withdraw(struct bodies *b, const char token[TOKEN_LEN + 1])
{
	if (b->trees[BODIES_PUBLIC] == NULL)
		return 0;
	return tree_move(b->trees[BODIES_PUBLIC], b->trees[BODIES_OWN], token);
}

int
bodies_settle(struct bodies *b, const char token[TOKEN_LEN + 1])
{
	return for_both(b, token, tree_settle);
}

int
bodies_settle_all(struct bodies *b)
{
	int rc = 1;

	for (int i = 0; i < BODIES_PLACE_COUNT; i++)
		if (b->trees[i] != NULL && tree_settle_all(b->trees[i]) == -1)
			rc = -1;
	return rc;
}

int
bodies_sweep(struct bodies *b, int64_t before)
{
	int removed = 0;

	for (int i = 0; i < BODIES_PLACE_COUNT; i++) {
		int here =
		    b->trees[i] != NULL ? tree_sweep(b->trees[i], before) : 0;

		if (here == -1)
			return -1;
		removed += here > INT_MAX - removed ? 0 : here;
	}
	return removed;
}

int64_t
bodies_each(struct bodies *b, bodies_file_fn *found, void *arg)
{
	int64_t files = 0;

	for (int i = 0; i < BODIES_PLACE_COUNT; i++) {
		int64_t here = b->trees[i] != NULL
				   ? tree_each(b->trees[i], found, arg)
				   : 0;
		if (here == -1)
			return -1;
		files += here;
	}
	return files;
}
