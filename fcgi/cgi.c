#include "fcgi/cgi.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcgiapp.h>

#include "fcgi/http.h"
#include "fcgi/outlet.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/monotonic.h"
#include "schema/units.h"

#define BUFFER 65536

/* How much of a refused body is read away, and for how long. */
#define DRAIN_BYTES (1024LL * 1024 * 1024)
#define DRAIN_SECONDS 300

/* Seconds that a body may stand still where no configuration says it. */
#define FAIL_TIMEOUT 20

struct stream {
	FCGX_Stream fcgx; /* first: its procedures get the address */
	struct http_source source;
	unsigned char buffer[BUFFER];
};

/* Ends a stream, for good. */
static void
end(FCGX_Stream *fcgx, int error)
{
	fcgx->FCGI_errno = error;
	fcgx->isClosed = 1;
}

/* ---- reading ---- */

/* The bytes read; 0 at the end; -1 with errno, EAGAIN when none came. */
static ssize_t
read_some(struct stream *s, size_t max)
{
	struct pollfd fd = {.fd = s->source.fd, .events = POLLIN};
	ssize_t n;

	do {
		int ready = poll(&fd, 1, s->source.timeout);
		if (ready == 0)
			errno = EAGAIN;
		n = ready == 1 ? read(s->source.fd, s->buffer, max) : -1;
	} while (n == -1 && errno == EINTR);
	return n;
}

static void
fill(FCGX_Stream *fcgx)
{
	struct stream *s = (struct stream *)(void *)fcgx;
	size_t max = s->source.left < BUFFER ? (size_t)s->source.left : BUFFER;
	ssize_t n = max > 0 ? read_some(s, max) : 0;

	if (n <= 0) {
		end(fcgx, n == 0 ? 0 : errno);
		return;
	}
	s->source.left -= n;
	fcgx->rdNext = fcgx->stopUnget = s->buffer;
	fcgx->stop = s->buffer + n;
}

static const char *
param(char **params, const char *name)
{
	const char *value = FCGX_GetParam(name, params);

	return value != NULL && *value != '\0' ? value : NULL;
}

bool
cgi_is_put(char **params)
{
	const char *method = param(params, "REQUEST_METHOD");

	return method != NULL && strcmp(method, "PUT") == 0;
}

/* How much may be read. RFC 3875 section 4.2 does not promise an end after
 * CONTENT_LENGTH bytes; where the length is unknown, Apache and nginx with
 * fcgiwrap do have one. Of a PUT that does not even say that it is chunked
 * (HTTP/2) there may be a body, of other methods not. */
static int64_t
expected_length(char **params)
{
	const char *text = param(params, "CONTENT_LENGTH");
	int64_t length;

	if (param(params, "HTTP_TRANSFER_ENCODING") != NULL)
		return INT64_MAX;
	if (text == NULL)
		return cgi_is_put(params) ? INT64_MAX : 0;
	return units_parse_number(text, &length) == 1 ? length : INT64_MAX;
}

static void
open_reader(struct stream *s, int fd, char **params, int64_t timeout)
{
	memset(&s->fcgx, 0, sizeof(s->fcgx));
	s->source.fd = fd;
	s->source.timeout = (int)timeout * 1000;
	s->source.left = expected_length(params);
	s->fcgx.isReader = 1;
	s->fcgx.rdNext = s->fcgx.wrNext = s->buffer;
	s->fcgx.stop = s->fcgx.stopUnget = s->buffer;
	s->fcgx.fillBuffProc = fill;
}

/* Apache's mod_cgid and fcgiwrap write the whole body before they read the
 * answer, and lose it when they cannot. */
static void
drain(struct stream *s)
{
	const time_t deadline = monotonic_ms() / 1000 + DRAIN_SECONDS;
	int64_t drained = 0;

	while (!s->fcgx.isClosed && drained < DRAIN_BYTES &&
	       monotonic_ms() / 1000 < deadline) {
		fill(&s->fcgx);
		if (!s->fcgx.isClosed)
			drained += s->fcgx.stop - s->fcgx.rdNext;
	}
}

/* ---- requests ---- */

bool
cgi_has_request(char **params)
{
	return param(params, "GATEWAY_INTERFACE") != NULL &&
	       param(params, "REQUEST_METHOD") != NULL;
}

struct exchange {
	struct http_request request; /* first: http_answer gives it back */
	struct stream reader;
	struct outlet outlet;
};

static void
end_exchange(struct http_request *request, int status)
{
	struct exchange *x = (struct exchange *)(void *)request;
	int error = outlet_close(&x->outlet);

	(void)status;
	if (error != 0)
		log_info("the answer was not taken: %s", strerror(error));
	if (!request->body_consumed)
		drain(&x->reader);
}

/* Where there is one thread, nothing is answered later. */
void
cgi_answer(const struct http_service *service, char **params, int in, int out)
{
	struct exchange x;

	x.request = (struct http_request){
	    .service = service,
	    .params = params,
	    .in = &x.reader.fcgx,
	    .source = &x.reader.source,
	    .out = &x.outlet.stream,
	    .now = http_clock(),
	    .answered = end_exchange,
	};
	open_reader(&x.reader, in, params, service->config->read_timeout);
	outlet_open(&x.outlet, out, 0);
	http_answer(&x.request);
	if (service->writer != NULL)
		writer_publish_all(service->writer);
}

void
cgi_fail(char **params, int in, int out)
{
	static const char text[] =
	    "Status: 500 Internal Server Error\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\n"
	    "\r\n"
	    "The upload service is not set up properly.\n";
	struct stream reader;
	struct outlet outlet;

	open_reader(&reader, in, params, FAIL_TIMEOUT);
	outlet_open(&outlet, out, 0);
	FCGX_PutS(text, &outlet.stream);
	int error = outlet_close(&outlet);
	if (error != 0)
		log_info("the answer was not taken: %s", strerror(error));
	drain(&reader);
}
