#include "component/jid.h"

#include <string.h>
#include <strings.h>

#include "schema/text.h"

#define PART_MAX 1023 /* RFC 7622 sections 3.2 and 3.3, bytes */

static bool
has_blank_or_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == 0x7F)
			return true;
	}
	return false;
}

static void
lower_ascii(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

int
jid_bare(const char *jid, char buf[STORE_OWNER_MAX + 1])
{
	/* Section 3.1: the resource begins at the first slash, and only what is
	 * before it can hold the at sign that ends the local part. */
	size_t len = strcspn(jid, "/");
	size_t local = strcspn(jid, "@/");
	size_t domain = local < len ? local + 1 : 0;

	buf[0] = '\0';
	if (domain == len || len - domain > PART_MAX || local == 0 ||
	    local > PART_MAX || has_blank_or_control(jid, len) ||
	    memchr(jid + domain, '@', len - domain) != NULL)
		return 0;
	memcpy(buf, jid, len);
	buf[len] = '\0';
	if (!text_is_utf8(buf)) {
		buf[0] = '\0';
		return 0;
	}
	lower_ascii(buf + domain);
	return 1;
}

bool
jid_is_at(const char *jid, const char *domain)
{
	char bare[STORE_OWNER_MAX + 1];
	const char *at;

	if (!jid_bare(jid, bare))
		return false;
	at = strchr(bare, '@');
	return strcasecmp(at != NULL ? at + 1 : bare, domain) == 0;
}
