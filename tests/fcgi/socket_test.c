#include "fcgi/socket.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/suite.h"

static char dir[80];
static char path[100];
static struct socket_file *ours;

static void
set_up(void)
{
	snprintf(dir, sizeof(dir), "/tmp/socket.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fcgi.sock", dir);
	umask(077);
	ours = NULL;
}

static void
tear_down(void)
{
	socket_close(ours);
	unlink(path);
	rmdir(dir);
}

/* Whether somebody accepts at the path. */
static bool
answers(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc;

	memcpy(address.sun_path, path, strlen(path) + 1);
	rc = connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
	return rc == 0;
}

/* What a killed instance leaves: the file, and nobody who listens. */
static void
leave_stale(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

START_TEST(a_new_socket_answers_and_has_its_mode)
{
	struct stat st;

	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), 1);
	ck_assert(answers());
	ck_assert(socket_listens(socket_descriptor(ours)));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0660);
}
END_TEST

/* Fills the queue of a listener that accepts nobody. */
static int
open_busy(int clients[3])
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(
	    bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 0), 0);
	for (int i = 0; i < 3; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(clients[i], (struct sockaddr *)&address,
			sizeof(address)) == -1)
			ck_assert_int_eq(errno, EAGAIN);
	}
	return listener;
}

START_TEST(one_that_is_too_busy_to_answer_is_not_replaced_nor_waited_for)
{
	int clients[3];
	int listener = open_busy(clients);

	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), -1);
	ck_assert_int_eq(access(path, F_OK), 0);
	for (int i = 0; i < 3; i++)
		close(clients[i]);
	close(listener);
}
END_TEST

START_TEST(closing_removes_the_file)
{
	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), 1);
	socket_close(ours);
	ours = NULL;
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	leave_stale();
	ck_assert(!answers());
	ck_assert_int_eq(socket_listen(path, 0600, NULL, &ours), 1);
	ck_assert(answers());
}
END_TEST

START_TEST(a_live_socket_is_not_stolen)
{
	struct socket_file *thief;

	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), 1);
	ck_assert_int_eq(socket_listen(path, 0660, NULL, &thief), -1);
	ck_assert_ptr_null(thief);
	ck_assert(answers());
}
END_TEST

START_TEST(a_file_of_another_kind_is_left_alone)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), -1);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_successors_socket_is_not_removed)
{
	struct socket_file *next;

	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), 1);
	unlink(path);
	ck_assert_int_eq(socket_listen(path, 0660, NULL, &next), 1);
	socket_close(ours);
	ours = next;
	ck_assert(answers());
}
END_TEST

START_TEST(an_unknown_group_is_refused_and_leaves_nothing)
{
	ck_assert_int_eq(socket_listen(path, 0660, "no such group", &ours), -1);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(a_path_that_does_not_fit_is_refused)
{
	char longer[200];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(socket_listen(longer, 0660, NULL, &ours), -1);
	ck_assert_int_eq(socket_listen("", 0660, NULL, &ours), -1);
}
END_TEST

START_TEST(a_unix_socket_is_told_from_others)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(socket_listen(path, 0660, NULL, &ours), 1);
	ck_assert(socket_is_unix(socket_descriptor(ours)));
	ck_assert_int_eq(listen(tcp, 1), 0); /* at a port of the kernel's */
	ck_assert(socket_listens(tcp));
	ck_assert(!socket_is_unix(tcp));
	ck_assert(!socket_is_unix(-1));
	close(tcp);
}
END_TEST

START_TEST(other_descriptors_do_not_listen)
{
	int pair[2], pipes[2], file = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert(!socket_listens(pair[0]));
	ck_assert(!socket_listens(pipes[0]));
	ck_assert(!socket_listens(file));
	ck_assert(!socket_listens(-1));
}
END_TEST

static const struct {
	const char *pid; /* "me": this process; NULL: not set */
	const char *fds;
	int descriptor;
} systemd[] = {
    {"me", "1", 3},
    {"me", "2", 3},
    {"me", "0", -1},
    {"me", NULL, -1},
    {"me", "one", -1},
    {"me", "-1", -1},
    {"1", "1", -1},
    {"", "1", -1},
    {NULL, "1", -1},
    {NULL, NULL, -1},
};

START_TEST(systemds_socket_is_for_this_process_alone)
{
	char pid[20];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	if (systemd[_i].pid)
		setenv("LISTEN_PID",
		    strcmp(systemd[_i].pid, "me") ? systemd[_i].pid : pid, 1);
	if (systemd[_i].fds)
		setenv("LISTEN_FDS", systemd[_i].fds, 1);
	ck_assert_int_eq(socket_from_systemd(), systemd[_i].descriptor);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("socket");
	TCase *tc = tcase_create("socket");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_new_socket_answers_and_has_its_mode);
	tcase_add_test(tc, closing_removes_the_file);
	tcase_add_test(tc, a_stale_socket_is_replaced);
	tcase_add_test(tc, a_live_socket_is_not_stolen);
	tcase_add_test(
	    tc, one_that_is_too_busy_to_answer_is_not_replaced_nor_waited_for);
	tcase_add_test(tc, a_file_of_another_kind_is_left_alone);
	tcase_add_test(tc, a_successors_socket_is_not_removed);
	tcase_add_test(tc, an_unknown_group_is_refused_and_leaves_nothing);
	tcase_add_test(tc, a_path_that_does_not_fit_is_refused);
	tcase_add_test(tc, a_unix_socket_is_told_from_others);
	tcase_add_test(tc, other_descriptors_do_not_listen);
	tcase_add_loop_test(
	    tc, systemds_socket_is_for_this_process_alone, 0, COUNT(systemd));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
