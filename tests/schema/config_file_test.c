#include "schema/config_file.h"

#include <string.h>

#include "schema/config_mistakes.h"
#include "tests/schema/config_fixture.h"
#include "tests/suite.h"

/* A mistake in a file, and the whole of what is said about it. */
static const struct mistake {
	const char *text;
	const char *said;
} mistakes[] = {
    /* sections */
    {LEAST "[nonsense]\nkey = 1\nother = 2\n", "x.conf:6: unknown section\n"},
    {LEAST "[]\n", "x.conf:6: unknown section\n"},
    {LEAST "[store message]\n", "x.conf:6: unknown section\n"},
    {LEAST "[Store]\n", "x.conf:6: unknown section\n"},
    {LEAST "[store\n",
	"x.conf:6: a section must be a line of its own, in brackets\n"},
    {LEAST "[store] threads = 1\n",
	"x.conf:6: a section must be a line of its own, in brackets\n"},
    {LEAST "[timers]\n\n[timers]\n",
	"x.conf:8: this section stands here and on line 6\n"},
    {LEAST "[rule a]\nmatch = *\n[ rule  a ]\n",
	"x.conf:8: this section stands here and on line 6\n"},
    {LEAST "[purpose]\n", "x.conf:6: this section must be [purpose NAME]\n"},
    {LEAST "[purpose message x]\n",
	"x.conf:6: this section must be [purpose NAME]\n"},
    {LEAST "[purpose avatar]\n", "x.conf:6: unknown purpose \"avatar\"\n"},
    {LEAST "[rule]\n", "x.conf:6: this section must be [rule NAME] or "
		       "[rule NAME PURPOSE]\n"},
    {LEAST "[rule a message x]\n",
	"x.conf:6: this section must be [rule NAME] or "
	"[rule NAME PURPOSE]\n"},
    {LEAST "[rule \xff]\n", "x.conf:6: this section must be [rule NAME] or "
			    "[rule NAME PURPOSE]\n"},
    {LEAST "[rule a avatar]\n", "x.conf:6: unknown purpose \"avatar\"\n"},
    {LEAST "[web0123456789012345678901234567890123456789012345678]\n",
	"x.conf:6: unknown section\n"},

    /* keys */
    {"threads = 1\n" LEAST,
	"x.conf:1: \"threads\" stands before any section\n"},
    {LEAST "frobnicate = 1\n", "x.conf:6: unknown key \"frobnicate\"\n"},
    {LEAST "thread = 1\n",
	"x.conf:6: unknown key \"thread\"; did you mean \"threads\"?\n"},
    {LEAST "put_window = 5m\n", "x.conf:6: unknown key \"put_window\"\n"},
    {LEAST "Threads = 1\n",
	"x.conf:6: unknown key \"Threads\"; did you mean \"threads\"?\n"},
    {LEAST "= 1\n", "x.conf:6: unknown key \"\"\n"},
    {LEAST "match = *\n", "x.conf:6: unknown key \"match\"\n"},
    {LEAST "[rule a]\nmatch = *\n[rule a message]\ndeny = no\n",
	"x.conf:9: \"deny\" belongs into [rule a], without a purpose\n"},
    {LEAST "[purpose message]\ndeny = no\n",
	"x.conf:7: unknown key \"deny\"\n"},
    {LEAST "[rule a]\nmatch = *\njid = b\n", "x.conf:8: unknown key \"jid\"\n"},
    {LEAST "threads = 1\n\n# so\nthreads = 2\n",
	"x.conf:9: \"threads\" stands here and on line 6\n"},
    {LEAST "threads = x\nthreads = 2\n",
	"x.conf:6: threads must be a decimal number\n"
	"x.conf:7: \"threads\" stands here and on line 6\n"},
    {LEAST "threads_which_is_a_very_long_name_indeed_of_fifty_bytes_ = 1\n",
	"x.conf:6: unknown key "
	"\"threads_which_is_a_very_long_name_indeed_of_fifty_bytes_\"\n"},

    /* lines */
    {LEAST "threads\n",
	"x.conf:6: neither a section nor of the form key = value\n"},
    {LEAST "threads: 8\n",
	"x.conf:6: neither a section nor of the form key = value\n"},
    {LEAST "get_url https://example.org/?a=b\n",
	"x.conf:6: neither a section nor of the form key = value\n"},
    {LEAST "threads = 8 # many\n",
	"x.conf:6: threads must be a decimal number\n"},
    {LEAST "threads = 8 ; many\n",
	"x.conf:6: threads must be a decimal number\n"},
    {LEAST "threads =\n", "x.conf:6: threads must be given a value\n"},
    {LEAST "threads =\n  8\n",
	"x.conf:6: threads must be given a value\n"
	"x.conf:7: neither a section nor of the form key = value\n"},
};

