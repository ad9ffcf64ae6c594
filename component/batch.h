/*
 * Answering many stanzas together: what they ask of the store becomes one
 * transaction, and the answers leave in one piece. All that is at hand makes a
 * batch, and nobody waits for more to come: a stanza that is alone is answered
 * as quickly as without.
 */
#ifndef COMPONENT_BATCH_H
#define COMPONENT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strophe.h>

struct batch;
struct service;

/* Takes text that ends in a NUL, which len does not count. */
typedef void batch_send_fn(void *arg, const char *text, size_t len);

/* The service is borrowed. For batch_free; NULL: no memory. */
struct batch *batch_new(const struct service *);
void batch_free(struct batch *); /* accepts NULL */

/* Keeps a stanza, until it is answered or dropped, if it asks for an answer.
 * The batch must not be full. */
void batch_add(struct batch *, int64_t now, xmpp_stanza_t *);

bool batch_empty(const struct batch *);
bool batch_full(const struct batch *);

/* Answers the stanzas in the order in which they were added, and hands the
 * answers to send. When the database has been locked for BATCH_MS the rest is
 * kept for the next call: others want to write, too. */
#define BATCH_MS 50
void batch_answer(struct batch *, batch_send_fn *send, void *arg);

/* Forgets the stanzas: nobody is left to be answered. */
void batch_drop(struct batch *);

#endif
