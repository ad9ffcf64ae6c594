/*
 * What every answer has in common: the status line, CORS and security
 * headers, and the one form of an error: a sentence of plain text.
 */
#ifndef FCGI_RESPOND_H
#define FCGI_RESPOND_H

#include <stdint.h>

#define RESPOND_VALUE_MAX 2000

struct http_request;

/* Writes "Status: CODE Reason" and the headers that no answer may lack. The
 * handler then writes its own headers with respond_header, then
 * respond_end_headers, then the body. */
void respond_begin(struct http_request *, int status);

/* The same for a body that a browser may show in its own window: a policy
 * that lets it show images and media, and still nothing run. */
void respond_begin_inline(struct http_request *, int status);

/* Writes one header. The value is formatted; a control character in it ends
 * the value there, so that nothing can forge a header. A value longer than
 * RESPOND_VALUE_MAX bytes is cut. */
void respond_header(struct http_request *, const char *name, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

void respond_end_headers(struct http_request *);

/* Notes the sentence that respond_error will send in place of the status'
 * usual one. Writes nothing yet. Returns the status, for a handler to return.
 */
int respond_refuse(struct http_request *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes a whole error answer: status, headers, and one plain sentence, the
 * latter not to a HEAD. A 405 carries the Allow of the request's target, a 416
 * the Content-Range of its unsatisfied_size. Returns the status. */
int respond_error(struct http_request *, int status);

/* The methods that the request's target takes, for Allow: a constant. */
const char *respond_allow(const struct http_request *);

#endif
