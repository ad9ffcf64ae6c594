#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "component/answer.h"
#include "tests/component/stanzas.h"
#include "tests/suite.h"

#define FFFD "\xef\xbf\xbd"

static const struct {
	const char *text;
	const char *clean;
} texts[] = {
    {"", ""},
    {"plain <&>'\" \xc3\xa8 \xf0\x9f\x98\x80",
	"plain <&>'\" \xc3\xa8 \xf0\x9f\x98\x80"},
    {"\t\n\r", "\t\n\r"},
    {"\x7f\xc2\x85", "\x7f\xc2\x85"}, /* unwise, but XML */
    {"\x01\x08\x0b\x0c\x0e\x1f", FFFD FFFD FFFD FFFD FFFD FFFD},
    {"a\xff"
     "b\xc3",
	"a" FFFD "b" FFFD},
    {"\xc0\x80", FFFD FFFD},                  /* an overlong NUL */
    {"\xed\xa0\x80", FFFD FFFD FFFD},         /* a surrogate */
    {"\xef\xbf\xbe\xef\xbf\xbf", FFFD FFFD},  /* U+FFFE, U+FFFF */
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"}, /* U+10FFFF */
    {"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
};

/* What whoever reads the answer finds. */
static xmpp_stanza_t *
read_answer(struct answer *a)
{
	char *text = answer_end(a);
	xmpp_stanza_t *stanza;

	ck_assert_ptr_nonnull(text);
	stanza = stanzas_parse(text);
	free(text);
	return stanza;
}

START_TEST(what_xml_cannot_carry_is_replaced_everywhere)
{
	struct answer a = answer_begin("f", "t", texts[_i].text);
	xmpp_stanza_t *iq, *x;

	answer_add(&a, ANSWER_IQ, "x", NULL);
	answer_set(&a, "key", texts[_i].text);
	answer_text(&a, texts[_i].text);
	iq = read_answer(&a);
	ck_assert_str_eq(xmpp_stanza_get_id(iq), texts[_i].clean);
	x = xmpp_stanza_get_children(iq);
	ck_assert_str_eq(xmpp_stanza_get_attribute(x, "key"), texts[_i].clean);
	x = xmpp_stanza_get_children(x);
	ck_assert_str_eq(
	    x != NULL ? xmpp_stanza_get_text_ptr(x) : "", texts[_i].clean);
}
END_TEST

START_TEST(elements_are_closed_where_the_next_one_needs_it)
{
	struct answer a = answer_begin("f", "t", "i");
	int b = answer_add(&a, ANSWER_IQ, "b", "ns");
	int c = answer_add(&a, b, "c", NULL);

	answer_add(&a, c, "d", NULL);
	answer_text(&a, "1");
	answer_add(&a, c, "e", NULL);
	answer_set(&a, "k", "v");
	answer_add(&a, b, "f", NULL);
	answer_add(&a, ANSWER_IQ, "g", NULL);
	stanzas_expect(read_answer(&a),
	    "<iq type='result' from='f' to='t' id='i'><b xmlns='ns'>"
	    "<c><d>1</d><e k='v'/></c><f/></b><g/></iq>");
}
END_TEST

START_TEST(an_error_has_condition_and_text)
{
	struct answer a = answer_begin("f", "t", NULL);

	answer_add(&a, answer_error(&a, "wait", "gone", "why"), "x", "y");
	stanzas_expect(read_answer(&a),
	    "<iq type='error' from='f' to='t'><error type='wait'>"
	    "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	    "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>why</text>"
	    "<x xmlns='y'/></error></iq>");
}
END_TEST

/* What would not be XML, or what the caller could not make. */
START_TEST(a_broken_answer_is_none)
{
	struct answer a = answer_begin("f", "t", "i");
	int depth = ANSWER_IQ;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	switch (_i) {
	case 0:
		answer_break(&a);
		break;
	case 1:
		answer_add(&a, ANSWER_IQ, "x", NULL);
		answer_text(&a, "text");
		answer_set(&a, "too", "late");
		break;
	default:
		for (int i = 0; i <= ANSWER_DEPTH_MAX; i++)
			depth = answer_add(&a, depth, "x", NULL);
	}
	ck_assert_ptr_null(answer_end(&a));
}
END_TEST

START_TEST(a_long_answer_is_whole)
{
	struct answer a = answer_begin("f", "t", "i");
	xmpp_stanza_t *x;
	int n = 0;

	for (int i = 0; i < 5000; i++) {
		answer_add(&a, ANSWER_IQ, "x", NULL);
		answer_text(&a, "0123456789");
	}
	x = xmpp_stanza_get_children(read_answer(&a));
	for (; x != NULL; x = xmpp_stanza_get_next(x), n++)
		ck_assert_str_eq(
		    xmpp_stanza_get_text_ptr(xmpp_stanza_get_children(x)),
		    "0123456789");
	ck_assert_int_eq(n, 5000);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tc = tcase_create("build");

	tcase_add_checked_fixture(tc, NULL, stanzas_close);
	tcase_add_loop_test(
	    tc, what_xml_cannot_carry_is_replaced_everywhere, 0, COUNT(texts));
	tcase_add_test(tc, elements_are_closed_where_the_next_one_needs_it);
	tcase_add_test(tc, an_error_has_condition_and_text);
	tcase_add_loop_test(tc, a_broken_answer_is_none, 0, 3);
	tcase_add_test(tc, a_long_answer_is_whole);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
