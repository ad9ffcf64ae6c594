/*
 * How the bytes of a PUT get into its body, whichever way they come; the one
 * place that knows the ways:
 *
 *	a file of nginx's    handed over: that very file becomes the body
 *	a file, CGI          copied by the kernel
 *	a pipe, CGI          spliced, where nobody waits for the digest
 *	all else             read from the stream, digested, written
 *
 * All refuse the same with the same words: never a byte more than the slot is
 * for, no longer than its time lasts, and what must stay free on the disk
 * stays free, but for what each running upload may write between two looks.
 */
#ifndef FCGI_INTAKE_H
#define FCGI_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi/transfer.h"
#include "schema/store.h"

struct body;
struct digest;
struct http_request;

struct intake {
	struct http_request *request;
	const struct slot *slot;
	struct body *body; /* NULL until it has begun */
	int64_t began;     /* milliseconds, by the clock that nobody sets */
	int64_t received;
	int64_t allowed; /* bytes that may be written before the next look */
	const char *handed_over; /* the path of the file, or NULL */
	enum transfer way;
	int error; /* of the way, as FCGX_GetError is the stream's */
	struct digest *digest; /* of all that was received, or NULL */
	bool digested;         /* whether there is a sha256 */
	unsigned char sha256[STORE_SHA256_LEN];
};

/* Prepares for a request that put.c has checked. Cannot fail. */
void
intake_open(struct intake *, struct http_request *, const struct slot *slot);

/* Whether the disk that the slot's body goes to takes it and keeps what it
 * must: 1, 0, -1. */
int intake_has_room(struct intake *);

/* Takes the body to its end, or to the first byte too many, and notes in the
 * request whether it was consumed. 0, or the status of the refusal. */
int intake_receive(struct intake *);

/* Makes a received body durable, and its digest known: sha256. Where nothing
 * waits for the disk, only small bodies get a digest (digested); that of others
 * is left to putslot-cleanup. 0, or the status. */
int intake_settle(struct intake *);

/* The time, which goes on while the body comes: it may take an hour. */
int64_t intake_now(const struct intake *);

/* Says in the log that there was no room. Returns 507. */
int intake_no_room(const struct intake *);

/* Frees what the others made; a body that was not published is gone. */
void intake_close(struct intake *);

#endif
