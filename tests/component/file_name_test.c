#include <check.h>
#include <stdio.h>
#include <string.h>

#include "component/file_name.h"
#include "schema/text.h"
#include "tests/suite.h"

static const struct {
	const char *asked;
	const char *made;
} cases[] = {
    /* kept as they are */
    {"hi.jpg", "hi.jpg"},
    {"tr\xc3\xa8s cool.jpg", "tr\xc3\xa8s cool.jpg"},
    {"\xe5\x86\x99\xe7\x9c\x9f.png", "\xe5\x86\x99\xe7\x9c\x9f.png"},
    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d.txt",
	"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d.txt"},
    {"\xf0\x9f\x98\x80.gif", "\xf0\x9f\x98\x80.gif"},
    {".bashrc", ".bashrc"},
    {"a..b", "a..b"},
    {"..a", "..a"},
    {" ", " "},
    {"100%41&<>\"'?#;=.txt", "100%41&<>\"'?#;=.txt"},
    /* made safe */
    {".", "_"},
    {"..", "__"},
    {"...", "___"},
    {"/", "_"},
    {"/etc/passwd", "_etc_passwd"},
    {"../../x", ".._.._x"},
    {"..\\..\\x", ".._.._x"},
    {"a\r\nSet-Cookie: b", "a__Set-Cookie: b"},
    {"a\x01\x1f\x7f.txt", "a___.txt"},
    {"a\xc2\x80\xc2\x9f.txt", "a__.txt"},
    {"a\xc2\xa0.txt", "a\xc2\xa0.txt"}, /* the first after C1 */
    {"a\xe2\x80\xa8\xe2\x80\xa9.txt", "a__.txt"},
    {"exe\xe2\x80\xae"
     "gpj.doc",
	"exe_gpj.doc"},
    {"\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad.a", "____.a"},
    {"\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9.a", "____.a"},
    {"\xe2\x81\xa5\xe2\x81\xaa.a", "\xe2\x81\xa5\xe2\x81\xaa.a"},
};

START_TEST(a_name_becomes_safe_and_stays_recognisable)
{
	char made[STORE_NAME_MAX + 1];

	ck_assert_int_eq(file_name_make(cases[_i].asked, made), 1);
	ck_assert_str_eq(made, cases[_i].made);
}
END_TEST

static const char *const bad[] = {
    "", "\xff.txt", "a\xc3", "\xc0\xaf", /* an overlong slash */
    "\xed\xa0\x80",                      /* a surrogate */
    "\xf4\x90\x80\x80",                  /* beyond U+10FFFF */
};

START_TEST(a_name_that_is_no_text_is_refused)
{
	char made[STORE_NAME_MAX + 1];

	ck_assert_int_eq(file_name_make(bad[_i], made), 0);
}
END_TEST

/* count times piece, then ending. */
static void
build(char *buf, const char *piece, int count, const char *ending)
{
	size_t len = strlen(piece);

	for (int i = 0; i < count; i++)
		memcpy(buf + (size_t)i * len, piece, len);
	memcpy(buf + (size_t)count * len, ending, strlen(ending) + 1);
}

static const struct {
	const char *piece;
	int count;
	const char *ending;
	size_t made_len;
	const char *made_end;
} longs[] = {
    {"a", 251, ".jpg", 255, ".jpg"}, /* fits */
    {"a", 252, ".jpg", 255, ".jpg"},
    {"a", 5000, ".jpg", 255, ".jpg"},
    {"a", 5000, "", 255, "a"},
    {"\xc3\xa8", 127, "", 254, "\xc3\xa8"}, /* fits */
    {"\xc3\xa8", 128, "", 254, "\xc3\xa8"}, /* 255 would split one */
    {"\xc3\xa8", 300, ".jpeg", 255, ".jpeg"},
    {"\xc3\xa8", 300, ".jpg", 254, ".jpg"},
    {"\xf0\x9f\x98\x80", 300, ".gif", 252, ".gif"},
    {"a", 300, ".tar.gz", 255, ".gz"},
    {"a", 300, ".1234567890123456789", 255, ".1234567890123456789"},
    {"a", 300, ". A sentence after a dot", 255, "aaaa"},
    {".", 300, "jpg", 255, ".jpg"},
    {"a.", 300, "jpg", 255, ".jpg"},
};

START_TEST(a_long_name_loses_its_stem_and_keeps_its_ending)
{
	char asked[8192];
	char made[STORE_NAME_MAX + 1];
	size_t end_len = strlen(longs[_i].made_end);

	build(asked, longs[_i].piece, longs[_i].count, longs[_i].ending);
	ck_assert_int_eq(file_name_make(asked, made), 1);
	ck_assert_uint_eq(strlen(made), longs[_i].made_len);
	ck_assert_str_eq(made + strlen(made) - end_len, longs[_i].made_end);
	ck_assert(text_is_utf8(made));
	ck_assert_int_eq(strncmp(made, asked, strlen(made) - end_len), 0);
}
END_TEST

/* The second one is of only dots once it is short. */
static const char *const after_dots[] = {"", "a.."};

START_TEST(a_long_name_of_only_dots_is_made_safe_and_short)
{
	char asked[1100];
	char made[STORE_NAME_MAX + 1];

	build(asked, ".", 1000, after_dots[_i]);
	ck_assert_int_eq(file_name_make(asked, made), 1);
	ck_assert_uint_eq(strlen(made), STORE_NAME_MAX);
	ck_assert_uint_eq(strspn(made, "_"), STORE_NAME_MAX);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("file_name");
	TCase *tc = tcase_create("make");

	tcase_add_loop_test(
	    tc, a_name_becomes_safe_and_stays_recognisable, 0, COUNT(cases));
	tcase_add_loop_test(
	    tc, a_name_that_is_no_text_is_refused, 0, COUNT(bad));
	tcase_add_loop_test(tc, a_long_name_loses_its_stem_and_keeps_its_ending,
	    0, COUNT(longs));
	tcase_add_loop_test(tc, a_long_name_of_only_dots_is_made_safe_and_short,
	    0, COUNT(after_dots));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
