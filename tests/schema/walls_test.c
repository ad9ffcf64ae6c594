#include "schema/walls.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/random.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/config.h"
#include "tests/temporary.h"
#include "tests/suite.h"

/* Each test is a process of its own, which nothing gets out of its walls. A
 * leak checker would have to: it is the one tool that these tests go without.
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static char top[] = "/tmp/putslot-walls-XXXXXX";
static char directory[] = "/tmp/putslot-walls-XXXXXX/XXXXXX"; /* in it */
static const struct config both = {.landlock = true, .seccomp = true};
static long abi; /* of the kernel's Landlock */

/* Where things are; a file of this name exists in each of the directories. */
static char store[PATH_MAX], bodies[PATH_MAX], outside[PATH_MAX],
    database[PATH_MAX];

static const char *
in(const char *where, const char *name)
{
	static char path[2 * PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", where, name);

	ck_assert(len > 0 && (size_t)len < sizeof(path));
	return path;
}

static void
make_file(const char *where, const char *name)
{
	int fd = open(in(where, name), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "text", 4), 4);
	close(fd);
}

static void
make_directory(char path[PATH_MAX], const char *name)
{
	ck_assert_int_lt(
	    snprintf(path, PATH_MAX, "%s/%s", directory, name), PATH_MAX);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	make_file(path, "there");
}

static void
set_up(void)
{
	static char shard[PATH_MAX];

	memcpy(directory, top, strlen(top));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	make_directory(store, "store");
	make_directory(bodies, "bodies");
	make_directory(outside, "outside");
	make_directory(shard, "bodies/ab");
	ck_assert_int_lt(
	    snprintf(database, PATH_MAX, "%s/there", store), PATH_MAX);
}

/* In the parent: the child cannot, once it has its walls. */
static void
make_top(void)
{
	ck_assert_ptr_nonnull(mkdtemp(top));
}

static void
remove_top(void)
{
	temporary_remove(top);
}

static struct walls
walls_of_web(void)
{
	return (struct walls){.database = database, .bodies = bodies};
}

static void
raise_for_web(void)
{
	const struct walls walls = walls_of_web();

	walls_raise(&both, &walls);
}

/* 0 or errno */
static int
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);
	int error = fd == -1 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* ---- Landlock ---- */

