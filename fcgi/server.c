#include "fcgi/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/exchange.h"
#include "fcgi/gate.h"
#include "fcgi/http.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/log.h"

/* How long a thread waits for descriptors or memory to come free. */
#define EXHAUSTED_PAUSE 100 /* milliseconds */

/* Descriptors: a connection, a body and a directory for each request; and what
 * the process has, the handles of the database among it. */
#define DESCRIPTORS_PER_REQUEST 3
#define DESCRIPTORS_SHARED 64

/* Requests that wait for no thread, but to be answered by the one that
 * publishes uploads: while it is at some, as many may gather. */
#define LEFT_TO_OTHERS (2 * WRITER_BATCH)

/* While uploads wait to be published a thread takes so many requests first, if
 * they are at hand: each may be one more that shares the commit. */
#define PUT_OFF_MAX 4

/* Only connections whose descriptor is below this are kept. */
#define KEPT_END 1024

struct server {
	int listener;
	int epoll;
	int stop;    /* an eventfd, written once and never read: all see it */
	int signals; /* a signalfd */
	int late;    /* an eventfd: uploads have waited for long */
	pthread_t relief;
	int64_t timeout; /* seconds that a connection may stand still */
	atomic_bool broken, stopped;
	atomic_bool exhausted; /* of descriptors or memory, and said so */
	/* kept connections on which no request is under way, by descriptor */
	atomic_bool idle[KEPT_END];
	struct exchanges *exchanges;
	struct writer *writer;
	bool durable; /* the writer waits for the disk */
	struct gate *gate;
};

struct worker {
	struct server *server;
	struct gate_pass pass;
	pthread_t thread;
	int put_off; /* requests since it saw that uploads wait */
};

/* By an eventfd. */
static void
tell(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) == -1)
		log_error("server: cannot tell: %s", strerror(errno));
}

static void
stop(struct server *s)
{
	atomic_store(&s->stopped, true);
	tell(s->stop);
	tell(s->late);
}

static void
stop_broken(struct server *s, const char *what, int error)
{
	log_error("server: cannot %s: %s", what, strerror(error));
	atomic_store(&s->broken, true);
	stop(s);
}

/* ---- connections ----
 *
 * All threads wait at one epoll instance, for the next connection or for the
 * next request on one that was kept, whichever comes: a kept connection that is
 * idle holds no thread, and no thread is woken in vain. */

/* Waits for the descriptor once more, or (EPOLL_CTL_ADD) for the first time.
 * Once: what one thread was told, no other is. */
static bool
wait_for(struct server *s, int op, int fd)
{
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};

	return epoll_ctl(s->epoll, op, fd, &event) == 0;
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
survives(struct server *s, int error)
{
	struct pollfd pause = {.fd = s->stop, .events = POLLIN};

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
		if (!atomic_exchange(&s->exhausted, true))
			log_warn("server: cannot accept: %s", strerror(error));
		poll(&pause, 1, EXHAUSTED_PAUSE);
		return true;
	default:
		stop_broken(s, "accept", error);
		return false;
	}
}

/* The next connection; -1 there is none now, or the server stops. */
static int
accept_next(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1 && !survives(s, errno))
		return -1;
	if (!wait_for(s, EPOLL_CTL_MOD, s->listener))
		stop_broken(s, "wait for connections", errno);
	if (fd == -1)
		return -1;
	atomic_store(&s->exhausted, false);
	set_timeout(fd, s->timeout);
	return fd;
}

/* As exchange_host.end: puts a connection aside until its next request. What
 * cannot be kept is closed: the web server opens another. */
static void
keep(void *arg, int fd, bool is_new)
{
	struct server *s = arg;
	int op = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (fd == -1)
		return;
	if (fd >= KEPT_END) {
		close(fd);
		return;
	}
	/* from the next line on another thread may have it */
	atomic_store(&s->idle[fd], true);
	if (!wait_for(s, op, fd)) {
		log_warn(
		    "server: cannot keep a connection: %s", strerror(errno));
		atomic_store(&s->idle[fd], false);
		close(fd);
	}
}

