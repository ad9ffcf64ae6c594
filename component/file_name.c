#include "component/file_name.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/log.h"
#include "schema/text.h"

/* The longest text after a dot that still counts as an ending, with the dot,
 * in bytes: ".torrent" is one, a sentence is not. */
#define ENDING_MAX 20

static bool
is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) /* C0, DEL, C1 */
	       || c == '/' || c == '\\' || c == 0x2028 ||
	       c == 0x2029                      /* line, paragraph separator */
	       || (c >= 0x202A && c <= 0x202E)  /* embeddings, overrides */
	       || (c >= 0x2066 && c <= 0x2069); /* isolates */
}

/* Copies text, which is UTF-8, with '_' for each unsafe character. */
static void
copy_safely(const char *text, char *out)
{
	uint32_t c;
	int n;

	while ((n = text_decode(text, &c)) > 0) {
		if (is_unsafe(c)) {
			*out++ = '_';
		} else {
			memcpy(out, text, (size_t)n);
			out += n;
		}
		text += n;
	}
	*out = '\0';
}

/* Cuts len down until it is not inside a code point of the text. */
static size_t
at_border(const char *text, size_t len)
{
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	return len;
}

static void
shorten(const char *name, char buf[STORE_NAME_MAX + 1])
{
	const char *ending = strrchr(name, '.');
	size_t ending_len, stem_len;

	if (ending == NULL || strlen(ending) > ENDING_MAX)
		ending = "";
	ending_len = strlen(ending);
	stem_len = strlen(name) - ending_len;
	if (stem_len > STORE_NAME_MAX - ending_len)
		stem_len = at_border(name, STORE_NAME_MAX - ending_len);
	memcpy(buf, name, stem_len);
	memcpy(buf + stem_len, ending, ending_len + 1);
}

/* Only when the name has its length: what is cut off may have been all that was
 * no dot. */
static void
replace_only_dots(char *name)
{
	size_t len = strlen(name);

	if (strspn(name, ".") == len)
		memset(name, '_', len);
}

int
file_name_make(const char *asked, char buf[STORE_NAME_MAX + 1])
{
	char *safe;

	if (*asked == '\0' || !text_is_utf8(asked))
		return 0;
	/* Replacements are one byte, so it never grows. */
	safe = malloc(strlen(asked) + 1);
	if (safe == NULL) {
		log_error("no memory for a file name");
		return -1;
	}
	copy_safely(asked, safe);
	shorten(safe, buf);
	replace_only_dots(buf);
	free(safe);
	return 1;
}
