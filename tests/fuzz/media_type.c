/*
 * Media types. Input: one, another.
 */
#include "schema/media_type.h"

#include <strings.h>

#include "tests/fuzz/fuzz.h"

/* What goes into a header can end it nowhere. */
static void
check_form(const char *text)
{
	FUZZ_CLAIM(strlen(text) <= MEDIA_TYPE_MAX);
	for (const char *p = text; *p; p++)
		FUZZ_CLAIM(*p >= ' ' && *p <= '~');
	FUZZ_CLAIM(*text != '/' && strchr(text, '/') != NULL);
	FUZZ_CLAIM(media_type_same(text, text));
}

/* Nothing that a browser would run, whatever the letters' case. */
static void
check_inline(const char *text)
{
	size_t len = strcspn(text, "; ");

	FUZZ_CLAIM(strncasecmp(text, "image/", 6) == 0 ||
		   strncasecmp(text, "audio/", 6) == 0 ||
		   strncasecmp(text, "video/", 6) == 0 ||
		   (len == 10 && strncasecmp(text, "text/plain", 10) == 0));
	FUZZ_CLAIM(strncasecmp(text, "image/svg", 9) != 0);
	FUZZ_CLAIM(len < 4 || strncasecmp(text + len - 4, "+xml", 4) != 0);
	FUZZ_CLAIM(len < 4 || strncasecmp(text + len - 4, "/xml", 4) != 0);
}

/* The same type with one more parameter. */
static void
check_parameter(const char *text, const char *parameter)
{
	char *longer = NULL;

	FUZZ_CLAIM(asprintf(&longer, "%s%s", text, parameter) >= 0);
	FUZZ_CLAIM(
	    media_type_valid(longer) == (strlen(longer) <= MEDIA_TYPE_MAX));
	FUZZ_CLAIM(media_type_same(text, longer));
	FUZZ_CLAIM(media_type_inline(text) == media_type_inline(longer));
	free(longer);
}

static void
check_one(const char *text)
{
	if (!media_type_valid(text))
		return;
	check_form(text);
	if (media_type_inline(text))
		check_inline(text);
	check_parameter(text, "; charset=\"a\\\"b\"");
	check_parameter(text, " ;;x=y");
	check_parameter(text, ";");
}

static void
check_two(const char *a, const char *b)
{
	FUZZ_CLAIM(media_type_same(a, b) == media_type_same(b, a));
	if (media_type_same(a, b))
		FUZZ_CLAIM(media_type_inline(a) == media_type_inline(b));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;

	fuzz_open(&input, data, size);
	check_one(fuzz_field(&input, 0));
	check_one(fuzz_field(&input, 1));
	check_two(fuzz_field(&input, 0), fuzz_field(&input, 1));
	fuzz_close(&input);
	return 0;
}
