/*
 * Sizes, durations and numbers. Input: a text, another text.
 */
#include "schema/units.h"

#include <errno.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

typedef int parse_fn(const char *, int64_t *);
typedef char *format_fn(int64_t, char *, size_t);

/* What is written is read as the same value, and not written "better" twice. */
static void
check_round_trip(parse_fn *parser, format_fn *format, int64_t value)
{
	char text[UNITS_TEXT_MAX], again[UNITS_TEXT_MAX];
	int64_t read = -1;

	FUZZ_CLAIM(format(value, text, sizeof(text)) == text);
	FUZZ_CLAIM(parser(text, &read) == 1);
	FUZZ_CLAIM(read == value);
	FUZZ_CLAIM(strcmp(format(read, again, sizeof(again)), text) == 0);
	/* what does not fit is nothing, rather than another number */
	FUZZ_CLAIM(*format(value, again, strlen(text)) == '\0');
}

static void
check_description(int64_t value)
{
	char text[UNITS_TEXT_MAX], exact[UNITS_TEXT_MAX];

	units_describe_size(value, text, sizeof(text));
	units_format_size(value, exact, sizeof(exact));
	FUZZ_CLAIM(*text != '\0');
	FUZZ_CLAIM(strstr(text, "10.10") == NULL);
	if (value < 1000)
		FUZZ_CLAIM(strcmp(text, exact) == 0);
}

static void
check_value(int64_t value)
{
	check_round_trip(units_parse_size, units_format_size, value);
	check_round_trip(units_parse_duration, units_format_duration, value);
	check_description(value);
}

/* 1 and the value; what was refused must have been left alone. */
static int
parse(parse_fn *parser, const char *text, int64_t *out)
{
	const int64_t untouched = -7;
	int result;

	*out = untouched;
	result = parser(text, out);
	FUZZ_CLAIM(result == 1 || (result == 0 && *out == untouched));
	FUZZ_CLAIM(result == 0 || *out >= 0);
	return result;
}

static void
check_number(const char *text)
{
	int64_t number, size;
	int result = parse(units_parse_number, text, &number);
	char *end;

	if (result == 0)
		return;
	errno = 0;
	FUZZ_CLAIM(strtoll(text, &end, 10) == number);
	FUZZ_CLAIM(errno == 0 && *end == '\0' && number < UNITS_NEVER);
	FUZZ_CLAIM(strspn(text, "0123456789") == strlen(text));
	FUZZ_CLAIM(parse(units_parse_size, text, &size) == 1);
	FUZZ_CLAIM(size == number);
}

/* Sums are what they say: "A + B" for sizes, "AB" for durations. */
static void
check_sum(parse_fn *parser, const char *plus, const char *a, const char *b)
{
	int64_t one, two, sum;
	char *both = NULL;
	int result;

	if (parse(parser, a, &one) != 1 || parse(parser, b, &two) != 1 ||
	    one == UNITS_NEVER || two == UNITS_NEVER)
		return;
	FUZZ_CLAIM(asprintf(&both, "%s%s%s", a, plus, b) >= 0);
	result = parse(parser, both, &sum);
	if (one > UNITS_NEVER - 1 - two)
		FUZZ_CLAIM(result == 0);
	else if (*plus != '\0' || (strcmp(a, "0") != 0 && strcmp(b, "0") != 0))
		FUZZ_CLAIM(result == 1 && sum == one + two);
	free(both);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;
	int64_t value;

	fuzz_open(&input, data, size);
	const char *a = fuzz_field(&input, 0), *b = fuzz_field(&input, 1);

	check_number(a);
	if (parse(units_parse_number, a, &value) == 1)
		check_value(value);
	if (parse(units_parse_size, a, &value) == 1)
		check_value(value);
	if (parse(units_parse_duration, a, &value) == 1)
		check_value(value);
	check_sum(units_parse_size, " + ", a, b);
	check_sum(units_parse_duration, "", a, b);
	fuzz_close(&input);
	return 0;
}