/* A good file, and how many entries it has. */
static const struct good {
	const char *text;
	int entries;
} goods[] = {
    {LEAST, 3},
    {"\xef\xbb\xbf" LEAST, 3},
    {LEAST "threads = 4", 4},
    {LEAST "\tthreads\t=\t4\t\n", 4},
    {LEAST "threads=4\r\nallow_http=no\r\n", 5},
    {LEAST "# threads = x\n; y\n   # z\n\n \t\n", 3},
    {LEAST "  [ store ] \r\n min_free = 0\n", 4},
    {LEAST "[rule b message]\nretention = 1d\n[rule a]\nmatch = *\n"
	   "[rule b]\nmatch = @b\n",
	6},
};

START_TEST(a_mistake_is_reported_with_file_and_line)
{
	const struct mistake *m = &mistakes[_i];
	struct config *config = NULL;
	char *said = NULL;

	fixture_write(FILE_NAME, m->text, strlen(m->text), 0600);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 0);
	ck_assert_ptr_null(config);
	ck_assert_str_eq(said, m->said);
	free(said);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	static const char text[] = LEAST "threads = 8\0 000\nallow_http = no\n";
	struct config *config = NULL;
	char *said = NULL;

	fixture_write(FILE_NAME, text, sizeof(text) - 1, 0600);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 0);
	ck_assert_str_eq(said, "x.conf:6: a NUL byte in the line\n");
	free(said);
}
END_TEST

/* LEAST, a cors_headers of that many letters and blanks after it, and one more
 * line. */
static int
read_long_line(int letters, int blanks, struct config **config, char **said)
{
	char text[2 * CONFIG_FILE_LINE_MAX];
	char *end =
	    text + snprintf(text, sizeof(text), "%scors_headers=", LEAST);

	memset(end, 'x', (size_t)letters);
	memset(end + letters, ' ', (size_t)blanks);
	memcpy(end + letters + blanks, "\nthreads = x\n", 14);
	fixture_write(FILE_NAME, text, strlen(text), 0600);
	return fixture_read(CONFIG_FOR_COMPONENT, config, said);
}

START_TEST(a_line_has_a_longest_length)
{
	int blanks = CONFIG_FILE_LINE_MAX - (int)strlen("cors_headers=x");
	struct config *config = NULL;
	char *said = NULL;

	ck_assert_int_eq(read_long_line(1, blanks, &config, &said), 0);
	ck_assert_str_eq(said, "x.conf:7: threads must be a decimal number\n");
	free(said);
	ck_assert_int_eq(read_long_line(1, blanks + 1, &config, &said), 0);
	ck_assert_str_eq(said, "x.conf:6: the line is too long\n"
			       "x.conf:7: threads must be a decimal number\n");
	free(said);
}
END_TEST

START_TEST(a_value_has_a_longest_length)
{
	struct config *config = NULL;
	char *said = NULL;

	ck_assert_int_eq(
	    read_long_line(CONFIG_VALUE_MAX, 0, &config, &said), 0);
	ck_assert_str_eq(said, "x.conf:7: threads must be a decimal number\n");
	free(said);
	ck_assert_int_eq(
	    read_long_line(CONFIG_VALUE_MAX + 1, 0, &config, &said), 0);
	ck_assert_str_eq(said,
	    "x.conf:6: cors_headers must be of at most 3900 bytes\n"
	    "x.conf:7: threads must be a decimal number\n");
	free(said);
}
END_TEST

/* LEAST and a rule whose name has that many letters. */
static int
read_long_name(int letters, struct config **config, char **said)
{
	char text[2 * CONFIG_FILE_LINE_MAX];
	char *end = text + snprintf(text, sizeof(text), "%s[rule ", LEAST);

	memset(end, 'x', (size_t)letters);
	memcpy(end + letters, "]\nmatch = *\n", 13);
	fixture_write(FILE_NAME, text, strlen(text), 0600);
	return fixture_read(CONFIG_FOR_COMPONENT, config, said);
}

