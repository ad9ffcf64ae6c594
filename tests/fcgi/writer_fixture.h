/*
 * What the tests of the writer start from: a service, and uploads that are
 * there to be published by whichever thread. For checked fixtures alone, as
 * all of tests/fcgi/service.h.
 */
#ifndef TESTS_FCGI_WRITER_FIXTURE_H
#define TESTS_FCGI_WRITER_FIXTURE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "tests/fcgi/service.h"

static struct service service;

static inline void
set_up(void)
{
	service_open(&service);
}

static inline void
tear_down(void)
{
	service_close(&service);
}

struct publisher {
	struct turn turn; /* first: the writer gives it back */
	pthread_t thread;
	struct writer *writer;
	struct slot slot;
	void (*done)(struct turn *); /* NULL: note_result */
	int result;
	int found;
	atomic_int answers;
	sem_t answered;
};

/* shard: the first two letters of the body's name. */
static inline struct publisher
publisher_of(struct slot slot, const char *shard)
{
	struct publisher p = {.writer = service.http.writer, .slot = slot};

	memcpy(p.slot.token, shard, BODIES_SHARD_LEN);
	ck_assert_int_eq(body_begin(service.http.bodies, p.slot.token,
			     BODIES_OWN, 5, &p.turn.body),
	    1);
	ck_assert_int_eq(body_write(p.turn.body, "hello", 5), 1);
	ck_assert_int_eq(body_sync(p.turn.body), 1);
	memcpy(p.slot.token, slot.token, BODIES_SHARD_LEN);
	return p;
}

static inline struct publisher
new_publisher(const char *shard)
{
	return publisher_of(service_grant(&service, "a", NULL, 5), shard);
}

/* One for uploads that may be lost in a power cut, whose bodies wait for no
 * disk either. */
static inline struct writer *
open_careless(void)
{
	struct writer *careless;

	bodies_forgo_syncs(service.http.bodies);
	ck_assert_int_eq(
	    writer_open(service.database, STORE_GRANT, 5, &careless), 1);
	return careless;
}

/* As turn.done, whichever thread calls it. */
static inline void
note_result(struct turn *turn)
{
	struct publisher *p = (struct publisher *)turn;

	p->result = turn->publication.result;
	p->answers++;
	sem_post(&p->answered);
}

static inline void
submit(struct publisher *p)
{
	static const unsigned char sha256[STORE_SHA256_LEN] = {1};

	p->turn.publication =
	    (struct publication){p->slot.id, SERVICE_NOW, sha256, 0};
	p->turn.done = p->done != NULL ? p->done : note_result;
	sem_init(&p->answered, 0, 0);
	writer_submit(p->writer, &p->turn);
}

static inline void *
publish(void *arg)
{
	struct publisher *p = arg;

	submit(p);
	writer_publish_all(p->writer);
	return NULL;
}

static inline void
start(struct publisher *p)
{
	ck_assert_int_eq(pthread_create(&p->thread, NULL, publish, p), 0);
}

/* Calls act(arg) while the database is locked, as another program may. */
struct lock {
	void (*act)(struct publisher *);
	struct publisher *publishers;
};

static inline void
act_under_lock(void *arg, struct publication *const *list, size_t count)
{
	const struct lock *lock = arg;

	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(list[0]->result, 1);
	lock->act(lock->publishers);
}

static inline void
with_lock(void (*act)(struct publisher *), struct publisher *publishers)
{
	static const unsigned char sha256[STORE_SHA256_LEN] = {1};
	struct lock lock = {act, publishers};
	struct publication other = {
	    .id = service_grant(&service, "b", NULL, 5).id,
	    .now = SERVICE_NOW,
	    .sha256 = sha256};
	struct publication *list[] = {&other};

	store_publish_all(service.grants, list, 1, act_under_lock, &lock);
	ck_assert_int_eq(other.result, 1);
}

#endif
