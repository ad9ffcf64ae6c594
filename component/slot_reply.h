/*
 * Answering a slot request in the namespace and the form in which it was
 * asked, like the listings of XEP-0363 sections 4 and 6.
 */
#ifndef COMPONENT_SLOT_REPLY_H
#define COMPONENT_SLOT_REPLY_H

#include <strophe.h>

struct answer;
struct refusal;

/* Listing 6: the slot. Legacy namespaces carry the URLs as text. */
void slot_reply_granted(struct answer *, xmpp_stanza_t *request,
    const char *put_url, const char *get_url);

/* Listings 11 to 13: the request's file name, size and type again, and the
 * error. Legacy namespaces have no <retry/>, and not-allowed for forbidden. */
void slot_reply_refused(
    struct answer *, xmpp_stanza_t *request, const struct refusal *);

#endif
