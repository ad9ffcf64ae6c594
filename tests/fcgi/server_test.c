/* One client after the other; those that are there at the same time are in
 * tests/fcgi/server_threads_test.c. */
#include "fcgi/server.h"

#include "tests/fcgi/server_fixture.h"
#include "tests/suite.h"

#define IDLE 10 /* kept connections, to one thread */

START_TEST(a_request_is_answered_and_its_connection_closed)
{
	int fd;

	start();
	fd = dial();
	ask(fd, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(fd), 204);
	ck_assert(is_closed(fd));
	close(fd);
	stop();
}
END_TEST

START_TEST(a_put_over_a_socket_is_stored)
{
	int64_t size;
	int fd;

	start();
	fd = dial_and_put_half(CLOSE);
	put_rest(fd);
	ck_assert_int_eq(answer(fd), 201);
	close(fd);
	stop();
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 1);
	ck_assert_int_eq(size, SIZE);
	close(fd);
}
END_TEST

START_TEST(an_aborted_put_is_not_stored)
{
	int64_t size;
	int fd;

	start();
	fd = dial_and_put_half(CLOSE);
	close(fd);
	/* the one thread is free again */
	ask_and_check();
	stop();
	ck_assert_int_eq(
	    bodies_read(service.http.bodies, slot.token, &fd, &size), 0);
}
END_TEST

START_TEST(a_request_in_flight_is_finished)
{
	int fd;

	start();
	fd = dial_and_put_half(KEEP);
	usleep(100 * 1000); /* not for readiness: any moment will do */
	kill(getpid(), SIGTERM);
	usleep(100 * 1000);
	put_rest(fd);
	ck_assert_int_eq(answer(fd), 201);
	close(fd);
	wait_for_end();
}
END_TEST

START_TEST(a_kept_connection_serves_again_and_ends_at_a_signal)
{
	int fd;

	start();
	fd = dial();
	for (int i = 0; i < 3; i++) {
		ask(fd, KEEP, "OPTIONS", "/x");
		ck_assert_int_eq(answer(fd), 204);
	}
	begin_put(fd, KEEP);
	send_body(fd, BODY, SIZE);
	send_body(fd, NULL, 0);
	ck_assert_int_eq(answer(fd), 201);
	stop();
	ck_assert(is_closed(fd));
	close(fd);
}
END_TEST

START_TEST(idle_kept_connections_hold_no_thread)
{
	int idle[IDLE];

	start();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < IDLE; i++) {
			if (round == 0)
				idle[i] = dial();
			ask(idle[i], KEEP, "OPTIONS", "/x");
			ck_assert_int_eq(answer(idle[i]), 204);
		}
		ask_and_check();
	}
	stop();
	for (int i = 0; i < IDLE; i++) {
		ck_assert(is_closed(idle[i]));
		close(idle[i]);
	}
}
END_TEST

/* As a web server does that has kept one for long enough. */
START_TEST(a_kept_connection_may_end)
{
	int idle;

	start();
	for (int i = 0; i < IDLE; i++) {
		idle = dial();
		ask(idle, KEEP, "OPTIONS", "/x");
		ck_assert_int_eq(answer(idle), 204);
		close(idle);
		ask_and_check();
	}
	stop();
}
END_TEST

START_TEST(half_a_request_on_a_kept_connection_gives_its_thread_back)
{
	char buf[1000];
	int half;

	service.config.read_timeout = 1;
	start();
	half = dial();
	ask(half, KEEP, "OPTIONS", "/x");
	ck_assert_int_eq(answer(half), 204);
	begin(buf, KEEP, "OPTIONS", "/x", "");
	send_all(half, buf, buf + 20);
	ask_and_check();
	answer(half); /* libfcgi takes what has come for all of it */
	ck_assert(is_closed(half));
	close(half);
	stop();
}
END_TEST

/* The body of a refused PUT holds the records of another request, just behind
 * what libfcgi reads at once: were the connection kept, they would come next
 * and be answered 204. */
START_TEST(an_unread_body_is_never_taken_for_a_request)
{
	const size_t at_once = 8192;
	char buf[10000], body[10000], *body_end, *end;
	size_t padding;
	int fd;

	start();
	fd = dial();
	end = begin(buf, KEEP, "PUT", "/no/such/slot", "5");
	padding = at_once - (size_t)(end - buf) - sizeof(FCGI_Header);
	memset(body, 'x', padding);
	body_end = begin(body + padding, CLOSE, "OPTIONS", "/forged", "");
	body_end = record(body_end, FCGI_STDIN, NULL, 0);
	end = record(end, FCGI_STDIN, body, (size_t)(body_end - body));
	end = record(end, FCGI_STDIN, NULL, 0);
	send_all(fd, buf, end);
	ck_assert_int_eq(answer(fd), 404);
	ck_assert(is_closed(fd));
	close(fd);
	stop();
}
END_TEST

START_TEST(a_body_that_stalls_gives_its_thread_back)
{
	int stalled;

	service.config.read_timeout = 1;
	start();
	stalled = dial_and_put_half(CLOSE);
	ck_assert_int_eq(answer(stalled), 408);
	close(stalled);
	ask_and_check();
	stop();
}
END_TEST

START_TEST(a_listener_that_breaks_ends_the_server)
{
	service.config.threads = 4;
	start();
	ask_and_check();
	shutdown(socket_descriptor(listener), SHUT_RDWR);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(result, -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("server");
	TCase *tc = tcase_create("server");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_request_is_answered_and_its_connection_closed);
	tcase_add_test(tc, a_put_over_a_socket_is_stored);
	tcase_add_test(tc, an_aborted_put_is_not_stored);
	tcase_add_test(tc, a_request_in_flight_is_finished);
	tcase_add_test(tc, a_kept_connection_serves_again_and_ends_at_a_signal);
	tcase_add_test(tc, idle_kept_connections_hold_no_thread);
	tcase_add_test(tc, a_kept_connection_may_end);
	tcase_add_test(
	    tc, half_a_request_on_a_kept_connection_gives_its_thread_back);
	tcase_add_test(tc, an_unread_body_is_never_taken_for_a_request);
	tcase_add_test(tc, a_body_that_stalls_gives_its_thread_back);
	tcase_add_test(tc, a_listener_that_breaks_ends_the_server);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
