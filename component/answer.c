#include "component/answer.h"

#include <stdlib.h>

#include <strophe.h>

#include "schema/log.h"

struct answer
answer_begin(const char *from, const char *to, const char *id)
{
	return (struct answer){.from = from, .to = to, .id = id};
}

static void
write_attribute(struct xml *xml, const char *key, const char *value)
{
	xml_markup(xml, " ");
	xml_markup(xml, key);
	xml_markup(xml, "='");
	xml_value(xml, value);
	xml_markup(xml, "'");
}

/* The last element gets an inside. */
static void
end_tag(struct answer *a)
{
	if (a->in_tag)
		xml_markup(&a->inside, ">");
	a->in_tag = false;
}

/* Closes all elements that are deeper. */
static void
return_to(struct answer *a, int depth)
{
	for (; a->depth > depth; a->depth--) {
		if (a->in_tag) {
			xml_markup(&a->inside, "/>");
			a->in_tag = false;
			continue;
		}
		xml_markup(&a->inside, "</");
		xml_markup(&a->inside, a->open[a->depth]);
		xml_markup(&a->inside, ">");
	}
}

int
answer_add(struct answer *a, int parent, const char *name, const char *ns)
{
	if (parent == ANSWER_DEPTH_MAX) {
		answer_break(a);
		return parent;
	}
	return_to(a, parent);
	end_tag(a);
	xml_markup(&a->inside, "<");
	xml_markup(&a->inside, name);
	a->open[++a->depth] = name;
	a->in_tag = true;
	if (ns != NULL)
		answer_set(a, "xmlns", ns);
	return a->depth;
}

void
answer_set(struct answer *a, const char *key, const char *value)
{
	if (!a->in_tag)
		answer_break(a);
	write_attribute(&a->inside, key, value);
}

void
answer_text(struct answer *a, const char *text)
{
	end_tag(a);
	xml_value(&a->inside, text);
}

int
answer_error(
    struct answer *a, const char *type, const char *condition, const char *text)
{
	int error = answer_add(a, ANSWER_IQ, "error", NULL);

	a->is_error = true;
	answer_set(a, "type", type);
	answer_add(a, error, condition, XMPP_NS_STANZAS_IETF);
	if (text != NULL) {
		answer_add(a, error, "text", XMPP_NS_STANZAS_IETF);
		answer_text(a, text);
	}
	return error;
}

void
answer_break(struct answer *a)
{
	a->inside.broken = true;
}

char *
answer_end(struct answer *a)
{
	struct xml xml = {0};

	return_to(a, ANSWER_IQ);
	xml_markup(&xml, "<iq");
	write_attribute(&xml, "type", a->is_error ? "error" : "result");
	write_attribute(&xml, "from", a->from);
	write_attribute(&xml, "to", a->to);
	if (a->id != NULL)
		write_attribute(&xml, "id", a->id);
	xml_markup(&xml, ">");
	xml_markup(&xml, a->inside.text != NULL ? a->inside.text : "");
	xml_markup(&xml, "</iq>");
	if (a->inside.broken || xml.broken) {
		log_error("no memory for an answer");
		free(xml.text);
		xml.text = NULL;
	}
	free(a->inside.text);
	a->inside = (struct xml){0};
	return xml.text;
}
