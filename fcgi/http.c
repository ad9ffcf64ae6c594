#include "fcgi/http.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fcgi/handlers.h"
#include "fcgi/respond.h"
#include "schema/log.h"

/* A stretch of the request target, not NUL-terminated. */
struct span {
	const char *at;
	size_t len;
};

static const char *const method_names[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = "GET",
    [HTTP_HEAD] = "HEAD",
    [HTTP_PUT] = "PUT",
    [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_OTHER] = "other",
};

/* A hole is a 405, or 404 where there is nothing at all. */
static int (*const handlers[HTTP_TARGET_COUNT][HTTP_METHOD_COUNT])(
    struct http_request *) = {
    [HTTP_TARGET_NONE] = {[HTTP_OPTIONS] = options_handle},
    [HTTP_TARGET_GET_URL] = {[HTTP_GET] = get_handle,
	[HTTP_HEAD] = get_handle,
	[HTTP_OPTIONS] = options_handle},
    [HTTP_TARGET_PUT_URL] =
	{[HTTP_PUT] = put_handle, [HTTP_OPTIONS] = options_handle},
};

int64_t
http_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

const char *
http_param(const struct http_request *request, const char *name)
{
	const char *value = FCGX_GetParam(name, request->params);

	return value && *value ? value : NULL;
}

/* RFC 9110 section 9.1: method names are case-sensitive. */
static enum http_method
parse_method(const char *name)
{
	int method = 0;

	while (method < HTTP_OTHER &&
	       (!name || strcmp(name, method_names[method]) != 0))
		method++;
	return (enum http_method)method;
}

/* The path of a request target in origin form or, as Apache passes it on, in
 * absolute form (RFC 9112 section 3.2). Empty where there is none. */
static struct span
path_of(const char *uri)
{
	struct span path = {uri, strcspn(uri, "?#")};
	const char *end = uri + path.len;
	const char *authority = strstr(uri, "://");

	if (*uri != '/' && authority && authority < end) {
		path.at =
		    memchr(authority + 3, '/', (size_t)(end - authority - 3));
		path.len = path.at ? (size_t)(end - path.at) : 0;
	}
	return path;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that stands at *p, which moves past it: "%41" and "A" are both 'A'.
 * -1 for a broken escape. */
static int
next_byte(const char **p, const char *end)
{
	const char *at = *p;

	*p = at + 1;
	if (*at != '%')
		return (unsigned char)*at;
	if (end - at < 3 || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
		return -1;
	*p = at + 3;
	return hex_digit(at[1]) << 4 | hex_digit(at[2]);
}

/* Whether every reader of this segment understands it alike: a server may
 * have resolved dot segments, escaped ones too, before it chose to ask us. */
static bool
segment_is_plain(struct span segment)
{
	const char *p = segment.at, *end = segment.at + segment.len;
	size_t bytes = 0, dots = 0;

	while (p < end) {
		bool raw = *p != '%';
		int byte = next_byte(&p, end);

		if (byte <= 0 || (raw && (byte < ' ' || byte == 0x7f)))
			return false;
		bytes++;
		dots += byte == '.';
	}
	return bytes == 0 || bytes > 2 || dots < bytes;
}

/* Takes the last segment off the path: true while there was one. */
static bool
pop_segment(struct span *path, struct span *segment)
{
	const char *slash =
	    path->len ? memrchr(path->at, '/', path->len) : NULL;

	if (!slash)
		return false;
	segment->at = slash + 1;
	segment->len = (size_t)(path->at + path->len - segment->at);
	path->len = (size_t)(slash - path->at);
	return true;
}

/* Sorts the path's segments, the last one first, into tail; what is missing
 * is empty. False if any segment of the path is not plain. */
static bool
split(struct span path, struct span tail[3])
{
	struct span segment;

	for (int i = 0; pop_segment(&path, &segment); i++) {
		if (!segment_is_plain(segment))
			return false;
		if (i < 3)
			tail[i] = segment;
	}
	return path.len == 0;
}

static void
copy_token(char to[TOKEN_LEN + 1], struct span from)
{
	memcpy(to, from.at, TOKEN_LEN);
	to[TOKEN_LEN] = '\0';
}

/* Reads the shape from the end, where a proxy's prefix cannot disturb it. */
static void
parse_target(struct http_request *request, const char *uri)
{
	struct span tail[3] = {{"", 0}, {"", 0}, {"", 0}};

	if (!split(path_of(uri), tail) || tail[0].len == 0 ||
	    !token_valid(tail[1].at, tail[1].len))
		return;
	if (token_valid(tail[2].at, tail[2].len)) {
		request->target = HTTP_TARGET_PUT_URL;
		copy_token(request->token, tail[2]);
		copy_token(request->secret, tail[1]);
	} else {
		request->target = HTTP_TARGET_GET_URL;
		copy_token(request->token, tail[1]);
	}
}

void
http_parse(struct http_request *request)
{
	const char *uri = http_param(request, "REQUEST_URI");

	request->method = parse_method(http_param(request, "REQUEST_METHOD"));
	request->target = HTTP_TARGET_NONE;
	request->token[0] = request->secret[0] = '\0';
	if (uri)
		parse_target(request, uri);
}

/* Where a request announces no body, its end has come along with the
 * parameters, and taking note of it lets the web server keep the connection.
 * An announced body is not waited for: it may never come. */
static bool
has_no_body(const struct http_request *request)
{
	const char *length = http_param(request, "CONTENT_LENGTH");

	if (length && strcmp(length, "0") != 0)
		return false;
	if (http_param(request, "HTTP_TRANSFER_ENCODING"))
		return false;
	return FCGX_GetChar(request->in) == EOF &&
	       FCGX_GetError(request->in) == 0;
}

static int
dispatch(struct http_request *request)
{
	int (*handle)(struct http_request *) =
	    handlers[request->target][request->method];

	if (handle)
		return handle(request);
	return request->target == HTTP_TARGET_NONE ? 404 : 405;
}

void
http_complete(struct http_request *request, int status)
{
	if (status >= 400)
		respond_error(request, status);
	log_debug("%s, slot %lld: %d", method_names[request->method],
	    (long long)request->slot_id, status);
	request->answered(request, status);
}

void
http_answer(struct http_request *request)
{
	request->body_consumed = false;
	request->slot_id = 0;
	request->refusal[0] = '\0';
	request->unsatisfied_size = 0;

	http_parse(request);
	if (request->method != HTTP_PUT)
		request->body_consumed = has_no_body(request);

	int status = dispatch(request);
	if (status != HTTP_LATER)
		http_complete(request, status);
}
