/* The link and the service manager: readiness, signals and the watchdog. */
#include "component/link.h"

#include "tests/component/link_fixture.h"
#include "tests/schema/lock.h"
#include "tests/suite.h"
#include "tests/temporary.h"

START_TEST(the_service_manager_hears_of_the_login_and_of_the_end)
{
	int fd = accept_link();
	struct pollfd p = {.fd = manager, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 100), 0); /* not before it is accepted */
	say(fd, "<handshake/>");
	await_state("READY=1");
	kill(link_pid, SIGTERM);
	await_state("STOPPING=1");
}
END_TEST

START_TEST(a_signal_ends_the_stream_and_then_the_process)
{
	int fd = accept_login();
	char rest[16];

	ping(fd, 1);
	kill(link_pid, _i == 0 ? SIGTERM : SIGINT);
	await_text(fd, "</stream:stream>");
	say(fd, "</stream:stream>");
	await(fd);
	ck_assert_int_eq(read(fd, rest, sizeof(rest)), 0);
	ck_assert_int_eq(await_exit(), 0);
}
END_TEST

START_TEST(a_server_that_does_not_close_its_stream_does_not_hold_it_up)
{
	int fd = accept_login();

	ping(fd, 1);
	kill(link_pid, SIGTERM);
	await_text(fd, "</stream:stream>");
	ck_assert_int_eq(await_exit(), 0);
}
END_TEST

START_TEST(a_signal_ends_a_link_that_waits_for_its_server)
{
	int fd = accept_link(); /* and no answer to the handshake */

	kill(link_pid, SIGTERM);
	ck_assert_int_eq(await_exit(), 0);
	close(fd);
}
END_TEST

#define BUSY_S 1
#define SLOT                                                               \
	"<iq from='a@b' to='" JID "' id='%d' type='get'><request filename" \
	"='a' size='1' xmlns='urn:xmpp:http:upload:0'/></iq>"

static char database_dir[200], database_path[250];
static struct rule everyone = {.patterns = (char *[]){(char[]){"*"}, NULL}};

static void
set_up_database(void)
{
	ck_assert(temporary_make(database_dir, sizeof(database_dir)));
	snprintf(database_path, sizeof(database_path), "%s/db", database_dir);
	config.database = database_path;
	config.bodies = database_dir;
	config.busy_timeout = BUSY_S;
	config.rules = &everyone;
	config.rule_count = 1;
	everyone.limits[PURPOSE_MESSAGE] = (struct limits){.enabled = true,
	    .max_file_size = 1,
	    .bytes_per_user = 1,
	    .bytes_per_window = 1};
	set_up_server();
	setenv("WATCHDOG_USEC", "200000", 1);
	start_link();
}

static void
tear_down_database(void)
{
	tear_down();
	temporary_remove(database_dir);
}

START_TEST(requests_that_wait_for_the_database_do_not_starve_the_watchdog)
{
	int fd = accept_login();
	struct pollfd p = {.fd = manager, .events = POLLIN};
	char text[3 * sizeof(SLOT)] = "", state[64];
	sqlite3 *lock;

	ping(fd, 1);
	lock = lock_hold(database_path);
	for (int id = 2; id < 5; id++)
		snprintf(
		    text + strlen(text), sizeof(text) - strlen(text), SLOT, id);
	say(fd, text);
	/* Never much longer than one of them waits; two signs are older. */
	for (int signs = 0; signs < 5; signs++) {
		ck_assert_int_eq(poll(&p, 1, BUSY_S * 1500), 1);
		recv(manager, state, sizeof(state), 0);
	}
	await_text(fd, "id='4'");
	sqlite3_close(lock);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("link, managed");
	TCase *tc = tcase_create("managed");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(
	    tc, the_service_manager_hears_of_the_login_and_of_the_end);
	tcase_add_loop_test(
	    tc, a_signal_ends_the_stream_and_then_the_process, 0, 2);
	tcase_add_test(
	    tc, a_server_that_does_not_close_its_stream_does_not_hold_it_up);
	tcase_add_test(tc, a_signal_ends_a_link_that_waits_for_its_server);
	suite_add_tcase(suite, tc);
	tc = tcase_create("locked");
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up_database, tear_down_database);
	tcase_add_test(
	    tc, requests_that_wait_for_the_database_do_not_starve_the_watchdog);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
