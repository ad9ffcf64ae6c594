#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "component/url.h"
#include "schema/store.h"
#include "tests/suite.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define SECRET "234567abcdefghijklmnopqrst"

static const struct {
	const char *name;
	const char *encoded;
} cases[] = {
    {"hi.jpg", "hi.jpg"},
    {"tr\xc3\xa8s cool.jpg", "tr%C3%A8s%20cool.jpg"}, /* listing 6 */
    {"a+b&c=d?e#f.txt", "a%2Bb%26c%3Dd%3Fe%23f.txt"},
    {"100%.txt", "100%25.txt"},
    {"a~b-c_d.e", "a~b-c_d.e"},
    {"\xf0\x9f\x98\x80", "%F0%9F%98%80"},
};

START_TEST(a_put_url_has_token_secret_and_encoded_name)
{
	char expected[256] = "https://example.org/u/" TOKEN "/" SECRET "/";
	char *url =
	    url_put("https://example.org/u/", TOKEN, SECRET, cases[_i].name);

	snprintf(expected + strlen(expected), 100, "%s", cases[_i].encoded);
	ck_assert_str_eq(url, expected);
	free(url);
}
END_TEST

START_TEST(a_get_url_has_no_secret)
{
	char expected[256] = "https://example.org/d/" TOKEN "/";
	char *url = url_get("https://example.org/d/", TOKEN, cases[_i].name);

	snprintf(expected + strlen(expected), 100, "%s", cases[_i].encoded);
	ck_assert_str_eq(url, expected);
	free(url);
}
END_TEST

START_TEST(a_public_url_is_a_path_and_a_name)
{
	char expected[256] = "https://example.org/f/";
	char *url = url_public("https://example.org/f/", TOKEN, cases[_i].name);

	snprintf(expected + strlen(expected), 200, "%.2s/" TOKEN "/%s", TOKEN,
	    cases[_i].encoded);
	ck_assert_str_eq(url, expected);
	free(url);
}
END_TEST

START_TEST(the_longest_name_fits)
{
	char name[STORE_NAME_MAX + 1];
	char *url;

	memset(name, ' ', STORE_NAME_MAX);
	name[STORE_NAME_MAX] = '\0';
	url = url_get("https://example.org/", TOKEN, name);
	ck_assert_uint_eq(strlen(url),
	    strlen("https://example.org/" TOKEN "/") + 3 * STORE_NAME_MAX);
	free(url);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("url");
	TCase *tc = tcase_create("url");

	tcase_add_loop_test(
	    tc, a_put_url_has_token_secret_and_encoded_name, 0, COUNT(cases));
	tcase_add_loop_test(tc, a_get_url_has_no_secret, 0, COUNT(cases));
	tcase_add_loop_test(
	    tc, a_public_url_is_a_path_and_a_name, 0, COUNT(cases));
	tcase_add_test(tc, the_longest_name_fits);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
