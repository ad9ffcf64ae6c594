#include <check.h>
#include <stdio.h>
#include <string.h>

#include "component/namespaces.h"
#include "component/refusal.h"
#include "component/slot_request.h"
#include "tests/component/stanzas.h"
#include "tests/suite.h"

#define NOW INT64_C(1757545705) /* 2025-09-10T23:08:25Z */
#define REQUEST "<request xmlns='urn:xmpp:http:upload:0' "
#define FILE_OK "filename='hi.jpg' size='23456'"
#define PURPOSE(element) REQUEST FILE_OK ">" element "</request>"
#define P "xmlns='urn:xmpp:http:upload:purpose:0'"

static int
parse(const char *text, struct slot_request *request, struct refusal *refusal)
{
	return slot_request_parse(stanzas_parse(text), NOW, request, refusal);
}

static const struct {
	const char *text;
	struct slot_request request;
} good[] = {
    {REQUEST FILE_OK " content-type='image/jpeg'/>",
	{"hi.jpg", "image/jpeg", 23456, PURPOSE_MESSAGE, UNITS_NEVER}},
    {REQUEST FILE_OK "/>", {"hi.jpg", NULL, 23456, 0, UNITS_NEVER}},
    {REQUEST FILE_OK " content-type=''/>",
	{"hi.jpg", NULL, 23456, 0, UNITS_NEVER}},
    {REQUEST "filename='a/b' size='1'/>", {"a_b", NULL, 1, 0, UNITS_NEVER}},
    {REQUEST "filename='a' size='9223372036854775806'/>",
	{"a", NULL, INT64_MAX - 1, 0, UNITS_NEVER}},
    {REQUEST "filename='a' size='4294967297'/>",
	{"a", NULL, INT64_C(4294967297), 0, UNITS_NEVER}},
    {REQUEST "filename='a' size='007'/>", {"a", NULL, 7, 0, UNITS_NEVER}},
    /* children, in each namespace, with text between */
    {"<request xmlns='urn:xmpp:http:upload'>\n <filename>hi.jpg</filename>\n"
     " <size>23456</size>\n <content-type>image/jpeg</content-type>\n"
     "</request>",
	{"hi.jpg", "image/jpeg", 23456, 0, UNITS_NEVER}},
    {"<request xmlns='eu:siacs:conversations:http:upload'>"
     "<filename>hi.jpg</filename><size>23456</size></request>",
	{"hi.jpg", NULL, 23456, 0, UNITS_NEVER}},
    {REQUEST "><filename>a&lt;b&amp;c</filename><size>1</size>"
	     "<content-type/></request>",
	{"a<b&c", NULL, 1, 0, UNITS_NEVER}},
    {REQUEST "filename='hi.jpg'><size>5</size></request>",
	{"hi.jpg", NULL, 5, 0, UNITS_NEVER}},
    {REQUEST FILE_OK "><size>5</size></request>", /* attributes come first */
	{"hi.jpg", NULL, 23456, 0, UNITS_NEVER}},
    {"<request xmlns='urn:xmpp:http:upload' " FILE_OK "/>",
	{"hi.jpg", NULL, 23456, 0, UNITS_NEVER}},
    /* purposes */
    {PURPOSE("<message " P "/>"), {"hi.jpg", NULL, 23456, 0, UNITS_NEVER}},
    {PURPOSE("<profile " P "/>"),
	{"hi.jpg", NULL, 23456, PURPOSE_PROFILE, UNITS_NEVER}},
    {PURPOSE("\n<permanent " P "/>\n"),
	{"hi.jpg", NULL, 23456, PURPOSE_PERMANENT, UNITS_NEVER}},
    {PURPOSE("<ephemeral " P " expire-before='2025-09-10T23:08:26Z'/>"),
	{"hi.jpg", NULL, 23456, PURPOSE_EPHEMERAL, NOW + 1}},
    {PURPOSE("<ephemeral " P " expire-before='2025-09-11T01:08:26.9+02:00'/>"),
	{"hi.jpg", NULL, 23456, PURPOSE_EPHEMERAL, NOW + 1}},
    {PURPOSE("<x xmlns='urn:other'/><profile " P "/>"),
	{"hi.jpg", NULL, 23456, PURPOSE_PROFILE, UNITS_NEVER}},
    {PURPOSE("<profile xmlns='urn:other'/>"),
	{"hi.jpg", NULL, 23456, PURPOSE_MESSAGE, UNITS_NEVER}},
    {PURPOSE("<profile/>"), /* in the request's own namespace */
	{"hi.jpg", NULL, 23456, PURPOSE_MESSAGE, UNITS_NEVER}},
    {PURPOSE("<message " P " expire-before='never'/>"),
	{"hi.jpg", NULL, 23456, PURPOSE_MESSAGE, UNITS_NEVER}},
};

START_TEST(each_form_of_a_request_is_read)
{
	struct slot_request r;
	struct refusal refusal;
	const struct slot_request *expected = &good[_i].request;

	ck_assert_int_eq(parse(good[_i].text, &r, &refusal), 1);
	ck_assert_str_eq(r.file_name, expected->file_name);
	ck_assert_pstr_eq(r.content_type, expected->content_type);
	ck_assert_int_eq(r.size, expected->size);
	ck_assert_int_eq(r.purpose, expected->purpose);
	ck_assert_int_eq(r.expire_before, expected->expire_before);
}
END_TEST

