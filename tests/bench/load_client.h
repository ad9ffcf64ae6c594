/*
 * One HTTP/1.1 connection of the load generator, never blocking: sends a
 * request, takes the answer, and again.
 */
#ifndef TESTS_BENCH_LOAD_CLIENT_H
#define TESTS_BENCH_LOAD_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_tally;

/* Bytes of which all bodies consist. */
#define LOAD_CLIENT_PIECE (1 << 20)

/* What all clients of a run do. */
struct load_plan {
	struct sockaddr_in address;
	const char *method;
	const char *headers; /* more lines, each with CR LF; "" for none */
	char **paths;
	size_t path_count;
	size_t next_path;
	bool repeat;     /* begin again after the last path */
	bool keep_alive; /* many requests on a connection */
	int body;        /* a file of one piece, repeated as the body; or -1 */
	int64_t size;    /* of the body */
	double slow;     /* seconds that a body takes at least; 0: at once */
	double pause;    /* seconds from one request to the next */
	double end;      /* of the run, by load_tally_now(); then no more
			  * requests begin */
	int poll;        /* the epoll descriptor */
};

struct load_client {
	const struct load_plan *plan;
	int fd; /* -1: without a connection */
	char head[2048];
	size_t head_length;
	int64_t sent; /* of head and body together */
	double began;
	double ended;      /* the request before; 0: there was none */
	char answer[4096]; /* its head */
	size_t answer_length;
	int64_t left; /* of the answer's body; -1: not known yet */
	int64_t body_length;
	unsigned status;
	bool chunked;
	bool reused; /* the connection has had a request before */
	bool busy;   /* a request is under way */
	bool last;   /* the server will close */
	bool done;   /* the caller\'s: nothing is left to do */
};

/* Begins a request for the next path, connecting if necessary.
 * 1 begun, 0 nothing is left to do, -1 impossible: counted as broken. */
int load_client_begin(struct load_client *client, struct load_plan *plan,
    struct load_tally *tally);

/* Sends and receives what can be without waiting; the end of a request is
 * counted. 1 the request goes on, 0 it has ended, -1 no memory. */
int load_client_go_on(struct load_client *client, struct load_tally *tally);

/* Closes the connection, if there is one. */
void load_client_close(struct load_client *client);

#endif
