#include "fcgi/bodies.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fcgi/shards.h"
#include "fcgi/tree.h"
#include "schema/log.h"

struct bodies {
	bool forgoes_syncs;
	struct tree *trees[BODIES_PLACE_COUNT]; /* NULL: not there */
};

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

bool
bodies_forgoes_syncs(const struct bodies *b)
{
	return b->forgoes_syncs;
}

struct tree *
bodies_tree(const struct bodies *b, enum bodies_place place)
{
	return b->trees[place];
}

int64_t
bodies_free_space(struct bodies *b, enum bodies_place place)
{
	return tree_free_space(b->trees[place]);
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
