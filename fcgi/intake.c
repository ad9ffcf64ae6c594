#include "fcgi/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/body.h"
#include "fcgi/digest.h"
#include "fcgi/http.h"
#include "fcgi/incoming.h"
#include "fcgi/respond.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/monotonic.h"

#define CHUNK 65536 /* bytes in memory at once */
#define MIB (INT64_C(1) << 20)
#define LOOK (1 * MIB)  /* between two looks at the free space, at most */
#define PIECE (8 * MIB) /* moved, or digested while the disk writes */

/* ---- time and room ---- */

/* Whole seconds of what has passed are added, so that it never runs ahead: a
 * Last-Modified must not lie in the future (RFC 9110 section 8.8.2.1). */
int64_t
intake_now(const struct intake *in)
{
	return in->request->now + (monotonic_ms() - in->began) / 1000;
}

static bool
is_late(const struct intake *in)
{
	return intake_now(in) >= in->slot->put_ends_at;
}

/* Where the body of that slot goes. */
static enum bodies_place
place_of(const struct http_request *request, const struct slot *slot)
{
	return config_is_public(request->service->config, slot->purpose)
		   ? BODIES_PUBLIC
		   : BODIES_OWN;
}

/* What uploads may still write, below 0 when they have gone too far. 1, -1. */
static int
look_at_room(
    const struct http_request *request, const struct slot *slot, int64_t *room)
{
	*room = bodies_free_space(
	    request->service->bodies, place_of(request, slot));
	if (*room == -1)
		return -1;
	*room -= request->service->config->min_free;
	return 1;
}

/* The file in which the web server says that the body lies, or NULL. Only
 * where it was agreed upon: no other server sets that parameter. */
