/*
 * The test is the XMPP server, and the link runs in a process of its own.
 */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "component/link.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/store.h"
#include "tests/schema/lock.h"
#include "tests/suite.h"
#include "tests/temporary.h"

#define PATIENCE_MS 5000
/* More than the kernel keeps for both directions of a connection. */
#define FLOOD_MAX ((size_t)64 << 20)
#define JID "upload.montague.tld"
#define PING                                              \
	"<iq from='a@b' to='" JID "' id='%d' type='get'>" \
	"<ping xmlns='urn:xmpp:ping'/></iq>"

static char notify_name[64];
static int listener = -1, manager = -1;
static pid_t link_pid = -1;
static struct config config = {
    .jid = (char[]){JID},
    .host = (char[]){"127.0.0.1"},
    .secret = (char[]){"s3cret"},
};

static void
start_link(void)
{
	struct store *store = NULL;
	struct link *link;

	link_pid = fork();
	if (link_pid != 0)
		return;
	log_open("link", LOG_LEVEL_ERROR, false);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	if ((config.database != NULL &&
		store_open(config.database, STORE_GRANT, config.busy_timeout,
		    &store) != 1) ||
	    link_open(&config, store, &link) != 1)
		_exit(7);
	int rc = link_run(link);
	link_close(link);
	store_close(store);
	exit(rc == 1 ? 0 : 8); /* and not _exit: a sanitizer looks for leaks */
}

static int
bound(int domain, int type, const void *address, socklen_t len)
{
	int fd = socket(domain, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, address, len), 0);
	return fd;
}

static void
set_up_server(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(in);

	listener = bound(AF_INET, SOCK_STREAM, &in, sizeof(in));
	ck_assert_int_eq(listen(listener, 8), 0);
	getsockname(listener, (struct sockaddr *)&in, &len);
	config.port = ntohs(in.sin_port);
	snprintf(notify_name, sizeof(notify_name), "@putslot-link-test-%d",
	    (int)getpid());
	memcpy(un.sun_path + 1, notify_name + 1, strlen(notify_name) - 1);
	manager = bound(AF_UNIX, SOCK_DGRAM, &un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			strlen(notify_name)));
	setenv("NOTIFY_SOCKET", notify_name, 1);
	unsetenv("WATCHDOG_USEC");
}

static void
set_up(void)
{
	set_up_server();
	start_link();
}

static void
tear_down(void)
{
	if (link_pid > 0) {
		kill(link_pid, SIGKILL);
		waitpid(link_pid, NULL, 0);
	}
	close(listener);
	close(manager);
}

static void
await(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "nothing came");
}

/* Reads until the text has come; the part before is skipped. */
static void
await_text(int fd, const char *text)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;

	do {
		await(fd);
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		ck_assert_msg(n > 0, "closed, without %s", text);
		len += (size_t)n;
		buf[len] = '\0';
	} while (strstr(buf, text) == NULL);
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void
await_state(const char *state)
{
	char got[64] = "";

	await(manager);
	recv(manager, got, sizeof(got) - 1, 0);
	ck_assert_str_eq(got, state);
}

/* The server's side of XEP-0114 section 3, up to the component's proof. */
static int
accept_link(void)
{
	/* SHA-1 of "77s3cret". */
	const char *digest = "eb42b20466a50244b454b9397e3bdf9425103d04";
	int fd;

	await(listener);
	fd = accept(listener, NULL, NULL);
	await_text(fd, "<stream:stream");
	say(fd, "<?xml version='1.0'?><stream:stream from='" JID "' id='77' "
		"xmlns='jabber:component:accept' "
		"xmlns:stream='http://etherx.jabber.org/streams'>");
	await_text(fd, digest);
	return fd;
}

static int
accept_login(void)
{
	int fd = accept_link();

	say(fd, "<handshake/>");
	return fd;
}

static void
ping(int fd, int id)
{
	char text[256];

	snprintf(text, sizeof(text), PING, id);
	say(fd, text);
	snprintf(text, sizeof(text), "id='%d'", id);
	await_text(fd, text);
}

/* Its exit code. */
static int
await_exit(void)
{
	int status = -1;

	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (waitpid(link_pid, &status, WNOHANG) == link_pid) {
			link_pid = -1;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		poll(NULL, 0, 10);
	}
	ck_abort_msg("it does not exit");
	return -1;
}

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

START_TEST(a_burst_is_answered_to_its_end)
{
	int fd = accept_login();
	char text[256];

	for (int id = 1; id < 200; id++) {
		snprintf(text, sizeof(text), PING, id);
		say(fd, text);
	}
	ping(fd, 200);
}
END_TEST

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The second of two comes after as many steps of half a microsecond: in one
 * of them the link is just about to send the first one's answer. */
