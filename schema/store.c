#include "schema/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "schema/audit.h"
#include "schema/database.h"
#include "schema/grant.h"
#include "schema/log.h"
#include "schema/publish.h"
#include "schema/reap.h"
#include "schema/slot.h"
#include "schema/statement.h"
#include "schema/wal.h"

/* ---- opening ---- */

/* Of all the statements the web side needs a few, and a CGI process would take
 * longer for the others than for its answer. */
static int
prepare(struct store *store, enum store_access access)
{
	switch (access) {
	case STORE_GRANT:
		if (wal_tend(store->db, &store->wal) == -1)
			return -1;
		return statement_prepare_all(store);
	case STORE_DURABLE:
		return statement_prepare_transactions(store);
	default:
		return 1;
	}
}

int
store_open(const char *path, enum store_access access, int64_t busy_timeout,
    struct store **out)
{
	struct store *store = calloc(1, sizeof(*store));

	*out = NULL;
	if (store == NULL) {
		log_error("cannot open database %s: out of memory", path);
		return -1;
	}
	if (database_open(path, access, busy_timeout, &store->db) == -1 ||
	    prepare(store, access) == -1) {
		store_close(store);
		return -1;
	}
	store->durable = access == STORE_DURABLE;
	*out = store;
	return 1;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	statement_finalize_all(store);
	sqlite3_close(store->db);
	wal_free(store->wal);
	free(store);
}

/* ---- transactions ---- */

/* Undoes; SQLite may have done so itself, after an error. */
static void
undo(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		statement_run(statement_start(store, STMT_ROLLBACK));
}

static int
begin(struct store *store)
{
	undo(store); /* what could not be undone before */
	if (statement_run(statement_start(store, STMT_BEGIN)) == -1)
		return -1;
	if (database_check_place(store->db) == 1)
		return 1;
	undo(store);
	return -1;
}

/* Whether that is what the last call failed for. SQLite knows but one of the
 * three errors by itself, and of a commit (until 3.40 at least) not which. */
static bool
lacks_room(sqlite3 *db)
{
	int error = sqlite3_system_errno(db);

	if (error == 0)
		error = errno;
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		return true;
	case SQLITE_IOERR:
		return error == ENOSPC || error == EDQUOT || error == EFBIG;
	default:
		return false;
	}
}

/* Ends the transaction with the result of what was done in it: commits, but
 * undoes for -1 and STORE_FULL. Returns rc, or one of these two when the commit
 * failed. */
static int
finish_or_full(struct store *store, int rc)
{
	errno = 0;
	if (rc >= 0 && statement_run(statement_start(store, STMT_COMMIT)) != -1)
		return rc;
	if (rc != STORE_FULL)
		rc = lacks_room(store->db) ? STORE_FULL : -1;
	undo(store);
	return rc;
}

/* The same for whom -1 says enough. */
static int
finish(struct store *store, int rc)
{
	rc = finish_or_full(store, rc);
	return rc == STORE_FULL ? -1 : rc;
}

/* ---- reading slots ---- */

static struct slot *
make_slots(int max)
{
	struct slot *slots = calloc((size_t)max, sizeof(*slots));

	if (slots == NULL)
		log_error("cannot read slots: out of memory");
	return slots;
}

static void
show_slots(const struct slot *slots, int count, store_slot_fn *seen, void *arg)
{
	for (int i = 0; seen != NULL && i < count; i++)
		seen(arg, &slots[i]);
}

int
store_find(
    struct store *store, const char token[TOKEN_LEN + 1], struct slot *slot)
{
	struct statement *st = statement_start(store, STMT_FIND);

	statement_bind_text(st, ":token", token);
	return slot_fetch(st, slot, 1);
}

/* ---- granting ---- */

static int
grant_alone(struct store *store, const struct grant_request *request,
    struct grant_result *result)
{
	if (begin(store) == -1)
		return -1;
	/* A refusal is committed, too: what was over has been removed. */
	return finish(store, grant_decide(store, request, result));
}

/* Whether the savepoint could be set, or ended with what was done since. */
static bool
run(struct store *store, enum statement_id id)
{
	return statement_run(statement_start(store, id)) != -1;
}

static int
grant_in_batch(struct store *store, const struct grant_request *request,
    struct grant_result *result)
{
	int rc = -1;

