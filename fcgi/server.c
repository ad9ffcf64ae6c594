#include "fcgi/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <fcgiapp.h>

#include "fcgi/http.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/store.h"

/* How long a thread waits for descriptors or memory to come free. */
#define EXHAUSTED_PAUSE 100 /* milliseconds */

/* Descriptors: a connection, the database and its log, a body and up to two
 * directories for each thread; and what the process has. */
#define DESCRIPTORS_PER_THREAD 6
#define DESCRIPTORS_SHARED 32

struct server {
	int listener;
	int stop;    /* an eventfd, written once and never read: all see it */
	int signals; /* a signalfd */
	int64_t timeout; /* seconds that a connection may stand still */
	atomic_bool broken;
	atomic_bool exhausted; /* of descriptors or memory, and said so */
};

struct worker {
	struct server *server;
	struct http_service service;
	FCGX_Request request;
	pthread_t thread;
};

static void
stop(struct server *s)
{
	const uint64_t one = 1;

	if (write(s->stop, &one, sizeof(one)) == -1)
		log_error("server: cannot stop: %s", strerror(errno));
}

static void
stop_broken(struct server *s, const char *what, int error)
{
	log_error("server: cannot %s: %s", what, strerror(error));
	atomic_store(&s->broken, true);
	stop(s);
}

/* ---- one thread ---- */

/* Waits for a request, on the connection that was kept or a new one; 1 it may
 * be there, 0 the server stops. libfcgi's own waiting ends with no signal. */
static int
wait_for_request(struct worker *w)
{
	bool kept = w->request.ipcFd >= 0;
	struct pollfd fds[] = {
	    {.fd = w->server->stop, .events = POLLIN},
	    {.fd = kept ? w->request.ipcFd : w->server->listener,
		.events = POLLIN},
	};
	int n;

	do
		n = poll(fds, 2, kept ? (int)w->server->timeout * 1000 : -1);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		stop_broken(w->server, "wait", errno);
		return 0;
	}
	/* Of a listener that was shut down accept says EAGAIN, for ever. */
	if (!kept && fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		stop_broken(w->server, "go on listening", ENOTCONN);
		return 0;
	}
	/* An idle connection holds a thread; the web server opens another. */
	if (n == 0)
		FCGX_Free(&w->request, 1);
	return fds[0].revents == 0;
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

static void
answer(struct worker *w)
{
	struct http_request request = {
	    .service = &w->service,
	    .params = w->request.envp,
	    .in = w->request.in,
	    .out = w->request.out,
	    .now = time(NULL),
	};

	set_timeout(w->request.ipcFd, w->server->timeout);
	http_answer(&request);
	/* What is left of a body would be read as the next request's records,
	 * and the sender of the body could forge every word of that request. */
	if (!request.body_consumed)
		w->request.keepConnection = 0;
	FCGX_Finish_r(&w->request);
}

/* Whether to go on after FCGX_Accept_r failed. */
static bool
survives(struct worker *w, int error)
{
	struct pollfd pause = {.fd = w->server->stop, .events = POLLIN};

	switch (error) {
	case EAGAIN: /* another thread was faster */
	case EINTR:
	case ECONNABORTED:
		return true;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* once, not ten times a second from each thread */
		if (!atomic_exchange(&w->server->exhausted, true))
			log_warn("server: cannot accept: %s", strerror(error));
		poll(&pause, 1, EXHAUSTED_PAUSE);
		return true;
	default:
		stop_broken(w->server, "accept", error);
		return false;
	}
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	int rc = 0;

	while (wait_for_request(w) == 1) {
		/* after a wait that ended an idle connection there is none */
		rc = FCGX_Accept_r(&w->request);
		if (rc == 0) {
			atomic_store(&w->server->exhausted, false);
			answer(w);
		}
		if (rc != 0 && !survives(w, -rc))
			break;
	}
	FCGX_Free(&w->request, 1);
	return NULL;
}

/* ---- all of them ---- */

static int
prepare_worker(
    struct server *s, const struct http_service *shared, struct worker *w)
{
	const struct config *config = shared->config;
	int rc;

	w->server = s;
	w->service = *shared;
	w->service.reader = NULL;
	rc = FCGX_InitRequest(
	    &w->request, s->listener, FCGI_FAIL_ACCEPT_ON_INTR);
	if (rc != 0) {
		log_error("server: FCGX_InitRequest failed: %d", rc);
		return -1;
	}
	return store_open(config->database, STORE_READ, config->busy_timeout,
	    &w->service.reader);
}

/* Starts the threads, waits for a signal or for one of them to break, and for
 * all of them to finish what they are at. That may take as long as an upload
 * does: whoever sits at a terminal ends it by another SIGINT. (Not SIGTERM:
 * mod_fcgid repeats it after a second, and waits seven more.) */
static void
run_workers(struct server *s, struct worker *workers, size_t count)
{
	struct pollfd fds[] = {
	    {.fd = s->signals, .events = POLLIN},
	    {.fd = s->stop, .events = POLLIN},
	};
	sigset_t interrupt;
	size_t started = 0;

	while (started < count && !atomic_load(&s->broken)) {
		struct worker *w = &workers[started];
		int error = pthread_create(&w->thread, NULL, work, w);
		if (error)
			stop_broken(s, "start a thread", error);
		else
			started++;
	}
	while (poll(fds, 2, -1) == -1 && errno == EINTR)
		;
	stop(s);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
	for (size_t i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
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
	    .stop = -1,
	    .signals = -1,
	    .timeout = timeout};
	atomic_init(&s->broken, false);
	atomic_init(&s->exhausted, false);
	/* several threads may wake for one connection; all but one go on */
	if (flags == -1 || fcntl(listener, F_SETFL, flags | O_NONBLOCK) == -1)
		goto fail;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	s->stop = eventfd(0, EFD_CLOEXEC);
	if (s->signals == -1 || s->stop == -1)
		goto fail;
	return 1;
fail:
	log_error("server: cannot start: %s", strerror(errno));
	return -1;
}

/* The usual 1024 do not go round among the most threads that may be had; more
 * are there for the asking. */
static void
allow_descriptors(size_t threads)
{
	const rlim_t wanted =
	    threads * DESCRIPTORS_PER_THREAD + DESCRIPTORS_SHARED;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur < wanted)
		log_warn("server: %zu threads may need %llu descriptors",
		    threads, (unsigned long long)wanted);
}

static void
close_server(struct server *s)
{
	if (s->signals >= 0)
		close(s->signals);
	if (s->stop >= 0)
		close(s->stop);
}

int
server_run(int listener, const struct http_service *shared)
{
	size_t count = (size_t)shared->config->threads;
	struct worker *workers = calloc(count, sizeof(*workers));
	struct server server;
	int rc =
	    prepare_server(&server, listener, shared->config->read_timeout);

	if (workers == NULL) {
		log_error("server: out of memory");
		rc = -1;
	}
	if (rc == 1 && FCGX_Init() != 0) {
		log_error("server: libfcgi cannot start");
		rc = -1;
	}
	allow_descriptors(count);
	for (size_t i = 0; rc == 1 && i < count; i++)
		rc = prepare_worker(&server, shared, &workers[i]);
	if (rc == 1) {
		log_info("serving with %zu threads", count);
		run_workers(&server, workers, count);
		rc = atomic_load(&server.broken) ? -1 : 1;
	}
	for (size_t i = 0; workers != NULL && i < count; i++)
		store_close(workers[i].service.reader);
	free(workers);
	close_server(&server);
	return rc;
}
