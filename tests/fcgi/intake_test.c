#include "fcgi/intake.h"

#include "tests/fcgi/intake_fixture.h"
#include "tests/full_disk.h"
#include "tests/suite.h"

static const char *const source_names[SOURCES] = {
    [FASTCGI] = "FastCGI",
    [CGI_SOCKET] = "CGI, a socket",
    [CGI_PIPE] = "CGI, a pipe",
    [CGI_FILE] = "CGI, a file",
    [HANDED_OVER] = "a file of nginx's",
};

static const size_t sizes[] = {1, 5, 8192, 65535, 65536, 65537, 131073, LARGE};

#define SOURCES_TWICE (2 * SOURCES) /* durable, and not */

static enum source
choose_source(int i)
{
	service.config.durable = i < SOURCES;
	return (enum source)(i % SOURCES);
}

START_TEST(a_body_is_stored_byte_for_byte)
{
	struct slot other = service_grant(
	    &service, "b", NULL, (int64_t)sizes[_i % COUNT(sizes)]);
	struct upload up = {.source = choose_source(_i / COUNT(sizes)),
	    .slot = &other,
	    .data = data,
	    .len = sizes[_i % COUNT(sizes)]};

	ck_assert_msg(put(&up) == 201, "%s", source_names[up.source]);
	assert_stored(&other, up.source);
	ck_assert_int_eq(put(&up), 409);
	other = service_grant(&service, "c", NULL, (int64_t)up.len);
	up.chunked = true;
	ck_assert_int_eq(put(&up), 201);
	assert_stored(&other, up.source);
}
END_TEST

static const struct {
	size_t len;
	bool chunked;
	int status;
} ends[] = {
    {LARGE - 1, true, 400},
    {LARGE - 1, false, 400},
    {LARGE + 1, true, 413},
    {100, true, 400},
    {0, true, 400},
};

START_TEST(a_wrong_end_leaves_the_slot_usable)
{
	const struct upload up = {.source = choose_source(_i / COUNT(ends)),
	    .slot = &slot,
	    .data = data,
	    .len = ends[_i % COUNT(ends)].len,
	    .chunked = ends[_i % COUNT(ends)].chunked};

	ck_assert_int_eq(put(&up), ends[_i % COUNT(ends)].status);
	assert_usable(up.source);
}
END_TEST

/* Also with all bytes, but not the word that it was all. */
START_TEST(a_body_that_stalls_leaves_the_slot_usable)
{
	const struct upload up = {.source = choose_source(_i / 2),
	    .slot = &slot,
	    .data = data,
	    .len = _i % 2 == 0 ? LARGE - 1 : LARGE,
	    .chunked = true,
	    .stalls = true};

	ck_assert_int_eq(put(&up), 408);
	assert_usable(up.source);
}
END_TEST

START_TEST(a_disk_without_room_takes_nothing)
{
	struct upload up = {.source = choose_source(_i),
	    .slot = &slot,
	    .data = data,
	    .len = LARGE};

	service.config.min_free = INT64_MAX / 2;
	ck_assert_int_eq(put(&up), 507);
	service.config.min_free = 0;
	assert_usable(up.source);
}
END_TEST

START_TEST(a_disk_that_fills_up_is_no_room)
{
	struct upload up = {.source = choose_source(_i),
	    .slot = &slot,
	    .data = data,
	    .len = LARGE};
	int status;

	full_disk_begin(1 << 20);
	status = put(&up);
	full_disk_end();
	ck_assert_int_eq(status, 507);
	assert_usable(up.source);
}
END_TEST

START_TEST(a_body_that_outlasts_its_time_is_refused)
{
	struct grant_request request =
	    service_request(&service, "a", NULL, LARGE);
	struct slot brief;
	struct upload up = {.source = choose_source(_i),
	    .slot = &brief,
	    .data = data,
	    .len = LARGE,
	    .late = 2100 * 1000};

	service.config.read_timeout = 5;
	request.put_window = 2;
	request.upload_timeout = 0;
	brief = service_grant_request(&service, &request);
	ck_assert_int_eq(put(&up), 408);
}
END_TEST

/* ---- the free space ---- */

static void
disk_fills(void *arg)
{
	struct exchange *x = arg;

	if (x->body.given > LARGE / 2)
		service.config.min_free = INT64_MAX / 2;
}

/* Others that began beside this one have taken the room that it was shown. */
START_TEST(the_disk_is_looked_at_again_and_again)
{
	struct exchange x;

	open_chunked_put(&x);
	streams_open_reader(&x.body, data, LARGE);
	x.body.at_chunk = disk_fills;
	x.body.arg = &x;
	exchange_check_status(exchange_run(&x), 507);
	exchange_close(&x);
	service.config.min_free = 0;
	assert_usable(FASTCGI);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("intake");
	TCase *tc = tcase_create("from every source");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, a_body_is_stored_byte_for_byte, 0,
	    COUNT(sizes) * SOURCES_TWICE);
	tcase_add_loop_test(
	    tc, a_wrong_end_leaves_the_slot_usable, 0, COUNT(ends) * SOURCES);
	tcase_add_loop_test(
	    tc, a_body_that_stalls_leaves_the_slot_usable, 0, 2 * STREAMS);
	tcase_add_loop_test(
	    tc, a_disk_without_room_takes_nothing, 0, SOURCES_TWICE);
	/* else the test could not write its file either */
	tcase_add_loop_test(tc, a_disk_that_fills_up_is_no_room, 0, STREAMS);
	tcase_add_loop_test(
	    tc, a_disk_that_fills_up_is_no_room, SOURCES, SOURCES + STREAMS);
	/* FastCGI's is in put_test.c */
	tcase_add_loop_test(
	    tc, a_body_that_outlasts_its_time_is_refused, CGI_SOCKET, STREAMS);
	tcase_add_test(tc, the_disk_is_looked_at_again_and_again);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
