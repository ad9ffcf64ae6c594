#include "schema/media_type.h"

#include <check.h>
#include <string.h>

#include "tests/suite.h"

static const struct type {
	const char *text;
	bool shown; /* inline */
} types[] = {
    {"image/jpeg", true},
    {"IMAGE/JPEG", true},
    {"image/png; q=1", true},
    {"audio/ogg;codecs=opus", true},
    {"audio/ogg ; codecs=\"opus, x\"", true},
    {"video/mp4; codecs=\"a\\\"b\"; x=y", true},
    {"text/plain", true},
    {"text/plain;charset=utf-8", true},
    {"text/plain;", true},
    {"text/plain; ;", true},
    {"text/html", false},
    {"text/plainer", false},
    {"image/svg+xml", false},
    {"Image/SVG+xml; charset=utf-8", false},
    {"image/svg", false},
    {"image/x+xml", false},
    {"application/pdf", false},
    {"application/octet-stream", false},
    {"application/vnd.a-b+json", false},
    {"imagery/png", false},
};

static const char *const mistakes[] = {
    "audio/ogg ; codecs=\"opus, x\" ",
    "",
    "image",
    "/jpeg",
    "image/",
    "image /jpeg",
    "image/jpeg jpeg",
    " image/jpeg",
    "image/jpeg\r\nX: y",
    "image/jpeg;a",
    "image/jpeg;a=",
    "image/jpeg;=b",
    "image/jpeg;a =b",
    "image/jpeg;a=\"b",
    "image/jpeg;a=\"b\\",
    "image/jpeg;a=\"b\"c",
    "image/jpeg;a=\"\tb\"",
    "image/jpeg;a=\"\xc3\xa9\"",
    "image/jp\xc3\xa9g",
    "image/*;a=b c",
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
	ck_assert(media_type_valid(types[_i].text));
}
END_TEST

START_TEST(what_does_not_is_not_valid)
{
	ck_assert(!media_type_valid(mistakes[_i]));
}
END_TEST

START_TEST(a_browser_shows_what_cannot_carry_scripts)
{
	ck_assert_int_eq(media_type_inline(types[_i].text), types[_i].shown);
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
	tcase_add_loop_test(tc, what_does_not_is_not_valid, 0, COUNT(mistakes));
	tcase_add_loop_test(
	    tc, a_browser_shows_what_cannot_carry_scripts, 0, COUNT(types));
	tcase_add_loop_test(
	    tc, case_and_parameters_do_not_count, 0, COUNT(pairs));
	tcase_add_test(tc, a_type_has_a_longest_length);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
