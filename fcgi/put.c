#include "fcgi/handlers.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "fcgi/bodies.h"
#include "fcgi/http.h"
#include "fcgi/respond.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/media_type.h"
#include "schema/store.h"
#include "schema/units.h"

#define CHUNK 65536 /* bytes in memory at once */

/* ---- checks: without side effects, before a byte of the body is read ----
 *
 * Each returns 0, or the status of the refusal. */

/* One sentence for all of it: a guessed token must look like an unknown one. */
static int
no_slot(struct http_request *request)
{
	return respond_refuse(
	    request, 404, "There is no such upload slot, or its time is over.");
}

static int
check_slot(struct http_request *request, const struct slot *slot)
{
	if (!token_equal(slot->secret, request->secret) ||
	    slot->expires_at <= request->now)
		return no_slot(request);
	/* before the window's end counts: a client that repeats a PUT whose
	 * answer it lost shall learn that it was stored */
	if (slot->stored_at != 0)
		return 409;
	if (slot->put_expires_at <= request->now)
		return no_slot(request);
	return 0;
}

/* Without a length the end of a body can be told in HTTP/1 only where it is
 * chunked (RFC 9112 section 6.3); later versions frame it themselves. */
static int
check_unknown_length(struct http_request *request)
{
	const char *protocol = http_param(request, "SERVER_PROTOCOL");

	if (http_param(request, "HTTP_TRANSFER_ENCODING") ||
	    (protocol && strncmp(protocol, "HTTP/1.", 7) != 0))
		return 0;
	return 411;
}

/* CONTENT_LENGTH is a hint that refuses early; what counts is what comes. */
static int
check_length(struct http_request *request, const struct slot *slot)
{
	const char *text = http_param(request, "CONTENT_LENGTH");
	int64_t length;

	if (!text)
		return check_unknown_length(request);
	if (units_parse_number(text, &length) != 1)
		return respond_refuse(
		    request, 400, "The Content-Length is not a number.");
	if (length == slot->size)
		return 0;
	return respond_refuse(request, length > slot->size ? 413 : 400,
	    "The upload has %lld bytes, its slot is for %lld.",
	    (long long)length, (long long)slot->size);
}

/* XEP-0363 section 4: the PUT repeats the type of the request. Parameters may
 * differ, and either side may have said none. */
static int
check_type(struct http_request *request, const struct slot *slot)
{
	const char *type = http_param(request, "CONTENT_TYPE");

	if (!type || slot->content_type[0] == '\0' ||
	    media_type_same(type, slot->content_type))
		return 0;
	return respond_refuse(request, 415,
	    "The upload's Content-Type is not its slot's, %s.",
	    slot->content_type);
}

static int
check_form(struct http_request *request, const struct slot *slot)
{
	const char *coding = http_param(request, "HTTP_CONTENT_ENCODING");

	(void)slot;
	if (coding && strcasecmp(coding, "identity") != 0)
		return respond_refuse(request, 415,
		    "An upload must come without a Content-Encoding.");
	/* RFC 9110 section 14.5: a part must not be stored as the whole */
	if (http_param(request, "HTTP_CONTENT_RANGE"))
		return respond_refuse(request, 400,
		    "An upload must be whole, without a Content-Range.");
	/* section 13.1.1: what is not there yet matches no tag. The other
	 * preconditions hold for it. */
	if (http_param(request, "HTTP_IF_MATCH"))
		return respond_refuse(
		    request, 412, "There is no file yet that could match.");
	return 0;
}

/* Where the body of that slot goes. */
static enum bodies_place
place_of(const struct http_request *request, const struct slot *slot)
{
	return config_is_public(request->service->config, slot->purpose)
		   ? BODIES_PUBLIC
		   : BODIES_OWN;
}

/* Whether the disk takes so many bytes and keeps what it must: 1, 0, -1. */
static int
has_room(
    const struct http_request *request, const struct slot *slot, int64_t bytes)
{
	int64_t room = bodies_free_space(
	    request->service->bodies, place_of(request, slot));

	if (room == -1)
		return -1;
	return room - bytes >= request->service->config->min_free;
}

static int
check_room(struct http_request *request, const struct slot *slot)
{
	int rc = has_room(request, slot, slot->size);

	if (rc != 0)
		return rc == 1 ? 0 : 500;
	log_warn("slot %lld: no room for %lld bytes", (long long)slot->id,
	    (long long)slot->size);
	return 507;
}

static int
check(struct http_request *request, const struct slot *slot)
{
	static int (*const checks[])(
	    struct http_request *, const struct slot *) = {
	    check_slot, check_length, check_type, check_form, check_room};

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int status = checks[i](request, slot);
		if (status)
			return status;
	}
	return 0;
}

/* ---- acts ---- */

struct upload {
	struct http_request *request;
	const struct slot *slot;
	struct body *body;
	EVP_MD_CTX *digest;
	int64_t began; /* milliseconds, by the clock that nobody sets */
	int64_t received;
	unsigned char sha256[STORE_SHA256_LEN];
};

static int64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The time, which goes on while the body comes: it may take an hour. Whole
 * seconds of what has passed are added, so that it never runs ahead: a
 * Last-Modified must not lie in the future (RFC 9110 section 8.8.2.1). */
static int64_t
now(const struct upload *up)
{
	return up->request->now + (milliseconds() - up->began) / 1000;
}

static bool
is_late(const struct upload *up)
{
	return now(up) >= up->slot->put_ends_at;
}

/* Reads up to CHUNK bytes; fewer at the end of the body or of its time.
 * FCGX_GetStr alone waits for all of them, and a client that sends one byte a
 * minute would hold the thread for weeks: so it is asked only for what has
 * come, and the clock is read each time something came. */
