#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "component/answer.h"
#include "component/iq.h"
#include "tests/component/services.h"
#include "tests/component/stanzas.h"

#define FFFD "\xef\xbf\xbd"

static const struct {
	const char *text;
	const char *clean;
} texts[] = {
    {"", ""},
    {"plain <&>'\" \xc3\xa8 \xf0\x9f\x98\x80", /* escaping comes later */
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

START_TEST(what_xml_cannot_carry_is_replaced_everywhere)
{
	struct answer a = answer_begin(stanzas_ctx(), "f", "t", texts[_i].text);
	xmpp_stanza_t *x = answer_add(&a, a.iq, "x", NULL);
	xmpp_stanza_t *text;

	answer_text(&a, x, texts[_i].text);
	answer_set(&a, x, "key", texts[_i].text);
	ck_assert_ptr_nonnull(stanzas_keep(answer_end(&a)));
	ck_assert_str_eq(xmpp_stanza_get_id(a.iq), texts[_i].clean);
	ck_assert_str_eq(xmpp_stanza_get_attribute(x, "key"), texts[_i].clean);
	text = xmpp_stanza_get_children(x);
	ck_assert_str_eq(xmpp_stanza_get_text_ptr(text), texts[_i].clean);
}
END_TEST

START_TEST(an_error_has_condition_and_text)
{
	struct answer a = answer_begin(stanzas_ctx(), "f", "t", NULL);

	answer_add(&a, answer_error(&a, "wait", "gone", "why"), "x", "y");
	stanzas_expect(stanzas_keep(answer_end(&a)),
	    "<iq type='error' from='f' to='t'><error type='wait'>"
	    "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	    "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>why</text>"
	    "<x xmlns='y'/></error></iq>");
}
END_TEST

/* An allocator that gives out so many pieces, and then no more or, for a
 * moment's shortage, all but one. */
struct scarcity {
	int left;
	bool passes;
};

static bool
is_short(struct scarcity *scarcity)
{
	int left = scarcity->left--;

	return scarcity->passes ? left == 0 : left <= 0;
}

static void *
scarce_alloc(size_t size, void *scarcity)
{
	return is_short(scarcity) ? NULL : malloc(size);
}

static void
scarce_free(void *p, void *scarcity)
{
	(void)scarcity;
	free(p);
}

static void *
scarce_realloc(void *p, size_t size, void *scarcity)
{
	return is_short(scarcity) ? NULL : realloc(p, size);
}

static const char *const requests[] = {
    "<iq from='a@montague.tld' id='x' type='get'>"
    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
    "<iq from='a@montague.tld' id='x' type='get'>"
    "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='1'/></iq>",
    "<iq from='a@montague.tld' id='x' type='get'>"
    "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='1e9'/></iq>",
};

/* URLs differ from answer to answer; all else does not. */
static int
count_elements(xmpp_stanza_t *s)
{
	int n = 1;

	for (s = xmpp_stanza_get_children(s); s != NULL;
	     s = xmpp_stanza_get_next(s))
		n += count_elements(s);
	return n;
}

/* It is the whole, a short wait error, or, unless there is memory again for
 * that, nothing. */
static void
answer_with(struct scarcity scarcity, const char *text)
{
	int failures = 0, whole;
	const xmpp_mem_t scarce = {
	    scarce_alloc, scarce_free, scarce_realloc, &scarcity};
	struct service service;
	xmpp_stanza_t *request, *reply;

	services_open("");
	/* Each failure logs its line. */
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	request = stanzas_parse(text);
	whole = count_elements(services_answer(text));
	service = services_service;
	service.ctx = xmpp_ctx_new(&scarce, NULL);
	for (int n = 0;; n++, failures++) {
		scarcity.left = n;
		reply = services_reply(&service, SERVICES_NOW, request);
		if (reply != NULL && count_elements(reply) == whole)
			break;
		ck_assert(reply != NULL || !scarcity.passes);
		if (reply != NULL) {
			ck_assert_int_eq(count_elements(reply), 3);
			ck_assert_str_eq(xmpp_stanza_get_type(
					     xmpp_stanza_get_children(reply)),
			    "wait");
			xmpp_stanza_release(reply);
		}
	}
	ck_assert_int_gt(failures, 10);
	xmpp_stanza_release(reply);
	xmpp_ctx_free(service.ctx);
}

START_TEST(memory_that_runs_out_anywhere_gives_no_half_answers)
{
	answer_with((struct scarcity){.left = 1000}, requests[_i]);
}
END_TEST

START_TEST(memory_that_is_short_for_a_moment_gives_an_error)
{
	answer_with(
	    (struct scarcity){.left = 1000, .passes = true}, requests[_i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("answer");
	TCase *tc = tcase_create("build");
	TCase *memory = tcase_create("memory");

	tcase_add_checked_fixture(tc, NULL, stanzas_close);
	tcase_add_loop_test(tc, what_xml_cannot_carry_is_replaced_everywhere, 0,
	    sizeof(texts) / sizeof(*texts));
	tcase_add_test(tc, an_error_has_condition_and_text);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(memory, NULL, services_close);
	tcase_add_loop_test(memory,
	    memory_that_runs_out_anywhere_gives_no_half_answers, 0,
	    sizeof(requests) / sizeof(*requests));
	tcase_add_loop_test(memory,
	    memory_that_is_short_for_a_moment_gives_an_error, 0,
	    sizeof(requests) / sizeof(*requests));
	suite_add_tcase(suite, memory);

	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	int failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures == 0 ? 0 : 1;
}
