#include <check.h>
#include <string.h>

#include "fcgi/disposition.h"
#include "tests/suite.h"

static const struct {
	bool show_inline;
	const char *name;
	const char *value;
} cases[] = {
    {true, "cat.jpg", "inline; filename=\"cat.jpg\""},
    {false, "cat.jpg", "attachment; filename=\"cat.jpg\""},
    {true, "", "inline"},
    {false, "a b; c=d.txt", "attachment; filename=\"a b; c=d.txt\""},
    {true, "très cool.jpg",
	"inline; filename=\"tr_s cool.jpg\"; "
	"filename*=UTF-8''tr%C3%A8s%20cool.jpg"},
    {true, "写真.png",
	"inline; filename=\"__.png\"; "
	"filename*=UTF-8''%E5%86%99%E7%9C%9F.png"},
    {true, "😀.gif",
	"inline; filename=\"_.gif\"; filename*=UTF-8''%F0%9F%98%80.gif"},
    {false, "a\"; filename=b.exe",
	"attachment; filename=\"a_; filename=b.exe\"; "
	"filename*=UTF-8''a%22%3B%20filename%3Db.exe"},
    {false, "a\\b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%5Cb"},
    {false, "100%41.txt",
	"attachment; filename=\"100_41.txt\"; "
	"filename*=UTF-8''100%2541.txt"},
    {false, "a\r\nSet-Cookie: x",
	"attachment; filename=\"a__Set-Cookie: x\"; "
	"filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"},
    {false, "not utf-8 \xff\xc3.bin",
	"attachment; filename=\"not utf-8 __.bin\""},
};

START_TEST(a_name_is_written_so_that_all_read_it_alike)
{
	char buf[DISPOSITION_MAX];

	ck_assert_str_eq(disposition_format(cases[_i].show_inline,
			     cases[_i].name, buf, sizeof(buf)),
	    cases[_i].value);
}
END_TEST

/* The longest name a slot keeps, of one character. */
static void
longest_name(char name[256], char c)
{
	memset(name, c, 255);
	name[255] = '\0';
}

START_TEST(the_longest_name_fits)
{
	char name[256], buf[DISPOSITION_MAX];

	longest_name(name, '"');
	disposition_format(false, name, buf, sizeof(buf));
	ck_assert_ptr_nonnull(strstr(buf, "filename*=UTF-8''%22%22"));
	ck_assert_uint_eq(strlen(buf), 22 + 255 + 1 + 19 + 3 * 255);
}
END_TEST

START_TEST(a_name_that_does_not_fit_is_left_out)
{
	char name[256], buf[100];

	longest_name(name, 'x');
	ck_assert_str_eq(
	    disposition_format(true, name, buf, sizeof(buf)), "inline");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("disposition");
	TCase *tc = tcase_create("names");

	tcase_add_loop_test(
	    tc, a_name_is_written_so_that_all_read_it_alike, 0, COUNT(cases));
	tcase_add_test(tc, the_longest_name_fits);
	tcase_add_test(tc, a_name_that_does_not_fit_is_left_out);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
