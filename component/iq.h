/*
 * What the component answers, without a network: a stanza in, a stanza out.
 * Nothing is kept from one stanza to the next.
 */
#ifndef COMPONENT_IQ_H
#define COMPONENT_IQ_H

#include <stdint.h>

#include <strophe.h>

#include "schema/store.h"

struct answer;
struct config;

/* What the handlers work with; all borrowed. */
struct service {
	xmpp_ctx_t *ctx;
	const struct config *config;
	struct store *store; /* opened with STORE_GRANT */
};

/* One get or set that asks for an answer. */
struct iq {
	const struct service *service;
	int64_t now;                      /* seconds since 1970 UTC */
	char sender[STORE_OWNER_MAX + 1]; /* bare JID */
	xmpp_stanza_t *child;             /* the one element inside, borrowed */
};

/* Fills an answer that answer_begin began. */
typedef void iq_handler(const struct iq *, struct answer *);

/* The answer to a stanza, for the caller to send and release; NULL if it asks
 * for none (a result, an error, no IQ at all), if it comes from nowhere, or if
 * memory ran out even for an error (logged). */
xmpp_stanza_t *
iq_answer(const struct service *, int64_t now, xmpp_stanza_t *stanza);

#endif
