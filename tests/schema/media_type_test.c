#include "schema/media_type.h"

#include <check.h>
#include <string.h>

#include "tests/suite.h"

static const struct type {
	const char *text;
	bool valid;
	bool shown; /* inline; looked at where valid */
} types[] = {
    {"image/jpeg", true, true},
    {"IMAGE/JPEG", true, true},
    {"image/png; q=1", true, true},
    {"audio/ogg;codecs=opus", true, true},
    {"audio/ogg ; codecs=\"opus, x\" ", false, false},
    {"audio/ogg ; codecs=\"opus, x\"", true, true},
    {"video/mp4; codecs=\"a\\\"b\"; x=y", true, true},
    {"text/plain", true, true},
    {"text/plain;charset=utf-8", true, true},
    {"text/plain;", true, true},
    {"text/plain; ;", true, true},
    {"text/html", true, false},
    {"text/plainer", true, false},
    {"image/svg+xml", true, false},
    {"Image/SVG+xml; charset=utf-8", true, false},
    {"image/svg", true, false},
    {"image/x+xml", true, false},
    {"application/pdf", true, false},
    {"application/octet-stream", true, false},
    {"application/vnd.a-b+json", true, false},
    {"imagery/png", true, false},
    {"", false, false},
    {"image", false, false},
    {"/jpeg", false, false},
    {"image/", false, false},
    {"image /jpeg", false, false},
    {"image/jpeg jpeg", false, false},
    {" image/jpeg", false, false},
    {"image/jpeg\r\nX: y", false, false},
    {"image/jpeg;a", false, false},
    {"image/jpeg;a=", false, false},
    {"image/jpeg;=b", false, false},
    {"image/jpeg;a =b", false, false},
    {"image/jpeg;a=\"b", false, false},
    {"image/jpeg;a=\"b\\", false, false},
    {"image/jpeg;a=\"b\"c", false, false},
    {"image/jpeg;a=\"\tb\"", false, false},
    {"image/jpeg;a=\"\xc3\xa9\"", false, false},
    {"image/jp\xc3\xa9g", false, false},
    {"image/*;a=b c", false, false},
};

static const struct pair {
	const char *a, *b;
	bool same;
} pairs[] = {
    {"image/jpeg", "image/jpeg", true},
    {"image/jpeg", "Image/JPEG", true},
    {"text/plain;charset=utf-8", "text/plain", true},
    {" text/plain\t", "text/plain ; x=y", true},
    {"image/jpeg", "image/jpg", false},
    {"image/jpeg", "image/jpe", false},
    {"image/jpeg", "", false},
    {"", "", false},
    {";x", " ;y", false},
};

START_TEST(a_valid_type_follows_the_grammar)
{
	ck_assert_int_eq(media_type_valid(types[_i].text), types[_i].valid);
}
END_TEST

START_TEST(a_browser_shows_what_cannot_carry_scripts)
{
	if (types[_i].valid)
		ck_assert_int_eq(
		    media_type_inline(types[_i].text), types[_i].shown);
}
END_TEST

START_TEST(case_and_parameters_do_not_count)
{
	const struct pair *pair = &pairs[_i];

	ck_assert_int_eq(media_type_same(pair->a, pair->b), pair->same);
	ck_assert_int_eq(media_type_same(pair->b, pair->a), pair->same);
}
END_TEST

START_TEST(a_type_has_a_longest_length)
{
	char text[MEDIA_TYPE_MAX + 2] = "a/";

	memset(text + 2, 'x', MEDIA_TYPE_MAX - 2);
	ck_assert(media_type_valid(text));
	text[MEDIA_TYPE_MAX] = 'x';
	ck_assert(!media_type_valid(text));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("media_type");
	TCase *tc = tcase_create("media_type");

	tcase_add_loop_test(
	    tc, a_valid_type_follows_the_grammar, 0, COUNT(types));
	tcase_add_loop_test(
	    tc, a_browser_shows_what_cannot_carry_scripts, 0, COUNT(types));
	tcase_add_loop_test(
	    tc, case_and_parameters_do_not_count, 0, COUNT(pairs));
	tcase_add_test(tc, a_type_has_a_longest_length);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
