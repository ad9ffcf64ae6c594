/*
 * One HTTP request as a handler sees it, and the parts of it that are parsed
 * before any handler runs. The same for FastCGI and CGI: both give a list of
 * parameters (RFC 3875 section 4.1) and two FCGX streams.
 */
#ifndef FCGI_HTTP_H
#define FCGI_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include <fcgiapp.h>

#include "schema/token.h"

#define HTTP_REFUSAL_MAX 200 /* a sentence, with its NUL */

/* In place of a status: the request is not answered yet, or has been by another
 * thread meanwhile. It must not be touched any more. */
#define HTTP_LATER 0

struct bodies;
struct config;
struct incoming;
struct readers;
struct writer;

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_PUT,
	HTTP_OPTIONS,
	HTTP_OTHER,
	HTTP_METHOD_COUNT
};

/* What the request target addresses, told apart by its shape alone:
 *	…/TOKEN/name          a GET URL
 *	…/TOKEN/SECRET/name   a PUT URL */
enum http_target {
	HTTP_TARGET_NONE,
	HTTP_TARGET_GET_URL,
	HTTP_TARGET_PUT_URL,
	HTTP_TARGET_COUNT
};

/* What all threads, or one CGI process, work with. */
struct http_service {
	const struct config *config;
	struct readers *readers;   /* of the process */
	struct writer *writer;     /* of the process, see fcgi/writer.h */
	struct bodies *bodies;     /* of the process */
	struct incoming *incoming; /* of the process; NULL: no hand-over */
};

/* The descriptor below a request's body, for who can take it from there faster
 * than from the stream, which goes on where that ended. */
struct http_source {
	int fd;
	int timeout;  /* milliseconds to wait for a byte to read */
	int64_t left; /* bytes that may still be read */
};

struct http_request {
	const struct http_service *service;
	char **params;              /* NAME=value, NULL-terminated */
	FCGX_Stream *in;            /* the body */
	struct http_source *source; /* what is below it (CGI), or NULL */
	FCGX_Stream *out;           /* the answer */
	int64_t now;                /* seconds since 1970 UTC, read once */
	/* Called once, with the status, when the last byte of the answer is in
	 * out: by http_answer, or later by another thread. The request may end
	 * with it. */
	void (*answered)(struct http_request *, int status);

	/* Called before the thread that handles the request waits for the disk;
	 * NULL: no other needs to know. */
	void (*waits)(struct http_request *);

	enum http_method method;
	enum http_target target;
	char token[TOKEN_LEN + 1];  /* "" for HTTP_TARGET_NONE */
	char secret[TOKEN_LEN + 1]; /* "" but for HTTP_TARGET_PUT_URL */

	/* Set by whoever reads the body to its end, and by http_answer where
	 * there is none. While false, the connection still carries bytes of it,
	 * and must not be used for another request. */
	bool body_consumed;

	/* Set by the handler that looked the slot up, for the log; 0: none. */
	int64_t slot_id;

	/* Set by respond_refuse; "": the status' usual sentence. */
	char refusal[HTTP_REFUSAL_MAX];
	/* Set by whoever returns 416: the size of the body in bytes. */
	int64_t unsatisfied_size;
};

/* Fills method, target, token and secret from the parameters. Never fails:
 * what cannot be understood is HTTP_OTHER or HTTP_TARGET_NONE. Only
 * REQUEST_URI is believed: the other paths are decoded or normalised
 * differently by every web server. Nothing is decoded: a token has no need of
 * escapes. A path that a server may have routed by another reading than this
 * one (a broken escape, a NUL or control byte, a dot segment) is no target. */
void http_parse(struct http_request *);

/* Seconds since 1970 UTC, to the moment: the clock of time() goes in steps of
 * some milliseconds, in which a file would outlive its time. */
int64_t http_clock(void);

/* A parameter's value, or NULL when it is absent or empty. */
const char *http_param(const struct http_request *, const char *name);

/* Answers one request, from parsing to the last byte of the answer. The caller
 * has filled service, params, in, source, out, now, answered and waits, and
 * nothing else; all of it stays until answered is called. This is the whole of
 * the program behind a socket, but for uploads: they were left with the
 * service's writer, which the caller has publish them. */
void http_answer(struct http_request *);

/* The rest of it, for a handler that returned HTTP_LATER: the status is what it
 * would have returned. Any thread may do that. */
void http_complete(struct http_request *, int status);

#endif
