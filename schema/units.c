#include "schema/units.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* UNITS_NEVER itself is a word, never a number. */
#define LARGEST (UNITS_NEVER - 1)

struct unit {
	const char *name;
	int64_t factor;
};

/* Both tables: the largest first, as formatting tries them. */
static const struct unit size_units[] = {
    {"TiB", INT64_C(1) << 40},
    {"TB", INT64_C(1000000000000)},
    {"GiB", INT64_C(1) << 30},
    {"GB", INT64_C(1000000000)},
    {"MiB", INT64_C(1) << 20},
    {"MB", INT64_C(1000000)},
    {"KiB", INT64_C(1) << 10},
    {"kB", INT64_C(1000)},
    {"B", 1},
    {NULL, 0},
};

static const struct unit duration_units[] = {
    {"y", INT64_C(365) * 86400},
    {"w", INT64_C(7) * 86400},
    {"d", INT64_C(86400)},
    {"h", INT64_C(3600)},
    {"m", 60},
    {"s", 1},
    {NULL, 0},
};

/* No <ctype.h> here: what is a letter must not depend on the locale. */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *
skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Reads digits at *text and moves it behind them. 1, or 0: none or too many. */
static int
take_number(const char **text, int64_t *out)
{
	const char *p = *text;
	int64_t n = 0;

	if (!is_digit(*p))
		return 0;
	for (; is_digit(*p); p++) {
		int digit = *p - '0';

		if (n > (LARGEST - digit) / 10)
			return 0;
		n = n * 10 + digit;
	}
	*text = p;
	*out = n;
	return 1;
}

/* Reads letters at *text and moves it behind them. Returns the unit's factor,
 * or 0: no letters, or no unit of that name. */
static int64_t
take_unit(const char **text, const struct unit *units,
    int (*same)(const char *, const char *, size_t))
{
	const char *start = *text;
	size_t len = 0;

	while (is_letter(start[len]))
		len++;
	for (const struct unit *u = units; u->name != NULL; u++) {
		if (strlen(u->name) == len && same(u->name, start, len) == 0) {
			*text = start + len;
			return u->factor;
		}
	}
	return 0;
}

/* sum += number * factor, or 0 where that is out of range. */
static int
add_term(int64_t *sum, int64_t number, int64_t factor)
{
	if (number > (LARGEST - *sum) / factor)
		return 0;
	*sum += number * factor;
	return 1;
}

/* A number, optionally with a unit after an optional blank. */
static int
take_size_term(const char **text, int64_t *sum)
{
	const char *unit;
	int64_t number, factor = 1;

	if (take_number(text, &number) != 1)
		return 0;
	unit = skip_blanks(*text);
	if (is_letter(*unit)) {
		factor = take_unit(&unit, size_units, strncasecmp);
		if (factor == 0)
			return 0;
		*text = unit;
	}
	return add_term(sum, number, factor);
}

int
units_parse_number(const char *text, int64_t *out)
{
	int64_t number;

	if (take_number(&text, &number) != 1 || *text != '\0')
		return 0;
	*out = number;
	return 1;
}

int
units_parse_size(const char *text, int64_t *out)
{
	int64_t sum = 0;

	if (strcmp(text, "unlimited") == 0) {
		*out = UNITS_NEVER;
		return 1;
	}
	for (;;) {
		const char *next;

		if (take_size_term(&text, &sum) != 1)
			return 0;
		if (*text == '\0')
			break;
		next = skip_blanks(text);
		if (*next != '+')
			return 0;
		text = skip_blanks(next + 1);
	}
	*out = sum;
	return 1;
}

int
units_parse_duration(const char *text, int64_t *out)
{
	int64_t sum = 0;

	if (strcmp(text, "never") == 0) {
		*out = UNITS_NEVER;
		return 1;
	}
	if (strcmp(text, "0") == 0) {
		*out = 0;
		return 1;
	}
	do {
		int64_t number, factor;

		if (take_number(&text, &number) != 1)
			return 0;
		factor = take_unit(&text, duration_units, strncmp);
		if (factor == 0 || add_term(&sum, number, factor) != 1)
			return 0;
	} while (*text != '\0');
	*out = sum;
	return 1;
}

static char *
put(char *, size_t, const char *, ...) __attribute__((format(printf, 3, 4)));

/* Half a number would be a wrong number: what does not fit becomes "". */
static char *
put(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, len, fmt, ap);
	va_end(ap);
	if (len > 0 && (n < 0 || (size_t)n >= len))
		buf[0] = '\0';
	return buf;
}

static const struct unit *
largest_divisor(const struct unit *units, int64_t value)
{
	while (units->factor != 1 &&
	       (value < units->factor || value % units->factor != 0))
		units++;
	return units;
}

char *
units_format_size(int64_t bytes, char *buf, size_t len)
{
	const struct unit *u = largest_divisor(size_units, bytes);

	if (bytes == UNITS_NEVER)
		return put(buf, len, "unlimited");
	return put(buf, len, "%" PRId64 " %s", bytes / u->factor, u->name);
}

char *
units_format_duration(int64_t seconds, char *buf, size_t len)
{
	const struct unit *u = largest_divisor(duration_units, seconds);

	if (seconds == UNITS_NEVER)
		return put(buf, len, "never");
	return put(buf, len, "%" PRId64 "%s", seconds / u->factor, u->name);
}

char *
units_describe_size(int64_t bytes, char *buf, size_t len)
{
	static const struct unit units[] = {
	    {"TiB", INT64_C(1) << 40},
	    {"GiB", INT64_C(1) << 30},
	    {"MiB", INT64_C(1) << 20},
	    {"KiB", INT64_C(1) << 10},
	    {"B", 1},
	};
	const struct unit *u = units;
	int64_t whole, tenths;

	if (bytes == UNITS_NEVER)
		return put(buf, len, "unlimited");
	while (u->factor > 1 && bytes < u->factor)
		u++;
	whole = bytes / u->factor;
	tenths = (bytes % u->factor * 10 + u->factor / 2) / u->factor;
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (tenths == 0)
		return put(buf, len, "%" PRId64 " %s", whole, u->name);
	return put(
	    buf, len, "%" PRId64 ".%" PRId64 " %s", whole, tenths, u->name);
}
