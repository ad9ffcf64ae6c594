/*
 * The DateTime of expire-before. Input: a text, a number of seconds.
 */
#include "component/datetime.h"

#include <stdbool.h>
#include <time.h>

#include "schema/units.h"
#include "tests/fuzz/fuzz.h"

#define DAY 86400
#define FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST INT64_C(253402300799)  /* 9999-12-31T23:59:59Z */

/* What is written is read as the same second, if the form has it. */
static void
check_format(int64_t seconds)
{
	char text[DATETIME_TEXT_MAX];
	int64_t read = -1;

	FUZZ_CLAIM(datetime_format(seconds, text) == text);
	FUZZ_CLAIM(strlen(text) == DATETIME_TEXT_MAX - 1);
	FUZZ_CLAIM(datetime_parse(text, &read) == 1);
	FUZZ_CLAIM(read == (seconds < 0 ? 0 : seconds > LAST ? LAST : seconds));
}

/* The time zone at the end of the text, seconds east of UTC. */
static int64_t
zone_of(const char *text)
{
	const char *end = text + strlen(text);
	int hours, minutes;

	if (end[-1] == 'Z')
		return 0;
	FUZZ_CLAIM(sscanf(end - 5, "%2d:%2d", &hours, &minutes) == 2);
	return (end[-6] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
}

/* libc's calendar says the same. */
static void
check_against_libc(const char *text, int64_t seconds)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	FUZZ_CLAIM(end == text + 19);
	if (tm.tm_sec == 60)
		tm.tm_sec = 59;
	FUZZ_CLAIM(timegm(&tm) - zone_of(text) == seconds);
}

static void
check_text(const char *text)
{
	const int64_t untouched = INT64_MIN;
	int64_t seconds = untouched, again;
	int result = datetime_parse(text, &seconds);
	char *changed = NULL;

	FUZZ_CLAIM(result == 1 || (result == 0 && seconds == untouched));
	if (result == 0)
		return;
	FUZZ_CLAIM(seconds > FIRST - DAY && seconds < LAST + DAY);
	check_against_libc(text, seconds);
	check_format(seconds);
	/* nothing may follow, and nothing may go before */
	FUZZ_CLAIM(asprintf(&changed, " %s ", text) >= 0);
	FUZZ_CLAIM(datetime_parse(changed, &again) == 0);
	FUZZ_CLAIM(datetime_parse(changed + 1, &again) == 0);
	free(changed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;
	int64_t seconds;

	fuzz_open(&input, data, size);
	check_text(fuzz_field(&input, 0));
	if (units_parse_number(fuzz_field(&input, 1), &seconds) == 1) {
		check_format(seconds);
		check_format(-seconds);
	}
	fuzz_close(&input);
	return 0;
}
