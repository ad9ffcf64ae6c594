/*
 * GET and HEAD of an uploaded file. This program's own streaming is the
 * reference: where the web server sends the bytes it has to answer alike.
 */
#include "fcgi/handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/conditional.h"
#include "fcgi/disposition.h"
#include "fcgi/hand_off.h"
#include "fcgi/http.h"
#include "fcgi/http_date.h"
#include "fcgi/outlet.h"
#include "fcgi/range.h"
#include "fcgi/readers.h"
#include "fcgi/respond.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/store.h"

#define ETAG_LEN (TOKEN_LEN + 2)
#define UNKNOWN_TYPE "application/octet-stream"

/* What is about to be sent. */
struct file {
	struct slot slot;
	int fd;        /* -1: not open */
	bool hand_off; /* the web server may send it */
	const char *type;
	char etag[ETAG_LEN + 1]; /* with its quotes */
};

/* ---- which file ---- */

/* 200 found, else the status of the error. A file is gone at the very second
 * at which it expires, whether cleanup has been there or not. */
static int
find_slot(struct http_request *request, struct slot *slot)
{
	int found =
	    readers_find(request->service->readers, request->token, slot);

	if (found < 0)
		return 500;
	if (found == 0)
		return 404;
	request->slot_id = slot->id;
	if (slot->stored_at == 0 || slot->expires_at <= request->now)
		return 404;
	return 200;
}

/* What there is for the slot's body: 200, else the status of the error. */
static int
judge_body(const struct slot *slot, int found, int64_t size)
{
	if (found < 0)
		return 500;
	if (found == 0) {
		/* lost; unless its row was removed between our two looks */
		log_error(
		    "slot %lld: its body is missing", (long long)slot->id);
		return 404;
	}
	if (size != slot->size) {
		log_error("slot %lld: its body has %lld bytes instead of %lld",
		    (long long)slot->id, (long long)size,
		    (long long)slot->size);
		return 500;
	}
	return 200;
}

static int
open_body(const struct http_request *request, struct file *file)
{
	int64_t size = 0;
	int opened = bodies_read(
	    request->service->bodies, file->slot.token, &file->fd, &size);

	return judge_body(&file->slot, opened, size);
}

/* Opens the body if its bytes may be wanted here, else only looks for it. */
static int
find_body(const struct http_request *request, struct file *file)
{
	enum bodies_place place;
	int64_t size = 0;

	file->hand_off = hand_off_possible(request, file->slot.size);
	if (request->method == HTTP_GET && !file->hand_off)
		return open_body(request, file);
	int found = bodies_find(
	    request->service->bodies, file->slot.token, &place, &size);
	/* of what is public the web server knows its own way */
	file->hand_off = file->hand_off && place == BODIES_OWN;
	return judge_body(&file->slot, found, size);
}

/* A token names one content, which never changes: a strong validator (RFC 9110
 * section 8.8.1), and no secret to whoever has the URL. */
static void
make_etag(const char token[TOKEN_LEN + 1], char etag[ETAG_LEN + 1])
{
	etag[0] = '"';
	memcpy(etag + 1, token, TOKEN_LEN);
	memcpy(etag + 1 + TOKEN_LEN, "\"", 2);
}

/* ---- sending ---- */

/* Sends a stretch of the file, in constant memory. 1 sent; 0 the client is
 * gone; -1 the disk failed (logged): the answer stays shorter than its
 * Content-Length, by which the client knows. */
static int
send_bytes(
    struct http_request *request, const struct file *file, struct range range)
{
	int rc = outlet_send_file(
	    request->out, file->fd, range.first, range.last - range.first + 1);

	if (rc == -1)
		log_error("slot %lld: its body cannot be read: %s",
		    (long long)file->slot.id,
		    errno ? strerror(errno) : "it has become shorter");
	return rc;
}

/* Never longer than what is left of the file's life; a body does not change
 * within it. */
static void
cache_header(struct http_request *request, const struct slot *slot)
{
	int64_t age = slot->expires_at == UNITS_NEVER
			  ? UNITS_NEVER
			  : slot->expires_at - request->now;

	if (age > request->service->config->max_cache_age)
		age = request->service->config->max_cache_age;
	respond_header(request, "Cache-Control", "max-age=%lld, immutable",
	    (long long)age);
}

/* Begins an answer with what a 304 has to repeat (RFC 9110 section 15.4.5). */
static void
begin(struct http_request *request, int status, const struct file *file)
{
	/* a clock that was set back must not date it in the future (8.8.2.1) */
	int64_t modified = file->slot.stored_at < request->now
			       ? file->slot.stored_at
			       : request->now;
	char date[HTTP_DATE_LEN + 1];

	if (media_type_inline(file->type))
		respond_begin_inline(request, status);
	else
		respond_begin(request, status);
	respond_header(request, "ETag", "%s", file->etag);
	respond_header(
	    request, "Last-Modified", "%s", http_date_format(modified, date));
	cache_header(request, &file->slot);
}

/* What the content is: of that type, and saved by the slot's name. */
static void
name_content(
    struct http_request *request, const struct file *file, const char *type)
{
	char disposition[DISPOSITION_MAX];

	respond_header(request, "Content-Type", "%s", type);
	respond_header(request, "Content-Disposition", "%s",
	    disposition_format(media_type_inline(file->type),
		file->slot.file_name, disposition, sizeof(disposition)));
}

/* The rest of the headers, for a content of that type and length. */
static void
describe(struct http_request *request, const struct file *file,
    const char *type, int64_t length)
{
	name_content(request, file, type);
	respond_header(request, "Content-Length", "%lld", (long long)length);
	respond_header(request, "Accept-Ranges", "bytes");
	respond_end_headers(request);
}

