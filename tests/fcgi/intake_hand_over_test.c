/* Files that nginx hands over, where they must not be taken. */
#include "fcgi/intake.h"

#include "tests/descriptor.h"
#include "tests/fcgi/intake_fixture.h"
#include "tests/suite.h"

/* The parameter is nothing where no directory was agreed upon. */
START_TEST(without_a_directory_no_file_is_taken_over)
{
	const struct upload up = {
	    .source = HANDED_OVER, .slot = &slot, .data = data, .len = LARGE};

	incoming_close(service.http.incoming);
	service.http.incoming = NULL;
	ck_assert_int_eq(put(&up), 400);
	assert_usable(FASTCGI);
}
END_TEST

/* A web server that is told half of it sends the body, too. */
START_TEST(a_body_that_comes_twice_is_refused)
{
	const struct upload up = {
	    .source = HANDED_OVER, .slot = &slot, .data = data, .len = LARGE};
	struct exchange x;

	open_chunked_put(&x);
	hand_over(&up, &x);
	streams_open_reader(&x.body, data, LARGE);
	exchange_check_status(exchange_run(&x), 500);
	ck_assert(!x.request.body_consumed);
	exchange_close(&x);
	assert_usable(HANDED_OVER);
}
END_TEST

START_TEST(a_file_that_is_not_to_be_believed_is_an_error)
{
	struct exchange x;

	open_chunked_put(&x);
	exchange_param(&x, "REQUEST_BODY_FILE", "/etc/passwd");
	exchange_check_status(exchange_run(&x), 500);
	exchange_close(&x);
	assert_usable(HANDED_OVER);
}
END_TEST

START_TEST(a_refused_file_is_closed)
{
	const struct upload up = {.source = HANDED_OVER,
	    .slot = &slot,
	    .data = data,
	    .len = LARGE - 1,
	    .chunked = true};
	int open;

	ck_assert_int_eq(put(&up), 400);
	open = descriptor_count(); /* what is opened once is open by now */
	ck_assert_int_eq(put(&up), 400);
	ck_assert_int_eq(descriptor_count(), open);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hand-over");
	TCase *tc = tcase_create("handing over");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, without_a_directory_no_file_is_taken_over);
	tcase_add_test(tc, a_body_that_comes_twice_is_refused);
	tcase_add_test(tc, a_file_that_is_not_to_be_believed_is_an_error);
	tcase_add_test(tc, a_refused_file_is_closed);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
