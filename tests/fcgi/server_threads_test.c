/* Clients at the same time, and what they share: threads and descriptors. */
#include "fcgi/server.h"

#include <sys/resource.h>

#include "fcgi/gate.h"
#include "tests/fcgi/server_fixture.h"
#include "tests/suite.h"

#define SPARE 64    /* descriptors */
#define MANY 32     /* threads */
#define SLOW_MAX 32 /* clients */

START_TEST(idle_threads_end_at_a_signal)
{
	time_t before = time(NULL);

	service.config.threads = 8;
	start();
	stop();
	ck_assert_int_lt(time(NULL) - before, PATIENCE / 2);
}
END_TEST

START_TEST(threads_serve_side_by_side)
{
	int slow;

	service.config.threads = 2;
	start();
	slow = dial();
	begin_put(slow, CLOSE);
	ask_and_check();
	send_body(slow, BODY, SIZE);
	send_body(slow, NULL, 0);
	ck_assert_int_eq(answer(slow), 201);
	close(slow);
	stop();
}
END_TEST

START_TEST(a_connection_without_a_request_holds_no_thread)
{
	int silent;

	service.config.read_timeout = 2 * PATIENCE;
	start();
	silent = dial();
	ask_and_check();
	ask(silent, CLOSE, "OPTIONS", "/x");
	ck_assert_int_eq(answer(silent), 204);
	close(silent);
	stop();
}
END_TEST

/* The thread that brought it to its end was taken by the next request. */
START_TEST(an_upload_is_answered_though_the_next_client_is_slow)
{
	struct slot other = service_grant(&service, "b", NULL, SIZE);
	int fd, slow;

	service.config.read_timeout = 2 * PATIENCE;
	service.config.durable = false;
	fd = dial();
	begin_put(fd, CLOSE);
	send_body(fd, BODY, SIZE);
	send_body(fd, NULL, 0);
	slot = other;
	slow = dial_and_put_half(CLOSE);
	start();
	ck_assert_int_eq(answer(fd), 201);
	close(fd);
	put_rest(slow);
	ck_assert_int_eq(answer(slow), 201);
	close(slow);
	stop();
}
END_TEST

/* As many as may work at the same time stand still in the middle of a body. */
START_TEST(slow_clients_hold_up_no_others)
{
	size_t slow_ones = gate_places();
	int slow[SLOW_MAX];

	ck_assert_uint_le(slow_ones, SLOW_MAX);
	service.config.threads = (int64_t)slow_ones + 1;
	start();
	for (size_t i = 0; i < slow_ones; i++) {
		slow[i] = dial_and_put_half(CLOSE);
	}
	for (int i = 0; i < 10; i++) {
		ask_and_check();
	}
	for (size_t i = 0; i < slow_ones; i++) {
		put_rest(slow[i]);
		ck_assert_int_eq(answer(slow[i]), i == 0 ? 201 : 409);
		close(slow[i]);
	}
	stop();
}
END_TEST

START_TEST(many_threads_get_the_descriptors_that_they_need)
{
	struct rlimit limit;
	int clients[MANY], stored = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 40; /* systemd's and the shells' is 1024 */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	service.config.threads = MANY;
	start();
	ask_and_check(); /* so it has asked for more */
	for (int i = 0; i < MANY; i++) {
		clients[i] = dial_and_put_half(CLOSE);
	}
	for (int i = 0; i < MANY; i++) {
		put_rest(clients[i]);
		int status = answer(clients[i]);
		ck_assert(status == 201 || status == 409);
		stored += status == 201;
		close(clients[i]);
	}
	ck_assert_int_eq(stored, 1);
	stop();
}
END_TEST

START_TEST(without_descriptors_it_waits_for_some)
{
	struct rlimit limit;
	int client = socket(AF_UNIX, SOCK_STREAM, 0), count = 0;
	int taken[SPARE];

	start();
	ask_and_check(); /* so all that the server opens is open */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = SPARE;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (count < SPARE && (taken[count] = dup(client)) >= 0)
		count++;
	ck_assert_int_lt(count, SPARE);
	reach(client);
	ask(client, CLOSE, "OPTIONS", "/x");
	usleep(50000); /* in which the server is meant to fail */
	while (count > 0)
		close(taken[--count]);
	ck_assert_int_eq(answer(client), 204);
	close(client);
	stop();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("the server's threads");
	TCase *tc = tcase_create("threads");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, idle_threads_end_at_a_signal);
	tcase_add_test(tc, threads_serve_side_by_side);
	tcase_add_test(tc, a_connection_without_a_request_holds_no_thread);
	tcase_add_test(
	    tc, an_upload_is_answered_though_the_next_client_is_slow);
	tcase_add_test(tc, slow_clients_hold_up_no_others);
	tcase_add_test(tc, many_threads_get_the_descriptors_that_they_need);
	tcase_add_test(tc, without_descriptors_it_waits_for_some);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
