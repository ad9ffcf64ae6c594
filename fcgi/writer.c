#include "fcgi/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schema/log.h"

struct writer {
	pthread_mutex_t mutex;
	struct store *store;
	int64_t timeout; /* seconds */
};

int
writer_open(const char *database, int64_t busy_timeout, struct writer **out)
{
	struct writer *w = malloc(sizeof(*w));

	*out = NULL;
	if (w == NULL || pthread_mutex_init(&w->mutex, NULL) != 0) {
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
	free(w);
}

/* When the database is locked, each of those before us waits for it as long as
 * is allowed: without a limit of our own, the last would wait for all. */
static int
wait_for_turn(struct writer *w)
{
	struct timespec until;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)w->timeout;
	error = pthread_mutex_clocklock(&w->mutex, CLOCK_MONOTONIC, &until);
	if (error == 0)
		return 1;
	log_error("writer: cannot have a turn: %s", strerror(error));
	return -1;
}

int
writer_publish(struct writer *w, int64_t id, int64_t now,
    const unsigned char sha256[STORE_SHA256_LEN], int (*link_body)(void *),
    void *arg)
{
	int rc;

	if (wait_for_turn(w) == -1)
		return -1;
	rc = store_publish(w->store, id, now, sha256, link_body, arg);
	pthread_mutex_unlock(&w->mutex);
	return rc;
}
