#include "fcgi/disposition.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "schema/text.h"

#define NAME_MAX_BYTES 255
#define LIKENESS_OF_OTHERS '_'

/* RFC 6266 appendix D: programs disagree about backslashes in a quoted string
 * and about percent signs that look like an escape. */
static bool
is_plain(uint32_t c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '%';
}

/* The name with one '_' for each character that is not plain. Returns how
 * many those were. */
static size_t
make_likeness(const char *name, char likeness[NAME_MAX_BYTES + 1])
{
	size_t len = 0, replaced = 0;

	while (*name && len < NAME_MAX_BYTES) {
		uint32_t c;
		int n = text_decode(name, &c);

		if (n > 0 && is_plain(c)) {
			likeness[len++] = *name;
		} else {
			likeness[len++] = LIKENESS_OF_OTHERS;
			replaced++;
		}
		name += n > 0 ? n : 1;
	}
	likeness[len] = '\0';
	return replaced;
}

char *
disposition_format(
    bool show_inline, const char *file_name, char *buf, size_t len)
{
	const char *type = show_inline ? "inline" : "attachment";
	char likeness[NAME_MAX_BYTES + 1];
	char encoded[3 * NAME_MAX_BYTES + 1] = "";
	int written = -1;

	if (*file_name && strlen(file_name) <= NAME_MAX_BYTES) {
		/* RFC 8187 knows only well-formed text. */
		if (make_likeness(file_name, likeness) > 0 &&
		    text_is_utf8(file_name))
			text_percent_encode(
			    file_name, encoded, sizeof(encoded));
		written = snprintf(buf, len, "%s; filename=\"%s\"%s%s", type,
		    likeness, *encoded ? "; filename*=UTF-8''" : "", encoded);
	}
	if (written < 0 || (size_t)written >= len)
		snprintf(buf, len, "%s", type);
	return buf;
}
