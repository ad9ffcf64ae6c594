/*
 * One XMPP client of the load generator, on plain TCP: logs in by SASL
 * ANONYMOUS, then asks for slots, several at a time, without ever blocking.
 */
#ifndef TESTS_BENCH_XMPP_CLIENT_H
#define TESTS_BENCH_XMPP_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct load_tally;

/* More than any server answers to one request. */
#define XMPP_CLIENT_READ 65536
/* Requests that are under way at a time, at most. */
#define XMPP_CLIENT_WINDOW 256

/* What all clients of a run do. */
struct xmpp_plan {
	struct sockaddr_in address;
	const char *domain;  /* of the clients */
	const char *service; /* that is asked for slots */
	size_t window;       /* requests under way at a time */
	double end; /* by load_tally_now(); then no more are sent; 0: not yet */
};

struct xmpp_client {
	const struct xmpp_plan *plan;
	int fd;
	size_t step; /* of the login; XMPP_CLIENT_READY: it is done */
	char text[XMPP_CLIENT_READ + 1]; /* received and not yet read */
	size_t len;
	unsigned next_id;                 /* of the next request */
	unsigned oldest;                  /* of those under way */
	double began[XMPP_CLIENT_WINDOW]; /* by id, modulo the window */
};

/* Connects and begins to log in. 1, or -1 (said on stderr). */
int xmpp_client_open(struct xmpp_client *, const struct xmpp_plan *);

bool xmpp_client_ready(const struct xmpp_client *);

/* Sends as many requests as the window has place for, in one write, unless
 * the time is over. 1, 0 nothing is under way any more, -1. */
int xmpp_client_ask(struct xmpp_client *);

/* Reads what has come, and goes on with the login, or counts answers: a slot
 * as 200, an error as 500. Answers must come in the order of the requests.
 * 1, or -1 (said on stderr). */
int xmpp_client_read(struct xmpp_client *, struct load_tally *);

#endif