static void
close_idle(struct server *s)
{
	for (int fd = 0; fd < KEPT_END; fd++)
		if (atomic_load(&s->idle[fd]))
			close(fd);
}

/* ---- one thread ---- */

/* 1 something came; 0 nothing within the timeout; -1 the server stops. */
static int
wait_for_event(struct server *s, struct epoll_event *event, int timeout)
{
	int n;

	do
		n = epoll_wait(s->epoll, event, 1, timeout);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		stop_broken(s, "wait", errno);
		return -1;
	}
	if (n == 0)
		return 0;
	/* Of a listener that was shut down accept says EAGAIN, for ever. */
	if (event->data.fd == s->listener &&
	    event->events & (EPOLLERR | EPOLLHUP)) {
		stop_broken(s, "go on listening", ENOTCONN);
		return -1;
	}
	return event->data.fd == s->stop ? -1 : 1;
}

/* As wait_for_event; 0: uploads are to be published. Where they are put off, a
 * slow client may hold the thread up, and them with it: so that is watched. */
static int
next_piece(struct worker *w, struct epoll_event *event)
{
	struct server *s = w->server;

	if (!writer_waits(s->writer)) {
		w->put_off = 0;
		return wait_for_event(s, event, -1);
	}
	if (w->put_off++ == PUT_OFF_MAX) {
		w->put_off = 0;
		return 0;
	}
	int rc = wait_for_event(s, event, 0);
	if (rc == 1)
		gate_alert(s->gate);
	return rc;
}

static void
serve(struct worker *w, int fd)
{
	struct server *s = w->server;
	bool is_new = fd == s->listener;

	if (is_new)
		fd = accept_next(s);
	else
		atomic_store(&s->idle[fd], false);
	if (fd >= 0)
		exchange_serve(s->exchanges, fd, is_new, w);
}

/* As exchange_host.waits. */
static void
leave(void *thread)
{
	struct worker *w = thread;

	gate_leave(w->server->gate, &w->pass);
}

static void
publish(struct worker *w)
{
	if (w->server->durable)
		leave(w);
	writer_publish(w->server->writer);
}

static void
publish_all(struct server *s)
{
	while (writer_publish(s->writer))
		;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct server *s = w->server;
	struct epoll_event event;
	int rc = 0;

	while (rc != -1 && gate_enter(s->gate, &w->pass)) {
		rc = next_piece(w, &event);
		gate_begin(s->gate, &w->pass);
		if (rc == 1)
			serve(w, event.data.fd);
		else
			publish(w);
		/* who is to wait for a place must leave nothing behind */
		if (!gate_has_place(s->gate, &w->pass))
			publish_all(s);
	}
	gate_leave(s->gate, &w->pass);
	publish_all(s);
	return NULL;
}

/* Publishes what no other thread came to publish in time. */
static void *
relieve(void *arg)
{
	struct server *s = arg;
	uint64_t count;

	while (read(s->late, &count, sizeof(count)) == sizeof(count) &&
	       !atomic_load(&s->stopped))
		publish_all(s);
	return NULL;
}

/* ---- all of them ---- */

/* Sees to it that no thread holds others or uploads up, until a signal comes or
 * the server stops. */
static void
watch(struct server *s)
{
	struct pollfd fds[] = {
	    {.fd = gate_alarm(s->gate), .events = POLLIN},
	    {.fd = s->signals, .events = POLLIN},
	    {.fd = s->stop, .events = POLLIN},
	};
	bool again = false, waited = false;

	while (fds[1].revents == 0 && fds[2].revents == 0) {
		int n = poll(fds + again, 3 - again, again ? GATE_LOOK : -1);
		if (n == -1)
			continue;
		bool alarmed = !again;
		bool waits = writer_waits(s->writer);
		if (waits && waited)
			tell(s->late);
		waited = waits;
		again = gate_look(s->gate, alarmed || waits);
	}
}