static size_t
read_chunk(struct upload *up, char buffer[CHUNK])
{
	FCGX_Stream *in = up->request->in;
	size_t len = 0;

	while (len < CHUNK && !is_late(up)) {
		int first = FCGX_GetChar(in);
		if (first == EOF)
			break;
		buffer[len++] = (char)first;

		size_t arrived = (size_t)(in->stop - in->rdNext);
		if (arrived > CHUNK - len)
			arrived = CHUNK - len;
		len += (size_t)FCGX_GetStr(buffer + len, (int)arrived, in);
	}
	return len;
}

static int
no_room(const struct upload *up)
{
	log_warn("slot %lld: no room after %lld of %lld bytes",
	    (long long)up->slot->id, (long long)up->received,
	    (long long)up->slot->size);
	return 507;
}

/* Writes and digests what came. 0, or the status of the refusal. Uploads that
 * began side by side were all shown the same room, so it is looked at again. */
static int
keep(struct upload *up, const char *data, size_t len)
{
	int rc = has_room(up->request, up->slot, (int64_t)len);

	if (rc == 1)
		rc = bodies_write(up->body, data, len);
	if (rc != 1)
		return rc == 0 ? no_room(up) : 500;
	if (EVP_DigestUpdate(up->digest, data, len) == 1)
		return 0;
	log_error("slot %lld: no digest", (long long)up->slot->id);
	return 500;
}

/* What the end of the body means: 0, or the status of the refusal. */
static int
judge_end(struct upload *up)
{
	int error = FCGX_GetError(up->request->in);
	const struct slot *slot = up->slot;
	bool ended = FCGX_HasSeenEOF(up->request->in) == EOF && error == 0;

	up->request->body_consumed = ended;
	if (ended && up->received == slot->size)
		return 0;
	log_info("slot %lld: the upload ended after %lld of %lld bytes",
	    (long long)slot->id, (long long)up->received,
	    (long long)slot->size);
	if (is_late(up) || error == EAGAIN)
		return 408;
	return respond_refuse(up->request, 400,
	    "The upload ended after %lld of %lld bytes.",
	    (long long)up->received, (long long)slot->size);
}

/* Streams the body to its end, or to the first byte too many. */
static int
receive(struct upload *up)
{
	const struct slot *slot = up->slot;
	char buffer[CHUNK];
	size_t len;

	while ((len = read_chunk(up, buffer)) > 0) {
		if ((int64_t)len > slot->size - up->received) {
			log_info("slot %lld: the upload is longer than %lld "
				 "bytes",
			    (long long)slot->id, (long long)slot->size);
			return respond_refuse(up->request, 413,
			    "The upload is longer than its slot's %lld bytes.",
			    (long long)slot->size);
		}
		int status = keep(up, buffer, len);
		if (status)
			return status;
		up->received += (int64_t)len;
	}
	return judge_end(up);
}

static int
link_body(void *body)
{
	return bodies_publish(body);
}

/* The slot was free when the body began, and is not now. */
static int
lost(struct upload *up)
{
	struct http_request *request = up->request;
	struct slot again;
	int rc = store_find(request->service->reader, request->token, &again);

	if (rc == -1)
		return 500;
	log_info(
	    "slot %lld: the upload came too late", (long long)up->slot->id);
	return rc == 1 && again.stored_at != 0 ? 409 : no_slot(request);
}

/* Makes the whole body durable and the slot stored. */
static int
publish(struct upload *up)
{
	int rc = bodies_sync(up->body);

	if (rc != 1)
		return rc == 0 ? no_room(up) : 500;
	if (EVP_DigestFinal_ex(up->digest, up->sha256, NULL) != 1) {
		log_error("slot %lld: no digest", (long long)up->slot->id);
		return 500;
	}
	rc = writer_publish(up->request->service->writer, up->slot->id, now(up),
	    up->sha256, link_body, up->body);
	switch (rc) {
	case 1:
		return 0;
	case 0:
		return lost(up);
	case STORE_FULL:
		return no_room(up);
	default:
		return 500;
	}
}

static int
begin(struct upload *up)
{
	int rc = bodies_begin(up->request->service->bodies, up->slot->token,
	    place_of(up->request, up->slot), &up->body);

	if (rc != 1)
		return rc == 0 ? no_room(up) : 500;
	up->digest = EVP_MD_CTX_new();
	if (up->digest &&
	    EVP_DigestInit_ex(up->digest, EVP_sha256(), NULL) == 1)
		return 0;
	log_error("slot %lld: no digest", (long long)up->slot->id);
	return 500;
}

/* Takes the body of a PUT that was not refused. 0, or the status. */
static int
take(struct http_request *request, const struct slot *slot)
{
	struct upload up = {
	    .request = request, .slot = slot, .began = milliseconds()};
	int status = begin(&up);

	if (!status)
		status = receive(&up);
	if (!status)
		status = publish(&up);
	EVP_MD_CTX_free(up.digest);
	bodies_end(up.body);
	return status;
}

/* No Location: to a web server it means a redirect, and the client was given
 * the GET URL together with this one. */
static int
created(struct http_request *request)
{
	respond_begin(request, 201);
	respond_header(request, "Content-Length", "0");
	respond_end_headers(request);
	return 201;
}

int
put_handle(struct http_request *request)
{
	struct slot slot;
	int rc = store_find(request->service->reader, request->token, &slot);

	if (rc != 1)
		return rc == 0 ? no_slot(request) : 500;
	request->slot_id = slot.id;

	int status = check(request, &slot);
	if (!status)
		status = take(request, &slot);
	if (status)
		return status;
	log_info("slot %lld: stored %lld bytes", (long long)slot.id,
	    (long long)slot.size);
	return created(request);
}
