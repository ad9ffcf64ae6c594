/*
 * Building an answer to an IQ: libstrophe's stanzas with two things added.
 * Running out of memory in the middle is remembered and asked for once, at the
 * end; and every string is checked for characters that XML does not have,
 * which libstrophe would send as they are, and for which an XMPP server
 * closes the whole stream.
 */
#ifndef COMPONENT_ANSWER_H
#define COMPONENT_ANSWER_H

#include <stdbool.h>

#include <strophe.h>

struct answer {
	xmpp_ctx_t *ctx;
	xmpp_stanza_t *iq; /* NULL when there was no memory for it */
	bool broken;
};

/* Begins <iq type='result' from= to= id=>. It is built afresh and not with
 * xmpp_stanza_reply, which copies an xml:lang over as a bogus lang attribute
 * and sets no from. id may be NULL. End with answer_end in any case. */
struct answer
answer_begin(xmpp_ctx_t *, const char *from, const char *to, const char *id);

/* Adds an empty element to the parent, which owns it. ns NULL: the parent's.
 * NULL if there is no memory; the other functions accept that. */
xmpp_stanza_t *answer_add(
    struct answer *, xmpp_stanza_t *parent, const char *name, const char *ns);

/* Sets an attribute. What XML cannot carry becomes U+FFFD. */
void answer_set(struct answer *, xmpp_stanza_t *element, const char *key,
    const char *value);

/* Adds text to an element, likewise. */
void answer_text(struct answer *, xmpp_stanza_t *element, const char *text);

/* Makes the answer an error, RFC 6120 section 8.3: <error type=> with the
 * condition and, unless NULL, the text. Returns the <error/> for more. */
xmpp_stanza_t *answer_error(
    struct answer *, const char *type, const char *condition, const char *text);

/* The finished answer, which the caller releases; NULL if there was no memory
 * for a part of it (logged). */
xmpp_stanza_t *answer_end(struct answer *);

#endif
