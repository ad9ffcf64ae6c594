#include "schema/network_fs.h"

#include <stddef.h>

/* <linux/magic.h> lacks some of these, and which depends on its age. */
static const struct {
	uint32_t f_type;
	int verdict;
	const char *name;
} kinds[] = {
    {0x00006969, 1, "NFS"},
    {0x0000517b, 1, "SMB"},
    {0xff534d42, 1, "CIFS"},
    {0xfe534d42, 1, "SMB2"},
    {0x00c36400, 1, "Ceph"},
    {0x0bd00bd0, 1, "Lustre"},
    {0x01161970, 1, "GFS2"},
    {0x7461636f, 1, "OCFS2"},
    {0x5346414f, 1, "AFS"},
    {0x6b414653, 1, "AFS"},
    {0x73757245, 1, "Coda"},
    {0x47504653, 1, "GPFS"},
    {0x19830326, 1, "BeeGFS"},
    {0x01021997, 1, "9p"},
    {0x786f4256, 1, "VirtualBox shared folder"},
    {0x65735546, -1, "FUSE"},
};

int
network_fs_judge(uint32_t f_type, const char **name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].f_type == f_type) {
			*name = kinds[i].name;
			return kinds[i].verdict;
		}
	}
	*name = NULL;
	return 0;
}
