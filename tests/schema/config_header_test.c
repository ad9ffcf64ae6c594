#include "schema/config_header.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/config_mistakes.h"
#include "tests/suite.h"

static const struct row {
	const char *text;
	struct config_scope scope;
} rows[] = {
    {"[component]", {CONFIG_COMPONENT, PURPOSE_COUNT, 0}},
    {"[ log ]  \r", {CONFIG_LOG, PURPOSE_COUNT, 0}},
    {"[purpose message]", {CONFIG_PURPOSE, PURPOSE_MESSAGE, 0}},
    {"[\tpurpose   permanent\t]", {CONFIG_PURPOSE, PURPOSE_PERMANENT, 0}},
    {"[rule a]", {CONFIG_RULE, PURPOSE_COUNT, 0}},
    {"[rule b profile]", {CONFIG_RULE, PURPOSE_PROFILE, 1}},
    {"[rule a message]", {CONFIG_RULE, PURPOSE_MESSAGE, 0}},
    {"[rule b]", {CONFIG_RULE, PURPOSE_COUNT, 1}},
    {"[rule message]", {CONFIG_RULE, PURPOSE_COUNT, 2}},
};

static char *said;
static size_t said_len;

static struct config_mistakes
listen(void)
{
	FILE *err = open_memstream(&said, &said_len);

	ck_assert_ptr_nonnull(err);
	return (struct config_mistakes){.path = "x.conf", .err = err};
}

static int
add(struct config_headers *headers, const char *text, int line,
    struct config_mistakes *mistakes)
{
	char buf[100];

	snprintf(buf, sizeof(buf), "%s", text);
	return config_header_add(headers, buf, line, mistakes);
}

START_TEST(each_header_names_a_scope)
{
	struct config_headers headers = {.count = 0};
	struct config_mistakes mistakes = listen();

	for (int i = 0; i < COUNT(rows); i++) {
		ck_assert_int_eq(
		    add(&headers, rows[i].text, i + 1, &mistakes), 1);
		ck_assert_uint_eq(headers.count, (size_t)i + 1);
		ck_assert_msg(
		    config_header_same(&headers.list[i].scope, &rows[i].scope),
		    "%s", rows[i].text);
		ck_assert_int_eq(headers.list[i].line, i + 1);
	}
	ck_assert_int_eq(mistakes.count, 0);
	ck_assert_uint_eq(headers.rule_count, 3);
	ck_assert_int_eq(config_header_rule_line(&headers, 0), 5);
	ck_assert_int_eq(config_header_rule_line(&headers, 1), 6);
	ck_assert_int_eq(config_header_rule_line(&headers, 3), 0);
	config_header_free(&headers);
	fclose(mistakes.err);
	free(said);
}
END_TEST

START_TEST(a_header_that_stands_twice_is_reported)
{
	struct config_headers headers = {.count = 0};
	struct config_mistakes mistakes = listen();

	ck_assert_int_eq(add(&headers, "[rule a]", 3, &mistakes), 1);
	ck_assert_int_eq(add(&headers, "[rule a message]", 4, &mistakes), 1);
	ck_assert_int_eq(mistakes.count, 0);
	ck_assert_int_eq(add(&headers, "[rule a]", 7, &mistakes), 1);
	ck_assert_int_eq(mistakes.count, 1);
	fclose(mistakes.err);
	ck_assert_str_eq(
	    said, "x.conf:7: this section stands here and on line 3\n");
	free(said);
	config_header_free(&headers);
}
END_TEST

START_TEST(a_bad_header_is_not_added)
{
	struct config_headers headers = {.count = 0};
	struct config_mistakes mistakes = listen();

	ck_assert_int_eq(add(&headers, "[rule a avatar]", 1, &mistakes), 0);
	ck_assert_int_eq(add(&headers, "[log] x", 2, &mistakes), 0);
	ck_assert_int_eq(mistakes.count, 2);
	ck_assert_uint_eq(headers.count, 0);
	ck_assert_uint_eq(headers.rule_count, 0);
	fclose(mistakes.err);
	free(said);
	config_header_free(&headers);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_header");
	TCase *tc = tcase_create("config_header");

	tcase_add_test(tc, each_header_names_a_scope);
	tcase_add_test(tc, a_header_that_stands_twice_is_reported);
	tcase_add_test(tc, a_bad_header_is_not_added);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
