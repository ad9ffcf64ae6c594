#include "fcgi/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fcgi/connections.h"
#include "fcgi/exchange.h"
#include "fcgi/gate.h"
#include "fcgi/http.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/log.h"

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

struct server {
	int signals; /* a signalfd */
	struct connections *connections;
	struct exchanges *exchanges;
	struct writer *writer;
	bool durable; /* the writer waits for the disk */
	struct gate *gate;

	pthread_t relief;
	int late; /* an eventfd for it: uploads have waited for long */
	atomic_bool stopped;
};

struct worker {
	struct server *server;
	struct gate_pass pass;
	pthread_t thread;
	int put_off; /* requests since it saw that uploads wait */
};

/* ---- one thread ---- */

/* As connections_wait; 0: uploads are to be published. Where they are put off,
 * a slow client may hold the thread up, and them with it: so that is watched.
 */
static int
next_piece(struct worker *w, int *came)
{
	struct server *s = w->server;

	if (!writer_waits(s->writer)) {
		w->put_off = 0;
		return connections_wait(s->connections, -1, came);
	}
	if (w->put_off++ == PUT_OFF_MAX) {
		w->put_off = 0;
		return 0;
	}
	int rc = connections_wait(s->connections, 0, came);
	if (rc == 1)
		gate_alert(s->gate);
	return rc;
}

static void
serve(struct worker *w, int came)
{
	struct server *s = w->server;
	bool is_new;
	int fd = connections_take(s->connections, came, &is_new);

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

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct server *s = w->server;
	int rc = 0, came = -1;

	while (rc != -1 && gate_enter(s->gate, &w->pass)) {
		rc = next_piece(w, &came);
		gate_begin(s->gate, &w->pass);
		if (rc == 1)
			serve(w, came);
		else
			publish(w);
		/* who is to wait for a place must leave nothing behind */
		if (!gate_has_place(s->gate, &w->pass))
			writer_publish_all(s->writer);
	}
	gate_leave(s->gate, &w->pass);
	writer_publish_all(s->writer);
	return NULL;
}

static void
call_relief(struct server *s)
{
	if (eventfd_write(s->late, 1) == -1)
		log_error("server: cannot call for help: %s", strerror(errno));
}

/* Publishes what no other thread came to publish in time. */
static void *
relieve(void *arg)
{
	struct server *s = arg;
	eventfd_t calls;

	while (!atomic_load(&s->stopped) && eventfd_read(s->late, &calls) == 0)
		writer_publish_all(s->writer);
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
	    {.fd = connections_stopped(s->connections), .events = POLLIN},
	};
	bool again = false, waited = false;

	while (fds[1].revents == 0 && fds[2].revents == 0) {
		int n = poll(fds + again, 3 - again, again ? GATE_LOOK : -1);
		if (n == -1)
			continue;
		bool alarmed = !again;
		bool waits = writer_waits(s->writer);
		if (waits && waited)
			call_relief(s);
		waited = waits;
		again = gate_look(s->gate, alarmed || waits);
	}
}

static int
start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	int error = pthread_create(thread, NULL, run, arg);

	if (error)
		log_error("server: cannot start a thread: %s", strerror(error));
	return error ? -1 : 1;
}

/* Starts the threads, as many as *started says then. 1 or -1 (logged). */
static int
start_all(
    struct server *s, struct worker *workers, size_t count, size_t *started)
{
	for (*started = 0; *started < count; ++*started) {
		struct worker *w = &workers[*started];

		w->server = s;
		gate_join(s->gate, &w->pass);
		if (start(&w->thread, work, w) == -1)
			return -1;
	}
	return 1;
}

/* Waits for all threads to finish what they are at. That may take as long as an
 * upload does: whoever sits at a terminal ends it by another SIGINT. (Not
 * SIGTERM: mod_fcgid repeats it after a second, and waits seven more.) */
static void
end_all(struct server *s, struct worker *workers, size_t started)
{
	sigset_t interrupt;

	connections_stop(s->connections);
	gate_shut(s->gate);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
	atomic_store(&s->stopped, true);
	call_relief(s);
	pthread_join(s->relief, NULL);
	for (size_t i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

/* Until a signal comes, or one of the threads breaks. 1 or -1 (logged). */
static int
run_threads(struct server *s, struct worker *workers, size_t count)
{
	size_t started;
	int rc;

	if (start(&s->relief, relieve, s) == -1)
		return -1;
	rc = start_all(s, workers, count, &started);
	if (rc == 1)
		watch(s);
	end_all(s, workers, started);
	return connections_are_broken(s->connections) ? -1 : rc;
}

/* Opens what the server needs. The threads inherit the blocked signals, so
 * that none lands in the middle of a request; libfcgi's own handlers, which
 * stop nothing until each thread has had one more request, never run. */
static int
prepare_server(struct server *s, int listener, const struct config *config)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	s->late = eventfd(0, EFD_CLOEXEC);
	if (s->signals == -1 || s->late == -1) {
		log_error("server: cannot start: %s", strerror(errno));
		return -1;
	}
	if (connections_open(listener, config->read_timeout, &s->connections) !=
	    1)
		return -1;
	return gate_open(gate_places(), &s->gate);
}

/* The usual 1024 do not go round among the most requests that may be under way;
 * more are there for the asking. */
static void
allow_descriptors(size_t requests)
{
	const rlim_t wanted = requests * DESCRIPTORS_PER_REQUEST +
			      DESCRIPTORS_SHARED + CONNECTIONS_KEPT;
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
	exchange_close(s->exchanges);
	gate_close(s->gate);
	connections_close(s->connections);
	if (s->signals >= 0)
		close(s->signals);
	if (s->late >= 0)
		close(s->late);
}

int
server_run(int listener, const struct http_service *shared)
{
	const size_t count = (size_t)shared->config->threads;
	const size_t requests = count + LEFT_TO_OTHERS;
	struct worker *workers = calloc(count, sizeof(*workers));
	struct server server = {.signals = -1,
	    .late = -1,
	    .writer = shared->writer,
	    .durable = shared->config->durable};
	int rc = prepare_server(&server, listener, shared->config);

	if (workers == NULL) {
		log_error("server: out of memory");
		rc = -1;
	}
	allow_descriptors(requests);
	if (rc == 1) {
		const struct exchange_host host = {
		    connections_keep, server.connections, leave};
		rc = exchange_open(requests, shared, &host, &server.exchanges);
	}
	if (rc == 1) {
		log_info("serving with %zu threads", count);
		rc = run_threads(&server, workers, count);
	}
	close_server(&server);
	free(workers);
	return rc;
}
