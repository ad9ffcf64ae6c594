/*
 * Range and conditional headers, and their dates. Input, each line may be "-"
 * for a header that was not sent:
 *
 *	size of the body
 *	Range
 *	If-Match
 *	If-Unmodified-Since
 *	If-None-Match
 *	If-Modified-Since
 *	If-Range
 */
#include "fcgi/range.h"

#include <stdbool.h>
#include <strings.h>

#include "fcgi/conditional.h"
#include "fcgi/http_date.h"
#include "schema/units.h"
#include "tests/fuzz/fuzz.h"

#define ETAG "\"abc,def\""
#define NOW INT64_C(1790000000)      /* 2026-09-21 */
#define STORED INT64_C(784111777)    /* "Sun, 06 Nov 1994 08:49:37 GMT" */
#define YEAR_0 INT64_C(-62167219200) /* its first second */
#define YEAR_10000 INT64_C(253402300800)

/* ---- ranges ---- */

/* The ranges as a header, written in another way than most clients would. */
static char *
write_header(const struct range *ranges, int count)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	FUZZ_CLAIM(out != NULL);
	fputs("Bytes=,", out);
	for (int i = 0; i < count; i++)
		fprintf(out, "\t0%lld-%lld ,", (long long)ranges[i].first,
		    (long long)ranges[i].last);
	FUZZ_CLAIM(fclose(out) == 0);
	return text;
}

static void
check_same(
    const char *header, int64_t size, const struct range *ranges, int count)
{
	struct range again[RANGE_MAX];

	FUZZ_CLAIM(range_parse(header, size, again) == count);
	for (int i = 0; i < count; i++)
		FUZZ_CLAIM(again[i].first == ranges[i].first &&
			   again[i].last == ranges[i].last);
}

static void
check_range(const char *header, int64_t size)
{
	struct range ranges[RANGE_MAX];
	int64_t bytes = 0;
	int count = range_parse(header, size, ranges);
	char *text;

	FUZZ_CLAIM(count >= -1 && count <= RANGE_MAX);
	if (strncasecmp(header, "bytes=", 6) != 0)
		FUZZ_CLAIM(count == 0);
	if (count <= 0)
		return;
	for (int i = 0; i < count; i++) {
		FUZZ_CLAIM(ranges[i].first >= 0);
		FUZZ_CLAIM(ranges[i].first <= ranges[i].last);
		FUZZ_CLAIM(ranges[i].last < size);
		bytes += ranges[i].last - ranges[i].first + 1;
	}
	FUZZ_CLAIM(bytes > 0 && bytes <= size);
	text = write_header(ranges, count);
	check_same(text, size, ranges, count);
	free(text);
}

/* ---- dates ---- */

/* Both name the same day of a month and the same time of day. */
static void
check_day(const char *text, const char *date)
{
	int day, same_day;

	FUZZ_CLAIM(sscanf(text, "%*[^0-9]%2d", &day) == 1);
	FUZZ_CLAIM(sscanf(date, "%*[^0-9]%2d", &same_day) == 1);
	FUZZ_CLAIM(day == same_day);
	FUZZ_CLAIM(
	    strncmp(strchr(text, ':') - 2, strchr(date, ':') - 2, 8) == 0);
}

static void
check_date(const char *text)
{
	const int64_t untouched = -7;
	int64_t when = untouched, again = untouched;
	int result = http_date_parse(text, NOW, &when);
	char date[HTTP_DATE_LEN + 1];

	FUZZ_CLAIM(result == 1 || (result == 0 && when == untouched));
	if (result == 0)
		return;
	/* a leap second may have ended the last year */
	FUZZ_CLAIM(when >= YEAR_0 && when <= YEAR_10000);
	http_date_format(when, date);
	FUZZ_CLAIM(strlen(date) == HTTP_DATE_LEN);
	if (strstr(text, ":60") == NULL)
		check_day(text, date);
	if (when == YEAR_10000)
		return;
	FUZZ_CLAIM(http_date_parse(date, NOW, &again) == 1 && again == when);
}

/* ---- conditions ---- */

static int
status(struct conditions conditions)
{
	int result = conditional_status(&conditions, ETAG, STORED);

	FUZZ_CLAIM(result == 200 || result == 304 || result == 412);
	return result;
}

static bool
is_date(const char *text)
{
	int64_t when;

	return text && http_date_parse(text, NOW, &when) == 1;
}

/* RFC 9110 section 13.2.2, step by step, said the other way round: what a
 * header that is not there, or does not count, cannot have caused. */
static void
check_status(const struct conditions *c)
{
	struct conditions less = *c;
	int whole = status(*c);

	FUZZ_CLAIM(whole != 412 || c->if_match || c->if_unmodified_since);
	FUZZ_CLAIM(whole != 304 || c->if_none_match || c->if_modified_since);

	less.if_range = NULL;
	FUZZ_CLAIM(status(less) == whole);
	if (c->if_match || !is_date(c->if_unmodified_since))
		less.if_unmodified_since = NULL;
	if (c->if_none_match || !is_date(c->if_modified_since))
		less.if_modified_since = NULL;
	FUZZ_CLAIM(status(less) == whole);

	less.if_match = less.if_unmodified_since = NULL;
	FUZZ_CLAIM(status(less) == whole || whole == 412);
	less.if_match = "W/\"x\" , " ETAG;
	FUZZ_CLAIM(status(less) != 412);
	less.if_match = "W/" ETAG;
	FUZZ_CLAIM(status(less) == 412);
	less.if_match = NULL;
	less.if_none_match = "*";
	FUZZ_CLAIM(status(less) == 304);
}

/* Section 13.1.5: the tag itself or the date itself, and nothing else. */
static void
check_if_range(const struct conditions *c)
{
	bool counts = conditional_range_counts(c, ETAG, STORED);
	int64_t when = 0;

	if (!c->if_range)
		FUZZ_CLAIM(counts);
	else if (http_date_parse(c->if_range, NOW, &when) == 1)
		FUZZ_CLAIM(counts == (when == STORED));
	else
		FUZZ_CLAIM(counts == (strcmp(c->if_range, ETAG) == 0));
}

/* NULL: not sent. */
static const char *
header(const struct fuzz_input *input, int index)
{
	const char *text = fuzz_field(input, index);

	return *text == '\0' || strcmp(text, "-") == 0 ? NULL : text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;
	int64_t body = 1000;

	fuzz_open(&input, data, size);
	struct conditions conditions = {.if_match = header(&input, 2),
	    .if_unmodified_since = header(&input, 3),
	    .if_none_match = header(&input, 4),
	    .if_modified_since = header(&input, 5),
	    .if_range = header(&input, 6),
	    .now = NOW};

	units_parse_number(fuzz_field(&input, 0), &body);
	if (body > 0)
		check_range(fuzz_field(&input, 1), body);
	for (int i = 1; i <= 6; i++)
		check_date(fuzz_field(&input, i));
	check_status(&conditions);
	check_if_range(&conditions);
	fuzz_close(&input);
	return 0;
}
