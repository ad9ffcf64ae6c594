#include "fcgi/writer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "fcgi/body.h"
#include "fcgi/crew.h"
#include "schema/log.h"
#include "schema/monotonic.h"

/* Threads that sync directories; and that give names where these are not synced
 * but bodies written, of so many that it is worth waking one. */
#define SYNCERS 16
#define NAMERS 1
#define WORTH_SHARING 4

struct writer {
	int64_t timeout; /* seconds to wait for a turn */

	pthread_mutex_t mutex; /* for the next three */
	struct turn *queue;
	bool busy;  /* a thread has the handle */
	bool asked; /* for it meanwhile, by one who had something to publish */

	/* of the thread that has the handle */
	struct store *store;
	bool durable;
	struct crew *crew;
};

/* Turns that are published together. */
struct batch {
	struct writer *writer;
	struct turn *turns[WRITER_BATCH];
	size_t count;
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
find_syncer(const struct batch *batch, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct turn *other = batch->turns[i];

		if (other->syncer == other &&
		    body_shares_directory(other->body, batch->turns[n]->body))
			return other;
	}
	return batch->turns[n];
}

/* Each directory once, and all at the same time: then one commit of the file
 * system's journal and one flush of the disk do for all. One after the other,
 * each had a flush of its own. */
static void
sync_names(const struct batch *batch)
{
	void *syncers[WRITER_BATCH];
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct turn *turn = batch->turns[i];

		turn->syncer = NULL;
		if (turn->publication.result == 1)
			turn->syncer = find_syncer(batch, i);
		if (turn->syncer == turn)
			syncers[count++] = turn;
	}
	crew_run(batch->writer->crew, sync_name, syncers, count);
	for (size_t i = 0; i < batch->count; i++)
		if (batch->turns[i]->syncer != NULL)
			batch->turns[i]->publication.result =
			    batch->turns[i]->syncer->publication.result;
}

/* As crew_fn. */
static void
name_one(void *item)
{
	struct turn *turn = item;

	if (turn->publication.result == 1)
		turn->publication.result = result_of(body_name(turn->body));
}

/* As store_name_fn. */
static void
name_all(void *arg, struct publication *const *list, size_t count)
{
	const struct batch *batch = arg;
	const bool durable = batch->writer->durable;
	void *turns[WRITER_BATCH];

	(void)list;
	for (size_t i = 0; i < count; i++)
		turns[i] = batch->turns[i];
	if (!durable && count >= WORTH_SHARING) {
		crew_run(batch->writer->crew, name_one, turns, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		name_one(turns[i]);
	if (durable)
		sync_names(batch);
}

/* ---- turns ---- */

/* Two PUTs of one slot: the second must see what became of the first. */
static bool
has_same_slot(const struct batch *batch, const struct turn *turn)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->turns[i]->publication.id == turn->publication.id)
			return true;
	return false;
}

/* Takes from the queue what can be published together. With the mutex held. */
static void
gather(struct batch *batch)
{
	struct turn **next = &batch->writer->queue;

	while (*next != NULL && batch->count < WRITER_BATCH) {
		struct turn *turn = *next;

		if (has_same_slot(batch, turn)) {
			next = &turn->next;
			continue;
		}
		*next = turn->next;
		batch->turns[batch->count++] = turn;
	}
}

/* While the database is locked each batch waits for it as long as is allowed:
 * without a limit of its own, the last would wait for all. */
static void
drop_late(struct batch *batch)
{
	const int64_t timeout = batch->writer->timeout;
	int64_t now = monotonic_ms();
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct turn *turn = batch->turns[i];

		if ((now - turn->came) / 1000 < timeout) {
			batch->turns[kept++] = turn;
			continue;
		}
		log_error(
		    "writer: no turn within %lld seconds", (long long)timeout);
		turn->publication.result = -1;
		turn->done(turn);
	}
	batch->count = kept;
}

static void
publish_batch(struct batch *batch)
{
	struct publication *list[WRITER_BATCH];

	for (size_t i = 0; i < batch->count; i++)
		list[i] = &batch->turns[i]->publication;
	if (batch->count > 0)
		store_publish_all(
		    batch->writer->store, list, batch->count, name_all, batch);
}

static void
answer_batch(const struct batch *batch)
{
	struct log_lines lines;

	lines.len = 0;
	log_hold(&lines);
	for (size_t i = 0; i < batch->count; i++)
		batch->turns[i]->done(batch->turns[i]);
	log_release();
}

/* ---- the handle ---- */

/* Whether the handle is the caller's now. */
static bool
take(struct writer *w)
{
	bool busy;

	pthread_mutex_lock(&w->mutex);
	busy = w->busy;
	w->busy = true;
	pthread_mutex_unlock(&w->mutex);
	return !busy;
}

/* The same, for what there is to publish. */
static bool
take_batch(struct batch *batch)
{
	struct writer *w = batch->writer;
	bool busy;

	batch->count = 0;
	pthread_mutex_lock(&w->mutex);
	busy = w->busy;
	if (!busy)
		gather(batch);
	w->asked = busy && w->queue != NULL;
	w->busy = busy || batch->count > 0;
	pthread_mutex_unlock(&w->mutex);
	return batch->count > 0;
}

/* Whether it was asked for. */
static bool
give_back(struct writer *w)
{
	bool asked;

	pthread_mutex_lock(&w->mutex);
	asked = w->asked;
	w->busy = w->asked = false;
	pthread_mutex_unlock(&w->mutex);
	return asked;
}

void
writer_submit(struct writer *w, struct turn *turn)
{
	struct turn **end = &w->queue;

	turn->came = monotonic_ms();
	turn->next = NULL;
	pthread_mutex_lock(&w->mutex);
	while (*end != NULL)
		end = &(*end)->next;
	*end = turn;
	pthread_mutex_unlock(&w->mutex);
}

bool
writer_waits(struct writer *w)
{
	bool waits;

	pthread_mutex_lock(&w->mutex);
	waits = w->queue != NULL && !w->busy;
	w->asked = w->queue != NULL && w->busy;
	pthread_mutex_unlock(&w->mutex);
	return waits;
}

/* Another thread may publish the next ones while these are answered. */
bool
writer_publish(struct writer *w)
{
	struct batch batch = {.writer = w};

	if (!take_batch(&batch))
		return false;
	drop_late(&batch);
	publish_batch(&batch);
	give_back(w);
	answer_batch(&batch);
	return true;
}

void
writer_publish_all(struct writer *w)
{
	while (writer_publish(w))
		;
}

int
writer_find(
    struct writer *w, const char token[TOKEN_LEN + 1], struct slot *slot)
{
	int rc;

	if (w->durable || !take(w))
		return WRITER_BUSY;
	rc = store_find(w->store, token, slot);
	/* what follows may be a slow client's body */
	if (give_back(w))
		writer_publish_all(w);
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
	w->durable = access == STORE_DURABLE;
	if (store_open(database, access, busy_timeout, &w->store) != 1 ||
	    crew_open(w->durable ? SYNCERS : NAMERS, &w->crew) != 1) {
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
