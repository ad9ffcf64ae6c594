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

static const struct {
	const char *type;
	const char *ns;
	const char *name;
	iq_handler *handle;
} handlers[] = {
    {"get", XMPP_NS_DISCO_INFO, "query", disco_info},
    {"get", XMPP_NS_DISCO_ITEMS, "query", disco_items},
    {"get", NS_PING, "ping", ping_answer},
    {"get", NS_VERSION, "query", version_answer},
    {"get", NS_UPLOAD, "request", upload_answer},
    {"get", NS_UPLOAD_LEGACY, "request", upload_answer},
    {"get", NS_UPLOAD_SIACS, "request", upload_answer},
};

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static iq_handler *
find_handler(const char *type, xmpp_stanza_t *child)
{
	const char *ns = xmpp_stanza_get_ns(child);
	const char *name = xmpp_stanza_get_name(child);

	for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
		if (same(type, handlers[i].type) && same(ns, handlers[i].ns) &&
		    same(name, handlers[i].name))
			return handlers[i].handle;
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

static void
fill(struct iq *iq, xmpp_stanza_t *stanza, struct answer *answer)
{
	const char *type = xmpp_stanza_get_type(stanza);
	const char *to = xmpp_stanza_get_to(stanza);
	iq_handler *handle = NULL;

	iq->child = only_child(stanza);
	if (xmpp_stanza_get_id(stanza) == NULL || iq->child == NULL ||
	    !(same(type, "get") || same(type, "set"))) {
		answer_error(answer, "modify", "bad-request", NULL);
		return;
	}
	/* At other addresses of the domain nobody lives. */
	if (to == NULL || strcasecmp(to, iq->service->config->jid) == 0)
		handle = find_handler(type, iq->child);
	if (handle != NULL)
		handle(iq, answer);
	else
		answer_error(answer, "cancel", "service-unavailable", NULL);
}

/* The address to answer from: the one that was asked, because clients compare
 * the two. A foreign one would make the server close the stream. */
static const char *
own_address(const struct config *config, xmpp_stanza_t *stanza)
{
	const char *to = xmpp_stanza_get_to(stanza);

	return to != NULL && jid_is_at(to, config->jid) ? to : config->jid;
}

xmpp_stanza_t *
iq_answer(const struct service *service, int64_t now, xmpp_stanza_t *stanza)
{
	struct iq iq = {.service = service, .now = now};
	const char *from = xmpp_stanza_get_from(stanza);
	const char *id = xmpp_stanza_get_id(stanza);
	const char *self;
	struct answer answer;
	xmpp_stanza_t *reply;

	if (!wants_answer(stanza))
		return NULL;
	if (from == NULL || !jid_bare(from, iq.sender)) {
		log_debug("a stanza without a usable sender is ignored");
		return NULL;
	}
	self = own_address(service->config, stanza);
	answer = answer_begin(service->ctx, self, from, id);
	fill(&iq, stanza, &answer);
	reply = answer_end(&answer);
	if (reply == NULL) {
		/* A smaller one may still fit into memory. */
		answer = answer_begin(service->ctx, self, from, id);
		answer_error(&answer, "wait", "resource-constraint", NULL);
		reply = answer_end(&answer);
	}
	return reply;
}
