#include "schema/media_type.h"

#include <string.h>
#include <strings.h>

/* RFC 9110 section 5.6.2, "tchar"; without <ctype.h> and its locales. */
static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

/* Each skip_ returns the place behind what it expects, or NULL. */
static const char *
skip_token(const char *p)
{
	const char *start = p;

	while (is_token_char(*p))
		p++;
	return p == start ? NULL : p;
}

/* RFC 9110 section 5.6.4, but without tabs and bytes beyond ASCII. */
static const char *
skip_quoted(const char *p)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (!is_printable(*p))
			return NULL;
	}
	return p + 1;
}

static const char *
skip_parameter(const char *p)
{
	p = skip_token(p);
	if (p == NULL || *p != '=')
		return NULL;
	p++;
	return *p == '"' ? skip_quoted(p) : skip_token(p);
}

/* RFC 9110 section 5.6.6: *( OWS ";" OWS [ parameter ] ) up to the end. */
static bool
parameters_valid(const char *p)
{
	while (*p != '\0') {
		p += strspn(p, " ");
		if (*p != ';')
			return false;
		p++;
		p += strspn(p, " ");
		if (*p == '\0' || *p == ';')
			continue;
		p = skip_parameter(p);
		if (p == NULL)
			return false;
	}
	return true;
}

bool
media_type_valid(const char *text)
{
	const char *p;

	if (strnlen(text, MEDIA_TYPE_MAX + 1) > MEDIA_TYPE_MAX)
		return false;
	p = skip_token(text);
	if (p == NULL || *p != '/')
		return false;
	p = skip_token(p + 1);
	return p != NULL && parameters_valid(p);
}

/* The type/subtype within text. Returns its start, its length in *len. */
static const char *
essence(const char *text, size_t *len)
{
	text += strspn(text, " \t");
	*len = strcspn(text, "; \t");
	return text;
}

bool
media_type_same(const char *a, const char *b)
{
	size_t a_len, b_len;

	a = essence(a, &a_len);
	b = essence(b, &b_len);
	return a_len > 0 && a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

static bool
has_prefix(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* XML can carry scripts, and image/svg+xml is not its only image type. */
static bool
is_xml(const char *type, size_t len)
{
	return len >= 3 && strncasecmp(type + len - 3, "xml", 3) == 0;
}

bool
media_type_inline(const char *text)
{
	size_t len;
	const char *type = essence(text, &len);

	if (has_prefix(type, "image/svg") || is_xml(type, len))
		return false;
	return has_prefix(type, "image/") || has_prefix(type, "audio/") ||
	       has_prefix(type, "video/") ||
	       media_type_same(text, "text/plain");
}
