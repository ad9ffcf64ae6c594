#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "component/notify.h"
#include "tests/suite.h"

static char directory[] = "/tmp/notify_test.XXXXXX";
static char path[64];
static int manager = -1;

/* Binds the service manager's end: name is a path, or '@' and a name. */
static void
listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(
	    bind(manager, (const struct sockaddr *)&address, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
}

static void
tear_down(void)
{
	if (manager >= 0)
		close(manager);
	unlink(path);
	rmdir(directory);
}

static void
expect(const char *state)
{
	char got[64] = "";

	ck_assert_int_eq(
	    recv(manager, got, sizeof(got) - 1, 0), (ssize_t)strlen(state));
	ck_assert_str_eq(got, state);
}

START_TEST(a_state_arrives_at_a_socket_with_a_path)
{
	listen_at(path);
	ck_assert_int_eq(notify_send("READY=1"), 1);
	expect("READY=1");
}
END_TEST

START_TEST(a_state_arrives_at_an_abstract_socket)
{
	char name[64];

	snprintf(name, sizeof(name), "@putslot-notify-test-%d", (int)getpid());
	listen_at(name);
	ck_assert_int_eq(notify_send("STOPPING=1"), 1);
	expect("STOPPING=1");
}
END_TEST

START_TEST(without_a_manager_nothing_is_sent)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(notify_send("READY=1"), 0);
}
END_TEST

START_TEST(a_manager_that_cannot_be_reached_is_a_failure)
{
	char name[300];

	setenv("NOTIFY_SOCKET", path, 1); /* nobody listens there */
	ck_assert_int_eq(notify_send("READY=1"), -1);
	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(notify_send("READY=1"), -1);
	memset(name, '/', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	ck_assert_int_eq(notify_send("READY=1"), -1);
}
END_TEST

static const struct {
	const char *usec;
	int64_t ms;
} periods[] = {
    {"30000000", 15000},
    {"2000", 1},
    {"1", 1},
    {"0", -1},
    {"", -1},
    {"-5", -1},
    {"soon", -1},
};

START_TEST(the_watchdog_is_fed_at_half_its_period)
{
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", periods[_i].usec, 1);
	ck_assert_int_eq(notify_watchdog_ms(), periods[_i].ms);
}
END_TEST

START_TEST(a_watchdog_of_another_process_is_not_fed)
{
	char pid[32];

	unsetenv("WATCHDOG_USEC");
	ck_assert_int_eq(notify_watchdog_ms(), -1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert_int_eq(notify_watchdog_ms(), 15000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid() + 1);
	setenv("WATCHDOG_PID", pid, 1);
	ck_assert_int_eq(notify_watchdog_ms(), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_state_arrives_at_a_socket_with_a_path);
	tcase_add_test(tc, a_state_arrives_at_an_abstract_socket);
	tcase_add_test(tc, without_a_manager_nothing_is_sent);
	tcase_add_test(tc, a_manager_that_cannot_be_reached_is_a_failure);
	tcase_add_loop_test(
	    tc, the_watchdog_is_fed_at_half_its_period, 0, COUNT(periods));
	tcase_add_test(tc, a_watchdog_of_another_process_is_not_fed);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
