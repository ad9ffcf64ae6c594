#include "fcgi/connections.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "schema/log.h"

/* How long a thread waits for descriptors or memory to come free. */
#define EXHAUSTED_PAUSE 100 /* milliseconds */

struct connections {
	int listener;
	int epoll;
	int stop;        /* an eventfd, written and never read: all see it */
	int64_t timeout; /* seconds that a connection may stand still */
	atomic_bool broken;
	atomic_bool exhausted; /* of descriptors or memory, and said so */
	/* kept ones on which no request is under way, by descriptor */
	atomic_bool idle[CONNECTIONS_KEPT];
};

void
connections_stop(struct connections *c)
{
	if (eventfd_write(c->stop, 1) == -1)
		log_error("server: cannot stop: %s", strerror(errno));
}

static void
stop_broken(struct connections *c, const char *what, int error)
{
	log_error("server: cannot %s: %s", what, strerror(error));
	atomic_store(&c->broken, true);
	connections_stop(c);
}

bool
connections_are_broken(const struct connections *c)
{
	return atomic_load(&c->broken);
}

int
connections_stopped(const struct connections *c)
{
	return c->stop;
}

/* Waits for the descriptor once more, or (EPOLL_CTL_ADD) for the first time.
 * Once: what one thread was told, no other is. */
static bool
wait_for(struct connections *c, int op, int fd)
{
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};

	return epoll_ctl(c->epoll, op, fd, &event) == 0;
}

/* A client that stands still for so long loses its turn: libfcgi itself would
 * wait for ever. */
static void
set_timeout(int fd, int64_t seconds)
{
	const struct timeval time = {.tv_sec = (time_t)seconds};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)))
		log_warn("server: cannot set a timeout: %s", strerror(errno));
}

/* Whether to go on after accept failed. */
static bool
survives(struct connections *c, int error)
{
	struct pollfd pause = {.fd = c->stop, .events = POLLIN};

	switch (error) {
	case EAGAIN: /* another process was faster, or the client is gone */
	case EINTR:
	case ECONNABORTED:
		return true;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* once, not ten times a second */
		if (!atomic_exchange(&c->exhausted, true))
			log_warn("server: cannot accept: %s", strerror(error));
		poll(&pause, 1, EXHAUSTED_PAUSE);
		return true;
	default:
		stop_broken(c, "accept", error);
		return false;
	}
}

/* The next connection; -1 there is none now, or they were stopped. */
static int
accept_next(struct connections *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1 && !survives(c, errno))
		return -1;
	if (!wait_for(c, EPOLL_CTL_MOD, c->listener))
		stop_broken(c, "wait for connections", errno);
	if (fd == -1)
		return -1;
	atomic_store(&c->exhausted, false);
	set_timeout(fd, c->timeout);
	return fd;
}

void
connections_keep(void *connections, int fd, bool is_new)
{
	struct connections *c = connections;
	int op = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (fd == -1)
		return;
	if (fd >= CONNECTIONS_KEPT) {
		close(fd);
		return;
	}
	/* from the next line on another thread may have it */
	atomic_store(&c->idle[fd], true);
	if (!wait_for(c, op, fd)) {
		log_warn(
		    "server: cannot keep a connection: %s", strerror(errno));
		atomic_store(&c->idle[fd], false);
		close(fd);
	}
}

/* A web server connects, and has the request ready some time later. */
static bool
is_silent(int fd)
{
	struct pollfd request = {.fd = fd, .events = POLLIN};

	return poll(&request, 1, 0) == 0;
}

int
connections_take(struct connections *c, int came, bool *is_new)
{
	int fd;

	*is_new = came == c->listener;
	if (!*is_new) {
		atomic_store(&c->idle[came], false);
		return came;
	}
	fd = accept_next(c);
	if (fd >= 0 && fd < CONNECTIONS_KEPT && is_silent(fd)) {
		connections_keep(c, fd, true);
		return -1;
	}
	return fd;
}

int
connections_wait(struct connections *c, int timeout, int *came)
{
	struct epoll_event event;
	int n;

	do
		n = epoll_wait(c->epoll, &event, 1, timeout);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		stop_broken(c, "wait", errno);
		return -1;
	}
	if (n == 0)
		return 0;
	/* Of a listener that was shut down accept says EAGAIN, for ever. */
	if (event.data.fd == c->listener &&
	    event.events & (EPOLLERR | EPOLLHUP)) {
		stop_broken(c, "go on listening", ENOTCONN);
		return -1;
	}
	*came = event.data.fd;
	return *came == c->stop ? -1 : 1;
}

/* ---- all of them ---- */

/* Has all threads woken by what comes. 0, or -1 with errno. */
static int
prepare(struct connections *c)
{
	struct epoll_event stops = {.events = EPOLLIN};
	int flags = fcntl(c->listener, F_GETFL);

	/* another process may listen, too, and be faster */
	if (flags == -1 ||
	    fcntl(c->listener, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	c->stop = eventfd(0, EFD_CLOEXEC);
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->stop == -1 || c->epoll == -1 ||
	    !wait_for(c, EPOLL_CTL_ADD, c->listener))
		return -1;
	stops.data.fd = c->stop;
	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->stop, &stops);
}

int
connections_open(int listener, int64_t timeout, struct connections **out)
{
	struct connections *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL) {
		log_error("server: out of memory");
		return -1;
	}
	c->listener = listener;
	c->timeout = timeout;
	c->epoll = c->stop = -1;
	if (prepare(c) == -1) {
		log_error("server: cannot start: %s", strerror(errno));
		connections_close(c);
		return -1;
	}
	*out = c;
	return 1;
}

static void
close_idle(struct connections *c)
{
	for (int fd = 0; fd < CONNECTIONS_KEPT; fd++)
		if (atomic_load(&c->idle[fd]))
			close(fd);
}

void
connections_close(struct connections *c)
{
	if (c == NULL)
		return;
	close_idle(c);
	if (c->epoll >= 0)
		close(c->epoll);
	if (c->stop >= 0)
		close(c->stop);
	free(c);
}
