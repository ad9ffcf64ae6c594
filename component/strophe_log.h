/*
 * libstrophe's own messages, passed on to the log.
 */
#ifndef COMPONENT_STROPHE_LOG_H
#define COMPONENT_STROPHE_LOG_H

#include <strophe.h>

/* For xmpp_ctx_new. Whatever quotes the stream is left out: it would carry the
 * handshake, which proves the secret, and every URL with its secret. */
const xmpp_log_t *strophe_log(void);

#endif
