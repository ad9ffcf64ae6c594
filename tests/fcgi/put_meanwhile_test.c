/* What others do while a PUT is on its way, or did before. */
#include "fcgi/handlers.h"

#include <check.h>
#include <pthread.h>
#include <sys/resource.h>

#include "tests/fcgi/put_fixture.h"
#include "tests/suite.h"

static void
sleep_past_the_end(void *arg)
{
	struct exchange *x = arg;

	/* two chunks come, the second one too late */
	if (x->body.given > 0)
		usleep(1100 * 1000);
}

START_TEST(a_body_that_outlasts_its_time_is_refused)
{
	struct grant_request request =
	    service_request(&service, "a", NULL, SIZE);
	struct slot brief;
	struct exchange x;

	request.put_window = 1;
	request.upload_timeout = 0;
	brief = service_grant_request(&service, &request);
	open_put(&x, &brief, BODY, SIZE);
	x.body.chunk = 3;
	x.body.at_chunk = sleep_past_the_end;
	x.body.arg = &x;
	ck_assert_int_eq(finish(&x), 408);
}
END_TEST

START_TEST(a_slow_upload_is_dated_by_its_end)
{
	struct exchange x;

	open_put(&x, &slot, BODY, SIZE);
	x.body.chunk = 3;
	x.body.at_chunk = sleep_past_the_end;
	x.body.arg = &x;
	ck_assert_int_eq(finish(&x), 201);
	ck_assert_int_gt(look_up(&slot).stored_at, SERVICE_NOW);
}
END_TEST

static void
disk_fills(void *arg)
{
	(void)arg;
	service.config.min_free = INT64_MAX / 2;
}

/* Others that began beside this one have taken the room that it was shown. */
static void
check_that_it_looks_again(size_t len)
{
	char *data = calloc(1, len);
	struct slot large = service_grant(&service, "b", NULL, (int64_t)len);
	struct exchange x;

	ck_assert_ptr_nonnull(data);
	open_put(&x, &large, data, len);
	x.body.at_chunk = disk_fills;
	ck_assert_int_eq(finish(&x), 507);
	ck_assert_uint_lt(x.body.given, len);
	service.config.min_free = 0;
	assert_usable();
	free(data);
}

/* A mebibyte is all that it may write until then. */
START_TEST(a_disk_that_fills_meanwhile_keeps_its_free_space)
{
	check_that_it_looks_again(2 << 20);
}
END_TEST

/* Each of so many may have been shown the same room, and be about to fill it.
 */
START_TEST(where_room_is_scarce_a_put_takes_no_more_than_its_part)
{
	enum { SCARCE = 64 << 20 };

	service.config.threads = 256;
	service.config.min_free =
	    bodies_free_space(service.http.bodies, BODIES_OWN) - SCARCE;
	check_that_it_looks_again(512 << 10);
}
END_TEST

START_TEST(without_descriptors_a_put_fails_and_may_be_repeated)
{
	struct rlimit limit;
	rlim_t before;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = 0; /* what is open stays so */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(put(&slot, BODY, SIZE), 500);
	limit.rlim_cur = before;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_usable();
}
END_TEST

static void
another_stores(void *arg)
{
	struct exchange *x = arg;

	if (x->body.given == 0)
		service_publish(&service, &slot, "other", SIZE);
}

START_TEST(a_put_that_another_overtook_is_refused)
{
	struct exchange x;

	open_put(&x, &slot, BODY, SIZE);
	x.body.at_chunk = another_stores;
	x.body.arg = &x;
	ck_assert_int_eq(finish(&x), 409);
}
END_TEST

static void
slot_goes(void *arg)
{
	(void)arg;
	ck_assert_int_ge(store_erase(service.grants, slot.owner, 10), 0);
}

START_TEST(a_slot_that_goes_meanwhile_is_not_found)
{
	struct exchange x;

	open_put(&x, &slot, BODY, SIZE);
	x.body.at_chunk = slot_goes;
	ck_assert_int_eq(finish(&x), 404);
	ck_assert_int_eq(service_count_files(&service), 0);
}
END_TEST

START_TEST(a_leftover_of_a_crash_is_replaced)
{
	struct body *body;

	ck_assert_int_eq(
	    body_begin(service.http.bodies, slot.token, BODIES_OWN, 23, &body),
	    1);
	ck_assert_int_eq(body_write(body, "whole, not acknowledged", 23), 1);
	ck_assert_int_eq(body_name(body), 1);
	ck_assert_int_eq(body_sync_name(body), 1);
	body_end(body);
	ck_assert_int_eq(put(&slot, BODY, SIZE), 201);
	assert_stored(&slot, BODY, SIZE);
}
END_TEST

/* ---- races ---- */

#define RACERS 4

static pthread_barrier_t barrier;

struct racer {
	struct exchange x;
	struct service service; /* shares all but the reader */
	char data[SIZE];
	pthread_t thread;
};

static void
wait_for_all(void *arg)
{
	struct racer *r = arg;

	if (r->x.body.given == 0)
		pthread_barrier_wait(&barrier);
}

static void *
race(void *arg)
{
	struct racer *r = arg;

	http_answer(&r->x.request);
	writer_publish_all(service.http.writer);
	return NULL;
}

START_TEST(of_racing_puts_exactly_one_wins)
{
	static struct racer racers[RACERS];
	const char *winner = NULL;
	int refused = 0;

	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, RACERS), 0);
	for (int i = 0; i < RACERS; i++) {
		struct racer *r = &racers[i];
		r->service = service;
		memset(r->data, 'a' + i, SIZE);
		open_put(&r->x, &slot, r->data, SIZE);
		r->x.request.service = &r->service.http;
		r->x.body.at_chunk = wait_for_all;
		r->x.body.arg = r;
		ck_assert_int_eq(pthread_create(&r->thread, NULL, race, r), 0);
	}
	for (int i = 0; i < RACERS; i++)
		pthread_join(racers[i].thread, NULL);
	/* what was submitted while the last thread looked something up */
	writer_publish_all(service.http.writer);
	for (int i = 0; i < RACERS; i++) {
		struct racer *r = &racers[i];
		ck_assert_int_eq(sem_wait(&r->x.answered), 0);
		if (r->x.status == 201) {
			ck_assert_ptr_null(winner);
			winner = r->data;
		}
		refused += r->x.status == 409;
		exchange_close(&r->x);
	}
	ck_assert_ptr_nonnull(winner);
	ck_assert_int_eq(refused, RACERS - 1);
	assert_stored(&slot, winner, SIZE);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("put, meanwhile");
	TCase *tc = tcase_create("meanwhile");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_body_that_outlasts_its_time_is_refused);
	tcase_add_test(tc, a_slow_upload_is_dated_by_its_end);
	tcase_add_test(tc, a_disk_that_fills_meanwhile_keeps_its_free_space);
	tcase_add_test(
	    tc, where_room_is_scarce_a_put_takes_no_more_than_its_part);
	tcase_add_test(tc, without_descriptors_a_put_fails_and_may_be_repeated);
	tcase_add_test(tc, a_put_that_another_overtook_is_refused);
	tcase_add_test(tc, a_slot_that_goes_meanwhile_is_not_found);
	tcase_add_test(tc, a_leftover_of_a_crash_is_replaced);
	tcase_add_test(tc, of_racing_puts_exactly_one_wins);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
