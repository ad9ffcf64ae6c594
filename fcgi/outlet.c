#include "fcgi/outlet.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <unistd.h>
#include <fastcgi.h>

#define HEADER 8

static int
write_all(int fd, const unsigned char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Where content begins: behind the header of its record, if it has one. */
static unsigned char *
content(struct outlet *o)
{
	return o->buffer + (o->request_id > 0 ? HEADER : 0);
}

/* Section 3.3. Returns the place behind it. */
static unsigned char *
put_header(
    const struct outlet *o, unsigned char *at, int type, size_t len, size_t pad)
{
	const unsigned char header[HEADER] = {
	    FCGI_VERSION_1,
	    (unsigned char)type,
	    (unsigned char)(o->request_id >> 8),
	    (unsigned char)o->request_id,
	    (unsigned char)(len >> 8),
	    (unsigned char)len,
	    (unsigned char)pad,
	};

	memcpy(at, header, HEADER);
	return at + HEADER;
}

/* Makes a record of what is in the buffer. Returns the place behind it. */
static unsigned char *
end_record(struct outlet *o, unsigned char *end)
{
	size_t len = (size_t)(end - content(o));
	size_t pad = -len & 7; /* the section recommends it */

	if (len == 0)
		return o->buffer;
	put_header(o, o->buffer, FCGI_STDOUT, len, pad);
	memset(end, 0, pad);
	return end + pad;
}

/* An empty record ends the answer (5.3), another the request (5.5). */
static unsigned char *
end_request(struct outlet *o, unsigned char *end)
{
	static const unsigned char complete[8]; /* FCGI_REQUEST_COMPLETE is 0 */

	end = put_header(o, end, FCGI_STDOUT, 0, 0);
	end = put_header(o, end, FCGI_END_REQUEST, sizeof(complete), 0);
	memcpy(end, complete, sizeof(complete));
	return end + sizeof(complete);
}

static void
end_stream(FCGX_Stream *stream, int error)
{
	stream->FCGI_errno = error;
	stream->isClosed = 1;
}

static void
empty(FCGX_Stream *stream, int closing)
{
	struct outlet *o = (struct outlet *)(void *)stream;
	unsigned char *end = stream->wrNext;

	if (o->request_id > 0)
		end = end_record(o, end);
	if (o->request_id > 0 && closing)
		end = end_request(o, end);
	stream->wrNext = content(o);
	if (write_all(o->fd, o->buffer, (size_t)(end - o->buffer)) == -1)
		end_stream(stream, errno);
}

/* ---- files ---- */

/* The bytes read, at least one; -1 as outlet_send_file. */
static ssize_t
read_file(int file, void *buffer, size_t max, int64_t at)
{
	ssize_t n;

	do
		n = pread(file, buffer, max, (off_t)at);
	while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = 0;
	return n > 0 ? n : -1;
}

/* Through the stream's buffer, where the bytes need not be copied to. */
static int
send_by_buffer(FCGX_Stream *out, int file, int64_t first, int64_t count)
{
	while (count > 0 && !out->isClosed) {
		size_t room = (size_t)(out->stop - out->wrNext);

		if (room == 0) {
			FCGX_FFlush(out);
			continue;
		}
		if (count < (int64_t)room)
			room = (size_t)count;
		ssize_t n = read_file(file, out->wrNext, room, first);
		if (n == -1)
			return -1;
		out->wrNext += n;
		first += n;
		count -= n;
	}
	return !out->isClosed;
}

/* Not all that standard output may be takes it from the kernel. */
static ssize_t
move_some(struct outlet *o, int file, off_t at, size_t max)
{
	ssize_t n = sendfile(o->fd, file, &at, max);

	if (n == 0)
		errno = 0;
	if (n != -1 || (errno != EINVAL && errno != ENOSYS))
		return n;
	if (max > OUTLET_CONTENT)
		max = OUTLET_CONTENT;
	n = read_file(file, o->buffer, max, at);
	if (n == -1)
		return errno == 0 ? 0 : -1;
	return write_all(o->fd, o->buffer, (size_t)n) == -1 ? -1 : n;
}

/* Moves that many bytes. As outlet_send_file. */
static int
move(struct outlet *o, int file, int64_t first, size_t count)
{
	while (count > 0) {
		ssize_t n = move_some(o, file, (off_t)first, count);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 || errno == EIO ? -1 : 0;
		first += n;
		count -= (size_t)n;
	}
	return 1;
}

/* One record, or without records as much as one. What is in the buffer goes
 * before it, along with its header. */
static int
send_record(struct outlet *o, int file, int64_t first, size_t count)
{
	unsigned char *end = o->stream.wrNext;

	if (o->request_id > 0)
		end = put_header(o, end_record(o, end), FCGI_STDOUT, count, 0);
	o->stream.wrNext = content(o);
	if (write_all(o->fd, o->buffer, (size_t)(end - o->buffer)) == -1)
		return 0;
	return move(o, file, first, count);
}

int
outlet_send_file(FCGX_Stream *stream, int file, int64_t first, int64_t count)
{
	struct outlet *o = (struct outlet *)(void *)stream;
	int rc = 1;

	if (stream->emptyBuffProc != empty ||
	    count <= (int64_t)(stream->stop - stream->wrNext))
		return send_by_buffer(stream, file, first, count);
	if (stream->isClosed)
		return 0;
	while (rc == 1 && count > 0) {
		size_t n =
		    count < OUTLET_CONTENT ? (size_t)count : OUTLET_CONTENT;

		rc = send_record(o, file, first, n);
		first += (int64_t)n;
		count -= (int64_t)n;
	}
	/* half a record is on its way */
	if (rc != 1)
		end_stream(stream, errno ? errno : EIO);
	return rc;
}

/* ---- the stream ---- */

void
outlet_open(struct outlet *o, int fd, int request_id)
{
	memset(&o->stream, 0, sizeof(o->stream));
	o->fd = fd;
	o->request_id = request_id;
	o->stream.wrNext = o->stream.stopUnget = content(o);
	o->stream.rdNext = o->stream.stop = content(o) + OUTLET_CONTENT;
	o->stream.emptyBuffProc = empty;
}

int
outlet_close(struct outlet *o)
{
	if (!o->stream.isClosed)
		empty(&o->stream, 1);
	o->stream.isClosed = 1;
	return o->stream.FCGI_errno;
}
