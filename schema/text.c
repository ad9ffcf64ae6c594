#include "schema/text.h"

#include <string.h>

/* How a first byte announces what follows. Everything that RFC 3629 excludes
 * is outside these rows or below their least code point. */
static const struct form {
	unsigned char mask, lead;
	int len;
	uint32_t least;
} forms[] = {
    {0x80, 0x00, 1, 0x0},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static const struct form *
form_of(unsigned char lead)
{
	for (size_t i = 0; i < FORM_COUNT; i++)
		if ((lead & forms[i].mask) == forms[i].lead)
			return &forms[i];
	return NULL;
}

int
text_decode(const char *text, uint32_t *code_point)
{
	const unsigned char *p = (const unsigned char *)text;
	const struct form *form = form_of(p[0]);
	uint32_t c;

	if (p[0] == '\0')
		return 0;
	if (form == NULL)
		return -1;
	c = p[0] & (unsigned char)~form->mask;
	/* The NUL at the end is no continuation byte either: never past it. */
	for (int i = 1; i < form->len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < form->least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*code_point = c;
	return form->len;
}

bool
text_is_utf8(const char *text)
{
	uint32_t c;
	int n;

	while ((n = text_decode(text, &c)) > 0)
		text += n;
	return n == 0;
}

bool
text_is_clean(const char *text)
{
	uint32_t c;
	int n;

	while ((n = text_decode(text, &c)) > 0) {
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
		text += n;
	}
	return n == 0;
}

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

size_t
text_percent_encode(const char *text, char *buf, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		size_t need = is_unreserved(*text) ? 1 : 3;

		if (len < need + 1 || n > len - need - 1) {
			n = 0;
			break;
		}
		if (need == 1) {
			buf[n++] = *text;
			continue;
		}
		buf[n++] = '%';
		buf[n++] = digits[c >> 4];
		buf[n++] = digits[c & 0x0f];
	}
	if (len > 0)
		buf[n] = '\0';
	return n;
}
