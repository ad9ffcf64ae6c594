/*
 * What is on the disk at which moment: the syncs of the WAL are counted by
 * functions that stand before the C library's, for SQLite as well.
 */
#include "schema/store.h"

#include <sys/syscall.h>

#include "tests/descriptor.h"
#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

static int wal_syncs;

int
fsync(int fd)
{
	wal_syncs += descriptor_is_wal(fd);
	return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	wal_syncs += descriptor_is_wal(fd);
	return (int)syscall(SYS_fdatasync, fd);
}

static int
note_syncs(void *arg)
{
	*(int *)arg = wal_syncs;
	return 1;
}

START_TEST(a_grant_does_not_wait_for_the_disk)
{
	wal_syncs = 0;
	granted_size(5);
	ck_assert_int_eq(wal_syncs, 0);
}
END_TEST

/* Else a power cut could leave a body whose row never was. */
START_TEST(a_grant_is_on_the_disk_before_its_body_has_a_name)
{
	struct grant_result result = granted_size(5);
	struct store *web = open_store(STORE_DURABLE);
	int before_link = 0;

	wal_syncs = 0;
	ck_assert_int_eq(
	    publish_one(web,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		note_syncs, &before_link),
	    1);
	ck_assert_int_eq(before_link, 1);
	store_close(web);
}
END_TEST

START_TEST(one_sync_does_for_all_grants_before_it)
{
	struct grant_result first = granted_size(5), second = granted_size(5);
	struct store *web = open_store(STORE_DURABLE);
	int before_link = 0;

	publish_one(web, (struct publication){first.id, NOW, fixture_sha256, 0},
	    note_syncs, &before_link);
	wal_syncs = 0;
	ck_assert_int_eq(
	    publish_one(web,
		(struct publication){second.id, NOW, fixture_sha256, 0},
		note_syncs, &before_link),
	    1);
	ck_assert_int_eq(before_link, 0);
	/* and is not taken for one that came after */
	second = granted_size(5);
	wal_syncs = 0;
	ck_assert_int_eq(
	    publish_one(web,
		(struct publication){second.id, NOW, fixture_sha256, 0},
		note_syncs, &before_link),
	    1);
	ck_assert_int_eq(before_link, 1);
	store_close(web);
}
END_TEST

START_TEST(a_publication_is_on_the_disk_when_it_returns)
{
	struct grant_result result = granted_size(5);
	struct store *web = open_store(STORE_DURABLE);
	int before_link = 0;

	ck_assert_int_eq(
	    publish_one(web,
		(struct publication){result.id, NOW, fixture_sha256, 0},
		note_syncs, &before_link),
	    1);
	ck_assert_int_gt(wal_syncs, before_link);
	store_close(web);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("durability");
	TCase *tc = tcase_create("syncs");

	tcase_add_checked_fixture(tc, set_up_store, tear_down_store);
	tcase_add_test(tc, a_grant_does_not_wait_for_the_disk);
	tcase_add_test(tc, a_grant_is_on_the_disk_before_its_body_has_a_name);
	tcase_add_test(tc, one_sync_does_for_all_grants_before_it);
	tcase_add_test(tc, a_publication_is_on_the_disk_when_it_returns);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
