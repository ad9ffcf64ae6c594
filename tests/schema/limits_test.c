#include "schema/limits.h"

#include <check.h>

#include "schema/config.h"
#include "schema/units.h"
#include "tests/suite.h"

static const struct match {
	const char *pattern, *jid;
	bool matches;
} matches[] = {
    {"juliet@example.org", "juliet@example.org", true},
    {"Juliet@Example.ORG", "juliet@example.org", true},
    {"juliet@example.org", "romeo@example.org", false},
    {"juliet@example.org", "juliet@example.org.evil", false},
    {"juliet@example.org", "example.org", false},
    {"@example.org", "juliet@example.org", true},
    {"@example.org", "juliet@EXAMPLE.org", true},
    {"@example.org", "example.org", false},
    {"@example.org", "juliet@sub.example.org", false},
    {"@example.org", "juliet@evilexample.org", false},
    {"gateway.example.org", "gateway.example.org", true},
    {"gateway.example.org", "juliet@gateway.example.org", false},
    {"example.org", "gateway.example.org", false},
    {"*", "juliet@example.org", true},
    {"*", "gateway.example.org", true},
    {"j\xc3\x9c@example.org", "j\xc3\x9c@example.org", true},
    {"j\xc3\x9c@example.org", "j\xc3\xbc@example.org", false},
};

static const struct size {
	int64_t file, user, window, total, effective;
} sizes[] = {
    {100, UNITS_NEVER, UNITS_NEVER, UNITS_NEVER, 100},
    {100, 50, UNITS_NEVER, UNITS_NEVER, 50},
    {100, 50, 20, UNITS_NEVER, 20},
    {100, UNITS_NEVER, 20, UNITS_NEVER, 20},
    {100, 50, 20, 10, 10},
    {100, UNITS_NEVER, UNITS_NEVER, 10, 10},
    {10, 50, 20, 30, 10},
    {UNITS_NEVER, UNITS_NEVER, UNITS_NEVER, UNITS_NEVER, UNITS_NEVER},
};

static char *staff[] = {"admin@example.org", "gateway.example.org", NULL};
static char *locals[] = {"@example.org", NULL};

START_TEST(a_pattern_matches_whole_jids_of_its_kind)
{
	ck_assert_int_eq(
	    limits_pattern_matches(matches[_i].pattern, matches[_i].jid),
	    matches[_i].matches);
}
END_TEST

START_TEST(every_pattern_here_is_valid)
{
	ck_assert(limits_pattern_valid(matches[_i].pattern));
}
END_TEST

START_TEST(the_first_rule_that_matches_counts)
{
	struct rule rules[] = {{.patterns = staff}, {.patterns = locals}};
	struct config config = {.rules = rules, .rule_count = 2};

	ck_assert_ptr_eq(limits_rule(&config, "admin@example.org"), &rules[0]);
	ck_assert_ptr_eq(
	    limits_rule(&config, "gateway.example.org"), &rules[0]);
	ck_assert_ptr_eq(limits_rule(&config, "juliet@example.org"), &rules[1]);
	ck_assert_ptr_null(limits_rule(&config, "juliet@example.com"));
	ck_assert_ptr_null(limits_rule(&config, "example.org"));
	config.rule_count = 0;
	ck_assert_ptr_null(limits_rule(&config, "admin@example.org"));
}
END_TEST

START_TEST(no_file_is_larger_than_all_that_may_be_kept)
{
	struct config config = {.max_total = sizes[_i].total};
	struct limits limits = {
	    .max_file_size = sizes[_i].file,
	    .bytes_per_user = sizes[_i].user,
	    .bytes_per_window = sizes[_i].window,
	};

	ck_assert_int_eq(
	    limits_max_file_size(&config, &limits), sizes[_i].effective);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("limits");
	TCase *tc = tcase_create("limits");

	tcase_add_loop_test(
	    tc, a_pattern_matches_whole_jids_of_its_kind, 0, COUNT(matches));
	tcase_add_loop_test(tc, every_pattern_here_is_valid, 0, COUNT(matches));
	tcase_add_test(tc, the_first_rule_that_matches_counts);
	tcase_add_loop_test(
	    tc, no_file_is_larger_than_all_that_may_be_kept, 0, COUNT(sizes));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
