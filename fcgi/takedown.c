#include "fcgi/takedown.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/monotonic.h"
#include "schema/store.h"

#define BATCH 100

/* Milliseconds from the first change to a look, which is for all until then. */
#define SETTLED 1000
/* SQLite writes, syncs, and then lets others see: on a disk that is slow to
 * sync the first look may be too early. One more when all is calm again. */
#define CALM 10000
/* A look rests for so many times what it took: where very much is over, this
 * thread does not take more than a tenth of a processor. */
#define REST 9

struct takedown {
	const struct config *config;
	struct bodies *bodies;
	struct store *store;
	int changes; /* inotify */
	int stop;    /* eventfd */
	bool started;
	pthread_t thread;
};

/* ---- a look ---- */

static void
saw_over(void *arg, const struct slot *slot)
{
	struct takedown *t = arg;

	if (bodies_withdraw(t->bodies, slot->token) == 1)
		log_info("slot %lld: taken down, its time is over",
		    (long long)slot->id);
}

static void
look_for_doomed(struct takedown *t)
{
	char tokens[BATCH][TOKEN_LEN + 1];
	char after[TOKEN_LEN + 1] = "";
	int n;

	while ((n = store_doomed(t->store, after, tokens, BATCH)) > 0) {
		for (int i = 0; i < n; i++)
			if (bodies_withdraw(t->bodies, tokens[i]) == 1)
				log_info("a file was taken down: its row is "
					 "gone");
		memcpy(after, tokens[n - 1], sizeof(after));
	}
}

/* What is broken was logged; the next look, or cleanup, tries again. */
static void
look(struct takedown *t)
{
	look_for_doomed(t);
	store_reap(t->store, time(NULL), 0, true, saw_over, t);
}

/* ---- the thread ---- */

#define FOREVER INT_MAX

/* Waits until something changed (1), for that many milliseconds (0), or for
 * the end (-1). changes: whether they are waited for, too. */
static int
wait_for(const struct takedown *t, bool changes, int64_t timeout)
{
	struct pollfd fds[] = {
	    {.fd = t->stop, .events = POLLIN},
	    {.fd = t->changes, .events = POLLIN},
	};
	int n;

	if (timeout < 0) /* it is late already */
		timeout = 0;
	do
		n = poll(fds, changes ? 2 : 1,
		    timeout == FOREVER ? -1 : (int)timeout);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		log_error("take-down: cannot wait: %s", strerror(errno));
	return n == -1 || fds[0].revents != 0 ? -1 : n;
}

/* Empties the queue: that something changed is all there is to know. Whether
 * anything was in it. */
static bool
forget_changes(const struct takedown *t)
{
	char buffer[4096]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	bool any = false;

	while (read(t->changes, buffer, sizeof(buffer)) > 0)
		any = true;
	return any;
}

/* How many looks are due: 2 something changed, 1 it is calm since the last
 * look, 0 all was seen. Once a look is due nothing more is waited for, however
 * much is written in that second; what was written in it may have come too late
 * for the look, and has another. */
static void *
watch(void *arg)
{
	struct takedown *t = arg;
	int64_t due = monotonic_ms(), rested = due;
	int looks = 2;
	int rc;

	while ((rc = wait_for(t, looks < 2,
		    looks == 0 ? FOREVER : due - monotonic_ms())) != -1) {
		int64_t began = monotonic_ms();
		bool changed = forget_changes(t);

		if (rc == 0) {
			look(t);
			rested =
			    monotonic_ms() + (monotonic_ms() - began) * REST;
			due = rested + CALM;
			looks--;
		}
		if (changed) {
			due =
			    began + SETTLED > rested ? began + SETTLED : rested;
			looks = 2;
		}
	}
	return NULL;
}

/* ---- outside ---- */

static int
watch_file(const struct takedown *t, const char *path)
{
	return inotify_add_watch(t->changes, path, IN_MODIFY) == -1 ? -1 : 0;
}

/* The database and its log, which is there while the database is open; not
 * where SQLite keeps none. 0; -1 with errno. */
static int
watch_database(const struct takedown *t)
{
	char path[PATH_MAX], log[PATH_MAX + 8];

	if (realpath(t->config->database, path) == NULL ||
	    snprintf(log, sizeof(log), "%s-wal", path) < 0)
		return -1;
	if (watch_file(t, log) == -1 && errno != ENOENT)
		return -1;
	return watch_file(t, path);
}

struct takedown *
takedown_open(const struct config *config, struct bodies *bodies)
{
	struct takedown *t;

	if (config->public == NULL)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL) {
		log_error("take-down: out of memory");
		return NULL;
	}
	t->config = config;
	t->bodies = bodies;
	t->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	t->stop = eventfd(0, EFD_CLOEXEC);
	if (t->changes >= 0 && t->stop >= 0 && watch_database(t) == 0)
		return t;
	log_warn("take-down: cannot watch the database: %s: public files are "
		 "left to putslot-cleanup",
	    strerror(errno));
	takedown_close(t);
	return NULL;
}

/* Signals are the server's: none lands here. */
static int
start_thread(struct takedown *t)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&t->thread, NULL, watch, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

void
takedown_start(struct takedown *t)
{
	int error;

	if (t == NULL || store_open(t->config->database, STORE_READ,
			     t->config->busy_timeout, &t->store) != 1)
		return;
	error = start_thread(t);
	if (error != 0)
		log_warn("take-down: cannot start: %s: public files are left "
			 "to putslot-cleanup",
		    strerror(error));
	t->started = error == 0;
}

void
takedown_close(struct takedown *t)
{
	if (t == NULL)
		return;
	if (t->started) {
		if (eventfd_write(t->stop, 1) == -1)
			log_error(
			    "take-down: cannot stop: %s", strerror(errno));
		else
			pthread_join(t->thread, NULL);
	}
	store_close(t->store);
	if (t->changes >= 0)
		close(t->changes);
	if (t->stop >= 0)
		close(t->stop);
	free(t);
}
