#include "schema/limits.h"

#include <string.h>
#include <strings.h>

#include "schema/config.h"
#include "schema/text.h"

bool
limits_pattern_matches(const char *pattern, const char *bare_jid)
{
	if (strcmp(pattern, "*") == 0)
		return true;
	if (pattern[0] == '@') {
		/* RFC 7622 section 3.2: the first '@' ends the local part */
		bare_jid = strchr(bare_jid, '@');
		if (bare_jid == NULL)
			return false;
	}
	return strcasecmp(pattern, bare_jid) == 0;
}

bool
limits_pattern_valid(const char *text)
{
	const char *at;

	if (strcmp(text, "*") == 0)
		return true;
	/* Whoever writes a '*' within a pattern expects a wildcard, which it is
	 * not, rather than a local part with an asterisk. */
	if (!text_is_clean(text) || strpbrk(text, "*/ ") != NULL)
		return false;
	at = strchr(text, '@');
	if (at == NULL)
		return text[0] != '\0';
	return at[1] != '\0' && strchr(at + 1, '@') == NULL;
}

static bool
rule_matches(const struct rule *rule, const char *bare_jid)
{
	for (char *const *p = rule->patterns; *p != NULL; p++)
		if (limits_pattern_matches(*p, bare_jid))
			return true;
	return false;
}

const struct rule *
limits_rule(const struct config *config, const char *bare_jid)
{
	for (size_t i = 0; i < config->rule_count; i++)
		if (rule_matches(&config->rules[i], bare_jid))
			return &config->rules[i];
	return NULL;
}

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
limits_max_file_size(const struct config *config, const struct limits *limits)
{
	return least(least(limits->max_file_size, config->max_total),
	    least(limits->bytes_per_user, limits->bytes_per_window));
}
