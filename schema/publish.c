#include "schema/publish.h"

#include <stdbool.h>

#include "schema/database.h"
#include "schema/statement.h"

/* The row first, as the check and the change are then one. Nobody sees it
 * before the commit, when the body has its name. 1, 0 too late, -1. */
static int
mark(struct store *store, const struct publication *p)
{
	struct statement *st = statement_start(store, STMT_PUBLISH);

	statement_bind_int(st, ":id", p->id);
	statement_bind_int(st, ":now", p->now);
	statement_bind_blob(st, ":sha256", p->sha256, STORE_SHA256_LEN);
	return statement_run(st);
}

static int
unmark(struct store *store, const struct publication *p)
{
	struct statement *st = statement_start(store, STMT_UNPUBLISH);

	statement_bind_int(st, ":id", p->id);
	return statement_run(st);
}

/* 1 and the results are those of the rows; or -1. */
static int
mark_all(struct store *store, struct publication *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int rc = mark(store, list[i]);
		if (rc == -1)
			return -1;
		list[i]->result = rc;
	}
	return 1;
}

/* Of those that were marked, the ones whose body got no name; the others'
 * changes stay. 1 or -1. */
static int
unmark_failed(
    struct store *store, struct publication *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i]->result < 0 && unmark(store, list[i]) == -1)
			return -1;
	return 1;
}

static bool
is_any_stored(struct publication *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i]->result == 1)
			return true;
	return false;
}

/* The id of the last slot that was granted, or -1. */
static int64_t
newest_grant(struct store *store)
{
	struct statement *st = statement_start(store, STMT_NEWEST);
	int64_t id = -1;

	if (statement_step(st) == 1)
		id = statement_int(st, 0);
	statement_end(st);
	return id;
}

/* Grants are committed without waiting for the disk: a power cut after a body
 * has its name must not leave one of which no row knows. Slots are granted one
 * after the other, with ids that ascend, so that one sync does for all that
 * were granted before it. 1 or -1. */
static int
sync_grants(struct store *store, struct publication *const *list, size_t count)
{
	int64_t newest = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i]->result == 1 && list[i]->id > newest)
			newest = list[i]->id;
	if (newest <= store->durable_grant)
		return 1;
	newest = newest_grant(store);
	if (newest == -1 || database_sync(store->db) == -1)
		return -1;
	store->durable_grant = newest;
	return 1;
}

int
publish_all(struct store *store, struct publication *const *list, size_t count,
    store_name_fn *name_all, void *arg)
{
	if (mark_all(store, list, count) == -1)
		return -1;
	if (!is_any_stored(list, count))
		return 0;
	if (store->durable && sync_grants(store, list, count) == -1)
		return -1;
	name_all(arg, list, count);
	/* A transaction of which nothing is to stay is undone: when a disk is
	 * full, writing it down might fail as well. */
	if (!is_any_stored(list, count))
		return 0;
	return unmark_failed(store, list, count);
}

void
publish_fail(struct publication *const *list, size_t count, int result)
{
	for (size_t i = 0; i < count; i++)
		if (list[i]->result == 1)
			list[i]->result = result;
}
