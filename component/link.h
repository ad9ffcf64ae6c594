/*
 * The connection to the XMPP server, XEP-0114, kept up for as long as the
 * process lives. It answers through iq_answer.
 */
#ifndef COMPONENT_LINK_H
#define COMPONENT_LINK_H

struct config;
struct link;
struct store;

/* Prepares a connection, without making it. config and store are borrowed.
 * Takes over SIGTERM and SIGINT, and ignores SIGPIPE, which libstrophe's
 * send() would raise. 1 and *out for link_close; -1 (logged). */
int link_open(const struct config *, struct store *, struct link **out);

/* Connects, answers, and connects again after every loss with growing waits,
 * until SIGTERM or SIGINT; then closes the stream as RFC 6120 section 4.4
 * wants it. Tells the service manager (notify.h) when the server has accepted
 * the component for the first time, that it is alive, and when it stops.
 * 1 stopped by a signal; -1 it could not go on (logged). */
int link_run(struct link *);

/* Accepts NULL. */
void link_close(struct link *);

#endif
