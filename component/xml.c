#include "component/xml.h"

#include <stdlib.h>
#include <string.h>

#include "schema/text.h"

#define FIRST_ROOM 1024 /* bytes: for nearly all answers */

bool
xml_is_char(uint32_t c)
{
	return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) ||
	       (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
}

/* Sees to it that len bytes more fit, and a NUL. */
static bool
make_room(struct xml *xml, size_t len)
{
	size_t room = xml->room > 0 ? xml->room : FIRST_ROOM;
	char *text;

	if (len < xml->room - xml->len)
		return true;
	while (room - xml->len <= len)
		room *= 2;
	text = realloc(xml->text, room);
	if (text == NULL) {
		xml->broken = true;
		return false;
	}
	xml->text = text;
	xml->room = room;
	return true;
}

static void
append(struct xml *xml, const char *text, size_t len)
{
	if (!make_room(xml, len))
		return;
	memcpy(xml->text + xml->len, text, len);
	xml->len += len;
	xml->text[xml->len] = '\0';
}

void
xml_markup(struct xml *xml, const char *markup)
{
	append(xml, markup, strlen(markup));
}

/* How a character is written, where it is not by itself; else NULL. */
static const char *
reference(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\'':
		return "&apos;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return xml_is_char(c) ? NULL : "\xef\xbf\xbd"; /* U+FFFD */
	}
}

/* Most are, and need not be decoded. */
static bool
is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '&' && c != '<' && c != '>' &&
	       c != '\'' && c != '"';
}

void
xml_value(struct xml *xml, const char *value)
{
	const char *plain = value; /* what is not yet written */

	while (*value != '\0') {
		if (is_plain(*value)) {
			value++;
			continue;
		}
		uint32_t c = 0; /* which XML does not have: no UTF-8 */
		int n = text_decode(value, &c);
		const char *written = reference(n > 0 ? c : 0);

		if (written != NULL) {
			append(xml, plain, (size_t)(value - plain));
			xml_markup(xml, written);
		}
		value += n > 0 ? n : 1;
		if (written != NULL)
			plain = value;
	}
	append(xml, plain, (size_t)(value - plain));
}
