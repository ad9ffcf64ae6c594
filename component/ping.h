/*
 * XMPP Ping, XEP-0199: an empty result.
 */
#ifndef COMPONENT_PING_H
#define COMPONENT_PING_H

struct answer;
struct iq;

void ping_answer(const struct iq *, struct answer *);

#endif
