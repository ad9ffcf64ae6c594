#include "schema/network_fs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "tests/suite.h"

static const struct {
	uint32_t f_type;
	int verdict;
	const char *name;
} cases[] = {
    {0x6969, 1, "NFS"},
    {0x517b, 1, "SMB"},
    {0xff534d42, 1, "CIFS"},
    {0xfe534d42, 1, "SMB2"},
    {0x00c36400, 1, "Ceph"},
    {0x0bd00bd0, 1, "Lustre"},
    {0x01161970, 1, "GFS2"},
    {0x7461636f, 1, "OCFS2"},
    {0x5346414f, 1, "AFS"},
    {0x6b414653, 1, "AFS"},
    {0x01021997, 1, "9p"},
    {0x65735546, -1, "FUSE"},
    {0xef53, 0, NULL},     /* ext2, 3, 4 */
    {0x58465342, 0, NULL}, /* XFS */
    {0x9123683e, 0, NULL}, /* btrfs */
    {0x01021994, 0, NULL}, /* tmpfs */
    {0x794c7630, 0, NULL}, /* overlayfs */
    {0x2fc12fc1, 0, NULL}, /* ZFS */
    {0, 0, NULL},
};

START_TEST(network_file_systems_are_told_from_local_ones)
{
	const char *name = "unset";

	ck_assert_int_eq(
	    network_fs_judge(cases[_i].f_type, &name), cases[_i].verdict);
	ck_assert_pstr_eq(name, cases[_i].name);
}
END_TEST

START_TEST(proc_is_not_taken_for_a_network)
{
	const char *name;
	struct statfs fs;

	ck_assert_int_eq(statfs("/proc", &fs), 0);
	ck_assert_int_eq(network_fs_judge((uint32_t)fs.f_type, &name), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("network_fs");
	TCase *tc = tcase_create("network_fs");

	tcase_add_loop_test(
	    tc, network_file_systems_are_told_from_local_ones, 0, COUNT(cases));
	tcase_add_test(tc, proc_is_not_taken_for_a_network);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
