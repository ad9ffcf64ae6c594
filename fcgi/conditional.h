/*
 * Conditional requests, RFC 9110 section 13: validators of the body against
 * the If-* headers, in the order of 13.2.2.
 */
#ifndef FCGI_CONDITIONAL_H
#define FCGI_CONDITIONAL_H

#include <stdbool.h>
#include <stdint.h>

/* The headers of a request; NULL: not sent. */
struct conditions {
	const char *if_match;
	const char *if_unmodified_since;
	const char *if_none_match;
	const char *if_modified_since;
	const char *if_range;
	int64_t now; /* seconds since 1970 UTC, see http_date_parse */
};

/* What a GET or HEAD shall answer: 200 (go on), 304 or 412.
 * etag           the strong entity tag, with its quotes
 * last_modified  seconds since 1970 UTC */
int conditional_status(
    const struct conditions *, const char *etag, int64_t last_modified);

/* Whether a Range header counts (13.1.5): no If-Range, or one that names this
 * very representation. */
bool conditional_range_counts(
    const struct conditions *, const char *etag, int64_t last_modified);

#endif
