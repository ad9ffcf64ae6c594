#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "component/iq.h"
#include "tests/component/services.h"
#include "tests/component/stanzas.h"
#include "tests/suite.h"

#define ASK(type, child)                                                 \
	"<iq from='romeo@montague.tld/garden' to='upload.montague.tld' " \
	"id='x' type='" type "'>" child "</iq>"
#define ANSWER(child)                                                    \
	"<iq from='upload.montague.tld' to='romeo@montague.tld/garden' " \
	"id='x' type='result'>" child "</iq>"
#define ERROR_IN(iq, type, condition)                                \
	"<iq " iq " type='error'><error type='" type "'><" condition \
	" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
#define ERROR(type, condition)                                                \
	ERROR_IN("from='upload.montague.tld' to='romeo@montague.tld/garden' " \
		 "id='x'",                                                    \
	    type, condition)
#define PING "<ping xmlns='urn:xmpp:ping'/>"
#define BAD_REQUEST ERROR("modify", "bad-request")
#define UNAVAILABLE ERROR("cancel", "service-unavailable")

static void
set_up(void)
{
	services_open("");
}

static const struct {
	const char *request;
	const char *reply;
} cases[] = {
    {ASK("get", PING), ANSWER("")},
    {ASK("get", "\n " PING "\n"), ANSWER("")},
    {ASK("get", "<p:ping xmlns:p='urn:xmpp:ping'/>"), ANSWER("")},
    {"<iq from='a@b' id='x' type='get'>" PING "</iq>",
	"<iq from='upload.montague.tld' to='a@b' id='x' type='result'/>"},
    {"<iq from='b' id='' type='get' xml:lang='de'>" PING "</iq>",
	"<iq from='upload.montague.tld' to='b' id='' type='result'/>"},
    {"<iq from='a@b' to='Upload.Montague.tld' id='x' type='get'>" PING "</iq>",
	"<iq from='Upload.Montague.tld' to='a@b' id='x' type='result'/>"},
    {ASK("get", "<query xmlns='jabber:iq:version'/>"),
	ANSWER("<query xmlns='jabber:iq:version'><name>putslot</name>"
	       "<version>" PUTSLOT_VERSION "</version></query>")},
    {ASK("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"),
	ANSWER("<query xmlns='http://jabber.org/protocol/disco#items'/>")},
    {ASK("get",
	 "<query xmlns='http://jabber.org/protocol/disco#items' node='n'/>"),
	ERROR("cancel", "item-not-found")},
    {ASK("get",
	 "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>"),
	ERROR("cancel", "item-not-found")},
    /* what servers take for no node at all */
    {ASK("get",
	 "<query xmlns='http://jabber.org/protocol/disco#items' node=''/>"),
	ANSWER(
	    "<query xmlns='http://jabber.org/protocol/disco#items' node=''/>")},
    /* not offered */
    {ASK("set", PING), UNAVAILABLE},
    {ASK("set",
	 "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='1'/>"),
	UNAVAILABLE},
    {ASK("get", "<request xmlns='urn:xmpp:http:upload:1'/>"), UNAVAILABLE},
    {ASK("get", "<slot xmlns='urn:xmpp:http:upload:0'/>"), UNAVAILABLE},
    {ASK("get", "<vCard xmlns='vcard-temp'/>"), UNAVAILABLE},
    {ASK("get", "<ping/>"), UNAVAILABLE},
    {ASK("get", "<ping xmlns=''/>"), UNAVAILABLE},
    {ASK("get", "<Ping xmlns='urn:xmpp:ping'/>"), UNAVAILABLE},
    {ASK("get", "<x><ping xmlns='urn:xmpp:ping'/></x>"), UNAVAILABLE},
    /* nobody lives at these addresses */
    {"<iq from='a@b' to='bob@upload.montague.tld' id='x' type='get'>" PING
     "</iq>",
	ERROR_IN("from='bob@upload.montague.tld' to='a@b' id='x'", "cancel",
	    "service-unavailable")},
    {"<iq from='a@b' to='upload.montague.tld/r' id='x' type='get'>" PING
     "</iq>",
	ERROR_IN("from='upload.montague.tld/r' to='a@b' id='x'", "cancel",
	    "service-unavailable")},
    /* a foreign address would end the stream */
    {"<iq from='a@b' to='elsewhere.tld' id='x' type='get'>" PING "</iq>",
	ERROR_IN("from='upload.montague.tld' to='a@b' id='x'", "cancel",
	    "service-unavailable")},
    /* malformed */
    {ASK("get", ""), BAD_REQUEST},
    {ASK("get", "only text"), BAD_REQUEST},
    {ASK("get", PING PING), BAD_REQUEST},
    {ASK("set", PING "<x xmlns='y'/>"), BAD_REQUEST},
    {ASK("", PING), BAD_REQUEST},
    {ASK("GET", PING), BAD_REQUEST},
    {ASK("subscribe", PING), BAD_REQUEST},
    {"<iq from='a@b' to='upload.montague.tld' id='x'>" PING "</iq>",
	ERROR_IN("from='upload.montague.tld' to='a@b' id='x'", "modify",
	    "bad-request")},
    {"<iq from='a@b' to='upload.montague.tld' type='get'>" PING "</iq>",
	ERROR_IN(
	    "from='upload.montague.tld' to='a@b'", "modify", "bad-request")},
    {"<iq from='a@b' id='&lt;&apos;&amp;&#10;' type='get'>" PING "</iq>",
	"<iq from='upload.montague.tld' to='a@b' id='&lt;&apos;&amp;&#10;' "
	"type='result'/>"},
};

