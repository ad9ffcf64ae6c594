#include "component/expat_deferral.h"

#include <check.h>
#include <strophe.h>

#include "tests/suite.h"

/* The linker exports it, so that it is found before expat's, which old ones do
 * not have. */
struct XML_ParserStruct;
unsigned char
XML_SetReparseDeferralEnabled(struct XML_ParserStruct *, unsigned char);

static int calls;
static unsigned char last = 1;

unsigned char
XML_SetReparseDeferralEnabled(
    struct XML_ParserStruct *parser, unsigned char enabled)
{
	ck_assert_ptr_nonnull(parser);
	calls++;
	last = enabled;
	return 1;
}

START_TEST(a_parser_of_libstrophe_does_not_defer)
{
	xmpp_ctx_t *ctx = xmpp_ctx_new(NULL, NULL);
	xmpp_stanza_t *stanza;

	ck_assert_int_eq(expat_deferral_off(), 1);
	stanza = xmpp_stanza_new_from_string(ctx, "<iq id='7'/>");
	ck_assert_int_ge(calls, 1);
	ck_assert_int_eq(last, 0);
	/* and what expat's own function does was done */
	ck_assert_ptr_nonnull(stanza);
	ck_assert_str_eq(xmpp_stanza_get_id(stanza), "7");
	xmpp_stanza_release(stanza);
	xmpp_ctx_free(ctx);
}
END_TEST

START_TEST(a_parser_made_before_the_first_call_does_not_defer)
{
	xmpp_ctx_t *ctx = xmpp_ctx_new(NULL, NULL);
	xmpp_stanza_t *stanza = xmpp_stanza_new_from_string(ctx, "<iq/>");

	ck_assert_int_ge(calls, 1);
	ck_assert_int_eq(last, 0);
	xmpp_stanza_release(stanza);
	xmpp_ctx_free(ctx);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("expat_deferral");
	TCase *tc = tcase_create("parsers");

	tcase_add_test(tc, a_parser_of_libstrophe_does_not_defer);
	tcase_add_test(tc, a_parser_made_before_the_first_call_does_not_defer);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
