#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "component/disk.h"
#include "tests/suite.h"

static int64_t
free_bytes(void)
{
	struct statvfs fs;

	ck_assert_int_eq(statvfs("/tmp", &fs), 0);
	return (int64_t)(fs.f_bavail * fs.f_frsize);
}

/* Others write meanwhile, but not half of what is free. */
#define ck_assert_about(a, b) ck_assert_int_lt(llabs((a) - (b)), (b) / 4)

START_TEST(the_room_is_what_is_free)
{
	ck_assert_about(disk_room("/tmp", 0), free_bytes());
}
END_TEST

START_TEST(the_floor_stays_free)
{
	int64_t half = free_bytes() / 2;

	ck_assert_about(disk_room("/tmp", half), half);
}
END_TEST

START_TEST(below_the_floor_there_is_no_room)
{
	ck_assert_int_eq(disk_room("/tmp", 2 * free_bytes()), 0);
	ck_assert_int_eq(disk_room("/tmp", INT64_MAX - 1), 0);
}
END_TEST

START_TEST(a_disk_that_cannot_be_seen_says_so)
{
	ck_assert_int_eq(disk_room("/nonexistent/bodies", 1), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("disk");
	TCase *tc = tcase_create("room");

	tcase_add_test(tc, the_room_is_what_is_free);
	tcase_add_test(tc, the_floor_stays_free);
	tcase_add_test(tc, below_the_floor_there_is_no_room);
	tcase_add_test(tc, a_disk_that_cannot_be_seen_says_so);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