START_TEST(each_get_and_set_is_answered)
{
	stanzas_expect(services_answer(cases[_i].request), cases[_i].reply);
}
END_TEST

static const char *const ignored[] = {
    ASK("result", ""),
    ASK("result", PING),
    ASK("error", PING),
    ASK("error", "<error type='cancel'/>"),
    "<message from='a@b' to='upload.montague.tld'><body>hi</body></message>",
    "<message from='a@b' type='get' id='x'>" PING "</message>",
    "<presence from='a@b' to='upload.montague.tld' type='subscribe'/>",
    "<presence/>",
    "<nonsense from='a@b' id='x' type='get'>" PING "</nonsense>",
    /* from nowhere */
    "<iq id='x' type='get'>" PING "</iq>",
    "<iq from='' id='x' type='get'>" PING "</iq>",
    "<iq from='@' id='x' type='get'>" PING "</iq>",
    "<iq from='/r' id='x' type='get'>" PING "</iq>",
    "<iq from='a b@c' id='x' type='get'>" PING "</iq>",
    "<iq/>",
};

START_TEST(what_asks_for_no_answer_gets_none)
{
	ck_assert_ptr_null(services_answer(ignored[_i]));
}
END_TEST

/* open count times, middle, close count times; to be freed. */
static char *
nest(const char *open, const char *middle, const char *close, int count)
{
	size_t len =
	    (strlen(open) + strlen(close)) * (size_t)count + strlen(middle) + 1;
	char *text = malloc(len);
	FILE *out = fmemopen(text, len, "w");

	for (int i = 0; i < count; i++)
		fputs(open, out);
	fputs(middle, out);
	for (int i = 0; i < count; i++)
		fputs(close, out);
	fclose(out);
	return text;
}

static const struct {
	const char *open, *middle, *close;
	int count;
} hostile[] = {
    {"<x>", "", "</x>", 5000},
    {"<request xmlns='urn:xmpp:http:upload:0'>", "", "</request>", 5000},
    {"<x/>", "", "", 2000},
    {"a", "", "", 100000},
    {"&#10;", PING, "", 5000},
    {"<x a='&quot;&gt;\xf0\x9f\x98\x80'><![CDATA[</x>]]>", "", "</x>", 99},
};

START_TEST(hostile_contents_are_answered_with_an_error)
{
	char *child = nest(hostile[_i].open, hostile[_i].middle,
	    hostile[_i].close, hostile[_i].count);
	char *text = NULL;
	xmpp_stanza_t *stanza;

	ck_assert_int_gt(
	    asprintf(&text, "<iq from='a@b' id='x' type='get'><y>%s</y></iq>",
		child),
	    0);
	stanza = services_answer(text);
	ck_assert_ptr_nonnull(stanza);
	ck_assert_str_eq(xmpp_stanza_get_type(stanza), "error");
	free(child);
	free(text);
}
END_TEST

START_TEST(an_id_of_any_length_comes_back)
{
	char *id = nest("i", "", "", 50000);
	char *text = NULL;
	xmpp_stanza_t *stanza;

	ck_assert_int_gt(
	    asprintf(&text, "<iq from='a@b' id='%s' type='get'/>", id), 0);
	stanza = services_answer(text);
	ck_assert_str_eq(xmpp_stanza_get_id(stanza), id);
	free(id);
	free(text);
}
END_TEST

START_TEST(characters_that_are_not_xml_are_replaced)
{
	xmpp_stanza_t *request = stanzas_parse(ASK("get", PING));
	xmpp_stanza_t *reply;

	xmpp_stanza_set_id(request, "a\x01\xff\xef\xbf\xbf z");
	reply = stanzas_keep(
	    services_reply(&services_service, SERVICES_NOW, request));
	ck_assert_str_eq(xmpp_stanza_get_id(reply),
	    "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd z");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("iq");
	TCase *tc = tcase_create("answer");

	tcase_add_checked_fixture(tc, set_up, services_close);
	tcase_add_loop_test(tc, each_get_and_set_is_answered, 0, COUNT(cases));
	tcase_add_loop_test(
	    tc, what_asks_for_no_answer_gets_none, 0, COUNT(ignored));
	tcase_add_loop_test(
	    tc, hostile_contents_are_answered_with_an_error, 0, COUNT(hostile));
	tcase_add_test(tc, an_id_of_any_length_comes_back);
	tcase_add_test(tc, characters_that_are_not_xml_are_replaced);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
