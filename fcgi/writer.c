#include "fcgi/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schema/log.h"

struct writer {
	struct store *store; /* of the thread whose turn it is */
	int64_t timeout;     /* seconds to wait for a turn */
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	bool taken;
};

static bool
init_turns(struct writer *w)
{
	pthread_condattr_t attr;
	bool made;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	       pthread_cond_init(&w->freed, &attr) == 0;
	pthread_condattr_destroy(&attr);
	if (made && pthread_mutex_init(&w->mutex, NULL) != 0) {
		pthread_cond_destroy(&w->freed);
		made = false;
	}
	return made;
}

int
writer_open(const char *database, int64_t busy_timeout, struct writer **out)
{
	struct writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w == NULL || !init_turns(w)) {
		log_error("writer: out of memory");
		free(w);
		return -1;
	}
	w->timeout = busy_timeout;
	if (store_open(database, STORE_DURABLE, busy_timeout, &w->store) != 1) {
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
	pthread_cond_destroy(&w->freed);
	free(w);
}

/* While the database is locked each of those before us waits for it as long as
 * is allowed: without a limit of our own, the last would wait for all. */
static int
begin_turn(struct writer *w)
{
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)w->timeout;
	pthread_mutex_lock(&w->mutex);
	while (w->taken && error == 0)
		error = pthread_cond_timedwait(&w->freed, &w->mutex, &until);
	if (!w->taken) {
		w->taken = true;
		error = 0;
	}
	pthread_mutex_unlock(&w->mutex);
	if (error == 0)
		return 1;
	log_error("writer: no turn: %s", strerror(error));
	return -1;
}

static void
end_turn(struct writer *w)
{
	pthread_mutex_lock(&w->mutex);
	w->taken = false;
	pthread_cond_signal(&w->freed);
	pthread_mutex_unlock(&w->mutex);
}

int
writer_publish(struct writer *w, int64_t id, int64_t now,
    const unsigned char sha256[STORE_SHA256_LEN], int (*link_body)(void *),
    void *arg)
{
	int rc;

	if (begin_turn(w) == -1)
		return -1;
	rc = store_publish(w->store, id, now, sha256, link_body, arg);
	end_turn(w);
	return rc;
}
