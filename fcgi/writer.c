#include "fcgi/writer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi/bodies.h"
#include "schema/log.h"

enum turn_state {
	WAITING, /* in the queue */
	TAKEN,   /* in the batch of the thread that leads */
	SYNCING, /* in it, and its thread is to sync the name of its body */
	DONE
};

/* One upload, and the thread that came with it. */
struct turn {
	struct publication publication;
	struct body *body;
	struct turn *syncer; /* whose thread syncs the name; NULL: none */
	int synced;          /* what came of it, when that is this one */
	enum turn_state state;
	pthread_cond_t woken;
	struct turn *next; /* in the queue */
};

struct writer {
	struct store *store; /* of the thread that leads */
	int64_t timeout;     /* seconds to wait for a turn */
	bool durable;        /* names are synced */
	pthread_condattr_t monotonic;
	pthread_mutex_t mutex; /* for the queue and the states of turns */
	struct turn *queue;
	bool led;
	size_t syncing; /* threads that the leader waits for */

	/* of the thread that leads, whose own turn is the first */
	struct turn *batch[WRITER_BATCH];
	size_t count;
};

/* ---- the leader: names ---- */

static int
result_of(int rc)
{
	return rc == 0 ? STORE_FULL : rc;
}

/* Which of those before the n-th in the batch, or else itself, is to sync the
 * directory in which its name is. */
static struct turn *
find_syncer(const struct writer *w, size_t n)
{
	struct turn *turn = w->batch[n];

	for (size_t i = 0; i < n; i++) {
		struct turn *other = w->batch[i];

		if (other->syncer == other &&
		    bodies_share_directory(other->body, turn->body))
			return other;
	}
	return turn;
}

static void
name_bodies(struct writer *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct turn *turn = w->batch[i];
		struct publication *p = &turn->publication;

		if (p->result == 1)
			p->result = result_of(bodies_name(turn->body));
		if (p->result == 1)
			turn->syncer = find_syncer(w, i);
	}
}

/* Sends each thread that is to sync a directory to do so. */
static void
appoint(struct writer *w)
{
	pthread_mutex_lock(&w->mutex);
	for (size_t i = 1; i < w->count; i++) {
		struct turn *turn = w->batch[i];

		if (turn->syncer != turn)
			continue;
		turn->state = SYNCING;
		w->syncing++;
		pthread_cond_signal(&turn->woken);
	}
	pthread_mutex_unlock(&w->mutex);
}

/* As store_name_fn. The directories are synced by several threads at the same
 * time: then one commit of the file system's journal and one flush of the disk
 * do for all. One after the other, each had a flush of its own. */
static void
name_all(void *arg, struct publication *const *list, size_t count)
{
	struct writer *w = arg;
	struct turn *leader = w->batch[0];

	(void)list, (void)count; /* the batch */
	name_bodies(w);
	if (!w->durable)
		return;
	appoint(w);
	if (leader->syncer == leader)
		leader->synced = bodies_sync_name(leader->body);
	pthread_mutex_lock(&w->mutex);
	while (w->syncing > 0)
		pthread_cond_wait(&leader->woken, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
	for (size_t i = 0; i < w->count; i++) {
		struct turn *turn = w->batch[i];
		if (turn->syncer != NULL)
			turn->publication.result =
			    result_of(turn->syncer->synced);
	}
}

/* ---- turns: all with the mutex held ---- */

static void
join_queue(struct writer *w, struct turn *turn)
{
	struct turn **end = &w->queue;

	while (*end != NULL)
		end = &(*end)->next;
	*end = turn;
}

static void
leave_queue(struct writer *w, const struct turn *turn)
{
	struct turn **at = &w->queue;

	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
}

static void
take(struct writer *w, struct turn *turn)
{
	leave_queue(w, turn);
	turn->state = TAKEN;
	w->batch[w->count++] = turn;
}

/* Two PUTs of one slot: the second must see what became of the first. */
static bool
has_same_slot(const struct writer *w, const struct turn *turn)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->batch[i]->publication.id == turn->publication.id)
			return true;
	return false;
}

