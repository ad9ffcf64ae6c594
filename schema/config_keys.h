/*
 * The table of configuration keys: everything that reads, checks, prints or
 * documents the configuration walks it.
 */
#ifndef SCHEMA_CONFIG_KEYS_H
#define SCHEMA_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "schema/purpose.h"

enum config_section {
	CONFIG_COMPONENT,
	CONFIG_STORE,
	CONFIG_WEB,
	CONFIG_TIMERS,
	CONFIG_LOG,
	CONFIG_WALLS,
	CONFIG_PURPOSE, /* [purpose NAME]; its keys stand in rules, too */
	CONFIG_RULE,    /* [rule NAME] and [rule NAME PURPOSE] */
	CONFIG_SECTION_COUNT
};

/* What values are like; config_value.h has the functions. */
enum config_type {
	CONFIG_TYPE_BOOL,      /* bool */
	CONFIG_TYPE_WHEN_FULL, /* enum when_full */
	CONFIG_TYPE_SEND_FILE, /* enum send_file */
	CONFIG_TYPE_NUMBER,    /* int64_t, and so on */
	CONFIG_TYPE_COUNT,     /* a number or "unlimited" */
	CONFIG_TYPE_MODE,
	CONFIG_TYPE_SIZE,
	CONFIG_TYPE_DURATION,
	CONFIG_TYPE_TEXT, /* char *, and so on */
	CONFIG_TYPE_SECRET,
	CONFIG_TYPE_HEADER,
	CONFIG_TYPE_PATH,
	CONFIG_TYPE_DOMAIN,
	CONFIG_TYPE_URL,
	CONFIG_TYPE_URL_PATH,
	CONFIG_TYPE_PATTERNS, /* char **, NULL-terminated */
	CONFIG_TYPE_COUNT_OF
};

struct config_key {
	enum config_section section;
	const char *name;
	enum config_type type;
	size_t offset; /* in struct config, struct limits or struct rule */
	int64_t minimum, maximum; /* of what is stored as int64_t */
	/* As one would write it; NULL: nothing, or config_read's doing. The
	 * keys of CONFIG_PURPOSE have one for each purpose. */
	const char *initial;
	const char *by_purpose[PURPOSE_COUNT];
	const char *help;
};

/* The table, ended by an entry without name, ordered by section. */
const struct config_key *config_keys_all(void);

/* The key of that name in that section (in a rule's also the keys of a
 * purpose's), or NULL. */
const struct config_key *
config_keys_find(enum config_section, const char *name);

/* The name of a key that name may be a misspelling of, or NULL. */
const char *config_keys_guess(enum config_section, const char *name);

/* "component", …, "purpose", "rule". */
const char *config_keys_section_name(enum config_section);

#endif