#define NO_NAME "The request needs a filename, in UTF-8."
#define NO_SIZE "The request needs a size: a positive decimal number of bytes."
#define NO_TYPE "The content-type is not a media type."
#define NO_DATE                                                     \
	"The expire-before is not a DateTime of XEP-0082, such as " \
	"2030-01-31T23:59:59Z."
#define PAST "The expire-before is not in the future."
#define SIZE(value) REQUEST "filename='a' size='" value "'/>"
#define TYPE(value) REQUEST FILE_OK " content-type='" value "'/>"
#define EXPIRE(value) PURPOSE("<ephemeral " P " expire-before='" value "'/>")

static const struct {
	const char *text;
	enum refusal_kind kind;
	const char *why;
} bad[] = {
    {REQUEST "/>", REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "size='1'/>", REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "filename='' size='1'/>", REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "size='1'><filename/></request>", REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "size='1'><filename>a<b/>c</filename></request>",
	REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "size='1'><filename><b>a</b></filename></request>",
	REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "size='1'><filename xmlns='urn:other'>a</filename></request>",
	REFUSAL_MALFORMED, NO_NAME},
    {REQUEST "filename='a'/>", REFUSAL_MALFORMED, NO_SIZE},
    {SIZE(""), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("0"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("-1"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("+1"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE(" 1"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("1 "), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("1e3"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("0x10"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("1.0"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("1 MiB"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("NaN"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("9223372036854775807"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("18446744073709551617"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("99999999999999999999999999999999"), REFUSAL_MALFORMED, NO_SIZE},
    {SIZE("\xd9\xa1"), REFUSAL_MALFORMED, NO_SIZE},
    {TYPE("jpeg"), REFUSAL_MALFORMED, NO_TYPE},
    {TYPE("image/jpeg&#13;&#10;X: y"), REFUSAL_MALFORMED, NO_TYPE},
    {TYPE("image/"), REFUSAL_MALFORMED, NO_TYPE},
    {TYPE(" "), REFUSAL_MALFORMED, NO_TYPE},
    {TYPE("im\xc3\xa4ge/jpeg"), REFUSAL_MALFORMED, NO_TYPE},
    {PURPOSE("<ephemeral " P "/>"), REFUSAL_MALFORMED,
	"An ephemeral upload needs an expire-before."},
    {EXPIRE(""), REFUSAL_MALFORMED, NO_DATE},
    {EXPIRE("tomorrow"), REFUSAL_MALFORMED, NO_DATE},
    {EXPIRE("1757545799"), REFUSAL_MALFORMED, NO_DATE},
    {EXPIRE("2025-09-10T23:08:26"), REFUSAL_MALFORMED, NO_DATE},
    {EXPIRE("2025-09-10T23:08:25Z"), REFUSAL_MALFORMED, PAST},
    {EXPIRE("2025-09-10T23:08:25.9Z"), REFUSAL_MALFORMED, PAST},
    {EXPIRE("2025-09-11T00:08:26+02:00"), REFUSAL_MALFORMED, PAST},
    {EXPIRE("1969-12-31T23:59:59Z"), REFUSAL_MALFORMED, PAST},
    {PURPOSE("<message " P "/><profile " P "/>"), REFUSAL_MALFORMED,
	"A request has one purpose at most."},
    {PURPOSE("<message " P "/>\n<message " P "/>"), REFUSAL_MALFORMED,
	"A request has one purpose at most."},
    {PURPOSE("<message " P "/><nonsense " P "/>"), REFUSAL_MALFORMED,
	"A request has one purpose at most."},
    {PURPOSE("<holiday " P "/>"), REFUSAL_PURPOSE,
	"The purpose 'holiday' is not known here."},
    {PURPOSE("<Profile " P "/>"), REFUSAL_PURPOSE,
	"The purpose 'Profile' is not known here."},
};

START_TEST(a_wrong_request_is_refused_and_told_why)
{
	struct slot_request r;
	struct refusal refusal;

	ck_assert_int_eq(parse(bad[_i].text, &r, &refusal), 0);
	ck_assert_str_eq(refusal.text, bad[_i].why);
	ck_assert_int_eq(refusal.kind, bad[_i].kind);
}
END_TEST

/* Expat would not let them pass, so they are put in behind it. */
START_TEST(control_characters_and_bad_utf8_are_found_behind_the_parser)
{
	xmpp_stanza_t *element = stanzas_parse(REQUEST FILE_OK "/>");
	struct slot_request r;
	struct refusal refusal;

	xmpp_stanza_set_attribute(element, "filename", "a\x01\x1b.txt");
	ck_assert_int_eq(slot_request_parse(element, NOW, &r, &refusal), 1);
	ck_assert_str_eq(r.file_name, "a__.txt");
	xmpp_stanza_set_attribute(element, "filename", "a\xff.txt");
	ck_assert_int_eq(slot_request_parse(element, NOW, &r, &refusal), 0);
	ck_assert_str_eq(refusal.text, NO_NAME);
	xmpp_stanza_set_attribute(element, "filename", "a");
	xmpp_stanza_set_attribute(element, "content-type", "a/b\x01");
	ck_assert_int_eq(slot_request_parse(element, NOW, &r, &refusal), 0);
	ck_assert_str_eq(refusal.text, NO_TYPE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("slot_request");
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, each_form_of_a_request_is_read, 0, COUNT(good));
	tcase_add_loop_test(
	    tc, a_wrong_request_is_refused_and_told_why, 0, COUNT(bad));
	tcase_add_test(
	    tc, control_characters_and_bad_utf8_are_found_behind_the_parser);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
