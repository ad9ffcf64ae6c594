#include <check.h>
#include <errno.h>
#include <sys/statvfs.h>

#include "component/disk.h"

/* Half of what is free now, so that others may write meanwhile. */
static int64_t
half_of_free(void)
{
	struct statvfs fs;

	ck_assert_int_eq(statvfs("/tmp", &fs), 0);
	return (int64_t)(fs.f_bavail * fs.f_frsize / 2);
}

START_TEST(a_small_file_fits)
{
	ck_assert_int_eq(disk_has_room("/tmp", 1, 0), 1);
}
END_TEST

START_TEST(a_file_larger_than_the_disk_does_not_fit)
{
	ck_assert_int_eq(disk_has_room("/tmp", INT64_MAX - 1, 0), 0);
}
END_TEST

START_TEST(the_floor_stays_free)
{
	int64_t half = half_of_free();

	ck_assert_int_eq(disk_has_room("/tmp", 1, half), 1);
	ck_assert_int_eq(disk_has_room("/tmp", half, 2 * half), 0);
	ck_assert_int_eq(disk_has_room("/tmp", 1, INT64_MAX - 1), 0);
}
END_TEST

START_TEST(a_disk_that_cannot_be_seen_says_so)
{
	ck_assert_int_eq(disk_has_room("/nonexistent/bodies", 1, 0), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("disk");
	TCase *tc = tcase_create("room");

	tcase_add_test(tc, a_small_file_fits);
	tcase_add_test(tc, a_file_larger_than_the_disk_does_not_fit);
	tcase_add_test(tc, the_floor_stays_free);
	tcase_add_test(tc, a_disk_that_cannot_be_seen_says_so);
	suite_add_tcase(suite, tc);

	SRunner *sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	int failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures == 0 ? 0 : 1;
}
