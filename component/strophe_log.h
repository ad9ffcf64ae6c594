/*
 * libstrophe's own messages, passed on to the log.
 */
#ifndef COMPONENT_STROPHE_LOG_H
#define COMPONENT_STROPHE_LOG_H

#include <strophe.h>

/* For xmpp_ctx_new. What quotes the stream, and the debugging lines about
 * authentication, are left out: they carry the handshake's digest, from which
 * a weak secret can be guessed, and every URL with its secret. */
const xmpp_log_t *strophe_log(void);

#endif
