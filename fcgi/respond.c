#include "fcgi/respond.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/http.h"
#include "schema/config.h"

/* Uploads are hostile documents on the service's own origin: whatever a
 * browser makes of them, nothing may run, nothing may be fetched. */
#define POLICY_SANDBOX "default-src 'none'; frame-ancestors 'none'; sandbox"

/* A picture or film opened by itself is, to a browser, a page of its own
 * making that fetches this very URL and styles itself. Without sandbox: some
 * browsers refuse to play media in one, and none of these types runs code. */
#define POLICY_INLINE                                            \
	"default-src 'none'; img-src 'self'; media-src 'self'; " \
	"style-src 'unsafe-inline'; frame-ancestors 'none'"

/* What a script of a web client may read beyond the safelisted headers. */
#define EXPOSED_HEADERS                                                       \
	"Accept-Ranges, Content-Disposition, Content-Length, Content-Range, " \
	"ETag"

struct status {
	int code;
	const char *reason;
	const char *sentence; /* of the error; NULL: not an error */
};

static const struct status statuses[] = {
    {200, "OK", NULL},
    {201, "Created", NULL},
    {204, "No Content", NULL},
    {206, "Partial Content", NULL},
    {304, "Not Modified", NULL},
    {400, "Bad Request", "The request cannot be understood."},
    {404, "Not Found", "There is no such file, or no longer."},
    {405, "Method Not Allowed", "This URL does not take that method."},
    {408, "Request Timeout", "The upload did not go on in time."},
    {409, "Conflict", "This file has been uploaded already."},
    {411, "Length Required", "An upload must say its length."},
    {412, "Precondition Failed", "The file is not the one asked for."},
    {413, "Content Too Large", "The upload is larger than announced."},
    {415, "Unsupported Media Type", "The upload is not of the type announced."},
    {416, "Range Not Satisfiable", "The file has no bytes in that range."},
    {500, "Internal Server Error", "The server failed; please try again."},
    {507, "Insufficient Storage", "The server has no room for this file."},
};

static const struct status *
find_status(int code)
{
	static const struct status unknown = {
	    500, "Error", "The server failed."};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].code == code)
			return &statuses[i];
	return &unknown;
}

void
respond_header(
    struct http_request *request, const char *name, const char *fmt, ...)
{
	char value[RESPOND_VALUE_MAX + 1];
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	if (len < 0)
		value[0] = '\0';

	for (char *p = value; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '\0';

	FCGX_PutS(name, request->out);
	FCGX_PutS(": ", request->out);
	FCGX_PutS(value, request->out);
	FCGX_PutS("\r\n", request->out);
}

/* On every answer, errors included: a web client shows the sentence of a
 * failed upload to its user, and can read it only with these. */
static void
cors_headers(struct http_request *request)
{
	const char *origin = request->service->config->cors_origin;

	if (!origin || !*origin)
		return;
	respond_header(request, "Access-Control-Allow-Origin", "%s", origin);
	respond_header(
	    request, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
	if (strcmp(origin, "*") != 0)
		respond_header(request, "Vary", "Origin");
}

static void
begin(struct http_request *request, int status, const char *policy)
{
	respond_header(
	    request, "Status", "%d %s", status, find_status(status)->reason);
	cors_headers(request);
	respond_header(request, "Content-Security-Policy", "%s", policy);
	respond_header(request, "X-Content-Type-Options", "nosniff");
	/* The URL is all it takes to read the file. */
	respond_header(request, "Referrer-Policy", "no-referrer");
	/* Web clients on other origins embed what their users were sent. */
	respond_header(request, "Cross-Origin-Resource-Policy", "cross-origin");
}

void
respond_begin(struct http_request *request, int status)
{
	begin(request, status, POLICY_SANDBOX);
}

void
respond_begin_inline(struct http_request *request, int status)
{
	begin(request, status, POLICY_INLINE);
}

void
respond_end_headers(struct http_request *request)
{
	FCGX_PutS("\r\n", request->out);
}

int
respond_refuse(struct http_request *request, int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len =
	    vsnprintf(request->refusal, sizeof(request->refusal), fmt, args);
	va_end(args);
	/* Half a sentence is worse than the usual one. */
	if (len < 0 || (size_t)len >= sizeof(request->refusal))
		request->refusal[0] = '\0';
	return status;
}

const char *
respond_allow(const struct http_request *request)
{
	static const char *const allow[HTTP_TARGET_COUNT] = {
	    [HTTP_TARGET_NONE] = "OPTIONS",
	    [HTTP_TARGET_GET_URL] = "GET, HEAD, OPTIONS",
	    [HTTP_TARGET_PUT_URL] = "PUT, OPTIONS",
	};

	return allow[request->target];
}

int
respond_error(struct http_request *request, int status)
{
	const char *sentence = request->refusal;

	if (!*sentence)
		sentence = find_status(status)->sentence;
	if (!sentence)
		sentence = "";

	respond_begin(request, status);
	if (status == 405)
		respond_header(request, "Allow", "%s", respond_allow(request));
	if (status == 416)
		respond_header(request, "Content-Range", "bytes */%lld",
		    (long long)request->unsatisfied_size);
	respond_header(request, "Content-Type", "text/plain; charset=utf-8");
	respond_header(request, "Content-Length", "%zu", strlen(sentence) + 1);
	respond_header(request, "Cache-Control", "no-store");
	respond_end_headers(request);
	if (request->method != HTTP_HEAD) {
		FCGX_PutS(sentence, request->out);
		FCGX_PutChar('\n', request->out);
	}
	return status;
}
