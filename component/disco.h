/*
 * Service discovery, XEP-0030, with the form of XEP-0363 section 3. What is
 * announced depends on who asks: the rule that matches the requester decides
 * on the purposes and on the largest file.
 */
#ifndef COMPONENT_DISCO_H
#define COMPONENT_DISCO_H

struct answer;
struct iq;

/* disco#info: identity, features, and a form for each upload namespace, that
 * of urn:xmpp:http:upload:0 first, because several clients read only one.
 * Somebody whom no rule admits sees no purpose, but all else. */
void disco_info(const struct iq *, struct answer *);

/* disco#items: there are none. */
void disco_items(const struct iq *, struct answer *);

#endif
