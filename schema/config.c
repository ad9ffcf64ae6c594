#include "schema/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config_check.h"
#include "schema/config_file.h"
#include "schema/config_keys.h"
#include "schema/config_mistakes.h"
#include "schema/config_value.h"

/* ---- making ---- */

static int
set_default(const struct config_key *key, const char *text, void *base)
{
	struct config_value value;
	char why[128];

	if (text == NULL)
		return 1;
	if (config_value_parse(key, text, &value, why, sizeof(why)) != 1)
		return -1;
	config_value_store(key, base, &value);
	return 1;
}

static int
set_defaults(struct config *config)
{
	for (const struct config_key *k = config_keys_all(); k->name; k++) {
		if (set_default(k, k->initial, config) != 1)
			return -1;
		for (int p = 0; p < PURPOSE_COUNT; p++)
			if (set_default(
				k, k->by_purpose[p], &config->limits[p]) != 1)
				return -1;
	}
	return 1;
}

/* Entries are stored from the general to the particular, wherever in the file
 * they stand. */
enum layer { LAYER_BASE, LAYER_RULE, LAYER_RULE_PURPOSE };

static enum layer
layer_of(const struct config_scope *scope)
{
	if (scope->section != CONFIG_RULE)
		return LAYER_BASE;
	return scope->purpose == PURPOSE_COUNT ? LAYER_RULE
					       : LAYER_RULE_PURPOSE;
}

static void
store_limit(struct limits *limits, struct config_entry *entry)
{
	for (int p = 0; p < PURPOSE_COUNT; p++)
		if (entry->scope.purpose == PURPOSE_COUNT ||
		    entry->scope.purpose == (enum purpose)p)
			config_value_store(
			    entry->key, &limits[p], &entry->value);
}

static void
store_entry(struct config *config, struct config_entry *entry)
{
	struct rule *rule = NULL;

	if (entry->scope.section == CONFIG_RULE)
		rule = &config->rules[entry->scope.rule];
	if (entry->key->section == CONFIG_RULE)
		config_value_store(entry->key, rule, &entry->value);
	else if (entry->key->section == CONFIG_PURPOSE)
		store_limit(
		    rule == NULL ? config->limits : rule->limits, entry);
	else
		config_value_store(entry->key, config, &entry->value);
}

static void
store_layer(struct config *config, struct config_file *file, enum layer layer)
{
	for (size_t i = 0; i < file->entry_count; i++) {
		struct config_entry *entry = &file->entries[i];

		if (entry->valid && layer_of(&entry->scope) == layer)
			store_entry(config, entry);
	}
}

/* Appends a rule with the limits of the purposes. 1 or -1. */
static int
add_rule(struct config *config, const char *name)
{
	struct rule *rules, *rule;

	rules =
	    reallocarray(config->rules, config->rule_count + 1, sizeof(*rules));
	if (rules == NULL)
		return -1;
	config->rules = rules;
	rule = &rules[config->rule_count++];
	*rule = (struct rule){.name = strdup(name)};
	memcpy(rule->limits, config->limits, sizeof(rule->limits));
	return rule->name == NULL ? -1 : 1;
}

/* Nobody asked for a service that is open to all: without rules it is for the
 * accounts of the domain above the component's. */
static int
add_default_rule(struct config *config)
{
	const char *dot = config->jid == NULL ? NULL : strchr(config->jid, '.');
	struct rule *rule;

	if (dot == NULL)
		return 1;
	if (add_rule(config, "default") != 1)
		return -1;
	rule = &config->rules[0];
	rule->patterns = calloc(2, sizeof(*rule->patterns));
	if (rule->patterns == NULL)
		return -1;
	rule->patterns[0] = strdup(dot);
	if (rule->patterns[0] == NULL)
		return -1;
	rule->patterns[0][0] = '@';
	return 1;
}

static int
make(struct config *config, struct config_file *file)
{
	if (set_defaults(config) != 1)
		return -1;
	store_layer(config, file, LAYER_BASE);
	for (size_t i = 0; i < file->headers.rule_count; i++)
		if (add_rule(config, file->headers.rules[i]) != 1)
			return -1;
	store_layer(config, file, LAYER_RULE);
	store_layer(config, file, LAYER_RULE_PURPOSE);
	if (file->headers.rule_count == 0 && add_default_rule(config) != 1)
		return -1;
	if (config->get_url == NULL && config->put_url != NULL) {
		config->get_url = strdup(config->put_url);
		if (config->get_url == NULL)
			return -1;
	}
	return 1;
}

/* ---- reading ---- */

