/*
 * Addresses, and the patterns of rules that they match. Input: a JID, a
 * pattern, another JID.
 */
#include "component/jid.h"

#include <strings.h>

#include "schema/config.h"
#include "schema/text.h"
#include "tests/fuzz/fuzz.h"

static const char *
domain_of(const char *bare)
{
	const char *at = strchr(bare, '@');

	return at != NULL ? at + 1 : bare;
}

static void
check_form(const char *bare)
{
	const char *domain = domain_of(bare);

	FUZZ_CLAIM(strlen(bare) <= STORE_OWNER_MAX);
	FUZZ_CLAIM(text_is_utf8(bare) && strpbrk(bare, "/ \t\r\n") == NULL);
	FUZZ_CLAIM(*domain != '\0' && *bare != '@');
	FUZZ_CLAIM(strchr(domain, '@') == NULL);
	for (const char *p = domain; *p; p++)
		FUZZ_CLAIM(*p < 'A' || *p > 'Z');
}

/* Whoever is somebody remains the same with and without a resource. */
static void
check_resources(const char *bare)
{
	char again[STORE_OWNER_MAX + 1];
	char *full = NULL;

	FUZZ_CLAIM(jid_bare(bare, again) == 1 && strcmp(again, bare) == 0);
	FUZZ_CLAIM(asprintf(&full, "%s/a@b/c d", bare) >= 0);
	FUZZ_CLAIM(jid_bare(full, again) == 1 && strcmp(again, bare) == 0);
	FUZZ_CLAIM(jid_is_at(full, domain_of(bare)));
	FUZZ_CLAIM(!jid_is_at(full, "nowhere.invalid") ||
		   strcmp(domain_of(bare), "nowhere.invalid") == 0);
	free(full);
}

/* The patterns that are made of an address match it. */
static void
check_own_patterns(const char *bare)
{
	char *of_domain = NULL;

	FUZZ_CLAIM(limits_pattern_matches("*", bare));
	FUZZ_CLAIM(limits_pattern_matches(bare, bare));
	FUZZ_CLAIM(asprintf(&of_domain, "@%s", domain_of(bare)) >= 0);
	FUZZ_CLAIM(limits_pattern_matches(of_domain, bare) ==
		   (domain_of(bare) != bare));
	if (strchr(bare, '*') == NULL && text_is_clean(bare))
		FUZZ_CLAIM(limits_pattern_valid(bare) &&
			   limits_pattern_valid(of_domain));
	free(of_domain);
}

/* A pattern that matches is everyone's, the address, or its domain's. */
static void
check_pattern(const char *pattern, const char *bare)
{
	char *rest = fuzz_string(pattern, strlen(pattern));
	char *patterns[] = {rest, NULL};
	struct rule rule = {.patterns = patterns};
	struct config config = {.rules = &rule, .rule_count = 1};
	bool matches = limits_pattern_matches(pattern, bare);

	FUZZ_CLAIM((limits_rule(&config, bare) == &rule) == matches);
	if (limits_pattern_valid(pattern) && matches)
		FUZZ_CLAIM(strcmp(pattern, "*") == 0 ||
			   strcasecmp(pattern, bare) == 0 ||
			   (*pattern == '@' && domain_of(bare) != bare &&
			       strcasecmp(pattern + 1, domain_of(bare)) == 0));
	for (char *p = rest; *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	FUZZ_CLAIM(limits_pattern_matches(rest, bare) == matches);
	free(rest);
}

static void
check_jid(const char *jid, const char *pattern)
{
	char bare[STORE_OWNER_MAX + 1] = "untouched";

	if (jid_bare(jid, bare) != 1) {
		FUZZ_CLAIM(*bare == '\0');
		FUZZ_CLAIM(!jid_is_at(jid, "example.org"));
		return;
	}
	check_form(bare);
	check_resources(bare);
	check_own_patterns(bare);
	check_pattern(pattern, bare);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;

	fuzz_open(&input, data, size);
	check_jid(fuzz_field(&input, 0), fuzz_field(&input, 1));
	check_jid(fuzz_field(&input, 2), fuzz_field(&input, 1));
	fuzz_close(&input);
	return 0;
}
