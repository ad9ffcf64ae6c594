#include "schema/config_mistakes.h"

#include <check.h>
#include <stdlib.h>

#include "tests/suite.h"

START_TEST(a_mistake_names_the_file_and_its_line_if_it_has_one)
{
	char *said = NULL;
	size_t len;
	struct config_mistakes mistakes = {.path = "/etc/x.conf"};

	mistakes.err = open_memstream(&said, &len);
	ck_assert_ptr_nonnull(mistakes.err);
	config_mistakes_add(&mistakes, 7, "%s must be %d", "threads", 8);
	config_mistakes_add(&mistakes, 0, "jid is missing");
	fclose(mistakes.err);
	ck_assert_int_eq(mistakes.count, 2);
	ck_assert_str_eq(said, "/etc/x.conf:7: threads must be 8\n"
			       "/etc/x.conf: jid is missing\n");
	free(said);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_mistakes");
	TCase *tc = tcase_create("config_mistakes");

	tcase_add_test(tc, a_mistake_names_the_file_and_its_line_if_it_has_one);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
