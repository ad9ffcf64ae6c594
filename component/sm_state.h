/*
 * The way round a defect of libstrophe, in a file of its own so that it can go
 * when the defect has.
 */
#ifndef COMPONENT_SM_STATE_H
#define COMPONENT_SM_STATE_H

#include <strophe.h>

/*
 * Gives a connection the stream management state that libstrophe 0.12.0 to
 * 0.14.0 dereferences for every stanza, but allocates in xmpp_connect_client
 * alone: without it a component dies of SIGSEGV at the first thing that the
 * server sends. A client's connection is therefore begun and refused by a
 * socket callback before anything goes over the network; the state stays.
 * (The state of a second connection could be handed over instead; that is
 * one object more for the same trick.)
 * Call it once, after xmpp_conn_set_jid and xmpp_conn_set_pass and before
 * xmpp_conn_set_sockopt_callback.
 */
void sm_state_make(xmpp_conn_t *);

#endif