/* Starts the threads, waits for a signal or for one of them to break, and for
 * all of them to finish what they are at. That may take as long as an upload
 * does: whoever sits at a terminal ends it by another SIGINT. (Not SIGTERM:
 * mod_fcgid repeats it after a second, and waits seven more.) */
static void
run_threads(struct server *s, struct worker *workers, size_t count)
{
	sigset_t interrupt;
	size_t started = 0;
	int error = pthread_create(&s->relief, NULL, relieve, s);
	bool relieved = error == 0;

	if (!relieved)
		stop_broken(s, "start a thread", error);
	while (started < count && !atomic_load(&s->broken)) {
		struct worker *w = &workers[started];
		w->server = s;
		gate_join(s->gate, &w->pass);
		error = pthread_create(&w->thread, NULL, work, w);
		if (error)
			stop_broken(s, "start a thread", error);
		else
			started++;
	}
	watch(s);
	stop(s);
	gate_shut(s->gate);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
	for (size_t i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	if (relieved)
		pthread_join(s->relief, NULL);
}

/* Has all threads woken by what comes. */
static int
prepare_epoll(struct server *s)
{
	struct epoll_event stops = {.events = EPOLLIN, .data.fd = s->stop};

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll == -1 || !wait_for(s, EPOLL_CTL_ADD, s->listener))
		return -1;
	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->stop, &stops);
}

/* Opens what the server needs. The threads inherit the blocked signals, so
 * that none lands in the middle of a request; libfcgi's own handlers, which
 * stop nothing until each thread has had one more request, never run. */
static int
prepare_server(struct server *s, int listener, int64_t timeout)
{
	sigset_t set;
	int flags = fcntl(listener, F_GETFL);

	*s = (struct server){.listener = listener,
	    .epoll = -1,
	    .stop = -1,
	    .late = -1,
	    .signals = -1,
	    .timeout = timeout};
	/* another process may listen, too, and be faster */
	if (flags == -1 || fcntl(listener, F_SETFL, flags | O_NONBLOCK) == -1)
		goto fail;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->late = eventfd(0, EFD_CLOEXEC);
	if (s->signals == -1 || s->stop == -1 || s->late == -1 ||
	    prepare_epoll(s) == -1)
		goto fail;
	return 1;
fail:
	log_error("server: cannot start: %s", strerror(errno));
	return -1;
}

/* The usual 1024 do not go round among the most requests that may be under way;
 * more are there for the asking. */
static void
allow_descriptors(size_t requests)
{
	const rlim_t wanted =
	    requests * DESCRIPTORS_PER_REQUEST + DESCRIPTORS_SHARED + KEPT_END;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur < wanted)
		log_warn("server: %zu requests may need %llu descriptors",
		    requests, (unsigned long long)wanted);
}

static void
close_server(struct server *s)
{
	close_idle(s);
	exchange_close(s->exchanges);
	gate_close(s->gate);
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->signals >= 0)
		close(s->signals);
	if (s->stop >= 0)
		close(s->stop);
	if (s->late >= 0)
		close(s->late);
}

int
server_run(int listener, const struct http_service *shared)
{
	size_t count = (size_t)shared->config->threads;
	struct worker *workers = calloc(count, sizeof(*workers));
	struct server server;
	const struct exchange_host host = {keep, &server, leave};
	int rc =
	    prepare_server(&server, listener, shared->config->read_timeout);

	if (workers == NULL) {
		log_error("server: out of memory");
		rc = -1;
	}
	allow_descriptors(count + LEFT_TO_OTHERS);
	server.writer = shared->writer;
	server.durable = shared->config->durable;
	if (rc == 1)
		rc = gate_open(gate_places(), &server.gate);
	if (rc == 1)
		rc = exchange_open(
		    count + LEFT_TO_OTHERS, shared, &host, &server.exchanges);
	if (rc == 1) {
		log_info("serving with %zu threads", count);
		run_threads(&server, workers, count);
		rc = atomic_load(&server.broken) ? -1 : 1;
	}
	free(workers);
	close_server(&server);
	return rc;
}
