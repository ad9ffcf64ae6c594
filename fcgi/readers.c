#include "fcgi/readers.h"

#include <pthread.h>
#include <stdlib.h>

#include "schema/log.h"
#include "schema/store.h"

struct readers {
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	size_t count, free;
	struct store *idle[READERS_MAX]; /* a stack: the last used is warm */
};

int
readers_open(const char *database, int64_t busy_timeout, size_t threads,
    struct readers **out)
{
	const size_t count = threads < READERS_MAX ? threads : READERS_MAX;
	struct readers *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL) {
		log_error("readers: out of memory");
		return -1;
	}
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->freed, NULL);
	while (r->count < count) {
		if (store_open(database, STORE_READ, busy_timeout,
			&r->idle[r->count]) != 1) {
			readers_close(r);
			return -1;
		}
		r->count++;
	}
	r->free = r->count;
	*out = r;
	return 1;
}

void
readers_close(struct readers *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		store_close(r->idle[i]);
	pthread_cond_destroy(&r->freed);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

static struct store *
take(struct readers *r)
{
	struct store *store;

	pthread_mutex_lock(&r->mutex);
	while (r->free == 0)
		pthread_cond_wait(&r->freed, &r->mutex);
	store = r->idle[--r->free];
	pthread_mutex_unlock(&r->mutex);
	return store;
}

static void
give_back(struct readers *r, struct store *store)
{
	pthread_mutex_lock(&r->mutex);
	r->idle[r->free++] = store;
	pthread_cond_signal(&r->freed);
	pthread_mutex_unlock(&r->mutex);
}

int
readers_find(
    struct readers *r, const char token[TOKEN_LEN + 1], struct slot *slot)
{
	struct store *store = take(r);
	int rc = store_find(store, token, slot);

	give_back(r, store);
	return rc;
}
