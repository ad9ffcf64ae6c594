#include <check.h>

#include "fcgi/conditional.h"
#include "tests/suite.h"

#define TAG "\"abc\""
#define STORED 784111777
#define STORED_TEXT "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct {
	struct conditions conditions;
	int status;
} cases[] = {
    {{0}, 200},
    /* If-Match: strong */
    {{.if_match = TAG}, 200},
    {{.if_match = "*"}, 200},
    {{.if_match = "\"x\", " TAG}, 200},
    {{.if_match = "\"x\"," TAG ",\"y\""}, 200},
    {{.if_match = "\"x\""}, 412},
    {{.if_match = "W/" TAG}, 412},
    {{.if_match = "W/" TAG ", " TAG}, 200},
    {{.if_match = "abc"}, 412},
    {{.if_match = "\"abc"}, 412},
    {{.if_match = "\"ab\""}, 412},
    {{.if_match = "\"abcd\""}, 412},
    {{.if_match = "\"x,\\\", " TAG}, 200}, /* a backslash escapes nothing */
    {{.if_match = "\"x," TAG}, 412},       /* a comma within the tag */
    /* If-Unmodified-Since, unless If-Match is there */
    {{.if_unmodified_since = STORED_TEXT}, 200},
    {{.if_unmodified_since = LATER}, 200},
    {{.if_unmodified_since = EARLIER}, 412},
    {{.if_unmodified_since = "Sunday, 06-Nov-94 08:49:36 GMT"}, 412},
    {{.if_unmodified_since = "Sun Nov  6 08:49:36 1994"}, 412},
    {{.if_unmodified_since = "the day before"}, 200},
    {{.if_match = TAG, .if_unmodified_since = EARLIER}, 200},
    {{.if_match = "\"x\"", .if_unmodified_since = LATER}, 412},
    /* If-None-Match: weak */
    {{.if_none_match = TAG}, 304},
    {{.if_none_match = "*"}, 304},
    {{.if_none_match = "* "}, 304},
    {{.if_none_match = "W/" TAG}, 304},
    {{.if_none_match = "\"x\", W/" TAG}, 304},
    {{.if_none_match = "\"x\"\t,\t" TAG}, 304},
    {{.if_none_match = ",, " TAG}, 304},
    {{.if_none_match = "\"a,b\", " TAG}, 304},
    {{.if_none_match = "\"\", " TAG}, 304},
    {{.if_none_match = "\"x\""}, 200},
    {{.if_none_match = "\"ABC\""}, 200},
    {{.if_none_match = "abc"}, 200},
    {{.if_none_match = "w/" TAG}, 200},
    {{.if_none_match = "W/ " TAG}, 200},
    {{.if_none_match = "\"x\" " TAG}, 200},
    {{.if_none_match = "*, " TAG}, 200},
    {{.if_none_match = "\"x\", abc, " TAG}, 200},
    {{.if_none_match = ","}, 200},
    /* If-Modified-Since, unless If-None-Match is there */
    {{.if_modified_since = STORED_TEXT}, 304},
    {{.if_modified_since = LATER}, 304},
    {{.if_modified_since = EARLIER}, 200},
    {{.if_modified_since = "Sun Nov  6 08:49:37 1994"}, 304},
    {{.if_modified_since = "Zzz, 99 Zzz 9999 99:99:99 GMT"}, 200},
    {{.if_none_match = "\"x\"", .if_modified_since = LATER}, 200},
    {{.if_none_match = TAG, .if_modified_since = EARLIER}, 304},
    /* the preconditions come first */
    {{.if_match = "\"x\"", .if_none_match = TAG}, 412},
    {{.if_unmodified_since = EARLIER, .if_none_match = TAG}, 412},
    {{.if_match = TAG, .if_none_match = TAG}, 304},
};

START_TEST(conditions_decide_the_status)
{
	struct conditions conditions = cases[_i].conditions;

	conditions.now = 1790000000;
	ck_assert_int_eq(
	    conditional_status(&conditions, TAG, STORED), cases[_i].status);
}
END_TEST

static const struct {
	const char *if_range;
	bool counts;
} range_cases[] = {
    {NULL, true},
    {TAG, true},
    {"W/" TAG, false},
    {"\"x\"", false},
    {TAG ", \"x\"", false},
    {"*", false},
    {STORED_TEXT, true},
    {"Sunday, 06-Nov-94 08:49:37 GMT", true},
    {EARLIER, false},
    {LATER, false}, /* equal or nothing, unlike If-Unmodified-Since */
    {"abc", false},
};

START_TEST(if_range_names_this_very_body)
{
	struct conditions conditions = {
	    .if_range = range_cases[_i].if_range, .now = 1790000000};

	ck_assert_int_eq(conditional_range_counts(&conditions, TAG, STORED),
	    range_cases[_i].counts);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("conditional");
	TCase *tc = tcase_create("conditions");

	tcase_add_loop_test(tc, conditions_decide_the_status, 0, COUNT(cases));
	tcase_add_loop_test(
	    tc, if_range_names_this_very_body, 0, COUNT(range_cases));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
