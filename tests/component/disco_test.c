#include <check.h>

#include "component/iq.h"
#include "tests/component/services.h"
#include "tests/component/stanzas.h"
#include "tests/suite.h"

#define FEATURE(var) "<feature var='" var "'/>"
#define PURPOSE(name) FEATURE("urn:xmpp:http:upload:purpose:0#" name)
#define FORM(type, size)                                                       \
	"<x xmlns='jabber:x:data' type='result'>"                              \
	"<field var='FORM_TYPE' type='hidden'><value>" type "</value></field>" \
	"<field var='max-file-size' type='text-single'><value>" size           \
	"</value></field></x>"
#define FORMS(size) \
	FORM("urn:xmpp:http:upload:0", size) FORM("urn:xmpp:http:upload", size)
#define INFO(to, name, rest)                                                   \
	"<iq from='upload.montague.tld' to='" to "' id='x' type='result'>"     \
	"<query xmlns='http://jabber.org/protocol/disco#info'>"                \
	"<identity category='store' type='file' name='" name                   \
	"'/>" FEATURE("http://jabber.org/protocol/disco#info")                 \
	    FEATURE("http://jabber.org/protocol/disco#items")                  \
		FEATURE("urn:xmpp:ping") FEATURE("jabber:iq:version")          \
		    FEATURE("urn:xmpp:http:upload:0")                          \
			FEATURE("urn:xmpp:http:upload")                        \
			    FEATURE("eu:siacs:conversations:http:upload") rest \
	    "</query></iq>"

static const struct {
	const char *settings;
	const char *from;
	const char *reply;
} cases[] = {
    /* the defaults */
    {"", "romeo@montague.tld/garden",
	INFO("romeo@montague.tld/garden", "HTTP File Upload",
	    PURPOSE("message") PURPOSE("profile") PURPOSE("ephemeral")
		FORMS("104857616"))},
    /* no rule admits them */
    {"", "juliet@capulet.lit",
	INFO("juliet@capulet.lit", "HTTP File Upload", FORMS("104857616"))},
    {"[rule all]\nmatch = *\ndeny = No.\n", "romeo@montague.tld",
	INFO("romeo@montague.tld", "HTTP File Upload", FORMS("104857616"))},
    /* purposes and sizes by requester */
    {"[purpose permanent]\nenabled = yes\n"
     "[rule gateway]\nmatch = gateway.montague.tld\n"
     "[rule gateway message]\nenabled = no\n"
     "[rule gateway profile]\nmax_file_size = 1000\n"
     "[rule others]\nmatch = *\n"
     "[rule others message]\nmax_file_size = 5 GiB\n",
	"gateway.montague.tld",
	INFO("gateway.montague.tld", "HTTP File Upload",
	    PURPOSE("profile") PURPOSE("ephemeral") PURPOSE("permanent")
		FORMS("1000"))},
    {"[rule others]\nmatch = *\n"
     "[rule others message]\nmax_file_size = 5 GiB\n",
	"anyone@else.where/x",
	INFO("anyone@else.where/x", "HTTP File Upload",
	    PURPOSE("message") PURPOSE("profile") PURPOSE("ephemeral")
		FORMS("5368709120"))},
    /* a file over the user's quota would never fit */
    {"[purpose message]\nbytes_per_user = 12345\n", "romeo@montague.tld",
	INFO("romeo@montague.tld", "HTTP File Upload",
	    PURPOSE("message") PURPOSE("profile") PURPOSE("ephemeral")
		FORMS("12345"))},
    {"max_total = 12345\n", "romeo@montague.tld",
	INFO("romeo@montague.tld", "HTTP File Upload",
	    PURPOSE("message") PURPOSE("profile") PURPOSE("ephemeral")
		FORMS("12345"))},
    /* no limit, no form */
    {"[purpose message]\nmax_file_size = unlimited\n", "romeo@montague.tld",
	INFO("romeo@montague.tld", "HTTP File Upload",
	    PURPOSE("message") PURPOSE("profile") PURPOSE("ephemeral"))},
};

START_TEST(everyone_is_shown_what_is_offered_to_them)
{
	char request[512];

	services_open(cases[_i].settings);
	snprintf(request, sizeof(request),
	    "<iq from='%s' to='upload.montague.tld' id='x' type='get'>"
	    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
	    cases[_i].from);
	stanzas_expect(services_answer(request), cases[_i].reply);
}
END_TEST

START_TEST(the_name_of_the_configuration_is_shown)
{
	services_open("");
	free(services_config->name);
	services_config->name = strdup("<Ablage> & \"mehr\" \xc3\xa8\x01");
	stanzas_expect(
	    services_answer(
		"<iq from='romeo@montague.tld' id='x' type='get'>"
		"<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"),
	    INFO("romeo@montague.tld",
		"&lt;Ablage&gt; &amp; &quot;mehr&quot; \xc3\xa8\xef\xbf\xbd",
		PURPOSE("message") PURPOSE("profile") PURPOSE("ephemeral")
		    FORMS("104857616")));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("disco");
	TCase *tc = tcase_create("info");

	tcase_add_checked_fixture(tc, NULL, services_close);
	tcase_add_loop_test(
	    tc, everyone_is_shown_what_is_offered_to_them, 0, COUNT(cases));
	tcase_add_test(tc, the_name_of_the_configuration_is_shown);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
