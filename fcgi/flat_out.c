#include "fcgi/flat_out.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi/bodies.h"
#include "schema/log.h"
#include "schema/monotonic.h"

/* Rows in one transaction. Of a million, larger ones are no faster: then the
 * pages that they touch do not stay in memory. */
#define BATCH 10000

/* Others who want to write look for a free lock at least every 100 ms, and may
 * look for busy_timeout. This often, and for so long, it is free. */
#define BREATH_EVERY 2 /* seconds */
#define BREATH_NS 110000000L

struct corpse {
	char token[TOKEN_LEN + 1];
	int64_t size;
};

/* Rows that one transaction removed, and what became of their bodies. */
struct batch {
	struct flat_out *job;
	struct corpse *corpses;
	int count;
	char (*gone)[TOKEN_LEN + 1];
	int gone_count;
	int64_t files;
	int64_t bytes;
	int64_t failed;
	pthread_t thread;
	bool running;
};

/* ---- bodies: in the thread ---- */

static int
by_token(const void *a, const void *b)
{
	const struct corpse *one = a, *other = b;

	return memcmp(one->token, other->token, TOKEN_LEN);
}

static void
remove_body(struct batch *batch, const struct corpse *corpse)
{
	int removed = bodies_remove(batch->job->bodies, corpse->token);

	if (removed == -1) {
		batch->failed++;
		return;
	}
	if (removed == 1) {
		batch->files++;
		batch->bytes += corpse->size;
	}
	memcpy(batch->gone[batch->gone_count++], corpse->token,
	    sizeof(corpse->token));
}

static void *
bury(void *arg)
{
	struct batch *batch = arg;

	/* those of a shard one after the other */
	qsort(batch->corpses, (size_t)batch->count, sizeof(*batch->corpses),
	    by_token);
	for (int i = 0; i < batch->count; i++)
		remove_body(batch, &batch->corpses[i]);
	if (batch->gone_count > 0 &&
	    bodies_settle_all(batch->job->bodies) == -1) {
		batch->failed += batch->gone_count;
		batch->gone_count = 0;
	}
	return NULL;
}

/* ---- rows ---- */

static void
take(void *arg, const struct slot *slot)
{
	struct batch *batch = arg;
	struct corpse *corpse = &batch->corpses[batch->count++];

	memcpy(corpse->token, slot->token, sizeof(corpse->token));
	corpse->size = slot->size;
	batch->job->seen(batch->job->arg, slot);
}

/* Begins a batch: 1 with more to come, 0 with none, -1. */
static int
begin(struct batch *batch)
{
	struct flat_out *job = batch->job;
	int n = 0;

	batch->count = batch->gone_count = 0;
	batch->files = batch->bytes = batch->failed = 0;
	n = store_reap_many(job->store, job->now, BATCH, take, batch);
	if (n <= 0)
		return n;
	batch->running = pthread_create(&batch->thread, NULL, bury, batch) == 0;
	if (!batch->running)
		bury(batch);
	return n == BATCH;
}

/* Ends one that was begun; does nothing to any other. 1 or -1. */
static int
end(struct batch *batch)
{
	struct flat_out *job = batch->job;
	int gone = 0;

	if (batch->running)
		pthread_join(batch->thread, NULL);
	gone = batch->gone_count;
	job->files += batch->files;
	job->bytes += batch->bytes;
	job->failed += batch->failed;
	batch->running = false;
	batch->gone_count = 0;
	batch->files = batch->bytes = batch->failed = 0;
	return gone == 0 ? 1 : store_forget(job->store, batch->gone, gone);
}

static void
breathe(time_t *last)
{
	static const struct timespec breath = {.tv_nsec = BREATH_NS};
	time_t now = monotonic_ms() / 1000;

	if (now - *last < BREATH_EVERY)
		return;
	*last = now;
	nanosleep(&breath, NULL);
}

/* While the bodies of one batch go, so do the rows of the other. */
static int
alternate(struct batch batches[2])
{
	time_t last = monotonic_ms() / 1000;
	bool broken = false;
	int which = 0;
	int more = 1;

	while (more == 1 && !broken) {
		breathe(&last);
		more = begin(&batches[which]);
		which = !which;
		broken = end(&batches[which]) == -1;
	}
	broken = end(&batches[!which]) == -1 || broken;
	return more == -1 || broken ? -1 : 1;
}

static bool
make_batch(struct flat_out *job, struct batch *batch)
{
	*batch = (struct batch){.job = job};
	batch->corpses = calloc(BATCH, sizeof(*batch->corpses));
	batch->gone = calloc(BATCH, sizeof(*batch->gone));
	return batch->corpses != NULL && batch->gone != NULL;
}

static void
free_batch(struct batch *batch)
{
	free(batch->corpses);
	free(batch->gone);
}

int
flat_out_reap(struct flat_out *job)
{
	struct batch batches[2];
	bool made = make_batch(job, &batches[0]);
	int rc = -1;

	made = make_batch(job, &batches[1]) && made;
	job->files = job->bytes = job->failed = 0;
	if (!made)
		log_error("cannot remove what is over: out of memory");
	else if (store_bulk_begin(job->store) == 1)
		rc = alternate(batches);
	if (rc == 1)
		rc = store_bulk_end(job->store);
	free_batch(&batches[0]);
	free_batch(&batches[1]);
	return rc;
}
