/*
 * Why a slot request is refused, from whoever found out to whoever says so.
 */
#ifndef COMPONENT_REFUSAL_H
#define COMPONENT_REFUSAL_H

#include <stdint.h>

/* Each is a pair of error type and condition; see slot_reply.c. */
enum refusal_kind {
	REFUSAL_MALFORMED, /* the request is wrong in itself */
	REFUSAL_FORBIDDEN, /* this user may not upload */
	REFUSAL_PURPOSE, /* the purpose does not exist, or not for this user */
	REFUSAL_TOO_LARGE, /* the file would never be taken */
	REFUSAL_FULL,      /* not now: a quota, or the store */
	REFUSAL_BROKEN,    /* our fault, and logged */
	REFUSAL_COUNT
};

struct refusal {
	enum refusal_kind kind;
	int64_t max_file_size; /* bytes; for REFUSAL_TOO_LARGE */
	int64_t retry_at;      /* for REFUSAL_FULL; UNITS_NEVER: nobody knows */
	char text[1024];       /* for the user */
};

/* Fills a refusal, without a max_file_size and a retry_at. A text that is too
 * long is cut. Always 0, "no", for the caller to return. */
int refusal_make(struct refusal *, enum refusal_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
