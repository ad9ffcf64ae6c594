#include "component/iq.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "component/answer.h"
#include "component/disco.h"
#include "component/jid.h"
#include "component/namespaces.h"
#include "component/ping.h"
#include "component/upload.h"
#include "component/version.h"
#include "schema/config.h"
#include "schema/log.h"

struct iq_handler {
	const char *type;
	const char *ns;
	const char *name;
	/* Fills an answer that answer_begin began. */
	void (*answer)(const struct iq *, struct answer *);
	/* For what the store is asked; NULL: nothing. */
	void (*decide)(struct iq *);
	void (*retract)(struct iq *);
};

#define UPLOAD upload_answer, upload_decide, upload_retract

static const struct iq_handler handlers[] = {
    {"get", XMPP_NS_DISCO_INFO, "query", disco_info, NULL, NULL},
    {"get", XMPP_NS_DISCO_ITEMS, "query", disco_items, NULL, NULL},
    {"get", NS_PING, "ping", ping_answer, NULL, NULL},
    {"get", NS_VERSION, "query", version_answer, NULL, NULL},
    {"get", NS_UPLOAD, "request", UPLOAD},
    {"get", NS_UPLOAD_LEGACY, "request", UPLOAD},
    {"get", NS_UPLOAD_SIACS, "request", UPLOAD},
};

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static const struct iq_handler *
find_handler(const char *type, xmpp_stanza_t *child)
{
	const char *ns = xmpp_stanza_get_ns(child);
	const char *name = xmpp_stanza_get_name(child);

	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		if (same(type, handlers[i].type) && same(ns, handlers[i].ns) &&
		    same(name, handlers[i].name))
			return &handlers[i];
	}
	return NULL;
}

/* RFC 6120 section 8.2.3: a get or set holds exactly one element. */
static xmpp_stanza_t *
only_child(xmpp_stanza_t *stanza)
{
	xmpp_stanza_t *found = NULL;
	xmpp_stanza_t *child = xmpp_stanza_get_children(stanza);

	for (; child != NULL; child = xmpp_stanza_get_next(child)) {
		if (!xmpp_stanza_is_tag(child))
			continue;
		if (found != NULL)
			return NULL;
		found = child;
	}
	return found;
}

/* Section 8.2.3, too: a type that does not exist is answered with an error. */
static bool
wants_answer(xmpp_stanza_t *stanza)
{
	const char *type = xmpp_stanza_get_type(stanza);

	return same(xmpp_stanza_get_name(stanza), "iq") &&
	       !same(type, "result") && !same(type, "error");
}

/* At other addresses of the domain nobody lives. */
static bool
is_for_us(const struct iq *iq)
{
	const char *to = xmpp_stanza_get_to(iq->stanza);

	return to == NULL || strcasecmp(to, iq->service->config->jid) == 0;
}

/* Whether it is a request in the form that section 8.2.3 wants. */
static bool
is_sound(const struct iq *iq)
{
	const char *type = xmpp_stanza_get_type(iq->stanza);

	return xmpp_stanza_get_id(iq->stanza) != NULL && iq->child != NULL &&
	       (same(type, "get") || same(type, "set"));
}

int
iq_read(struct iq *iq, const struct service *service, int64_t now,
    xmpp_stanza_t *stanza)
{
	const char *from = xmpp_stanza_get_from(stanza);

	iq->service = service;
	iq->now = now;
	iq->stanza = stanza;
	iq->handler = NULL;
	if (!wants_answer(stanza))
		return 0;
	if (from == NULL || !jid_bare(from, iq->sender)) {
		log_debug("a stanza without a usable sender is ignored");
		return 0;
	}
	iq->child = only_child(stanza);
	if (is_sound(iq) && is_for_us(iq))
		iq->handler =
		    find_handler(xmpp_stanza_get_type(stanza), iq->child);
	return 1;
}

bool
iq_asks_store(const struct iq *iq)
{
	return iq->handler != NULL && iq->handler->decide != NULL;
}

void
iq_decide(struct iq *iq)
{
	if (iq_asks_store(iq))
		iq->handler->decide(iq);
}

void
iq_retract(struct iq *iq)
{
	if (iq_asks_store(iq))
		iq->handler->retract(iq);
}

static void
fill(const struct iq *iq, struct answer *answer)
{
	if (iq->handler != NULL)
		iq->handler->answer(iq, answer);
	else if (is_sound(iq))
		answer_error(answer, "cancel", "service-unavailable", NULL);
	else
		answer_error(answer, "modify", "bad-request", NULL);
}

/* The address to answer from: the one that was asked, because clients compare
 * the two. A foreign one would make the server close the stream. */
static const char *
own_address(const struct config *config, xmpp_stanza_t *stanza)
{
	const char *to = xmpp_stanza_get_to(stanza);

	return to != NULL && jid_is_at(to, config->jid) ? to : config->jid;
}

char *
iq_answer(const struct iq *iq)
{
	const char *self = own_address(iq->service->config, iq->stanza);
	const char *from = xmpp_stanza_get_from(iq->stanza);
	const char *id = xmpp_stanza_get_id(iq->stanza);
	struct answer answer = answer_begin(self, from, id);
	char *text;

	fill(iq, &answer);
	text = answer_end(&answer);
	if (text == NULL) {
		/* A smaller one may still fit into memory. */
		answer = answer_begin(self, from, id);
		answer_error(&answer, "wait", "resource-constraint", NULL);
		text = answer_end(&answer);
	}
	return text;
}
