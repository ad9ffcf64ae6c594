#include "fcgi/range.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define OWS " \t"
#define DIGITS "0123456789"
#define DIGITS_MAX 18 /* of any int64_t */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads a position. One that is too large for an int64_t lies beyond the end
 * of any body, and so does INT64_MAX (14.1.1: a number may be of any length,
 * and must not be refused for it). */
static bool
read_position(const char **p, int64_t *position)
{
	if (!is_digit(**p))
		return false;
	for (*position = 0; is_digit(**p); ++*p) {
		int digit = **p - '0';

		if (*position > (INT64_MAX - digit) / 10)
			*position = INT64_MAX;
		else
			*position = *position * 10 + digit;
	}
	return true;
}

/* "-N": the last N bytes, or all of a shorter body. */
static bool
read_suffix(const char **p, int64_t size, struct range *range)
{
	int64_t length;

	++*p;
	if (!read_position(p, &length))
		return false;
	range->first = length < size ? size - length : 0;
	range->last = length > 0 ? size - 1 : -1;
	return true;
}

/* "N-" or "N-M". False if it is neither, or ends before it begins. */
static bool
read_span(const char **p, int64_t size, struct range *range)
{
	if (!read_position(p, &range->first) || **p != '-')
		return false;
	++*p;
	if (!is_digit(**p)) {
		range->last = size - 1;
		return true;
	}
	read_position(p, &range->last);
	if (range->last < range->first)
		return false;
	if (range->last >= size)
		range->last = size - 1;
	return true;
}

/* Reads one element of the list, up to its comma or the end. */
static bool
read_range(const char **p, int64_t size, struct range *range)
{
	bool read = **p == '-' ? read_suffix(p, size, range)
			       : read_span(p, size, range);

	*p += strspn(*p, OWS);
	return read && (**p == ',' || **p == '\0');
}

/* Blanks and empty elements between ranges (5.6.1.2). */
static void
skip_separators(const char **p)
{
	*p += strspn(*p, OWS ",");
}

bool
range_is_plain(const char *header)
{
	const char *p = header + 6;

	if (strncmp(header, "bytes=", 6) != 0)
		return false;
	size_t first = strspn(p, DIGITS);
	bool dash = p[first] == '-';
	p += first + dash;
	size_t last = strspn(p, DIGITS);
	return dash && p[last] == '\0' && first + last > 0 &&
	       first <= DIGITS_MAX && last <= DIGITS_MAX;
}

int
range_parse(const char *header, int64_t size, struct range ranges[RANGE_MAX])
{
	static const char unit[] = "bytes=";
	const char *p = header + sizeof(unit) - 1;
	int64_t bytes = 0;
	int asked = 0, count = 0;

	if (strncasecmp(header, unit, sizeof(unit) - 1) != 0)
		return 0;
	for (skip_separators(&p); *p; skip_separators(&p)) {
		struct range range;

		if (++asked > RANGE_MAX || !read_range(&p, size, &range))
			return 0;
		if (range.first > range.last)
			continue;
		/* a sum of more than size might be too large for an int64_t */
		if (range.last - range.first >= size - bytes)
			return 0;
		bytes += range.last - range.first + 1;
		ranges[count++] = range;
	}
	return asked > 0 && count == 0 ? -1 : count;
}
