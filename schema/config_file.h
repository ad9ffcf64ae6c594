/*
 * The configuration file as it is written: its sections, and what each line
 * assigns, checked one by one. What they mean together is config.c's part.
 *
 * Comments stand on lines of their own, which begin with '#' or ';': within a
 * line both may be part of a value. Blanks at the start of a line mean nothing,
 * so there are no continuation lines.
 */
#ifndef SCHEMA_CONFIG_FILE_H
#define SCHEMA_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "schema/config_header.h"
#include "schema/config_value.h"

struct config_mistakes;

/* Longest line, in bytes, without its end. */
#define CONFIG_FILE_LINE_MAX 4000

struct config_entry {
	struct config_scope scope;
	int line;
	const struct config_key *key;
	bool valid; /* else a mistake was reported, and value is empty */
	struct config_value value;
};

struct config_file {
	struct config_headers headers;
	struct config_entry *entries;
	size_t entry_count;
};

/* Reads the stream, reporting mistakes. 1 read, whatever mistakes were found:
 * the caller frees *out with config_file_free; -1 could not be read or memory
 * ran out (said as a mistake), *out is NULL. */
int
config_file_read(FILE *, struct config_mistakes *, struct config_file **out);
void config_file_free(struct config_file *); /* accepts NULL */

/* The entry of a key in a section that has no purpose or rule, or NULL. */
const struct config_entry *config_file_entry(
    const struct config_file *, enum config_section, const char *name);

/* The entry for a key of a rule's own section, or NULL. The search begins at
 * the entry *at, which becomes the one that was found: who asks for one rule
 * after the other does not walk through all of the file each time. */
const struct config_entry *config_file_rule_entry(
    const struct config_file *, size_t rule, const char *name, size_t *at);

#endif
