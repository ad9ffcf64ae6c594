/*
 * The section headers of a configuration file, and the names of rules, which
 * stand nowhere else.
 */
#ifndef SCHEMA_CONFIG_HEADER_H
#define SCHEMA_CONFIG_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "schema/config_keys.h"

struct config_mistakes;

/* What a header names. */
struct config_scope {
	enum config_section section;
	enum purpose purpose; /* PURPOSE_COUNT: all, or not about one */
	size_t rule;          /* index into rules; 0 outside of CONFIG_RULE */
};

struct config_header {
	struct config_scope scope;
	int line;
};

/* All that were seen so far; begins as zeros. */
struct config_headers {
	struct config_header *list;
	size_t count;
	char **rules; /* their names, in the order in which they first appear */
	size_t rule_count;
	void *by_name; /* the rules once more, to find one among thousands */
};

/* Takes the line, from its '[' on, apart (which changes text) and appends the
 * header. 1 appended; 0 a mistake, reported; -1 out of memory. */
int config_header_add(
    struct config_headers *, char *text, int line, struct config_mistakes *);

bool
config_header_same(const struct config_scope *, const struct config_scope *);

/* The line of the first header of a rule. */
int config_header_rule_line(const struct config_headers *, size_t rule);

/* Frees what the struct points to. */
void config_header_free(struct config_headers *);

#endif
