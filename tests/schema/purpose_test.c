#include "schema/purpose.h"

#include <check.h>

#include "tests/suite.h"

START_TEST(every_purpose_is_found_by_its_own_name)
{
	enum purpose found = PURPOSE_COUNT;

	ck_assert_int_eq(
	    purpose_parse(purpose_name((enum purpose)_i), &found), 1);
	ck_assert_int_eq(found, _i);
}
END_TEST

START_TEST(the_names_are_those_of_the_standard)
{
	ck_assert_str_eq(purpose_name(PURPOSE_MESSAGE), "message");
	ck_assert_str_eq(purpose_name(PURPOSE_PROFILE), "profile");
	ck_assert_str_eq(purpose_name(PURPOSE_EPHEMERAL), "ephemeral");
	ck_assert_str_eq(purpose_name(PURPOSE_PERMANENT), "permanent");
}
END_TEST

static const char *const strangers[] = {
    "",
    "Message",
    "message ",
    "messag",
    "messages",
    "persistent",
};

START_TEST(no_other_name_is_a_purpose)
{
	enum purpose found = PURPOSE_COUNT;

	ck_assert_int_eq(purpose_parse(strangers[_i], &found), 0);
	ck_assert_int_eq(found, PURPOSE_COUNT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("purpose");
	TCase *tc = tcase_create("purpose");

	tcase_add_loop_test(
	    tc, every_purpose_is_found_by_its_own_name, 0, PURPOSE_COUNT);
	tcase_add_test(tc, the_names_are_those_of_the_standard);
	tcase_add_loop_test(
	    tc, no_other_name_is_a_purpose, 0, COUNT(strangers));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
