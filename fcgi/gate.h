/*
 * Lets as many threads work at the same time as there are processors for. More
 * would take turns on these: each request would cost a thread that is woken,
 * and uploads would come to their end one by one.
 *
 * A thread that waits for the disk or for a client leaves its place to another.
 * Most waits cannot be foreseen, so a place is also taken from a thread that
 * was at one and the same piece of work for two looks in a row: the service
 * never stands still for longer than that.
 */
#ifndef FCGI_GATE_H
#define FCGI_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Between two looks, in milliseconds. */
#define GATE_LOOK 5

struct gate;

/* A thread's. */
struct gate_pass {
	/* the gate's own */
	bool has_place;
	bool works;
	unsigned piece;          /* of work, counted */
	unsigned seen;           /* the piece at the last look */
	pthread_cond_t entered;  /* waits for a place no more */
	struct gate_pass *next;  /* of all */
	struct gate_pass *below; /* of those that wait */
};

/* How many threads there are processors for, and two at least: one may be held
 * up by the disk while it is not known to wait. A cgroup's quota is not asked:
 * it takes time away, not processors, and all threads stand still together. */
size_t gate_places(void);

/* With so many places. 1 or -1 (logged), *out NULL. */
int gate_open(size_t places, struct gate **out);
void gate_close(struct gate *); /* accepts NULL; no thread may use it */

/* Lets a thread have a pass, which is the gate's until gate_close. */
void gate_join(struct gate *, struct gate_pass *);

/* The thread has nothing to do, and waits for a place if it has none: of those
 * who wait, the last comes first, as its memory is warm. False: the gate was
 * shut. */
bool gate_enter(struct gate *, struct gate_pass *);

/* The thread, which gate_enter let in, has something to do. */
void gate_begin(struct gate *, struct gate_pass *);

/* The thread is about to wait, in the middle of its work: another may have its
 * place. */
void gate_leave(struct gate *, struct gate_pass *);

bool gate_has_place(struct gate *, const struct gate_pass *);

/* From now on nobody waits for a place. */
void gate_shut(struct gate *);

/* A descriptor that can be read when gate_look must be called, each GATE_LOOK
 * milliseconds until it returns false: all places are at work, or go_on says
 * that there is another reason to look again. */
int gate_alarm(const struct gate *);
bool gate_look(struct gate *, bool go_on);

/* Has somebody look, for a reason of the caller's own. */
void gate_alert(struct gate *);

#endif
