/*
 * What the component answers, without a network: a stanza in, text out, in
 * three steps, so that what many of them need of the database can be done in
 * one transaction (batch.h). Nothing is kept from one stanza to the next.
 */
#ifndef COMPONENT_IQ_H
#define COMPONENT_IQ_H

#include <stdbool.h>
#include <stdint.h>

#include <strophe.h>

#include "component/upload.h"
#include "schema/store.h"

struct answer;
struct config;
struct iq;

/* What the handlers work with; all borrowed. */
struct service {
	const struct config *config;
	struct store *store; /* opened with STORE_GRANT */
};

/* One of the requests that are known: see the table in iq.c. */
struct iq_handler;

/* One stanza that asks for an answer. */
struct iq {
	const struct service *service;
	int64_t now;                      /* seconds since 1970 UTC */
	char sender[STORE_OWNER_MAX + 1]; /* bare JID */
	xmpp_stanza_t *stanza;            /* borrowed */
	xmpp_stanza_t *child; /* the one element inside; NULL: not so */
	const struct iq_handler *handler; /* NULL: nobody is asked */
	struct upload upload;             /* of a slot request */
};

/* 1 the stanza asks for an answer, *iq is filled; 0 it does not (a result, an
 * error, no IQ at all), or comes from nowhere. */
int iq_read(
    struct iq *, const struct service *, int64_t now, xmpp_stanza_t *stanza);

/* Whether it has something to ask the store. */
bool iq_asks_store(const struct iq *);

/* Asks the store. What comes of it holds once the transaction around it is
 * committed; if it cannot be, call iq_retract. Both do nothing for a stanza
 * that does not ask. */
void iq_decide(struct iq *);
void iq_retract(struct iq *);

/* The answer as text, for the caller to free; NULL if memory ran out even for
 * an error (logged). */
char *iq_answer(const struct iq *);

#endif
