/* The link and its server; tests/component/link_manager_test.c has the link and
 * the service manager. */
#include "component/link.h"

#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/component/link_fixture.h"
#include "tests/suite.h"

/* More than the kernel keeps for both directions of a connection. */
#define FLOOD_MAX ((size_t)64 << 20)

/* ---- options: this stands before the C library's ---- */

/* Of the link's process, of each option of TCP by its number; or NULL. */
static int *tcp_options;
#define TCP_OPTIONS 64

int
setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (tcp_options != NULL && level == IPPROTO_TCP && option < TCP_OPTIONS)
		memcpy(&tcp_options[option], value, sizeof(int));
	return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

static void
set_up_watched(void)
{
	tcp_options = mmap(NULL, TCP_OPTIONS * sizeof(int),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(tcp_options, MAP_FAILED);
	set_up();
}

START_TEST(no_answer_waits_for_an_acknowledgement)
{
	ping(accept_login(), 1);
	ck_assert_int_eq(tcp_options[TCP_NODELAY], 1);
}
END_TEST

START_TEST(a_server_that_vanishes_is_noticed_within_two_minutes)
{
	ping(accept_login(), 1);
	ck_assert_int_eq(tcp_options[TCP_USER_TIMEOUT], 60000);
	ck_assert_int_gt(tcp_options[TCP_KEEPIDLE], 0);
	ck_assert_int_le(
	    tcp_options[TCP_KEEPIDLE] +
		tcp_options[TCP_KEEPINTVL] * tcp_options[TCP_KEEPCNT],
	    120);
}
END_TEST

/* ---- what the server says, and when ---- */

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

START_TEST(what_a_lost_connection_asked_is_not_answered_on_the_next)
{
	int fd = accept_login();
	char text[300], got[4096] = "";
	size_t len = 0;

	ping(fd, 1);
	snprintf(text, sizeof(text), PING "</stream:stream>", 7);
	say(fd, text);
	close(fd);
	fd = accept_login();
	snprintf(text, sizeof(text), PING, 8);
	say(fd, text);
	while (strstr(got, "id='8'") == NULL) {
		await(fd);
		ssize_t n = read(fd, got + len, sizeof(got) - 1 - len);
		ck_assert_int_gt(n, 0);
		len += (size_t)n;
	}
	ck_assert_ptr_null(strstr(got, "id='7'"));
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

int
main(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = tcase_create("link");
	TCase *options = tcase_create("options");

	tcase_add_checked_fixture(options, set_up_watched, tear_down);
	tcase_add_test(options, no_answer_waits_for_an_acknowledgement);
	tcase_add_test(
	    options, a_server_that_vanishes_is_noticed_within_two_minutes);
	suite_add_tcase(suite, options);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_burst_is_answered_to_its_end);
	tcase_add_test(tc, what_comes_while_an_answer_leaves_is_answered);
	tcase_add_test(tc, a_server_that_takes_no_answers_is_not_listened_to);
	tcase_add_test(tc, a_stanza_in_pieces_is_answered);
	tcase_add_loop_test(
	    tc, a_lost_connection_is_made_again, 0, COUNT(losses));
	tcase_add_test(
	    tc, what_a_lost_connection_asked_is_not_answered_on_the_next);
	tcase_add_test(tc, a_refused_secret_is_not_tried_again_at_once);
	tcase_add_test(tc, an_idle_link_does_not_wake_up);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
