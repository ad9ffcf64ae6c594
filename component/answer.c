#include "component/answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schema/log.h"
#include "schema/text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* XML 1.0 section 2.2, Char. */
static bool
is_xml_char(uint32_t c)
{
	return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) ||
	       (c >= 0xE000 && c <= 0xFFFD) || c >= 0x10000;
}

/* A copy that XML can carry, for the caller to free; NULL without memory. */
static char *
clean_copy(const char *text)
{
	/* At worst each byte becomes a replacement of three. */
	char *copy = malloc(3 * strlen(text) + 1);
	char *end = copy;

	while (copy != NULL && *text != '\0') {
		uint32_t c;
		int n = text_decode(text, &c);

		if (n > 0 && is_xml_char(c)) {
			memcpy(end, text, (size_t)n);
			end += n;
		} else {
			memcpy(end, REPLACEMENT, sizeof(REPLACEMENT) - 1);
			end += sizeof(REPLACEMENT) - 1;
		}
		text += n > 0 ? n : 1;
	}
	if (copy != NULL)
		*end = '\0';
	return copy;
}

struct answer
answer_begin(xmpp_ctx_t *ctx, const char *from, const char *to, const char *id)
{
	struct answer a = {.ctx = ctx, .iq = xmpp_stanza_new(ctx)};

	if (a.iq == NULL || xmpp_stanza_set_name(a.iq, "iq") != XMPP_EOK)
		a.broken = true;
	answer_set(&a, a.iq, "type", "result");
	answer_set(&a, a.iq, "from", from);
	answer_set(&a, a.iq, "to", to);
	if (id != NULL)
		answer_set(&a, a.iq, "id", id);
	return a;
}

/* Hands the child over to the parent. */
static xmpp_stanza_t *
adopt(struct answer *a, xmpp_stanza_t *parent, xmpp_stanza_t *child)
{
	if (xmpp_stanza_add_child_ex(parent, child, 0) == XMPP_EOK)
		return child;
	a->broken = true;
	xmpp_stanza_release(child);
	return NULL;
}

xmpp_stanza_t *
answer_add(
    struct answer *a, xmpp_stanza_t *parent, const char *name, const char *ns)
{
	xmpp_stanza_t *child = parent != NULL ? xmpp_stanza_new(a->ctx) : NULL;

	if (child == NULL || xmpp_stanza_set_name(child, name) != XMPP_EOK ||
	    (ns != NULL && xmpp_stanza_set_ns(child, ns) != XMPP_EOK)) {
		a->broken = true;
		if (child != NULL)
			xmpp_stanza_release(child);
		return NULL;
	}
	return adopt(a, parent, child);
}

void
answer_set(struct answer *a, xmpp_stanza_t *element, const char *key,
    const char *value)
{
	char *copy = clean_copy(value);

	if (element == NULL || copy == NULL ||
	    xmpp_stanza_set_attribute(element, key, copy) != XMPP_EOK)
		a->broken = true;
	free(copy);
}

void
answer_text(struct answer *a, xmpp_stanza_t *element, const char *text)
{
	char *copy = clean_copy(text);
	xmpp_stanza_t *node = NULL;

	if (copy != NULL && element != NULL)
		node = xmpp_stanza_new(a->ctx);
	if (node == NULL) {
		a->broken = true;
	} else if (xmpp_stanza_set_text(node, copy) != XMPP_EOK) {
		a->broken = true;
		xmpp_stanza_release(node);
	} else {
		adopt(a, element, node);
	}
	free(copy);
}

xmpp_stanza_t *
answer_error(
    struct answer *a, const char *type, const char *condition, const char *text)
{
	xmpp_stanza_t *error = answer_add(a, a->iq, "error", NULL);

	answer_set(a, a->iq, "type", "error");
	answer_set(a, error, "type", type);
	answer_add(a, error, condition, XMPP_NS_STANZAS_IETF);
	if (text != NULL)
		answer_text(a,
		    answer_add(a, error, "text", XMPP_NS_STANZAS_IETF), text);
	return error;
}

xmpp_stanza_t *
answer_end(struct answer *a)
{
	if (!a->broken)
		return a->iq;
	log_error("no memory for an answer");
	if (a->iq != NULL)
		xmpp_stanza_release(a->iq);
	a->iq = NULL;
	return NULL;
}
