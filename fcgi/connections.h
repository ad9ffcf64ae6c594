/*
 * Connections of FastCGI: those that come, and those that were kept for another
 * request. All threads wait at one place for whichever comes, so that a kept
 * connection that is idle holds no thread, and no thread is woken in vain.
 */
#ifndef FCGI_CONNECTIONS_H
#define FCGI_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Only connections whose descriptor is below this are kept. */
#define CONNECTIONS_KEPT 1024

struct connections;

/* listener becomes non-blocking, and stays the caller's; timeout: seconds that
 * a connection may stand still. 1 or -1 (logged), *out NULL. */
int connections_open(int listener, int64_t timeout, struct connections **out);

/* Closes those that were kept, too. Accepts NULL; no thread may use them. */
void connections_close(struct connections *);

/* Waits until something comes, for so many milliseconds, or -1 for ever. 1 and
 * *came for connections_take; 0 nothing came; -1 they were stopped. */
int connections_wait(struct connections *, int timeout, int *came);

/* What came: a connection for exchange_serve, which is the caller's; or -1, it
 * went to another, or has no request yet and is kept until it has. */
int connections_take(struct connections *, int came, bool *is_new);

/* As exchange_host.end, with the connections for its arg: puts one aside until
 * its next request. What cannot be kept is closed: the web server opens
 * another. */
void connections_keep(void *connections, int fd, bool is_new);

/* From now on nobody waits any more. From any thread; they stop by themselves
 * when they break, which is logged. */
void connections_stop(struct connections *);
bool connections_are_broken(const struct connections *);

/* A descriptor that can be read once they were stopped. */
int connections_stopped(const struct connections *);

#endif
