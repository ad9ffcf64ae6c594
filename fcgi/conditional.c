#include "fcgi/conditional.h"

#include <stddef.h>
#include <string.h>

#include "fcgi/http_date.h"

#define OWS " \t"

/* Section 8.8.3.2: a strong comparison holds weak tags to be unlike all. */
enum comparison { COMPARE_STRONG, COMPARE_WEAK };

/* The length of the entity tag at p, from its first quote to its last; 0 if
 * there is none. A comma may stand in it, a quote not. */
static size_t
tag_length(const char *p)
{
	if (*p != '"')
		return 0;
	const char *end = strchr(p + 1, '"');

	return end ? (size_t)(end - p) + 1 : 0;
}

/* Compares the tag at *p, which moves past it, or to where none is. */
static bool
tag_matches(const char **p, const char *etag, enum comparison comparison)
{
	bool weak = strncmp(*p, "W/", 2) == 0;

	if (weak)
		*p += 2;
	size_t len = tag_length(*p);
	bool same = len && strncmp(*p, etag, len) == 0 && etag[len] == '\0';

	*p += len;
	return same && (!weak || comparison == COMPARE_WEAK);
}

/* Whether a list of entity tags, or "*", names this one. What follows a
 * mistake in the list is not read. */
static bool
list_matches(const char *list, const char *etag, enum comparison comparison)
{
	const char *p = list + strspn(list, OWS ",");

	if (*p == '*' && p[1 + strspn(p + 1, OWS)] == '\0')
		return true;
	while (*p) {
		if (tag_matches(&p, etag, comparison))
			return true;
		p += strspn(p, OWS);
		if (*p != ',')
			return false;
		p += strspn(p, OWS ",");
	}
	return false;
}

/* The steps 1 and 2 of 13.2.2. An invalid date is no condition. */
static bool
precondition_holds(
    const struct conditions *c, const char *etag, int64_t last_modified)
{
	int64_t date;

	if (c->if_match)
		return list_matches(c->if_match, etag, COMPARE_STRONG);
	if (c->if_unmodified_since &&
	    http_date_parse(c->if_unmodified_since, c->now, &date) == 1)
		return last_modified <= date;
	return true;
}

/* The steps 3 and 4. */
static bool
client_has_it(
    const struct conditions *c, const char *etag, int64_t last_modified)
{
	int64_t date;

	if (c->if_none_match)
		return list_matches(c->if_none_match, etag, COMPARE_WEAK);
	if (c->if_modified_since &&
	    http_date_parse(c->if_modified_since, c->now, &date) == 1)
		return last_modified <= date;
	return false;
}

int
conditional_status(
    const struct conditions *c, const char *etag, int64_t last_modified)
{
	if (!precondition_holds(c, etag, last_modified))
		return 412;
	return client_has_it(c, etag, last_modified) ? 304 : 200;
}

/* The date need not be older than a second to count as strong (8.8.2.2): a
 * body never changes once it is stored. */
bool
conditional_range_counts(
    const struct conditions *c, const char *etag, int64_t last_modified)
{
	const char *text = c->if_range;
	int64_t date;

	if (!text)
		return true;
	if (*text == '"' || strncmp(text, "W/", 2) == 0)
		return strcmp(text, etag) == 0;
	return http_date_parse(text, c->now, &date) == 1 &&
	       date == last_modified;
}
