#include "fcgi/digest.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/log.h"
#include "tests/suite.h"
#include "tests/temporary.h"

#define LARGE (9 << 20) /* more than a piece */

static unsigned char data[LARGE], expected[STORE_SHA256_LEN];

static void
set_up(void)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
}

static int
file_of(size_t len)
{
	int fd = open(temporary_base(), O_TMPFILE | O_RDWR, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(
	    EVP_Digest(data, len, expected, NULL, EVP_sha256(), NULL), 1);
	return fd;
}

static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 8 << 20, LARGE};

START_TEST(a_file_has_the_digest_of_its_bytes)
{
	unsigned char sha256[STORE_SHA256_LEN];
	int fd = file_of(sizes[_i]);

	ck_assert_int_eq(digest_file(fd, sha256), 1);
	ck_assert_mem_eq(sha256, expected, sizeof(sha256));
	close(fd);
}
END_TEST

START_TEST(the_position_in_a_file_neither_counts_nor_changes)
{
	unsigned char sha256[STORE_SHA256_LEN];
	int fd = file_of(100);

	ck_assert_int_eq(lseek(fd, 50, SEEK_SET), 50);
	ck_assert_int_eq(digest_file(fd, sha256), 1);
	ck_assert_mem_eq(sha256, expected, sizeof(sha256));
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 50);
	close(fd);
}
END_TEST

START_TEST(bytes_that_go_by_have_the_same_digest_however_they_are_cut)
{
	unsigned char sha256[STORE_SHA256_LEN];
	struct digest *digest = digest_begin();

	close(file_of(1000));
	ck_assert_ptr_nonnull(digest);
	for (size_t i = 0; i < 1000; i += 100)
		ck_assert_int_eq(digest_add(digest, data + i, 100), 1);
	ck_assert_int_eq(digest_end(digest, sha256), 1);
	ck_assert_mem_eq(sha256, expected, sizeof(sha256));
	digest_free(digest);
	digest_free(NULL);
}
END_TEST

START_TEST(what_cannot_be_read_has_no_digest)
{
	unsigned char sha256[STORE_SHA256_LEN];
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	ck_assert_int_eq(digest_file(fd, sha256), -1);
	close(fd);
	ck_assert_int_eq(digest_file(-1, sha256), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("digest");
	TCase *tc = tcase_create("digest");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(
	    tc, a_file_has_the_digest_of_its_bytes, 0, COUNT(sizes));
	tcase_add_test(tc, the_position_in_a_file_neither_counts_nor_changes);
	tcase_add_test(
	    tc, bytes_that_go_by_have_the_same_digest_however_they_are_cut);
	tcase_add_test(tc, what_cannot_be_read_has_no_digest);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