static int
answer_not_modified(struct http_request *request, const struct file *file)
{
	begin(request, 304, file);
	respond_end_headers(request);
	return 304;
}

static int
answer_whole(struct http_request *request, const struct file *file)
{
	begin(request, 200, file);
	describe(request, file, file->type, file->slot.size);
	if (request->method == HTTP_GET)
		send_bytes(
		    request, file, (struct range){0, file->slot.size - 1});
	return 200;
}

/* The web server sends the body, or cuts the range that the request names. */
static int
answer_by_hand_off(
    struct http_request *request, const struct file *file, int ranges)
{
	begin(request, 200, file);
	name_content(request, file, file->type);
	hand_off_headers(request, file->slot.token, ranges);
	respond_end_headers(request);
	return 200;
}

static int
answer_range(
    struct http_request *request, const struct file *file, struct range range)
{
	begin(request, 206, file);
	respond_header(request, "Content-Range", "bytes %lld-%lld/%lld",
	    (long long)range.first, (long long)range.last,
	    (long long)file->slot.size);
	describe(request, file, file->type, range.last - range.first + 1);
	send_bytes(request, file, range);
	return 206;
}

/* ---- several ranges, RFC 9110 section 14.6 ---- */

#define PART_MAX (MEDIA_TYPE_MAX + TOKEN_LEN + 200)

/* Writes what stands before a range's bytes. Returns its length. */
static int64_t
format_part(char buf[PART_MAX], const struct file *file, const char *boundary,
    struct range range)
{
	return snprintf(buf, PART_MAX,
	    "\r\n--%s\r\nContent-Type: %s\r\n"
	    "Content-Range: bytes %lld-%lld/%lld\r\n\r\n",
	    boundary, file->type, (long long)range.first, (long long)range.last,
	    (long long)file->slot.size);
}

static int
answer_ranges(struct http_request *request, const struct file *file,
    const struct range *ranges, int count)
{
	char boundary[TOKEN_LEN + 1], type[TOKEN_LEN + 50];
	char part[PART_MAX];
	int64_t length = TOKEN_LEN + 8; /* of the last boundary */

	if (token_make(boundary) < 0)
		return 500;
	for (int i = 0; i < count; i++)
		length += format_part(part, file, boundary, ranges[i]) +
			  ranges[i].last - ranges[i].first + 1;

	snprintf(
	    type, sizeof(type), "multipart/byteranges; boundary=%s", boundary);
	begin(request, 206, file);
	describe(request, file, type, length);
	for (int i = 0; i < count; i++) {
		format_part(part, file, boundary, ranges[i]);
		FCGX_PutS(part, request->out);
		if (send_bytes(request, file, ranges[i]) != 1)
			return 206;
	}
	snprintf(part, sizeof(part), "\r\n--%s--\r\n", boundary);
	FCGX_PutS(part, request->out);
	return 206;
}

/* ---- deciding ---- */

static struct conditions
conditions_of(const struct http_request *request)
{
	return (struct conditions){
	    .if_match = http_param(request, "HTTP_IF_MATCH"),
	    .if_unmodified_since =
		http_param(request, "HTTP_IF_UNMODIFIED_SINCE"),
	    .if_none_match = http_param(request, "HTTP_IF_NONE_MATCH"),
	    .if_modified_since = http_param(request, "HTTP_IF_MODIFIED_SINCE"),
	    .if_range = http_param(request, "HTTP_IF_RANGE"),
	    .now = request->now,
	};
}

/* The ranges to send; 0: the whole body; -1: none can be. Section 14.2: Range
 * is for GET alone. */
static int
select_ranges(const struct http_request *request, const struct file *file,
    const struct conditions *conditions, struct range ranges[RANGE_MAX])
{
	const char *header = http_param(request, "HTTP_RANGE");

	if (!header || request->method != HTTP_GET)
		return 0;
	if (!conditional_range_counts(
		conditions, file->etag, file->slot.stored_at))
		return 0;
	return range_parse(header, file->slot.size, ranges);
}

/* In the order of section 13.2.2. */
static int
answer(struct http_request *request, struct file *file)
{
	struct conditions conditions = conditions_of(request);
	struct range ranges[RANGE_MAX];
	int status =
	    conditional_status(&conditions, file->etag, file->slot.stored_at);

	if (status == 304)
		return answer_not_modified(request, file);
	if (status != 200)
		return status;

	int count = select_ranges(request, file, &conditions, ranges);
	if (count < 0) {
		request->unsatisfied_size = file->slot.size;
		return 416;
	}
	if (file->hand_off && hand_off_agrees(request, ranges, count))
		return answer_by_hand_off(request, file, count);
	if (request->method == HTTP_GET && file->fd == -1)
		status = open_body(request, file);
	if (status != 200)
		return status;
	if (count == 0)
		return answer_whole(request, file);
	if (count == 1)
		return answer_range(request, file, ranges[0]);
	return answer_ranges(request, file, ranges, count);
}

int
get_handle(struct http_request *request)
{
	struct file file = {.fd = -1};
	int status = find_slot(request, &file.slot);

	if (status == 200)
		status = find_body(request, &file);
	if (status == 200) {
		/* A row changed by hand may say anything. */
		file.type = media_type_valid(file.slot.content_type)
				? file.slot.content_type
				: UNKNOWN_TYPE;
		make_etag(file.slot.token, file.etag);
		status = answer(request, &file);
	}
	if (file.fd >= 0)
		close(file.fd);
	return status;
}
