#include "schema/config_value_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config_value.h"
#include "schema/limits.h"
#include "schema/text.h"
#include "schema/units.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
/* RFC 3986 section 3.3, "pchar", and '/'; '%' is looked at on its own. */
#define PATH_CHARS LETTERS DIGITS "-._~!$&'()*+,;=:@/"

/* RFC 1035 section 2.3.4 */
#define LABEL_MAX 63
#define DOMAIN_MAX 253

#define SEPARATORS " \t,"

static int
copy(const char *text, struct config_value *out)
{
	out->text = strdup(text);
	return out->text == NULL ? -1 : 1;
}

int
config_value_text_clean(const char *text, struct config_value *out)
{
	return text_is_clean(text) ? copy(text, out) : 0;
}

int
config_value_text_header(const char *text, struct config_value *out)
{
	for (const char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return 0;
	return copy(text, out);
}

int
config_value_text_path(const char *text, struct config_value *out)
{
	return text[0] == '/' ? copy(text, out) : 0;
}

/* Letters, digits and '-' within; other scripts are not looked at closer. */
static bool
is_label(const char *label, size_t len)
{
	if (len == 0 || len > LABEL_MAX || label[0] == '-' ||
	    label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)label[i] < 0x80 &&
		    strchr(LETTERS DIGITS "-", label[i]) == NULL)
			return false;
	return true;
}

static bool
is_domain(const char *text)
{
	if (strlen(text) > DOMAIN_MAX || !text_is_clean(text))
		return false;
	for (;;) {
		size_t len = strcspn(text, ".");

		if (!is_label(text, len))
			return false;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}

int
config_value_text_domain(const char *text, struct config_value *out)
{
	if (!is_domain(text))
		return 0;
	if (copy(text, out) != 1)
		return -1;
	for (char *p = out->text; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return 1;
}

/* Returns the place behind a host of RFC 3986 section 3.2.2, or NULL. */
static const char *
skip_host(const char *p)
{
	size_t len;

	if (*p == '[') {
		len = strspn(p + 1, HEX ":.");
		return len > 0 && p[len + 1] == ']' ? p + len + 2 : NULL;
	}
	len = strspn(p, LETTERS DIGITS "-._");
	return len > 0 && len <= DOMAIN_MAX ? p + len : NULL;
}

/* Returns the place behind ":PORT", p itself if there is none, or NULL. */
static const char *
skip_port(const char *p)
{
	char port[6];
	int64_t number;
	size_t len;

	if (*p != ':')
		return p;
	len = strspn(p + 1, DIGITS);
	if (len >= sizeof(port))
		return NULL;
	memcpy(port, p + 1, len);
	port[len] = '\0';
	if (units_parse_number(port, &number) != 1 || number < 1 ||
	    number > UINT16_MAX)
		return NULL;
	return p + 1 + len;
}

static bool
is_path(const char *p)
{
	while (*p != '\0') {
		p += strspn(p, PATH_CHARS);
		if (*p == '\0')
			break;
		if (*p != '%' || strspn(p + 1, HEX) < 2)
			return false;
		p += 3;
	}
	return true;
}

static bool
is_url(const char *p)
{
	if (strncmp(p, "https://", 8) == 0)
		p += 8;
	else if (strncmp(p, "http://", 7) == 0)
		p += 7;
	else
		return false;
	p = skip_host(p);
	if (p != NULL)
		p = skip_port(p);
	return p != NULL && (*p == '/' || *p == '\0') && is_path(p);
}

static int
copy_with_slash(const char *text, struct config_value *out)
{
	size_t len = strlen(text);

	out->text = calloc(1, len + 2);
	if (out->text == NULL)
		return -1;
	memcpy(out->text, text, len);
	if (text[len - 1] != '/')
		out->text[len] = '/';
	return 1;
}

int
config_value_text_url(const char *text, struct config_value *out)
{
	return is_url(text) ? copy_with_slash(text, out) : 0;
}

int
config_value_text_url_path(const char *text, struct config_value *out)
{
	if (text[0] != '/' || text[strspn(text, LETTERS DIGITS "-._~/")])
		return 0;
	return copy_with_slash(text, out);
}

int
config_value_text_patterns(const char *text, struct config_value *out)
{
	size_t count = 0;

	/* No more patterns than every other byte begins one. */
	out->list = calloc(strlen(text) / 2 + 2, sizeof(*out->list));
	if (out->list == NULL)
		return -1;
	text += strspn(text, SEPARATORS);
	while (*text != '\0') {
		size_t len = strcspn(text, SEPARATORS);
		char *pattern = strndup(text, len);

		if (pattern == NULL)
			return -1;
		out->list[count++] = pattern;
		if (!limits_pattern_valid(pattern))
			return 0;
		text += len;
		text += strspn(text, SEPARATORS);
	}
	return count > 0 ? 1 : 0;
}
