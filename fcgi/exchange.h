/*
 * Requests of FastCGI that are under way, each with all that it is answered
 * from: a request may be answered by another thread than read it, and later.
 */
#ifndef FCGI_EXCHANGE_H
#define FCGI_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

struct exchanges;
struct http_service;

/* Who serves them. */
struct exchange_host {
	/* What follows a request on its connection: fd may take the next one,
	 * and is the callee's; or -1, it was closed. is_new is as it was given
	 * to exchange_serve. Called by the thread that has answered. */
	void (*end)(void *arg, int fd, bool is_new);
	void *arg;
	/* thread is about to wait, as it was given to exchange_serve. Called by
	 * that thread. */
	void (*waits)(void *thread);
};

/* Prepares for count requests at the same time, and FCGX. 1 or -1 (logged),
 * *out NULL. */
int exchange_open(size_t count, const struct http_service *,
    const struct exchange_host *, struct exchanges **out);

/* Accepts NULL. None may be under way. */
void exchange_close(struct exchanges *);

/* Answers the request that comes on a connection, which it is given, or sees to
 * it that another thread will; then end is called. Where so many requests are
 * under way, one of them is waited for. thread is only handed to waits. */
void exchange_serve(struct exchanges *, int fd, bool is_new, void *thread);

#endif
