/*
 * What one owner may do with one purpose, and how the limits of a user come
 * about: the purpose's own section, overridden by the first rule that matches
 * the user.
 */
#ifndef SCHEMA_LIMITS_H
#define SCHEMA_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/purpose.h"

struct config;

enum when_full {
	WHEN_FULL_REFUSE,   /* say so, and when it will fit */
	WHEN_FULL_MAKE_ROOM /* remove the owner's oldest of the purpose */
};

/* UNITS_NEVER stands for "no limit". */
struct limits {
	bool enabled;
	int64_t max_file_size;  /* bytes */
	int64_t retention;      /* seconds from the slot's issue */
	int64_t bytes_per_user; /* bytes stored and reserved */
	int64_t files_per_user; /* files stored and reserved */
	int64_t window;         /* seconds; over it the next two are counted */
	int64_t slots_per_window; /* slots */
	int64_t bytes_per_window; /* bytes */
	enum when_full when_full; /* for the per-user limits */
};

struct rule {
	char *name;      /* of its section, for logs */
	char **patterns; /* NULL-terminated; see limits_pattern_matches */
	char *deny;      /* text for the refused, or NULL: allowed */
	struct limits limits[PURPOSE_COUNT];
};

/* Whether a pattern of a rule matches a bare JID:
 *	juliet@example.org   that account
 *	@example.org         every account of the domain
 *	gateway.example.org  the bare domain itself: a component, a server
 *	*                    everyone
 * ASCII letters match without regard to case; all else byte by byte. */
bool limits_pattern_matches(const char *pattern, const char *bare_jid);

/* Whether text is a pattern of one of these forms, and so may match. */
bool limits_pattern_valid(const char *text);

/* The first rule that matches. NULL: none, so the user may not upload. */
const struct rule *limits_rule(const struct config *, const char *bare_jid);

/* The largest single file that these limits can ever take, in bytes: a file
 * over the per-user or the per-window bytes, or over the configuration's
 * max_total, would never fit either. */
int64_t limits_max_file_size(const struct config *, const struct limits *);

#endif