START_TEST(a_name_of_a_rule_has_a_longest_length)
{
	struct config *config = NULL;
	char *said = NULL;

	ck_assert_int_eq(read_long_name(CONFIG_VALUE_MAX, &config, &said), 1);
	config_free(config);
	free(said);
	ck_assert_int_eq(
	    read_long_name(CONFIG_VALUE_MAX + 1, &config, &said), 0);
	ck_assert_str_eq(
	    said, "x.conf:6: the rule's name must be of at most 3900 bytes\n");
	free(said);
}
END_TEST

static struct config_file *
read_file(const char *text)
{
	struct config_mistakes count = {.path = FILE_NAME, .err = stderr};
	struct config_file *file = NULL;
	FILE *in;

	fixture_write(FILE_NAME, text, strlen(text), 0600);
	in = fopen(FILE_NAME, "r");
	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(config_file_read(in, &count, &file), 1);
	ck_assert_int_eq(count.count, 0);
	fclose(in);
	return file;
}

START_TEST(blanks_comments_and_line_ends_do_not_matter)
{
	struct config_file *file = read_file(goods[_i].text);

	ck_assert_uint_eq(file->entry_count, (size_t)goods[_i].entries);
	config_file_free(file);
}
END_TEST

START_TEST(rules_have_the_order_of_their_first_sections)
{
	struct config_file *file = read_file(goods[COUNT(goods) - 1].text);
	size_t at = 0;

	ck_assert_uint_eq(file->headers.rule_count, 2);
	ck_assert_str_eq(file->headers.rules[0], "b");
	ck_assert_str_eq(file->headers.rules[1], "a");
	ck_assert_int_eq(config_header_rule_line(&file->headers, 0), 6);
	ck_assert_int_eq(
	    config_file_rule_entry(file, 0, "match", &at)->line, 11);
	ck_assert_uint_eq(at, 5);
	ck_assert_int_eq(config_file_rule_entry(file, 1, "match", &at)->line,
	    config_header_rule_line(&file->headers, 1) + 1);
	config_file_free(file);
}
END_TEST

START_TEST(a_value_keeps_its_semicolons_and_equals_signs)
{
	struct config_file *file =
	    read_file(LEAST "cors_headers = a; b # c = d\n");

	ck_assert_str_eq(
	    config_file_entry(file, CONFIG_WEB, "cors_headers")->value.text,
	    "a; b # c = d");
	config_file_free(file);
}
END_TEST

START_TEST(what_cannot_be_read_is_broken)
{
	struct config *config = NULL;
	char *said = NULL;

	ck_assert_int_eq(
	    fixture_read(CONFIG_FOR_COMPONENT, &config, &said), -1);
	ck_assert_str_eq(said, "x.conf: No such file or directory\n");
	free(said);
	ck_assert_int_eq(mkdir(FILE_NAME, 0700), 0);
	ck_assert_int_eq(
	    fixture_read(CONFIG_FOR_COMPONENT, &config, &said), -1);
	ck_assert_str_eq(said, "x.conf: Is a directory\n");
	free(said);
	ck_assert_int_eq(rmdir(FILE_NAME), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_file");
	TCase *tc = tcase_create("config_file");

	tcase_add_checked_fixture(tc, fixture_enter, fixture_leave);
	tcase_add_loop_test(
	    tc, a_mistake_is_reported_with_file_and_line, 0, COUNT(mistakes));
	tcase_add_test(tc, a_nul_byte_is_refused);
	tcase_add_test(tc, a_line_has_a_longest_length);
	tcase_add_test(tc, a_value_has_a_longest_length);
	tcase_add_test(tc, a_name_of_a_rule_has_a_longest_length);
	tcase_add_loop_test(
	    tc, blanks_comments_and_line_ends_do_not_matter, 0, COUNT(goods));
	tcase_add_test(tc, rules_have_the_order_of_their_first_sections);
	tcase_add_test(tc, a_value_keeps_its_semicolons_and_equals_signs);
	tcase_add_test(tc, what_cannot_be_read_is_broken);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
