#include "fcgi/writer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fcgi/body.h"
#include "fcgi/crew.h"
#include "schema/log.h"
#include "schema/monotonic.h"

/* Threads that sync directories. */
#define CREW 16

struct writer {
	int64_t timeout; /* seconds to wait for a turn */

	pthread_mutex_t mutex; /* for the next two */
	struct turn *queue;
	bool busy; /* a thread publishes */

	/* of the thread that publishes */
	struct store *store;
	struct crew *crew; /* NULL: names are not synced */
	struct turn *batch[WRITER_BATCH];
	size_t count;
	struct log_lines lines; /* about those in the batch */
};

/* ---- names ---- */

static int
result_of(int rc)
{
	return rc == 0 ? STORE_FULL : rc;
}

/* As crew_fn: makes the name of a turn's body durable. */
static void
sync_name(void *item)
{
	struct turn *turn = item;

	turn->publication.result = result_of(body_sync_name(turn->body));
}

/* Whose sync of his directory serves the n-th, too: one of those before him, or
 * else himself. */
static const struct turn *
find_syncer(const struct writer *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct turn *other = w->batch[i];

		if (other->syncer == other &&
		    body_shares_directory(other->body, w->batch[n]->body))
			return other;
	}
	return w->batch[n];
}

/* Each directory once, and all at the same time: then one commit of the file
 * system's journal and one flush of the disk do for all. One after the other,
 * each had a flush of its own. */
static void
sync_names(struct writer *w)
{
	void *syncers[WRITER_BATCH];
	size_t count = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct turn *turn = w->batch[i];

		turn->syncer = NULL;
		if (turn->publication.result == 1)
			turn->syncer = find_syncer(w, i);
		if (turn->syncer == turn)
			syncers[count++] = turn;
	}
	crew_run(w->crew, sync_name, syncers, count);
	for (size_t i = 0; i < w->count; i++)
		if (w->batch[i]->syncer != NULL)
			w->batch[i]->publication.result =
			    w->batch[i]->syncer->publication.result;
}

/* As store_name_fn. */
static void
name_all(void *arg, struct publication *const *list, size_t count)
{
	struct writer *w = arg;

	for (size_t i = 0; i < count; i++)
		if (list[i]->result == 1)
			list[i]->result =
			    result_of(body_name(w->batch[i]->body));
	if (w->crew != NULL)
		sync_names(w);
}

/* ---- turns ---- */

/* Two PUTs of one slot: the second must see what became of the first. */
static bool
has_same_slot(const struct writer *w, const struct turn *turn)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->batch[i]->publication.id == turn->publication.id)
			return true;
	return false;
}

/* Takes from the queue what can be published together; if there is nothing,
 * the thread's work ends. */
static void
gather(struct writer *w)
{
	struct turn **next = &w->queue;

	w->count = 0;
	pthread_mutex_lock(&w->mutex);
	while (*next != NULL && w->count < WRITER_BATCH) {
		struct turn *turn = *next;

		if (has_same_slot(w, turn)) {
			next = &turn->next;
			continue;
		}
		*next = turn->next;
		w->batch[w->count++] = turn;
	}
	w->busy = w->count > 0;
	pthread_mutex_unlock(&w->mutex);
}

/* While the database is locked each batch waits for it as long as is allowed:
 * without a limit of its own, the last would wait for all. */
static void
drop_late(struct writer *w)
{
	int64_t now = monotonic_ms();
	size_t kept = 0;

	for (size_t i = 0; i < w->count; i++) {
		struct turn *turn = w->batch[i];

		if ((now - turn->came) / 1000 < w->timeout) {
			w->batch[kept++] = turn;
			continue;
		}
		log_error("writer: no turn within %lld seconds",
		    (long long)w->timeout);
		turn->publication.result = -1;
		turn->done(turn);
	}
	w->count = kept;
}

static void
publish_batch(struct writer *w)
{
	struct publication *list[WRITER_BATCH];

	for (size_t i = 0; i < w->count; i++)
		list[i] = &w->batch[i]->publication;
	if (w->count > 0)
		store_publish_all(w->store, list, w->count, name_all, w);
	log_hold(&w->lines);
	for (size_t i = 0; i < w->count; i++)
		w->batch[i]->done(w->batch[i]);
	log_release();
}

/* Whether nobody publishes: then the caller does. */
static bool
join(struct writer *w, struct turn *turn)
{
	struct turn **end = &w->queue;
	bool alone;

	turn->came = monotonic_ms();
	turn->next = NULL;
	pthread_mutex_lock(&w->mutex);
	while (*end != NULL)
		end = &(*end)->next;
	*end = turn;
	alone = !w->busy;
	w->busy = true;
	pthread_mutex_unlock(&w->mutex);
	return alone;
}

/* Until nothing is left, and nobody at it any more. */
static void
publish_all(struct writer *w)
{
	for (gather(w); w->count > 0; gather(w)) {
		drop_late(w);
		publish_batch(w);
	}
}

void
writer_publish(struct writer *w, struct turn *turn)
{
	if (join(w, turn))
		publish_all(w);
}

int
writer_find(
    struct writer *w, const char token[TOKEN_LEN + 1], struct slot *slot)
{
	bool busy = true;
	int rc;

	if (w->crew == NULL) {
		pthread_mutex_lock(&w->mutex);
		busy = w->busy;
		w->busy = true;
		pthread_mutex_unlock(&w->mutex);
	}
	if (busy)
		return WRITER_BUSY;
	rc = store_find(w->store, token, slot);
	publish_all(w);
	return rc;
}

/* ---- the writer ---- */

int
writer_open(const char *database, enum store_access access,
    int64_t busy_timeout, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w == NULL || pthread_mutex_init(&w->mutex, NULL) != 0) {
		log_error("writer: out of memory");
		free(w);
		return -1;
	}
	w->timeout = busy_timeout;
	if (store_open(database, access, busy_timeout, &w->store) != 1 ||
	    (access == STORE_DURABLE && crew_open(CREW, &w->crew) != 1)) {
		writer_close(w);
		return -1;
	}
	*out = w;
	return 1;
}

void
writer_close(struct writer *w)
{
	if (w == NULL)
		return;
	crew_close(w->crew);
	store_close(w->store);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}