START_TEST(database_and_bodies_stay_usable)
{
	raise_for_web();
	ck_assert_int_eq(opens(database, O_RDWR), 0);
	ck_assert_int_eq(opens(database, O_RDWR | O_TRUNC), 0);
	ck_assert_int_eq(opens(in(store, "there-wal"), O_RDWR | O_CREAT), 0);
	ck_assert_int_eq(unlink(in(store, "there-wal")), 0);
	ck_assert_int_eq(opens(store, O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(opens(in(bodies, "there"), O_RDONLY), 0);
	ck_assert_int_eq(opens(in(bodies, "new"), O_WRONLY | O_CREAT), 0);
	ck_assert_int_eq(mkdir(in(bodies, "cd"), 0700), 0);
	ck_assert_int_eq(opens(in(bodies, "cd"), O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(unlink(in(bodies, "new")), 0);
}
END_TEST

START_TEST(a_nameless_file_gets_its_name)
{
	char path[64];
	int fd;

	raise_for_web();
	fd = open(in(bodies, "ab"), O_TMPFILE | O_WRONLY, 0600);
	ck_assert(fd >= 0 || errno == EOPNOTSUPP);
	if (fd == -1)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(linkat(AT_FDCWD, path, AT_FDCWD,
			     in(bodies, "ab/token"), AT_SYMLINK_FOLLOW),
	    0);
}
END_TEST

START_TEST(a_file_is_linked_from_one_directory_of_bodies_to_another)
{
	char from[2 * PATH_MAX];

	raise_for_web();
	snprintf(from, sizeof(from), "%s", in(bodies, "there"));
	ck_assert_int_eq(link(from, in(bodies, "ab/token")), 0);
}
END_TEST

START_TEST(the_room_of_a_directory_out_of_reach_can_be_asked_for)
{
	const struct walls walls = {.database = database, .port = 5347};
	struct statvfs fs;

	walls_raise(&both, &walls);
	ck_assert_int_eq(statvfs(bodies, &fs), 0);
	ck_assert_int_gt((int)fs.f_frsize, 0);
}
END_TEST

static const struct {
	const char *path; /* absolute, or in outside */
	int flags;
} out_of_reach[] = {
    {"/etc/passwd", O_RDONLY},
    {"/etc", O_RDONLY | O_DIRECTORY},
    {"/proc/self/environ", O_RDONLY},
    {"there", O_RDONLY},
    {"there", O_WRONLY},
    {"new", O_WRONLY | O_CREAT},
    {".", O_TMPFILE | O_WRONLY},
    {".", O_RDONLY | O_DIRECTORY},
};

START_TEST(what_is_elsewhere_is_out_of_reach)
{
	const char *path = out_of_reach[_i].path;

	if (*path != '/')
		path = in(outside, path);
	raise_for_web();
	ck_assert_int_eq(opens(path, out_of_reach[_i].flags), EACCES);
}
END_TEST

START_TEST(a_file_of_the_store_cannot_be_taken_out_of_it)
{
	char to[2 * PATH_MAX];

	raise_for_web();
	snprintf(to, sizeof(to), "%s", in(outside, "taken"));
	ck_assert_int_eq(rename(in(bodies, "there"), to), -1);
	ck_assert_int_eq(errno, EACCES);
}
END_TEST

START_TEST(truncation_needs_leave_where_landlock_knows_of_it)
{
	raise_for_web();
	ck_assert_int_eq(truncate(in(outside, "there"), 0), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(truncate(database, 0), 0);
}
END_TEST

START_TEST(of_the_socket_nothing_is_left_but_to_remove_it)
{
	const char *socket = in(outside, "there");
	struct walls walls = walls_of_web();
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s", socket);
	walls.socket = path;
	walls_raise(&both, &walls);
	ck_assert_int_eq(opens(path, O_RDONLY), EACCES);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_database_that_is_a_link_is_used_where_it_lies)
{
	struct walls walls = walls_of_web();
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s", in(outside, "link"));
	ck_assert_int_eq(symlink(database, path), 0);
	walls.database = path;
	walls_raise(&both, &walls);
	ck_assert_int_eq(opens(path, O_RDWR), 0);
	ck_assert_int_eq(opens(in(store, "there-wal"), O_RDWR | O_CREAT), 0);
	ck_assert_int_eq(opens(in(outside, "there"), O_RDONLY), EACCES);
}
END_TEST

START_TEST(a_resolver_reads_what_it_likes_and_writes_nothing)
{
	struct walls walls = walls_of_web();

	walls.resolves = true;
	walls_raise(&both, &walls);
	ck_assert_int_eq(opens("/etc/passwd", O_RDONLY), 0);
	ck_assert_int_eq(opens("/etc", O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(opens(in(outside, "there"), O_WRONLY), EACCES);
}
END_TEST

START_TEST(devices_take_no_orders)
{
	int bits, fd;

	raise_for_web();
	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, RNDGETENTCNT, &bits), -1);
	ck_assert_int_eq(errno, EACCES);
	close(fd);
}
END_TEST

/* 0 or errno of connecting to a port that nobody listens on */
static int
connects(in_port_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	ck_assert_int_ge(fd, 0);
	rc = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc == 0 ? 0 : errno;
}

START_TEST(the_component_reaches_one_port_alone)
{
	const struct walls walls = {.database = database, .port = 1};

	walls_raise(&both, &walls);
	ck_assert_int_eq(connects(1), ECONNREFUSED);
	ck_assert_int_eq(connects(2), abi >= 4 ? EACCES : ECONNREFUSED);
}
END_TEST

START_TEST(another_process_gets_no_signal)
{
	raise_for_web();
	ck_assert_int_eq(kill(getpid(), 0), 0);
	ck_assert_int_eq(kill(getppid(), 0), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* ---- both ---- */

START_TEST(no_program_can_be_started)
{
	const struct config only[] = {{.landlock = true}, {.seccomp = true}};
	const struct walls walls = walls_of_web();

	walls_raise(&only[_i], &walls);
	execl("/bin/true", "true", (char *)NULL);
	ck_assert_int_eq(errno, _i == 0 ? EACCES : EPERM);
}
END_TEST

/* ---- seccomp ---- */

START_TEST(only_local_sockets_can_be_made)
{
	raise_for_web();
	ck_assert_int_eq(socket(AF_INET, SOCK_DGRAM, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(socket(AF_NETLINK, SOCK_RAW, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_ge(socket(AF_UNIX, SOCK_STREAM, 0), 0);
}
END_TEST

static const long needless[] = {SYS_execve, SYS_execveat, SYS_ptrace,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp,
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_unshare, SYS_setns,
    SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_move_mount,
    SYS_open_tree, SYS_mount_setattr, SYS_name_to_handle_at,
    SYS_open_by_handle_at, SYS_fanotify_init, SYS_quotactl, SYS_bpf,
    SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup,
    SYS_io_uring_enter, SYS_io_uring_register, SYS_add_key, SYS_request_key,
    SYS_keyctl, SYS_personality, SYS_mbind, SYS_set_mempolicy,
    SYS_migrate_pages, SYS_move_pages, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff,
    SYS_acct, SYS_syslog, SYS_vhangup, SYS_sethostname, SYS_setdomainname,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime};

/* With these arguments none of them would do anything. */
START_TEST(system_calls_that_no_program_makes_are_refused)
{
	setsid(); /* there is no terminal for vhangup to take */
	raise_for_web();
	ck_assert_int_eq(syscall(needless[_i], -1, -1, -1, -1, -1, -1), -1);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* ---- neither ---- */

START_TEST(without_either_the_process_keeps_to_itself)
{
	const struct config none = {0};
	const struct walls walls = walls_of_web();

	walls_raise(&none, &walls);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	ck_assert_int_eq(opens("/etc/passwd", O_RDONLY), 0);
	ck_assert_int_eq(opens(in(outside, "there"), O_RDWR), 0);
	ck_assert_int_ge(socket(AF_INET, SOCK_DGRAM, 0), 0);
}
END_TEST

START_TEST(a_wall_that_cannot_be_raised_harms_nobody)
{
	const struct config config = {.landlock = true};
	const struct walls walls = {.database = "/nowhere/putslot.db"};

	walls_raise(&config, &walls);
	ck_assert_int_eq(opens("/etc/passwd", O_RDONLY), 0);
}
END_TEST

/* As on a kernel that was built without it, or in a container whose filter
 * does not know it. */
static void
take_landlock_away(int error)
{
	struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(unsigned)offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		(unsigned)SYS_landlock_create_ruleset, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
	    .len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static const int absences[] = {ENOSYS, EOPNOTSUPP, EPERM};

START_TEST(a_kernel_without_landlock_leaves_the_other_wall)
{
	take_landlock_away(absences[_i]);
	raise_for_web();
	ck_assert_int_eq(opens("/etc/passwd", O_RDONLY), 0);
	ck_assert_int_eq(opens(database, O_RDWR), 0);
	ck_assert_int_eq(socket(AF_INET, SOCK_DGRAM, 0), -1);
}
END_TEST

static void
add_landlock(TCase *tc)
{
	tcase_add_loop_test(
	    tc, what_is_elsewhere_is_out_of_reach, 0, COUNT(out_of_reach));
	tcase_add_test(tc, a_file_of_the_store_cannot_be_taken_out_of_it);
	tcase_add_test(tc, of_the_socket_nothing_is_left_but_to_remove_it);
	tcase_add_test(tc, a_database_that_is_a_link_is_used_where_it_lies);
	tcase_add_test(tc, a_resolver_reads_what_it_likes_and_writes_nothing);
	tcase_add_test(tc, the_component_reaches_one_port_alone);
	if (abi >= 3)
		tcase_add_test(
		    tc, truncation_needs_leave_where_landlock_knows_of_it);
	if (abi >= 5)
		tcase_add_test(tc, devices_take_no_orders);
	if (abi >= 6)
		tcase_add_test(tc, another_process_gets_no_signal);
}

int
main(void)
{
	Suite *suite = suite_create("walls");
	TCase *tc = tcase_create("walls");

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	tcase_add_unchecked_fixture(tc, make_top, remove_top);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, database_and_bodies_stay_usable);
	tcase_add_test(tc, a_nameless_file_gets_its_name);
	tcase_add_test(
	    tc, a_file_is_linked_from_one_directory_of_bodies_to_another);
	tcase_add_test(
	    tc, the_room_of_a_directory_out_of_reach_can_be_asked_for);
	if (abi >= 2)
		add_landlock(tc);
	else
		printf("no Landlock here: its tests are left out\n");
	tcase_add_loop_test(tc, no_program_can_be_started, abi >= 2 ? 0 : 1, 2);
	tcase_add_test(tc, only_local_sockets_can_be_made);
	tcase_add_loop_test(tc, system_calls_that_no_program_makes_are_refused,
	    0, COUNT(needless));
	tcase_add_loop_test(tc, a_kernel_without_landlock_leaves_the_other_wall,
	    0, COUNT(absences));
	tcase_add_test(tc, without_either_the_process_keeps_to_itself);
	tcase_add_test(tc, a_wall_that_cannot_be_raised_harms_nobody);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
