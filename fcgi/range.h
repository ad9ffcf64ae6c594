/*
 * Byte ranges, RFC 9110 section 14.
 */
#ifndef FCGI_RANGE_H
#define FCGI_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* More ranges than this in one request are not honoured (14.2 lets a server
 * ignore what costs too much): the whole body is sent. */
#define RANGE_MAX 16

struct range {
	int64_t first; /* position of the first byte */
	int64_t last;  /* position of the last byte, included */
};

/*
 * Reads a Range header for a body of size bytes, in every form:
 * "bytes=0-", "bytes=0-1", "bytes=-5", several with commas. Ranges that lie
 * outside the body are dropped, those that reach past its end are cut.
 * The number of ranges (at most RANGE_MAX); 0 when the header is to be ignored
 * (another unit, malformed, too many, or several that together have more bytes
 * than the body); -1 when none can be satisfied: 416.
 */
int
range_parse(const char *header, int64_t size, struct range ranges[RANGE_MAX]);

/* Whether a header has the one form that no two readers have ever understood
 * differently: "bytes=", in small letters, and a single range of numbers that
 * fit into an int64_t. */
bool range_is_plain(const char *header);

#endif
