/*
 * Stanzas for the tests: written as text, compared by what they mean.
 */
#ifndef TESTS_COMPONENT_STANZAS_H
#define TESTS_COMPONENT_STANZAS_H

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include <strophe.h>

/* What a test has used, for stanzas_close to release: then a leak that a
 * sanitizer reports is one of the component. */
static xmpp_ctx_t *stanzas_context;
static xmpp_stanza_t *stanzas_kept[64];
static size_t stanzas_count;

static inline xmpp_ctx_t *
stanzas_ctx(void)
{
	if (stanzas_context == NULL)
		stanzas_context = xmpp_ctx_new(NULL, NULL);
	return stanzas_context;
}

/* Accepts, and returns, NULL. */
static inline xmpp_stanza_t *
stanzas_keep(xmpp_stanza_t *stanza)
{
	ck_assert_uint_lt(
	    stanzas_count, sizeof(stanzas_kept) / sizeof(*stanzas_kept));
	if (stanza != NULL)
		stanzas_kept[stanzas_count++] = stanza;
	return stanza;
}

static inline void
stanzas_close(void)
{
	while (stanzas_count > 0)
		xmpp_stanza_release(stanzas_kept[--stanzas_count]);
	if (stanzas_context != NULL)
		xmpp_ctx_free(stanzas_context);
}

static inline xmpp_stanza_t *
stanzas_parse(const char *text)
{
	xmpp_stanza_t *s = xmpp_stanza_new_from_string(stanzas_ctx(), text);

	ck_assert_msg(s != NULL, "not XML: %s", text);
	return stanzas_keep(s);
}

static inline bool
stanzas_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Of an element: its own namespace, or its parent's. */
static inline const char *
stanzas_ns(xmpp_stanza_t *s, const char *inherited)
{
	const char *ns = xmpp_stanza_get_ns(s);

	return ns != NULL ? ns : inherited;
}

static inline int
stanzas_attributes(xmpp_stanza_t *s)
{
	return xmpp_stanza_get_attribute_count(s) -
	       (xmpp_stanza_get_ns(s) != NULL);
}

static inline bool
stanzas_same_attributes(xmpp_stanza_t *a, xmpp_stanza_t *b)
{
	const char *pairs[64];
	int n = xmpp_stanza_get_attributes(a, pairs, 64);

	if (stanzas_attributes(a) != stanzas_attributes(b))
		return false;
	for (int i = 0; i < n; i += 2) {
		if (strcmp(pairs[i], "xmlns") != 0 &&
		    !stanzas_same_text(
			pairs[i + 1], xmpp_stanza_get_attribute(b, pairs[i])))
			return false;
	}
	return true;
}

static inline bool stanzas_same(
    xmpp_stanza_t *a, const char *a_ns, xmpp_stanza_t *b, const char *b_ns);

/* Of each with all that follow it, which may be none. */
static inline bool
stanzas_same_siblings(
    xmpp_stanza_t *a, const char *a_ns, xmpp_stanza_t *b, const char *b_ns)
{
	while (a != NULL && b != NULL && stanzas_same(a, a_ns, b, b_ns)) {
		a = xmpp_stanza_get_next(a);
		b = xmpp_stanza_get_next(b);
	}
	return a == NULL && b == NULL;
}

/* Equal names, namespaces, attributes in any order, children in order; or equal
 * texts. a_ns and b_ns are the namespaces around them. */
static inline bool
stanzas_same(
    xmpp_stanza_t *a, const char *a_ns, xmpp_stanza_t *b, const char *b_ns)
{
	if (xmpp_stanza_is_text(a) != xmpp_stanza_is_text(b))
		return false;
	if (xmpp_stanza_is_text(a))
		return stanzas_same_text(
		    xmpp_stanza_get_text_ptr(a), xmpp_stanza_get_text_ptr(b));
	a_ns = stanzas_ns(a, a_ns);
	b_ns = stanzas_ns(b, b_ns);
	return stanzas_same_text(
		   xmpp_stanza_get_name(a), xmpp_stanza_get_name(b)) &&
	       stanzas_same_text(a_ns, b_ns) && stanzas_same_attributes(a, b) &&
	       stanzas_same_siblings(xmpp_stanza_get_children(a), a_ns,
		   xmpp_stanza_get_children(b), b_ns);
}

/* Fails the test, showing both, unless the stanza is what the text says. */
static inline void
stanzas_expect(xmpp_stanza_t *got, const char *expected)
{
	char *text = NULL;
	size_t len;

	ck_assert_msg(got != NULL, "no answer, expected %s", expected);
	if (stanzas_same(got, NULL, stanzas_parse(expected), NULL))
		return;
	xmpp_stanza_to_text(got, &text, &len);
	ck_abort_msg("got      %s\nexpected %s", text, expected);
}

#endif
