#include "schema/token.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suite.h"

START_TEST(a_made_token_is_valid)
{
	char token[TOKEN_LEN + 1];

	ck_assert_int_eq(token_make(token), 1);
	ck_assert_uint_eq(strlen(token), TOKEN_LEN);
	ck_assert(token_valid(token, strlen(token)));
}
END_TEST

START_TEST(tokens_differ_and_use_the_whole_alphabet)
{
	char token[TOKEN_LEN + 1];
	char before[TOKEN_LEN + 1] = "";
	bool seen[256] = {false};
	int letters = 0;

	for (int round = 0; round < 1000; round++) {
		ck_assert_int_eq(token_make(token), 1);
		ck_assert_str_ne(token, before);
		memcpy(before, token, sizeof(before));
		for (int i = 0; i < TOKEN_LEN; i++)
			seen[(unsigned char)token[i]] = true;
	}
	for (int c = 0; c < 256; c++)
		letters += seen[c];
	ck_assert_int_eq(letters, 32);
}
END_TEST

static const struct {
	const char *text;
	size_t len;
	bool valid;
} shapes[] = {
    {"abcdefghijklmnopqrstuvwxyz", 26, true},
    {"234567abcdefghijklmnopqrst", 26, true},
    {"abcdefghijklmnopqrstuvwxyza", 26, true},
    {"abcdefghijklmnopqrstuvwxyza", 27, false},
    {"abcdefghijklmnopqrstuvwxy", 25, false},
    {"", 0, false},
    {"Abcdefghijklmnopqrstuvwxyz", 26, false},
    {"0bcdefghijklmnopqrstuvwxyz", 26, false},
    {"1bcdefghijklmnopqrstuvwxyz", 26, false},
    {"8bcdefghijklmnopqrstuvwxyz", 26, false},
    {"../defghijklmnopqrstuvwxyz", 26, false},
    {"abcdefghijklm%opqrstuvwxyz", 26, false},
    {"abcdefghijklmnopqrstuvwxy\0", 26, false},
};

START_TEST(only_26_characters_of_the_alphabet_are_a_token)
{
	ck_assert(
	    token_valid(shapes[_i].text, shapes[_i].len) == shapes[_i].valid);
}
END_TEST

START_TEST(tokens_are_equal_only_in_every_character)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz";

	ck_assert(token_equal(token, "abcdefghijklmnopqrstuvwxyz"));
	for (int i = 0; i < TOKEN_LEN; i++) {
		char other[TOKEN_LEN + 1];

		memcpy(other, token, sizeof(other));
		other[i] = '7';
		ck_assert(!token_equal(token, other));
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("token");
	TCase *tc = tcase_create("token");

	tcase_add_test(tc, a_made_token_is_valid);
	tcase_add_test(tc, tokens_differ_and_use_the_whole_alphabet);
	tcase_add_loop_test(tc, only_26_characters_of_the_alphabet_are_a_token,
	    0, COUNT(shapes));
	tcase_add_test(tc, tokens_are_equal_only_in_every_character);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