static const char *
handed_over(const struct http_request *request)
{
	if (request->service->incoming == NULL)
		return NULL;
	return http_param(request, "REQUEST_BODY_FILE");
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Uploads that began side by side were all shown the same room: where it gets
 * scarce each takes no more than its part before it looks again. */
static int64_t
part_of(const struct intake *in, int64_t room)
{
	return least(LOOK, room / in->request->service->config->threads);
}

int
intake_has_room(struct intake *in)
{
	/* what was handed over has its place already */
	int64_t room, bytes = in->handed_over ? 0 : in->slot->size;

	if (look_at_room(in->request, in->slot, &room) == -1)
		return -1;
	if (room < bytes)
		return 0;
	in->allowed = part_of(in, room);
	return 1;
}

int
intake_no_room(const struct intake *in)
{
	log_warn("slot %lld: no room after %lld of %lld bytes",
	    (long long)in->slot->id, (long long)in->received,
	    (long long)in->slot->size);
	return 507;
}

/* Looks at the room for len more bytes, unless the last look was enough.
 * 1, 0, -1. */
static int
allow(struct intake *in, int64_t len)
{
	int64_t room, part;

	if (in->allowed < len) {
		if (look_at_room(in->request, in->slot, &room) == -1)
			return -1;
		if (room < len)
			return 0;
		part = part_of(in, room);
		in->allowed = part > len ? part : len;
	}
	in->allowed -= len;
	return 1;
}

/* ---- a stream ---- */

/* Reads up to CHUNK bytes; fewer at the end of the body or of its time.
 * FCGX_GetStr alone waits for all of them, and a client that sends one byte a
 * minute would hold the thread for weeks: so it is asked only for what has
 * come, and the clock is read each time something came. */
static size_t
read_chunk(struct intake *in, char buffer[CHUNK])
{
	FCGX_Stream *stream = in->request->in;
	size_t len = 0;

	while (len < CHUNK && !is_late(in)) {
		int first = FCGX_GetChar(stream);
		if (first == EOF)
			break;
		buffer[len++] = (char)first;

		size_t arrived = (size_t)(stream->stop - stream->rdNext);
		if (arrived > CHUNK - len)
			arrived = CHUNK - len;
		len += (size_t)FCGX_GetStr(buffer + len, (int)arrived, stream);
	}
	return len;
}

/* Writes and digests what came. 0, or the status of the refusal. */
static int
keep(struct intake *in, const char *data, size_t len)
{
	int rc = allow(in, (int64_t)len);

	if (rc == 1)
		rc = body_write(in->body, data, len);
	if (rc != 1)
		return rc == 0 ? intake_no_room(in) : 500;
	if (in->digest && digest_add(in->digest, data, len) == -1)
		return 500;
	return 0;
}

static int
too_long(const struct intake *in)
{
	log_info("slot %lld: the upload is longer than %lld bytes",
	    (long long)in->slot->id, (long long)in->slot->size);
	return respond_refuse(in->request, 413,
	    "The upload is longer than its slot's %lld bytes.",
	    (long long)in->slot->size);
}

static int
receive_stream(struct intake *in)
{
	char buffer[CHUNK];
	size_t len;

	while ((len = read_chunk(in, buffer)) > 0) {
		if ((int64_t)len > in->slot->size - in->received)
			return too_long(in);
		int status = keep(in, buffer, len);
		if (status)
			return status;
		in->received += (int64_t)len;
	}
	return 0;
}

/* ---- by the kernel ---- */

/* Whether there is something to read in time; if not, error says why. */
static bool
wait_for_bytes(struct intake *in)
{
	const struct http_source *source = in->request->source;
	struct pollfd fd = {.fd = source->fd, .events = POLLIN};
	int ready;

	do
		ready = poll(&fd, 1, source->timeout);
	while (ready == -1 && errno == EINTR);
	if (ready != 1)
		in->error = ready == 0 ? EAGAIN : errno;
	return ready == 1;
}

/* What a failed move means: 0 when the stream can go on from here. */
static int
judge_move(struct intake *in)
{
	switch (errno) {
	case EOPNOTSUPP:
		return 0;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return intake_no_room(in);
	default:
		log_error("slot %lld: cannot take the upload: %s",
		    (long long)in->slot->id, strerror(errno));
		return 500;
	}
}

/* Moves what is missing. The stream then finds the end, or what comes after
 * it, or what the kernel cannot move. 0, or the status of the refusal. */
static int
receive_by_kernel(struct intake *in)
{
	struct http_source *source = in->request->source;
	const int64_t piece = in->way == TRANSFER_FILE ? PIECE : CHUNK;

	for (;;) {
		int64_t max = least(in->slot->size - in->received, piece);
		if (max > source->left)
			max = source->left;
		if (max == 0 || is_late(in) || !wait_for_bytes(in))
			return 0;
		int rc = allow(in, max);
		if (rc != 1)
			return rc == 0 ? intake_no_room(in) : 500;
		ssize_t n = transfer_some(in->way, source->fd,
		    body_descriptor(in->body), (size_t)max);
		if (n <= 0)
			return n == 0 ? 0 : judge_move(in);
		in->received += n;
		source->left -= n;
	}
}

/* ---- the whole ---- */

/* Whether a body whose bytes do not come through here is to be read for its
 * digest before the answer. That takes half a second of CPU for each GB, as
 * much as the rest: who does not wait for the disk does not wait for that
 * either, but for small bodies, where it is nothing. */
static bool
wants_digest(const struct http_request *request, const struct slot *slot)
{
	return request->service->config->durable || slot->size <= MIB;
}

/* What is small is read before the kernel has been asked for anything else,
 * and what lies in the stream's buffer is not to be had from below it. Who
 * wants the digest has to read a pipe's bytes anyway; a file's may come to be
 * shared by both files, and are read while the disk writes. */
static enum transfer
choose_way(const struct http_request *request, const struct slot *slot)
{
	const struct http_source *source = request->source;
	enum transfer way;

	if (!source || slot->size <= CHUNK ||
	    request->in->rdNext != request->in->stop)
		return TRANSFER_NONE;
	way = transfer_from(source->fd);
	if (way == TRANSFER_PIPE && wants_digest(request, slot))
		return TRANSFER_NONE;
	return way;
}

void
intake_open(
    struct intake *in, struct http_request *request, const struct slot *slot)
{
	*in = (struct intake){.request = request,
	    .slot = slot,
	    .began = monotonic_ms(),
	    .handed_over = handed_over(request),
	    .way = choose_way(request, slot)};
}

/* What the end of the body means: 0, or the status of the refusal. */
static int
judge_end(struct intake *in)
{
	const struct slot *slot = in->slot;
	int error = in->error ? in->error : FCGX_GetError(in->request->in);
	bool ended = FCGX_HasSeenEOF(in->request->in) == EOF && error == 0;

	in->request->body_consumed = ended;
	if (ended && in->received == slot->size)
		return 0;
	log_info("slot %lld: the upload ended after %lld of %lld bytes",
	    (long long)slot->id, (long long)in->received,
	    (long long)slot->size);
	if (is_late(in) || error == EAGAIN)
		return 408;
	return respond_refuse(in->request, 400,
	    "The upload ended after %lld of %lld bytes.",
	    (long long)in->received, (long long)slot->size);
}

static int
receive_bytes(struct intake *in)
{
	int rc = body_begin(in->request->service->bodies, in->slot->token,
	    place_of(in->request, in->slot), in->slot->size, &in->body);
	int status = 0;

	if (rc != 1)
		return rc == 0 ? intake_no_room(in) : 500;
	if (in->way != TRANSFER_NONE)
		status = receive_by_kernel(in);
	if (!status && in->received == 0 &&
	    (in->digest = digest_begin()) == NULL)
		status = 500;
	if (!status && !in->error)
		status = receive_stream(in);
	return status ? status : judge_end(in);
}

/* The file is the whole body: there is nothing in the stream but its end. */
static int
receive_file(struct intake *in)
{
	struct incoming_file file;
	int rc = incoming_take(
	    in->request->service->incoming, in->handed_over, &file);

	if (rc != 1)
		return 500;
	if (FCGX_GetChar(in->request->in) != EOF) {
		log_error("slot %lld: the body comes twice: \"fastcgi_pass_"
			  "request_body off\" is missing",
		    (long long)in->slot->id);
		incoming_end(&file);
		return 500;
	}
	in->request->body_consumed = FCGX_GetError(in->request->in) == 0;
	in->received = file.size;
	int status = file.size > in->slot->size ? too_long(in) : judge_end(in);
	if (status) {
		incoming_end(&file);
		return status;
	}
	rc = body_adopt(in->request->service->bodies, in->slot->token,
	    place_of(in->request, in->slot), &file, &in->body);
	if (rc != 1)
		return rc == 0 ? intake_no_room(in) : 500;
	return 0;
}

int
intake_receive(struct intake *in)
{
	return in->handed_over ? receive_file(in) : receive_bytes(in);
}

/* 0, or the status. */
static int
settle_digest(struct intake *in)
{
	int rc = 0;

	if (in->digest)
		rc = digest_end(in->digest, in->sha256);
	else if (wants_digest(in->request, in->slot))
		rc = digest_file(body_descriptor(in->body), in->sha256);
	in->digested = rc == 1;
	return rc == -1 ? 500 : 0;
}

int
intake_settle(struct intake *in)
{
	int status = settle_digest(in);
	int rc;

	if (status)
		return status;
	if (in->request->service->config->durable && in->request->waits)
		in->request->waits(in->request);
	rc = body_sync(in->body);
	if (rc != 1)
		return rc == 0 ? intake_no_room(in) : 500;
	return 0;
}

void
intake_close(struct intake *in)
{
	digest_free(in->digest);
	body_end(in->body);
}
