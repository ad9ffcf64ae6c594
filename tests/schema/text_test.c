#include "schema/text.h"

#include <check.h>
#include <string.h>

#include "tests/suite.h"

static const struct code {
	const char *text;
	int length; /* what text_decode returns */
	uint32_t code_point;
} codes[] = {
    {"", 0, 0},
    {"a", 1, 'a'},
    {"\x7f", 1, 0x7f},
    {"\xc2\x80", 2, 0x80},
    {"\xc3\xa9", 2, 0xe9},
    {"\xdf\xbf", 2, 0x7ff},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xe2\x82\xac", 3, 0x20ac},
    {"\xed\x9f\xbf", 3, 0xd7ff},
    {"\xee\x80\x80", 3, 0xe000},
    {"\xf0\x90\x80\x80", 4, 0x10000},
    {"\xf0\x9f\x92\xa9", 4, 0x1f4a9},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"\x80", -1, 0}, /* a continuation alone */
    {"\xbf", -1, 0},
    {"\xc3", -1, 0}, /* ends early */
    {"\xc3z", -1, 0},
    {"\xe2\x82", -1, 0},
    {"\xf0\x9f\x92", -1, 0},
    {"\xc0\x80", -1, 0}, /* overlong */
    {"\xc1\xbf", -1, 0},
    {"\xe0\x9f\xbf", -1, 0},
    {"\xf0\x8f\xbf\xbf", -1, 0},
    {"\xed\xa0\x80", -1, 0}, /* surrogates */
    {"\xed\xbf\xbf", -1, 0},
    {"\xf4\x90\x80\x80", -1, 0}, /* beyond U+10FFFF */
    {"\xf8\x88\x80\x80\x80", -1, 0},
    {"\xff", -1, 0},
};

static const struct encoding {
	const char *text, *encoded;
} encodings[] = {
    {"", ""},
    {"AZaz09-._~", "AZaz09-._~"},
    {"a b", "a%20b"},
    {"100%", "100%25"},
    {"a/b?c#d&e+f", "a%2Fb%3Fc%23d%26e%2Bf"},
    {"\"<>\\^`{|}", "%22%3C%3E%5C%5E%60%7B%7C%7D"},
    {"tr\xc3\xa8s cool.jpg", "tr%C3%A8s%20cool.jpg"},
    {"\x01\x7f\xff", "%01%7F%FF"},
};

START_TEST(a_code_point_has_one_form)
{
	const struct code *code = &codes[_i];
	uint32_t c = 0;

	ck_assert_int_eq(text_decode(code->text, &c), code->length);
	ck_assert_uint_eq(c, code->code_point);
}
END_TEST

START_TEST(one_bad_byte_spoils_a_text)
{
	ck_assert(text_is_utf8(""));
	ck_assert(text_is_utf8("\xe8\xaa\x9e \xc3\xa9 a\n"));
	ck_assert(!text_is_utf8("abc\xff"));
	ck_assert(!text_is_utf8("\xc3\xa9\xc3"));
}
END_TEST

START_TEST(a_clean_text_has_no_control_characters)
{
	ck_assert(text_is_clean(""));
	ck_assert(text_is_clean("No uploads here; ask \xe2\x82\xac #1"));
	ck_assert(!text_is_clean("a\tb"));
	ck_assert(!text_is_clean("a\nb"));
	ck_assert(!text_is_clean("a\x7f"));
	ck_assert(!text_is_clean("a\xc2\x85")); /* NEXT LINE, of C1 */
	ck_assert(text_is_clean("a\xc2\xa0"));
	ck_assert(!text_is_clean("a\xff"));
}
END_TEST

START_TEST(unreserved_characters_alone_stay)
{
	const struct encoding *e = &encodings[_i];
	char buf[64];

	ck_assert_uint_eq(
	    text_percent_encode(e->text, buf, sizeof(buf)), strlen(e->encoded));
	ck_assert_str_eq(buf, e->encoded);
}
END_TEST

START_TEST(what_does_not_fit_is_not_cut)
{
	const struct encoding *e = &encodings[_i];
	size_t whole = strlen(e->encoded) + 1;
	char buf[64];

	ck_assert_uint_eq(text_percent_encode(e->text, buf, whole), whole - 1);
	for (size_t len = 1; len < whole; len++) {
		memset(buf, 'x', sizeof(buf));
		ck_assert_uint_eq(text_percent_encode(e->text, buf, len), 0);
		ck_assert_str_eq(buf, "");
		ck_assert_int_eq(buf[len], 'x');
	}
	buf[0] = 'x';
	ck_assert_uint_eq(text_percent_encode(e->text, buf, 0), 0);
	ck_assert_int_eq(buf[0], 'x');
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("text");

	tcase_add_loop_test(tc, a_code_point_has_one_form, 0, COUNT(codes));
	tcase_add_test(tc, one_bad_byte_spoils_a_text);
	tcase_add_test(tc, a_clean_text_has_no_control_characters);
	tcase_add_loop_test(
	    tc, unreserved_characters_alone_stay, 0, COUNT(encodings));
	tcase_add_loop_test(
	    tc, what_does_not_fit_is_not_cut, 0, COUNT(encodings));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
