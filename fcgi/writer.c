#include "fcgi/writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "schema/log.h"

struct writer {
	pthread_mutex_t mutex;
	struct store *store;
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

int
writer_publish(struct writer *w, int64_t id, int64_t now,
    const unsigned char sha256[STORE_SHA256_LEN], int (*link_body)(void *),
    void *arg)
{
	int rc;

	pthread_mutex_lock(&w->mutex);
	rc = store_publish(w->store, id, now, sha256, link_body, arg);
	pthread_mutex_unlock(&w->mutex);
	return rc;
}
