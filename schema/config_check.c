#include "schema/config_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config_file.h"
#include "schema/config_mistakes.h"
#include "schema/text.h"
#include "schema/units.h"

/* Longest secret in a file of its own, with its newline and NUL. */
#define SECRET_MAX 1024

/* ---- settings ---- */

static void
require(const struct config_file *file, enum config_section section,
    const char *name, struct config_mistakes *mistakes)
{
	if (config_file_entry(file, section, name) == NULL)
		config_mistakes_add(mistakes, 0, "%s is missing in [%s]", name,
		    config_keys_section_name(section));
}

static void
check_url(const struct config *config, const struct config_file *file,
    const char *name, struct config_mistakes *mistakes)
{
	const struct config_entry *entry =
	    config_file_entry(file, CONFIG_WEB, name);
	const char *url;

	if (entry == NULL || !entry->valid || config->allow_http)
		return;
	/* the entry's own value has moved into the configuration */
	url = *(char *const *)((const char *)config + entry->key->offset);
	if (strncmp(url, "https:", 6) != 0)
		config_mistakes_add(mistakes, entry->line,
		    "%s must begin with https://, unless allow_http = yes",
		    name);
}

/* public alone is right: files that were put there while there was a
 * public_url are still served, by the program, and removed in time. */
static void
check_public(const struct config *config, const struct config_file *file,
    struct config_mistakes *mistakes)
{
	const struct config_entry *url =
	    config_file_entry(file, CONFIG_WEB, "public_url");
	const struct config_entry *dir =
	    config_file_entry(file, CONFIG_STORE, "public");

	if (url != NULL && dir == NULL)
		config_mistakes_add(
		    mistakes, url->line, "public_url needs public in [store]");
	if (dir != NULL && dir->valid &&
	    strcmp(config->public, config->bodies) == 0)
		config_mistakes_add(
		    mistakes, dir->line, "public must not be bodies");
}

static void
check_rules(const struct config *config, const struct config_file *file,
    struct config_mistakes *mistakes)
{
	size_t at = 0;

	for (size_t i = 0; i < file->headers.rule_count; i++)
		if (config_file_rule_entry(file, i, "match", &at) == NULL)
			config_mistakes_add(mistakes,
			    config_header_rule_line(&file->headers, i),
			    "rule %s has no match", file->headers.rules[i]);
	if (config->jid != NULL && config->rule_count == 0)
		config_mistakes_add(mistakes, 0,
		    "jid %s has no parent domain whose accounts could upload: "
		    "a [rule NAME] must say who may",
		    config->jid);
}

/* An upload that ends after its file's time is over would be lost. rule is
 * NULL for the limits of the purposes themselves. */
static void
check_retention(const struct config *config, const struct rule *rule,
    struct config_mistakes *mistakes)
{
	const struct limits *limits = rule ? rule->limits : config->limits;
	int64_t upload = config->put_window + config->upload_timeout;
	char kept[UNITS_TEXT_MAX], needed[UNITS_TEXT_MAX];

	for (int p = 0; p < PURPOSE_COUNT; p++) {
		if (!limits[p].enabled || limits[p].retention >= upload)
			continue;
		config_mistakes_add(mistakes, 0,
		    "[%s%s %s]: the retention of %s ends before an upload may: "
		    "put_window and upload_timeout are %s together",
		    rule ? "rule " : "purpose", rule ? rule->name : "",
		    purpose_name((enum purpose)p),
		    units_format_duration(
			limits[p].retention, kept, sizeof(kept)),
		    units_format_duration(upload, needed, sizeof(needed)));
	}
}

static void
check_timers(const struct config *config, struct config_mistakes *mistakes)
{
	int before = mistakes->count;

	check_retention(config, NULL, mistakes);
	/* A rule that inherits a mistake would only repeat it. */
	if (mistakes->count > before)
		return;
	for (size_t i = 0; i < config->rule_count; i++)
		if (config->rules[i].deny == NULL)
			check_retention(config, &config->rules[i], mistakes);
}

/* What lies in it is removed when it gets old. */
static void
check_incoming(const struct config *config, const struct config_file *file,
    struct config_mistakes *mistakes)
{
	const struct config_entry *entry =
	    config_file_entry(file, CONFIG_WEB, "incoming");