/* What config_read does once the file is open. 1 or -1 as it; mistakes are
 * counted, not returned. */
static int
read_stream(FILE *stream, enum config_reader reader, struct config *config,
    struct config_mistakes *mistakes)
{
	struct config_file *file = NULL;
	struct stat status;
	int result = -1;

	if (fstat(fileno(stream), &status) == -1) {
		config_mistakes_add(mistakes, 0, "%s", strerror(errno));
		return -1;
	}
	if (config_file_read(stream, mistakes, &file) != 1)
		return -1;
	if (make(config, file) == 1) {
		config_check_settings(config, file, reader, mistakes);
		result = config_check_secret(
		    config, file, &status, reader, mistakes);
	}
	if (result != 1)
		config_mistakes_add(mistakes, 0, "out of memory");
	config_file_free(file);
	return result;
}

const char *
config_default_path(void)
{
	const char *path = getenv("PUTSLOT_CONFIG");

	return path != NULL && *path != '\0' ? path : CONFIG_DEFAULT_FILE;
}

int
config_read(
    const char *path, enum config_reader reader, struct config **out, FILE *err)
{
	struct config_mistakes mistakes = {.path = path, .err = err};
	struct config *config = calloc(1, sizeof(*config));
	FILE *stream = fopen(path, "re");
	int result = -1;

	if (stream == NULL)
		config_mistakes_add(&mistakes, 0, "%s", strerror(errno));
	else if (config == NULL)
		config_mistakes_add(&mistakes, 0, "out of memory");
	else
		result = read_stream(stream, reader, config, &mistakes);
	if (result == 1 && mistakes.count > 0)
		result = 0;
	if (result != 1) {
		config_free(config);
		config = NULL;
	}
	if (stream != NULL)
		fclose(stream);
	*out = config;
	return result;
}

bool
config_is_public(const struct config *config, enum purpose purpose)
{
	return config->public_url != NULL && purpose != PURPOSE_EPHEMERAL;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (const struct config_key *k = config_keys_all(); k->name; k++) {
		if (k->section < CONFIG_PURPOSE)
			config_value_clear(k, config);
		for (size_t i = 0; i < config->rule_count; i++)
			if (k->section == CONFIG_RULE)
				config_value_clear(k, &config->rules[i]);
	}
	for (size_t i = 0; i < config->rule_count; i++)
		free(config->rules[i].name);
	free(config->rules);
	free(config);
}

/* ---- printing ---- */

static void
print_keys_of(enum config_section section, const void *base, FILE *out)
{
	for (const struct config_key *k = config_keys_all(); k->name; k++)
		if (k->section == section)
			config_value_print(k, base, out);
}

static void
print_rule(const struct rule *rule, FILE *out)
{
	fprintf(out, "\n[rule %s]\n", rule->name);
	print_keys_of(CONFIG_RULE, rule, out);
	for (int p = 0; p < PURPOSE_COUNT; p++) {
		fprintf(out, "\n[rule %s %s]\n", rule->name,
		    purpose_name((enum purpose)p));
		print_keys_of(CONFIG_PURPOSE, &rule->limits[p], out);
	}
}

void
config_print(const struct config *config, FILE *out)
{
	for (int s = 0; s < CONFIG_PURPOSE; s++) {
		enum config_section section = (enum config_section)s;

		fprintf(out, "%s[%s]\n", s == 0 ? "" : "\n",
		    config_keys_section_name(section));
		print_keys_of(section, config, out);
	}
	for (int p = 0; p < PURPOSE_COUNT; p++) {
		fprintf(out, "\n[purpose %s]\n", purpose_name((enum purpose)p));
		print_keys_of(CONFIG_PURPOSE, &config->limits[p], out);
	}
	for (size_t i = 0; i < config->rule_count; i++)
		print_rule(&config->rules[i], out);
}

static void
print_key(const struct config_key *key, const char *section,
    const char *initial, FILE *out)
{
	fprintf(out, "%s\t%s\t%s\t%s\t%s\n", section, key->name,
	    config_value_type_name(key), initial == NULL ? "" : initial,
	    key->help);
}

void
config_print_keys(FILE *out)
{
	for (const struct config_key *k = config_keys_all(); k->name; k++) {
		char section[32];

		if (k->section != CONFIG_PURPOSE) {
			print_key(k, config_keys_section_name(k->section),
			    k->initial, out);
			continue;
		}
		for (int p = 0; p < PURPOSE_COUNT; p++) {
			snprintf(section, sizeof(section), "purpose %s",
			    purpose_name((enum purpose)p));
			print_key(k, section, k->by_purpose[p], out);
		}
	}
}