	if (store->batch == BATCH_EMPTY)
		store->batch = begin(store) == 1 ? BATCH_OPEN : BATCH_BROKEN;
	if (store->batch == BATCH_BROKEN)
		return -1;
	if (run(store, STMT_SAVEPOINT))
		rc = grant_decide(store, request, result);
	if (rc == -1 && !sqlite3_get_autocommit(store->db))
		run(store, STMT_ROLLBACK_TO);
	/* After some errors SQLite has undone the whole transaction. */
	if (sqlite3_get_autocommit(store->db) || !run(store, STMT_RELEASE)) {
		store->batch = BATCH_BROKEN;
		return -1;
	}
	return rc;
}

int
store_grant(struct store *store, const struct grant_request *request,
    struct grant_result *result)
{
	memset(result, 0, sizeof(*result));
	if (request->now < 0) {
		log_error("cannot record a slot: the clock says that it is "
			  "before 1970");
		return -1;
	}
	return store->batch == BATCH_NONE
		   ? grant_alone(store, request, result)
		   : grant_in_batch(store, request, result);
}

void
store_batch_begin(struct store *store)
{
	store->batch = BATCH_EMPTY;
}

int
store_batch_end(struct store *store)
{
	enum batch_state batch = store->batch;

	store->batch = BATCH_NONE;
	if (batch == BATCH_OPEN || batch == BATCH_BROKEN)
		return finish(store, batch == BATCH_OPEN ? 1 : -1);
	return 1;
}

/* ---- publishing ---- */

void
store_publish_all(struct store *store, struct publication *const *list,
    size_t count, store_name_fn *name_all, void *arg)
{
	int rc;

	for (size_t i = 0; i < count; i++)
		list[i]->result = 1;
	rc = begin(store);
	if (rc == -1) {
		publish_fail(list, count, -1);
		return;
	}
	rc = publish_all(store, list, count, name_all, arg);
	if (rc == 0) {
		undo(store);
		return;
	}
	rc = finish_or_full(store, rc);
	if (rc < 0)
		publish_fail(list, count, rc);
}

/* ---- retention ---- */

static int
delete_slots(struct store *store, const struct slot *slots, int count)
{
	for (int i = 0; i < count; i++)
		if (slot_delete(store, slots[i].id) == -1)
			return -1;
	return count;
}

static int
reap_some(struct store *store, int64_t now, struct slot *slots, int max)
{
	struct statement *st;
	int count;

	if (begin(store) == -1)
		return -1;
	st = statement_start(store, STMT_OVER_SOME);
	statement_bind_int(st, ":now", now);
	statement_bind_int(st, ":max", max);
	count = slot_fetch(st, slots, max);
	if (count > 0)
		count = delete_slots(store, slots, count);
	return finish(store, count);
}

static int
show_over(struct store *store, int64_t now, store_slot_fn *seen, void *arg)
{
	struct statement *st = statement_start(store, STMT_OVER);
	struct slot slot;
	int count = 0;
	int rc;

	statement_bind_int(st, ":now", now);
	while ((rc = slot_next(st, &slot)) == 1) {
		show_slots(&slot, 1, seen, arg);
		count++;
	}
	return rc == -1 ? -1 : count;
}

int
store_reap(struct store *store, int64_t now, int max, bool dry_run,
    store_slot_fn *seen, void *arg)
{
	struct slot *slots;
	int count;

	if (dry_run)
		return show_over(store, now, seen, arg);
	slots = make_slots(max);
	if (slots == NULL)
		return -1;
	count = reap_some(store, now, slots, max);
	show_slots(slots, count, seen, arg);
	free(slots);
	return count;
}

int
store_reap_many(
    struct store *store, int64_t now, int max, store_slot_fn *seen, void *arg)
{
	if (begin(store) == -1)
		return -1;
	return finish(store, reap_many(store, now, max, seen, arg));
}

int
store_doomed(struct store *store, const char *begin_after,
    char (*tokens)[TOKEN_LEN + 1], int max)
{
	struct statement *st = statement_start(store, STMT_DOOMED);
	int count = 0;
	int rc = 0;

	statement_bind_text(st, ":after", begin_after);
	statement_bind_int(st, ":max", max);
	while (count < max && (rc = statement_step(st)) == 1) {
		rc = statement_text(st, 0, tokens[count], sizeof(*tokens));
		if (rc == -1)
			break;
		count++;
	}
	statement_end(st);
	if (rc == -1)
		return -1;
	/* A row that a power cut brings back must still have its body. */
	if (count > 0 && store->durable && database_sync(store->db) == -1)
		return -1;
	return count;
}

