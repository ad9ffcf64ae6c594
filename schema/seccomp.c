#include "schema/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* The system calls of another architecture have other numbers; the filter is
 * of use only where its own is known. */
#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
#define ARCHITECTURE 0
#endif

/* On x86-64, from here on are the numbers of x32. */
#define NUMBERS_END 0x40000000

/*
 * What is refused. Not the other way round, a list of what is needed: that
 * would have to follow each version of the C library, of SQLite and of
 * OpenSSL, and kill the service when it did not. All of these exist on each
 * architecture above.
 */
static const int refused[] = {
    /* other programs, and into other processes */
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    /* another view of the file system, and ways around paths */
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_move_mount,
    SYS_open_tree,
    SYS_mount_setattr,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    SYS_fanotify_init,
    SYS_quotactl,
    /* large parts of the kernel that have had defects */
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_personality,
    SYS_mbind,
    SYS_set_mempolicy,
    SYS_migrate_pages,
    SYS_move_pages,
    /* the machine */
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_syslog,
    SYS_vhangup,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
};

#define REFUSED (sizeof(refused) / sizeof(refused[0]))

/* Each instruction; those that skip do so over the next one. */
#define LOAD(field)                        \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	    (unsigned)offsetof(struct seccomp_data, field))
#define SKIP_IF(value) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 1, 0)
#define SKIP_UNLESS(value) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, 1)
#define SKIP_IF_BELOW(value) \
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)(value), 0, 1)
#define REFUSE BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)EPERM)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static const struct sock_filter head[] = {
    LOAD(arch),
    SKIP_IF(ARCHITECTURE),
    REFUSE,
    LOAD(nr),
    SKIP_IF_BELOW(NUMBERS_END),
    REFUSE,
};

/* The family is the first argument; its low half, on a little-endian machine
 * as all of those above are. */
static const struct sock_filter tail_local[] = {
    SKIP_IF(SYS_socket),
    ALLOW,
    LOAD(args[0]),
    SKIP_IF(AF_UNIX),
    REFUSE,
    ALLOW,
};

static const struct sock_filter tail_network[] = {ALLOW};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONGEST (COUNT(head) + 2 * REFUSED + COUNT(tail_local))

static size_t
append(struct sock_filter *filter, size_t at, const struct sock_filter *part,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		filter[at++] = part[i];
	return at;
}

/* The number of instructions. */
static size_t
write_filter(struct sock_filter filter[LONGEST], bool network)
{
	size_t n = append(filter, 0, head, COUNT(head));

	for (size_t i = 0; i < REFUSED; i++) {
		const struct sock_filter pair[] = {
		    SKIP_UNLESS(refused[i]), REFUSE};

		n = append(filter, n, pair, COUNT(pair));
	}
	return network ? append(filter, n, tail_network, COUNT(tail_network))
		       : append(filter, n, tail_local, COUNT(tail_local));
}

int
seccomp_raise(bool network, const char **why)
{
	struct sock_filter filter[LONGEST];
	struct sock_fprog program = {.filter = filter};

	errno = 0;
	*why = "not made for this architecture";
	if (ARCHITECTURE == 0)
		return 0;
	program.len = (unsigned short)write_filter(filter, network);
	*why = "it cannot be raised";
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
