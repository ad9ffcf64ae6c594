#include "schema/config_keys.h"

#include <check.h>
#include <stdbool.h>

#include "schema/config_value.h"
#include "tests/suite.h"

static const struct guess {
	enum config_section section;
	const char *name, *guess;
} guesses[] = {
    {CONFIG_WEB, "thread", "threads"},
    {CONFIG_WEB, "puturl", "put_url"},
    {CONFIG_WEB, "gett_url", "get_url"},
    {CONFIG_COMPONENT, "JID", NULL}, /* nothing of it is alike */
    {CONFIG_COMPONENT, "hots", "host"},
    {CONFIG_COMPONENT, "x", NULL},
    {CONFIG_COMPONENT, "", NULL},
    {CONFIG_COMPONENT, "thread", NULL}, /* of another section */
    {CONFIG_RULE, "mach", "match"},
    {CONFIG_RULE, "retension", "retention"},
    {CONFIG_PURPOSE, "mach", NULL},
    {CONFIG_STORE, "a_name_that_is_longer_than_any_key_at_all", NULL},
};

START_TEST(every_default_is_a_good_value)
{
	struct config_value value;
	char why[128];

	for (const struct config_key *k = config_keys_all(); k->name; k++) {
		for (int p = 0; p < PURPOSE_COUNT; p++) {
			const char *text = k->section == CONFIG_PURPOSE
					       ? k->by_purpose[p]
					       : k->initial;

			if (text == NULL)
				continue;
			ck_assert_msg(config_value_parse(k, text, &value, why,
					  sizeof(why)) == 1,
			    "%s = %s", k->name, text);
			config_value_free(&value);
		}
	}
}
END_TEST

START_TEST(every_key_of_a_purpose_has_a_default_for_each)
{
	for (const struct config_key *k = config_keys_all(); k->name; k++)
		for (int p = 0; p < PURPOSE_COUNT; p++)
			ck_assert_int_eq(k->by_purpose[p] != NULL,
			    k->section == CONFIG_PURPOSE);
}
END_TEST

START_TEST(every_key_is_found_in_its_section_alone)
{
	for (const struct config_key *k = config_keys_all(); k->name; k++) {
		for (int s = 0; s < CONFIG_SECTION_COUNT; s++) {
			enum config_section section = (enum config_section)s;
			bool here = section == k->section ||
				    (section == CONFIG_RULE &&
					k->section == CONFIG_PURPOSE);

			ck_assert_ptr_eq(config_keys_find(section, k->name),
			    here ? k : NULL);
		}
		ck_assert(k->help != NULL && k->help[0] != '\0');
	}
}
END_TEST

START_TEST(a_guess_is_at_most_two_letters_away)
{
	const struct guess *g = &guesses[_i];
	const char *guess = config_keys_guess(g->section, g->name);

	if (g->guess == NULL)
		ck_assert_ptr_null(guess);
	else
		ck_assert_str_eq(guess, g->guess);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_keys");
	TCase *tc = tcase_create("config_keys");

	tcase_add_test(tc, every_default_is_a_good_value);
	tcase_add_test(tc, every_key_of_a_purpose_has_a_default_for_each);
	tcase_add_test(tc, every_key_is_found_in_its_section_alone);
	tcase_add_loop_test(
	    tc, a_guess_is_at_most_two_letters_away, 0, COUNT(guesses));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
