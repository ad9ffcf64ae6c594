#include "fcgi/crew.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "schema/log.h"

struct crew {
	pthread_t *threads;
	size_t size, started;
	bool short_of_threads; /* and said so */

	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t begun, ended;
	crew_fn *work;
	void *const *items;
	size_t left;    /* items that nobody has taken */
	size_t working; /* threads that are at one */
	bool closing;
};

/* Does one item after the other. The mutex is held, but not meanwhile. */
static void
work_off(struct crew *c)
{
	while (c->left > 0) {
		void *item = c->items[--c->left];

		c->working++;
		pthread_mutex_unlock(&c->mutex);
		c->work(item);
		pthread_mutex_lock(&c->mutex);
		c->working--;
	}
}

static void *
stand_by(void *arg)
{
	struct crew *c = arg;

	pthread_mutex_lock(&c->mutex);
	while (!c->closing) {
		work_off(c);
		if (c->working == 0)
			pthread_cond_signal(&c->ended);
		pthread_cond_wait(&c->begun, &c->mutex);
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static void
start_threads(struct crew *c, size_t wanted)
{
	if (wanted > c->size)
		wanted = c->size;
	while (c->started < wanted) {
		if (pthread_create(
			&c->threads[c->started], NULL, stand_by, c) != 0) {
			if (!c->short_of_threads)
				log_warn("crew: no more than %zu threads",
				    c->started);
			c->short_of_threads = true;
			return;
		}
		c->started++;
	}
}

void
crew_run(struct crew *c, crew_fn *work, void *const *items, size_t count)
{
	size_t helpers = count > 0 ? count - 1 : 0;

	start_threads(c, helpers);
	pthread_mutex_lock(&c->mutex);
	c->work = work;
	c->items = items;
	c->left = count;
	for (size_t i = 0; i < helpers && i < c->started; i++)
		pthread_cond_signal(&c->begun);
	work_off(c);
	while (c->working > 0)
		pthread_cond_wait(&c->ended, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
}

int
crew_open(size_t threads, struct crew **out)
{
	struct crew *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c != NULL)
		c->threads = calloc(threads, sizeof(*c->threads));
	if (c == NULL || c->threads == NULL) {
		log_error("crew: out of memory");
		free(c);
		return -1;
	}
	c->size = threads;
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->begun, NULL);
	pthread_cond_init(&c->ended, NULL);
	*out = c;
	return 1;
}

void
crew_close(struct crew *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->mutex);
	c->closing = true;
	pthread_cond_broadcast(&c->begun);
	pthread_mutex_unlock(&c->mutex);
	for (size_t i = 0; i < c->started; i++)
		pthread_join(c->threads[i], NULL);
	pthread_cond_destroy(&c->ended);
	pthread_cond_destroy(&c->begun);
	pthread_mutex_destroy(&c->mutex);
	free(c->threads);
	free(c);
}
