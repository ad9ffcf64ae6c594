#include "fcgi/handlers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fcgi/http.h"
#include "fcgi/intake.h"
#include "fcgi/readers.h"
#include "fcgi/respond.h"
#include "fcgi/writer.h"
#include "schema/log.h"
#include "schema/media_type.h"
#include "schema/store.h"
#include "schema/units.h"

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

static int
check(struct http_request *request, const struct slot *slot)
{
	static int (*const checks[])(
	    struct http_request *, const struct slot *) = {
	    check_slot, check_length, check_type, check_form};

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		int status = checks[i](request, slot);
		if (status)
			return status;
	}
	return 0;
}

/* ---- acts ---- */

/* A PUT that was not refused, from its first byte to its answer. */
struct upload {
	struct turn turn; /* first: the writer gives it back */
	struct slot slot;
	struct intake intake;
};

/* The slot was free when the body began, and is not now. */
static int
lost(struct http_request *request, const struct slot *slot)
{
	struct slot again;
	int rc =
	    readers_find(request->service->readers, request->token, &again);

	if (rc == -1)
		return 500;
	log_info("slot %lld: the upload came too late", (long long)slot->id);
	return rc == 1 && again.stored_at != 0 ? 409 : no_slot(request);
}

/* No Location: to a web server it means a redirect, and the client was given
 * the GET URL together with this one. */
static int
created(struct http_request *request, const struct slot *slot)
{
	log_info("slot %lld: stored %lld bytes", (long long)slot->id,
	    (long long)slot->size);
	respond_begin(request, 201);
	respond_header(request, "Content-Length", "0");
	respond_end_headers(request);
	return 201;
}

static int
judge(const struct upload *upload)
{
	struct http_request *request = upload->intake.request;

	switch (upload->turn.publication.result) {
	case 1:
		return created(request, &upload->slot);
	case 0:
		return lost(request, &upload->slot);
	case STORE_FULL:
		return intake_no_room(&upload->intake);
	default:
		return 500;
	}
}

/* Answers an upload that has been published, or could not be. The client need
 * not wait until all of it is cleared away. */
static void
published(struct turn *turn)
{
	struct upload *upload = (struct upload *)turn;

	http_complete(upload->intake.request, judge(upload));
	intake_close(&upload->intake);
	free(upload);
}

/* Leaves the whole body with the writer, which makes the slot stored. */
static void
publish(struct upload *upload)
{
	struct intake *in = &upload->intake;

	upload->turn = (struct turn){.body = in->body,
	    .done = published,
	    .publication = {.id = upload->slot.id,
		.now = intake_now(in),
		.sha256 = in->digested ? in->sha256 : NULL}};
	writer_submit(in->request->service->writer, &upload->turn);
}

static int
check_room(struct intake *in)
{
	int rc = intake_has_room(in);

	if (rc != 0)
		return rc == 1 ? 0 : 500;
	log_warn("slot %lld: no room for %lld bytes", (long long)in->slot->id,
	    (long long)in->slot->size);
	return 507;
}

/* Takes the body. 0, or the status. */
static int
take(struct upload *upload, struct http_request *request)
{
	struct intake *in = &upload->intake;
	int status;

	intake_open(in, request, &upload->slot);
	status = check_room(in);
	if (!status)
		status = intake_receive(in);
	if (!status)
		status = intake_settle(in);
	if (status)
		intake_close(in);
	return status;
}

static int
find(const struct http_request *request, struct slot *slot)
{
	const struct http_service *service = request->service;
	int rc = writer_find(service->writer, request->token, slot);

	return rc == WRITER_BUSY
		   ? readers_find(service->readers, request->token, slot)
		   : rc;
}

/* 0 the body was taken; or the status of the refusal. */
static int
receive(struct upload *upload, struct http_request *request)
{
	int rc = find(request, &upload->slot);

	if (rc != 1)
		return rc == 0 ? no_slot(request) : 500;
	request->slot_id = upload->slot.id;

	int status = check(request, &upload->slot);
	return status ? status : take(upload, request);
}

int
put_handle(struct http_request *request)
{
	struct upload *upload = malloc(sizeof(*upload));

	if (!upload) {
		log_error("cannot take an upload: out of memory");
		return 500;
	}
	int status = receive(upload, request);
	if (status) {
		free(upload);
		return status;
	}
	publish(upload);
	return HTTP_LATER;
}