static int
forget_all(struct store *store, char (*tokens)[TOKEN_LEN + 1], int count)
{
	for (int i = 0; i < count; i++) {
		struct statement *st = statement_start(store, STMT_FORGET);

		statement_bind_text(st, ":token", tokens[i]);
		if (statement_run(st) == -1)
			return -1;
	}
	return 1;
}

int
store_forget(struct store *store, char (*tokens)[TOKEN_LEN + 1], int count)
{
	if (begin(store) == -1)
		return -1;
	return finish(store, forget_all(store, tokens, count));
}

static int
erase_some(struct store *store, const char *owner, int max)
{
	struct statement *st = statement_start(store, STMT_ERASE);
	int count;

	statement_bind_text(st, ":owner", owner);
	statement_bind_int(st, ":max", max);
	count = statement_run(st);
	if (count == -1 || count == max)
		return count;
	st = statement_start(store, STMT_ERASE_RECENT);
	statement_bind_text(st, ":owner", owner);
	return statement_run(st) == -1 ? -1 : count;
}

int
store_erase(struct store *store, const char *owner, int max)
{
	if (begin(store) == -1)
		return -1;
	return finish(store, erase_some(store, owner, max));
}

/* ---- checks ---- */

int
store_each(struct store *store, int64_t begin_after, int max,
    store_slot_fn *seen, void *arg)
{
	struct slot *slots = make_slots(max);
	struct statement *st;
	int count;

	if (slots == NULL)
		return -1;
	st = statement_start(store, STMT_EACH);
	statement_bind_int(st, ":after", begin_after);
	statement_bind_int(st, ":max", max);
	count = slot_fetch(st, slots, max);
	show_slots(slots, count, seen, arg);
	free(slots);
	return count;
}

int
store_knows(struct store *store, const char token[TOKEN_LEN + 1])
{
	struct statement *st = statement_start(store, STMT_KNOWS);
	int rc;

	statement_bind_text(st, ":token", token);
	rc = statement_step(st);
	statement_end(st);
	return rc;
}

int
store_drop(struct store *store, int64_t id)
{
	struct statement *st = statement_start(store, STMT_DROP);

	statement_bind_int(st, ":id", id);
	return statement_run(st);
}

int
store_note_sha256(struct store *store, int64_t id,
    const unsigned char sha256[STORE_SHA256_LEN])
{
	struct statement *st = statement_start(store, STMT_NOTE_SHA256);

	statement_bind_int(st, ":id", id);
	statement_bind_blob(st, ":sha256", sha256, STORE_SHA256_LEN);
	return statement_run(st);
}

int
store_audit(struct store *store, bool repair)
{
	int structure = audit_structure(store);
	int counters = audit_counters(store);

	if (structure == -1 || counters == -1)
		return -1;
	if (counters > 0 && repair) {
		if (begin(store) == -1)
			return -1;
		if (finish(store, audit_recount(store)) == -1)
			return -1;
	}
	return structure + counters;
}

int
store_forget_recent(struct store *store, int64_t now, int max)
{
	struct statement *st = statement_start(store, STMT_TIDY_RECENT);

	statement_bind_int(st, ":now", now);
	statement_bind_int(st, ":max", max);
	return statement_run(st);
}

/* PRAGMA optimize reads before it writes. By itself it would begin deferred,
 * and fail at once whenever another program wrote in between. */
int
store_tidy(struct store *store)
{
	if (statement_run(statement_start(store, STMT_LIMIT_ANALYSIS)) == -1 ||
	    begin(store) == -1)
		return -1;
	return finish(store,
		   statement_run(statement_start(store, STMT_OPTIMIZE))) == -1
		   ? -1
		   : 1;
}

int
store_yield(struct store *store)
{
	return database_yield(store->db);
}

int
store_bulk_begin(struct store *store)
{
	return database_bulk_begin(store->db);
}

int
store_bulk_end(struct store *store)
{
	return database_bulk_end(store->db);
}