	if (entry == NULL || !entry->valid)
		return;
	if (strcmp(config->incoming, config->bodies) == 0 ||
	    (config->public != NULL &&
		strcmp(config->incoming, config->public) == 0))
		config_mistakes_add(mistakes, entry->line,
		    "incoming must be a directory of its own");
}

void
config_check_settings(const struct config *config,
    const struct config_file *file, enum config_reader reader,
    struct config_mistakes *mistakes)
{
	if (reader == CONFIG_FOR_COMPONENT)
		require(file, CONFIG_COMPONENT, "jid", mistakes);
	require(file, CONFIG_WEB, "put_url", mistakes);
	check_url(config, file, "put_url", mistakes);
	check_url(config, file, "get_url", mistakes);
	check_url(config, file, "public_url", mistakes);
	check_public(config, file, mistakes);
	check_incoming(config, file, mistakes);
	check_rules(config, file, mistakes);
	/* Where a value was refused its default stands, which says nothing
	 * about whether the timers that were meant go together. */
	if (mistakes->count == 0)
		check_timers(config, mistakes);
}

/* ---- the secret ---- */

/* Group access is how it is shared with a service's own user. */
static void
check_private(const struct stat *status, const char *path,
    struct config_mistakes *mistakes, int line)
{
	if ((status->st_mode & 007) != 0)
		config_mistakes_add(mistakes, line,
		    "%s holds the secret and is open to everyone (mode %04o): "
		    "chmod o= it",
		    path, (unsigned int)(status->st_mode & 07777));
}

/* 1 with the secret set; 0 a mistake; -1 out of memory. */
static int
take_first_line(FILE *stream, struct config *config, const char **why)
{
	char buf[SECRET_MAX] = "";
	size_t size = fread(buf, 1, sizeof(buf) - 1, stream);
	size_t len = strcspn(buf, "\r\n");
	bool nul = len < size && buf[len] == '\0';

	if (ferror(stream)) {
		*why = strerror(errno);
		return 0;
	}
	*why = "has a first line that is too long for a secret";
	if (len == sizeof(buf) - 1)
		return 0;
	buf[len] = '\0';
	*why = "has no secret in its first line";
	if (len == 0)
		return 0;
	*why = "has a secret that is not UTF-8 or has control characters";
	if (nul || !text_is_clean(buf))
		return 0;
	config->secret = strdup(buf);
	explicit_bzero(buf, sizeof(buf));
	return config->secret == NULL ? -1 : 1;
}

static int
read_secret(struct config *config, int line, struct config_mistakes *mistakes)
{
	const char *path = config->secret_file;
	const char *why = NULL;
	struct stat status;
	FILE *stream = fopen(path, "re");
	int result = 0;

	if (stream == NULL || fstat(fileno(stream), &status) == -1) {
		why = strerror(errno);
	} else {
		check_private(&status, path, mistakes, line);
		result = take_first_line(stream, config, &why);
	}
	if (result == 0)
		config_mistakes_add(mistakes, line, "%s: %s", path, why);
	if (stream != NULL)
		fclose(stream);
	return result == -1 ? -1 : 1;
}

static void
forget_secret(struct config *config)
{
	if (config->secret != NULL)
		explicit_bzero(config->secret, strlen(config->secret));
	free(config->secret);
	config->secret = NULL;
}

int
config_check_secret(struct config *config, const struct config_file *file,
    const struct stat *status, enum config_reader reader,
    struct config_mistakes *mistakes)
{
	const struct config_entry *here =
	    config_file_entry(file, CONFIG_COMPONENT, "secret");
	const struct config_entry *there =
	    config_file_entry(file, CONFIG_COMPONENT, "secret_file");

	if (here != NULL)
		check_private(status, "this file", mistakes, here->line);
	if (here != NULL && there != NULL)
		config_mistakes_add(mistakes, there->line,
		    "secret stands on line %d already: one of them must go",
		    here->line);
	if (reader != CONFIG_FOR_COMPONENT) {
		forget_secret(config);
		return 1;
	}
	if (here == NULL && there == NULL)
		config_mistakes_add(mistakes, 0,
		    "secret or secret_file is missing in [component]");
	if (here == NULL && there != NULL && there->valid)
		return read_secret(config, there->line, mistakes);
	return 1;
}
