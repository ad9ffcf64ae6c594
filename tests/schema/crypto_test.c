#include "schema/crypto.h"

#include <check.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "schema/log.h"
#include "tests/suite.h"

/* From here on no allocation of OpenSSL's succeeds. */
static void *
refuse(size_t size, const char *file, int line)
{
	(void)size;
	(void)file;
	(void)line;
	return NULL;
}

static void *
refuse_more(void *old, size_t size, const char *file, int line)
{
	(void)old;
	return refuse(size, file, line);
}

static void
release(void *old, const char *file, int line)
{
	(void)file;
	(void)line;
	free(old);
}

START_TEST(openssl_is_made_ready_and_may_be_so_again)
{
	ck_assert_int_eq(crypto_prepare(), 1);
	ck_assert_int_eq(crypto_prepare(), 1);
}
END_TEST

START_TEST(without_memory_it_says_so_and_does_not_crash)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	ck_assert_int_eq(
	    CRYPTO_set_mem_functions(refuse, refuse_more, release), 1);
	ck_assert_int_eq(crypto_prepare(), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("crypto");
	TCase *tc = tcase_create("start");

	tcase_add_test(tc, openssl_is_made_ready_and_may_be_so_again);
	tcase_add_test(tc, without_memory_it_says_so_and_does_not_crash);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