START_TEST(what_comes_while_an_answer_leaves_is_answered)
{
	int fd = accept_login();
	char text[256];

	snprintf(text, sizeof(text), PING, 9);
	ping(fd, 1);
	for (int steps = 0; steps < 600; steps++) {
		int64_t end = now_ns() + steps * 500;

		say(fd, text);
		while (now_ns() < end)
			;
		ping(fd, 1000 + steps);
	}
}
END_TEST

/* Sends without reading until the link takes no more; bytes sent. */
static size_t
flood(int fd)
{
	char text[256];
	size_t total = 0;
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	snprintf(text, sizeof(text), PING, 9);
	while (total < FLOOD_MAX && poll(&p, 1, 500) == 1) {
		ssize_t n =
		    send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n != (ssize_t)strlen(text))
			break;
		total += (size_t)n;
	}
	return total;
}

START_TEST(a_server_that_takes_no_answers_is_not_listened_to)
{
	ck_assert_uint_lt(flood(accept_login()), FLOOD_MAX);
}
END_TEST

START_TEST(a_stanza_in_pieces_is_answered)
{
	int fd = accept_login();
	char text[256], piece[2] = "";

	snprintf(text, sizeof(text), PING, 5);
	for (const char *c = text; *c != '\0'; c++) {
		piece[0] = *c;
		say(fd, piece);
	}
	await_text(fd, "id='5'");
}
END_TEST

static const char *const losses[] = {
    "", /* closed without a word */
    "</stream:stream>",
    "<<<",
    "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
    "</stream:error></stream:stream>",
    "<stream:error><system-shutdown "
    "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
};

START_TEST(a_lost_connection_is_made_again)
{
	int fd = accept_login();

	ping(fd, 1);
	say(fd, losses[_i]);
	close(fd);
	fd = accept_login();
	ping(fd, 2);
	kill(link_pid, SIGTERM);
	await_text(fd, "</stream:stream>");
	await_state("READY=1"); /* once for all connections */
	await_state("STOPPING=1");
}
END_TEST

START_TEST(a_refused_secret_is_not_tried_again_at_once)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int fd = accept_link();

	say(fd, "<stream:error><not-authorized "
		"xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
		"</stream:stream>");
	close(fd);
	/* The first wait after any other loss is 1250 ms at most. */
	ck_assert_int_eq(poll(&p, 1, 1500), 0);
	kill(link_pid, SIGTERM);
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

/* How often the link's process has gone to sleep. */
static long
count_sleeps(void)
{
	char path[64], line[128];
	long n = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)link_pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
			n = strtol(line + 24, NULL, 10);
	fclose(file);
	return n;
}

START_TEST(an_idle_link_does_not_wake_up)
{
	int fd = accept_login();
	long before;

	ping(fd, 1);
	poll(NULL, 0, 100); /* until it has gone to sleep */
	before = count_sleeps();
	poll(NULL, 0, 500);
	ck_assert_int_eq(count_sleeps(), before);
	ping(fd, 2);
	/* It does count: after the answer it goes to sleep once more. */
	for (int i = 0; i < PATIENCE_MS && count_sleeps() == before; i++)
		poll(NULL, 0, 1);
	ck_assert_int_gt(count_sleeps(), before);
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
	Suite *suite = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(
	    tc, the_service_manager_hears_of_the_login_and_of_the_end);
	tcase_add_loop_test(
	    tc, a_signal_ends_the_stream_and_then_the_process, 0, 2);
	tcase_add_test(
	    tc, a_server_that_does_not_close_its_stream_does_not_hold_it_up);
	tcase_add_test(tc, a_burst_is_answered_to_its_end);
	tcase_add_test(tc, what_comes_while_an_answer_leaves_is_answered);
	tcase_add_test(tc, a_server_that_takes_no_answers_is_not_listened_to);
	tcase_add_test(tc, a_stanza_in_pieces_is_answered);
	tcase_add_loop_test(
	    tc, a_lost_connection_is_made_again, 0, COUNT(losses));
	tcase_add_test(tc, a_refused_secret_is_not_tried_again_at_once);
	tcase_add_test(tc, a_signal_ends_a_link_that_waits_for_its_server);
	tcase_add_test(tc, an_idle_link_does_not_wake_up);
	suite_add_tcase(suite, tc);
	tc = tcase_create("locked");
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up_database, tear_down_database);
	tcase_add_test(
	    tc, requests_that_wait_for_the_database_do_not_starve_the_watchdog);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