static void
gather(struct writer *w, struct turn *leader)
{
	struct turn *next;

	w->count = 0;
	take(w, leader);
	for (struct turn *turn = w->queue;
	     turn != NULL && w->count < WRITER_BATCH; turn = next) {
		next = turn->next;
		if (!has_same_slot(w, turn))
			take(w, turn);
	}
}

/* Publishes for all who wait, and hands the lead on. */
static void
lead(struct writer *w, struct turn *leader)
{
	struct publication *list[WRITER_BATCH];

	w->led = true;
	gather(w, leader);
	pthread_mutex_unlock(&w->mutex);
	for (size_t i = 0; i < w->count; i++)
		list[i] = &w->batch[i]->publication;
	store_publish_all(w->store, list, w->count, name_all, w);
	pthread_mutex_lock(&w->mutex);
	for (size_t i = 0; i < w->count; i++) {
		w->batch[i]->state = DONE;
		pthread_cond_signal(&w->batch[i]->woken);
	}
	w->led = false;
	if (w->queue != NULL)
		pthread_cond_signal(&w->queue->woken);
}

/* Does what the leader asked for. */
static void
help(struct writer *w, struct turn *turn)
{
	pthread_mutex_unlock(&w->mutex);
	turn->synced = bodies_sync_name(turn->body);
	pthread_mutex_lock(&w->mutex);
	turn->state = TAKEN;
	if (--w->syncing == 0)
		pthread_cond_signal(&w->batch[0]->woken);
}

/* While the database is locked each of those before us waits for it as long as
 * is allowed: without a limit of our own, the last would wait for all. 0; or
 * an error, when the time to wait for a turn is over. */
static int
wait_for_turn(struct writer *w, struct turn *turn, const struct timespec *until)
{
	int error = 0;

	if (turn->state == WAITING)
		error = pthread_cond_timedwait(&turn->woken, &w->mutex, until);
	else
		pthread_cond_wait(&turn->woken, &w->mutex);
	return turn->state == WAITING && w->led ? error : 0;
}

static void
take_turn(struct writer *w, struct turn *turn)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)w->timeout;
	join_queue(w, turn);
	while (turn->state != DONE && error == 0) {
		if (turn->state == SYNCING)
			help(w, turn);
		else if (turn->state == WAITING && !w->led)
			lead(w, turn);
		else
			error = wait_for_turn(w, turn, &until);
	}
	if (error == 0)
		return;
	leave_queue(w, turn);
	turn->publication.result = -1;
	log_error("writer: no turn: %s", strerror(error));
}

int
writer_publish(
    struct writer *w, const struct publication *publication, struct body *body)
{
	struct turn turn = {
	    .publication = *publication, .body = body, .state = WAITING};
	int error = pthread_cond_init(&turn.woken, &w->monotonic);

	if (error != 0) {
		log_error("writer: no turn: %s", strerror(error));
		return -1;
	}
	pthread_mutex_lock(&w->mutex);
	take_turn(w, &turn);
	pthread_mutex_unlock(&w->mutex);
	pthread_cond_destroy(&turn.woken);
	return turn.publication.result;
}

/* ---- the writer ---- */

static bool
init_turns(struct writer *w)
{
	if (pthread_condattr_init(&w->monotonic) != 0)
		return false;
	if (pthread_condattr_setclock(&w->monotonic, CLOCK_MONOTONIC) == 0 &&
	    pthread_mutex_init(&w->mutex, NULL) == 0)
		return true;
	pthread_condattr_destroy(&w->monotonic);
	return false;
}

int
writer_open(const char *database, enum store_access access,
    int64_t busy_timeout, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w == NULL || !init_turns(w)) {
		log_error("writer: out of memory");
		free(w);
		return -1;
	}
	w->timeout = busy_timeout;
	w->durable = access == STORE_DURABLE;
	if (store_open(database, access, busy_timeout, &w->store) != 1) {
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
	store_close(w->store);
	pthread_mutex_destroy(&w->mutex);
	pthread_condattr_destroy(&w->monotonic);
	free(w);
}
