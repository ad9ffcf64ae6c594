/*
 * libfcgi's streams over memory, so that whole handlers run without a socket.
 * FCGX_Stream is a public struct whose two procedures fetch more to read and
 * make room to write.
 */
#ifndef TESTS_FCGI_STREAMS_H
#define TESTS_FCGI_STREAMS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcgiapp.h>

/* A body on its way in. */
struct streams_reader {
	FCGX_Stream stream; /* first: the procedure below gets its address */
	const unsigned char *data;
	size_t len;
	size_t given;
	size_t chunk;     /* bytes that arrive at once */
	int error_at_end; /* FCGX_GetError after the last byte; 0: a clean end
			   */
	void (*at_chunk)(void *arg); /* called before each chunk; may be NULL */
	void *arg;
};

static inline void
streams_fill(FCGX_Stream *stream)
{
	struct streams_reader *r = (struct streams_reader *)(void *)stream;
	size_t n = r->len - r->given < r->chunk ? r->len - r->given : r->chunk;

	if (r->at_chunk)
		r->at_chunk(r->arg);
	if (n == 0) {
		stream->isClosed = 1;
		stream->FCGI_errno = r->error_at_end;
		return;
	}
	stream->rdNext = stream->stopUnget =
	    (unsigned char *)(uintptr_t)(r->data + r->given);
	stream->stop = stream->rdNext + n;
	r->given += n;
}

/* Reads data[0..len), which must stay; the fields after it may be changed
 * before the first byte is read. */
static inline void
streams_open_reader(struct streams_reader *r, const void *data, size_t len)
{
	static unsigned char nothing[1];

	memset(r, 0, sizeof(*r));
	r->data = data ? data : nothing;
	r->len = len;
	r->chunk = 8192;
	r->stream.rdNext = r->stream.stop = r->stream.stopUnget = nothing;
	r->stream.wrNext = nothing;
	r->stream.isReader = 1;
	r->stream.fillBuffProc = streams_fill;
}

/* An answer on its way out. */
struct streams_writer {
	FCGX_Stream stream; /* first */
	unsigned char *data;
	size_t room;
	size_t limit; /* the client is gone after about this many bytes */
};

static inline size_t
streams_written(const struct streams_writer *w)
{
	return (size_t)(w->stream.wrNext - w->data);
}

static inline void
streams_grow(FCGX_Stream *stream, int closing)
{
	struct streams_writer *w = (struct streams_writer *)(void *)stream;
	size_t written = streams_written(w);

	if (closing)
		return;
	if (written >= w->limit) {
		stream->isClosed = 1;
		stream->FCGI_errno = 32; /* EPIPE */
		return;
	}
	w->room *= 2;
	w->data = realloc(w->data, w->room);
	if (!w->data)
		abort();
	stream->wrNext = w->data + written;
	stream->stop = stream->rdNext = w->data + w->room;
}

static inline void
streams_open_writer(struct streams_writer *w)
{
	memset(w, 0, sizeof(*w));
	w->room = 8192;
	w->limit = SIZE_MAX;
	w->data = malloc(w->room);
	if (!w->data)
		abort();
	w->stream.wrNext = w->data;
	w->stream.stop = w->stream.rdNext = w->data + w->room;
	w->stream.stopUnget = w->data;
	w->stream.emptyBuffProc = streams_grow;
}

/* The answer as text; stays until streams_close_writer. */
static inline const char *
streams_text(struct streams_writer *w)
{
	size_t written = streams_written(w);

	w->data = realloc(w->data, w->room + 1);
	if (!w->data)
		abort();
	w->data[written] = '\0';
	w->stream.wrNext = w->data + written;
	w->stream.stop = w->stream.rdNext = w->data + w->room;
	return (const char *)w->data;
}

static inline void
streams_close_writer(struct streams_writer *w)
{
	free(w->data);
	w->data = NULL;
}

#endif
