#include "fcgi/gate.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "schema/log.h"

#define LEAST_PLACES 2

struct gate {
	int alarm; /* an eventfd */

	pthread_mutex_t mutex; /* for all of the rest, and the passes */
	size_t free;           /* places that no thread has */
	size_t idle;           /* threads that have a place and do not work */
	bool watched;
	bool shut;
	struct gate_pass *all;
	struct gate_pass *waiting; /* a stack */
};

/* ---- with the mutex held ---- */

static bool
is_full(const struct gate *g)
{
	return g->idle == 0 && g->free == 0;
}

static void
raise_alarm(struct gate *g)
{
	if (g->watched)
		return;
	g->watched = true;
	if (eventfd_write(g->alarm, 1) == -1)
		log_error("gate: cannot raise the alarm: %s", strerror(errno));
}

static void
give_place(struct gate *g, struct gate_pass *pass)
{
	pass->has_place = true;
	g->idle++;
}

static void
take_place(struct gate *g, struct gate_pass *pass)
{
	struct gate_pass *next = g->waiting;

	pass->has_place = false;
	if (!pass->works)
		g->idle--;
	if (next == NULL) {
		g->free++;
		return;
	}
	g->waiting = next->below;
	give_place(g, next);
	pthread_cond_signal(&next->entered);
}

static void
wait_for_place(struct gate *g, struct gate_pass *pass)
{
	if (g->free > 0) {
		g->free--;
		give_place(g, pass);
		return;
	}
	pass->below = g->waiting;
	g->waiting = pass;
	while (!pass->has_place && !g->shut)
		pthread_cond_wait(&pass->entered, &g->mutex);
}

/* ---- for threads that work ---- */

void
gate_join(struct gate *g, struct gate_pass *pass)
{
	*pass = (struct gate_pass){.has_place = false};
	pthread_cond_init(&pass->entered, NULL);
	pthread_mutex_lock(&g->mutex);
	pass->next = g->all;
	g->all = pass;
	pthread_mutex_unlock(&g->mutex);
}

bool
gate_enter(struct gate *g, struct gate_pass *pass)
{
	bool shut;

	pthread_mutex_lock(&g->mutex);
	if (pass->works && pass->has_place)
		g->idle++;
	pass->works = false;
	if (!pass->has_place && !g->shut)
		wait_for_place(g, pass);
	shut = g->shut;
	pthread_mutex_unlock(&g->mutex);
	return !shut;
}

void
gate_begin(struct gate *g, struct gate_pass *pass)
{
	pthread_mutex_lock(&g->mutex);
	pass->works = true;
	pass->piece++;
	g->idle--;
	if (is_full(g))
		raise_alarm(g);
	pthread_mutex_unlock(&g->mutex);
}

void
gate_alert(struct gate *g)
{
	pthread_mutex_lock(&g->mutex);
	raise_alarm(g);
	pthread_mutex_unlock(&g->mutex);
}

void
gate_leave(struct gate *g, struct gate_pass *pass)
{
	pthread_mutex_lock(&g->mutex);
	if (pass->has_place)
		take_place(g, pass);
	pthread_mutex_unlock(&g->mutex);
}

bool
gate_has_place(struct gate *g, const struct gate_pass *pass)
{
	bool has_place;

	pthread_mutex_lock(&g->mutex);
	has_place = pass->has_place;
	pthread_mutex_unlock(&g->mutex);
	return has_place;
}

/* ---- for who watches ---- */

int
gate_alarm(const struct gate *g)
{
	return g->alarm;
}

bool
gate_look(struct gate *g, bool go_on)
{
	eventfd_t raised;
	bool again;

	/* there may be none */
	if (eventfd_read(g->alarm, &raised) == -1 && errno != EAGAIN)
		log_error("gate: cannot read the alarm: %s", strerror(errno));
	pthread_mutex_lock(&g->mutex);
	for (struct gate_pass *p = g->all; p != NULL; p = p->next) {
		if (!p->has_place || !p->works)
			continue;
		if (p->piece == p->seen)
			take_place(g, p);
		p->seen = p->piece;
	}
	again = g->watched = go_on || is_full(g);
	pthread_mutex_unlock(&g->mutex);
	return again;
}

void
gate_shut(struct gate *g)
{
	pthread_mutex_lock(&g->mutex);
	g->shut = true;
	for (struct gate_pass *p = g->all; p != NULL; p = p->next)
		pthread_cond_signal(&p->entered);
	pthread_mutex_unlock(&g->mutex);
}

/* ---- the gate ---- */

size_t
gate_places(void)
{
	cpu_set_t set;
	int count = 0;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		count = CPU_COUNT(&set);
	return count > LEAST_PLACES ? (size_t)count : LEAST_PLACES;
}

int
gate_open(size_t places, struct gate **out)
{
	struct gate *g = calloc(1, sizeof(*g));

	*out = NULL;
	if (g == NULL) {
		log_error("gate: out of memory");
		return -1;
	}
	g->alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->alarm == -1) {
		log_error("gate: cannot have an alarm: %s", strerror(errno));
		free(g);
		return -1;
	}
	pthread_mutex_init(&g->mutex, NULL);
	g->free = places;
	*out = g;
	return 1;
}

void
gate_close(struct gate *g)
{
	if (g == NULL)
		return;
	close(g->alarm);
	for (struct gate_pass *p = g->all; p != NULL; p = p->next)
		pthread_cond_destroy(&p->entered);
	pthread_mutex_destroy(&g->mutex);
	free(g);
}
