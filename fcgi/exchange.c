#include "fcgi/exchange.h"

#include <pthread.h>
#include <stdlib.h>
#include <fcgiapp.h>

#include "fcgi/http.h"
#include "fcgi/outlet.h"
#include "schema/log.h"

struct exchange {
	struct http_request http; /* first: http_answer gives it back */
	struct exchanges *all;
	FCGX_Request fcgx;
	struct outlet outlet;
	bool is_new;
	void *thread;          /* that reads it */
	struct exchange *next; /* in the list of those that are free */
};

struct exchanges {
	const struct http_service *service;
	struct exchange_host host;
	struct exchange *every; /* of which as many were used as are made */
	size_t count, made;

	pthread_mutex_t mutex; /* for the list, of which the last used comes */
	pthread_cond_t freed;  /* first: its memory is warm */
	struct exchange *free;
};

/* The next one that was never used, or NULL. With the mutex held. Not sooner:
 * two hundred of them are a mebibyte of pages. */
static struct exchange *
make(struct exchanges *all)
{
	struct exchange *x;

	if (all->made == all->count)
		return NULL;
	x = &all->every[all->made++];
	x->all = all;
	/* fails only where FCGX_Init was not called */
	FCGX_InitRequest(&x->fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	return x;
}

static struct exchange *
take(struct exchanges *all)
{
	struct exchange *x = NULL;

	pthread_mutex_lock(&all->mutex);
	while (all->free == NULL && (x = make(all)) == NULL)
		pthread_cond_wait(&all->freed, &all->mutex);
	if (all->free != NULL) {
		x = all->free;
		all->free = x->next;
	}
	pthread_mutex_unlock(&all->mutex);
	return x;
}

static void
give_back(struct exchange *x)
{
	struct exchanges *all = x->all;

	pthread_mutex_lock(&all->mutex);
	x->next = all->free;
	all->free = x;
	pthread_cond_signal(&all->freed);
	pthread_mutex_unlock(&all->mutex);
}

/* The request is over, answered or not. */
static void
end(struct exchange *x)
{
	const struct exchanges *all = x->all;
	int fd = x->fcgx.ipcFd;
	bool is_new = x->is_new;

	x->fcgx.ipcFd = -1;
	give_back(x);
	all->host.end(all->host.arg, fd, is_new);
}

/* The thread that reads the request is about to wait. */
static void
waits(struct http_request *http)
{
	const struct exchange *x = (struct exchange *)(void *)http;

	x->all->host.waits(x->thread);
}

static void
answered(struct http_request *http, int status)
{
	struct exchange *x = (struct exchange *)(void *)http;

	(void)status;
	if (outlet_close(&x->outlet) != 0)
		x->fcgx.keepConnection = 0;
	/* The end has been written, so libfcgi must not. */
	x->fcgx.out->wasFCloseCalled = x->fcgx.out->isClosed = 1;
	/* What is left of a body would be read as the next request's records,
	 * and the sender of the body could forge every word of that request. */
	if (!x->http.body_consumed)
		x->fcgx.keepConnection = 0;
	/* Before it closes a connection libfcgi reads what still comes, so that
	 * none of the answer gets lost, and waits for the other end's close:
	 * for nothing, where all has been read. */
	x->fcgx.detached = x->http.body_consumed;
	FCGX_Finish_r(&x->fcgx);
	end(x);
}

/* libfcgi takes the connection for one that was kept; it has no listener, so
 * that when this one ends it does not wait for another. */
void
exchange_serve(struct exchanges *all, int fd, bool is_new, void *thread)
{
	struct exchange *x = take(all);

	x->is_new = is_new;
	x->thread = thread;
	x->fcgx.ipcFd = fd;
	x->fcgx.keepConnection = 1;
	if (FCGX_Accept_r(&x->fcgx) != 0) {
		end(x);
		return;
	}
	x->http = (struct http_request){
	    .service = all->service,
	    .params = x->fcgx.envp,
	    .in = x->fcgx.in,
	    .out = &x->outlet.stream,
	    .now = http_clock(),
	    .answered = answered,
	    .waits = waits,
	};
	outlet_open(&x->outlet, x->fcgx.ipcFd, x->fcgx.requestId);
	http_answer(&x->http);
}

/* ---- all of them ---- */

int
exchange_open(size_t count, const struct http_service *service,
    const struct exchange_host *host, struct exchanges **out)
{
	struct exchanges *all = calloc(1, sizeof(*all));

	*out = NULL;
	if (FCGX_Init() != 0) {
		log_error("server: libfcgi cannot start");
		free(all);
		return -1;
	}
	if (all != NULL)
		all->every = calloc(count, sizeof(*all->every));
	if (all == NULL || all->every == NULL) {
		log_error("server: out of memory");
		free(all);
		return -1;
	}
	all->service = service;
	all->host = *host;
	all->count = count;
	pthread_mutex_init(&all->mutex, NULL);
	pthread_cond_init(&all->freed, NULL);
	*out = all;
	return 1;
}

void
exchange_close(struct exchanges *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->made; i++)
		FCGX_Free(&all->every[i].fcgx, 1);
	pthread_cond_destroy(&all->freed);
	pthread_mutex_destroy(&all->mutex);
	free(all->every);
	free(all);
}
