/* What a PUT's headers and bytes come to; tests/fcgi/put_meanwhile_test.c has
 * what others do in the meantime. */
#include "fcgi/handlers.h"

#include <check.h>
#include <errno.h>

#include "tests/descriptor.h"
#include "tests/fcgi/put_fixture.h"
#include "tests/full_disk.h"
#include "tests/suite.h"

/* ---- what is refused before the body ---- */

static const struct {
	const char *length;
	const char *protocol;
	const char *transfer;
	const char *type;
	const char *coding;
	const char *range;
	int status;
	const char *says; /* part of the answer */
} checks[] = {
    {"5", "HTTP/1.1", NULL, "text/plain", NULL, NULL, 201, ""},
    {"5", "HTTP/1.1", NULL, NULL, NULL, NULL, 201, ""},
    {"5", "HTTP/1.1", NULL, "TEXT/Plain; charset=utf-8", NULL, NULL, 201, ""},
    {"5", "HTTP/1.1", NULL, NULL, "identity", NULL, 201, ""},
    {"5", "HTTP/1.1", NULL, NULL, "Identity", NULL, 201, ""},
    {"5", "HTTP/1.1", "chunked", NULL, NULL, NULL, 201, ""},
    {NULL, "HTTP/1.1", "chunked", NULL, NULL, NULL, 201, ""},
    {"", "HTTP/1.1", "chunked", NULL, NULL, NULL, 201, ""},
    {NULL, "HTTP/2.0", NULL, NULL, NULL, NULL, 201, ""},
    {"", "HTTP/2.0", NULL, NULL, NULL, NULL, 201, ""},
    {NULL, "HTTP/1.1", NULL, NULL, NULL, NULL, 411, "length"},
    {"", "HTTP/1.0", NULL, NULL, NULL, NULL, 411, "length"},
    {NULL, NULL, NULL, NULL, NULL, NULL, 411, "length"},
    {"6", "HTTP/1.1", NULL, NULL, NULL, NULL, 413, "6 bytes"},
    {"6", "HTTP/2.0", NULL, NULL, NULL, NULL, 413, "is for 5"},
    {"4", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "4 bytes"},
    {"0", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "0 bytes"},
    /* 5 in 32 bits, and a number of more than 64 */
    {"4294967301", "HTTP/1.1", NULL, NULL, NULL, NULL, 413, "4294967301"},
    {"18446744073709551621", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "number"},
    {"+5", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "number"},
    {"-5", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "number"},
    {"5, 5", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "number"},
    {"0x5", "HTTP/1.1", NULL, NULL, NULL, NULL, 400, "number"},
    {"5", "HTTP/1.1", NULL, "text/html", NULL, NULL, 415, "text/plain"},
    {"5", "HTTP/1.1", NULL, "text/plainer", NULL, NULL, 415, "text/plain"},
    {"5", "HTTP/1.1", NULL, NULL, "gzip", NULL, 415, "Content-Encoding"},
    {"5", "HTTP/1.1", NULL, NULL, NULL, "bytes 0-4/9", 400, "Content-Range"},
    {"5", "HTTP/1.1", NULL, NULL, NULL, "bytes 0-4/5", 400, "Content-Range"},
};

START_TEST(the_headers_decide_before_the_body)
{
	const char *answer;
	struct exchange x;
	char uri[100];

	snprintf(uri, sizeof(uri), "/%s/%s/a.txt", slot.token, slot.secret);
	exchange_open(&x, &service, "PUT", uri);
	streams_open_reader(&x.body, BODY, SIZE);
	exchange_param(&x, "CONTENT_LENGTH", checks[_i].length);
	exchange_param(&x, "SERVER_PROTOCOL", checks[_i].protocol);
	exchange_param(&x, "HTTP_TRANSFER_ENCODING", checks[_i].transfer);
	exchange_param(&x, "CONTENT_TYPE", checks[_i].type);
	exchange_param(&x, "HTTP_CONTENT_ENCODING", checks[_i].coding);
	exchange_param(&x, "HTTP_CONTENT_RANGE", checks[_i].range);
	answer = exchange_run(&x);
	ck_assert_int_eq(status_of(answer), checks[_i].status);
	ck_assert_ptr_nonnull(strstr(answer, checks[_i].says));
	ck_assert_int_eq(x.request.body_consumed, checks[_i].status == 201);
	ck_assert_int_eq(x.body.given > 0, checks[_i].status == 201);
	exchange_close(&x);
	if (checks[_i].status == 201)
		assert_stored(&slot, BODY, SIZE);
	else
		assert_usable();
}
END_TEST

/* RFC 9110 section 13.1: there is nothing yet that a tag could match. */
static const struct {
	const char *name;
	const char *value;
	int status;
} preconditions[] = {
    {"HTTP_IF_MATCH", "*", 412},
    {"HTTP_IF_MATCH", "\"a\"", 412},
    {"HTTP_IF_NONE_MATCH", "*", 201},
    {"HTTP_IF_NONE_MATCH", "\"a\"", 201},
    {"HTTP_IF_UNMODIFIED_SINCE", "Sun, 06 Nov 1994 08:49:37 GMT", 201},
};

START_TEST(preconditions_meet_a_file_that_is_not_there_yet)
{
	struct exchange x;

	open_put(&x, &slot, BODY, SIZE);
	exchange_param(&x, preconditions[_i].name, preconditions[_i].value);
	ck_assert_int_eq(finish(&x), preconditions[_i].status);
	if (preconditions[_i].status == 412)
		assert_usable();
}
END_TEST

START_TEST(a_slot_without_a_type_takes_any)
{
	struct slot any = service_grant(&service, "a", NULL, SIZE);
	struct exchange x;

	open_put(&x, &any, BODY, SIZE);
	exchange_param(&x, "CONTENT_TYPE", "application/x-anything");
	ck_assert_int_eq(finish(&x), 201);
}
END_TEST

START_TEST(a_wrong_secret_looks_like_an_unknown_token)
{
	struct slot wrong = slot, unknown = slot;
	struct exchange x, y;
	size_t len = SIZE + (size_t)_i; /* nor is the size told */

	memcpy(wrong.secret, slot.token, sizeof(wrong.secret));
	memset(unknown.token, 'a', TOKEN_LEN);
	open_put(&x, &wrong, "hello!", len);
	open_put(&y, &unknown, "hello!", len);
	ck_assert_str_eq(exchange_run(&x), exchange_run(&y));
	ck_assert_int_eq(status_of(streams_text(&x.answer)), 404);
	exchange_close(&x);
	exchange_close(&y);
	assert_usable();
}
END_TEST

START_TEST(a_put_begins_before_its_window_ends_or_not_at_all)
{
	struct exchange x;

	open_put(&x, &slot, BODY, SIZE);
	x.request.now = slot.put_expires_at;
	ck_assert_int_eq(finish(&x), 404);
	open_put(&x, &slot, BODY, SIZE);
	x.request.now = slot.put_expires_at - 1;
	ck_assert_int_eq(finish(&x), 201);
}
END_TEST

START_TEST(a_second_put_finds_the_slot_stored)
{
	struct exchange x;

	ck_assert_int_eq(put(&slot, BODY, SIZE), 201);
	ck_assert_int_eq(put(&slot, "world", SIZE), 409);
	assert_stored(&slot, BODY, SIZE);
	/* also when the window is over, until the file is gone */
	open_put(&x, &slot, "world", SIZE);
	x.request.now = slot.put_expires_at + 10;
	ck_assert_int_eq(finish(&x), 409);
	open_put(&x, &slot, "world", SIZE);
	x.request.now = slot.expires_at;
	ck_assert_int_eq(finish(&x), 404);
}
END_TEST

START_TEST(a_disk_that_must_stay_free_is_no_room)
{
	struct exchange x;

	service.config.min_free = INT64_MAX / 2;
	open_put(&x, &slot, BODY, SIZE);
	ck_assert_int_eq(status_of(exchange_run(&x)), 507);
	ck_assert_uint_eq(x.body.given, 0);
	exchange_close(&x);
	service.config.min_free = 0;
	assert_usable();
}
END_TEST

START_TEST(a_database_that_cannot_be_read_is_no_unknown_slot)
{
	service_break_database(&service);
	ck_assert_int_eq(put(&slot, BODY, SIZE), 500);
}
END_TEST

/* ---- bodies ---- */

START_TEST(a_created_answer_is_empty)
{
	struct exchange x;
	const char *answer;

	open_put(&x, &slot, BODY, SIZE);
	answer = exchange_run(&x);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 0\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "Access-Control-Allow-Origin"));
	ck_assert_str_eq(answer + strlen(answer) - 4, "\r\n\r\n");
	ck_assert_ptr_null(strstr(answer, "Location"));
	exchange_close(&x);
	assert_stored(&slot, BODY, SIZE);
}
END_TEST

/* Sizes around the chunks in which a body is read and hashed. */
static const struct {
	size_t size;
	size_t arrives; /* bytes at once */
} shapes[] = {{1, 1}, {SIZE, 1}, {8192, 8192}, {65535, 8192}, {65536, 8192},
    {65537, 8192}, {65537, 1}, {300000, 7001}, {65536, 65536},
    {200000, 100000}};

START_TEST(a_body_is_stored_byte_for_byte)
{
	size_t size = shapes[_i].size;
	char *data = malloc(size);
	struct slot big = service_grant(&service, "b", NULL, (int64_t)size);
	struct exchange x;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 7 + i / 251);
	open_chunked(&x, &big, data, size);
	x.body.chunk = shapes[_i].arrives;
	ck_assert_int_eq(finish(&x), 201);
	assert_stored(&big, data, size);
	free(data);
}
END_TEST

static const struct {
	const char *data;
	size_t len;
	int error;
	int status;
	bool consumed;
} ends[] = {
    {"hell", 4, 0, 400, true},
    {"", 0, 0, 400, true},
    {"hello!", 6, 0, 413, false},
    {"hell", 4, FCGX_PROTOCOL_ERROR, 400, false},
    {"", 0, FCGX_PROTOCOL_ERROR, 400, false},
    /* all bytes came, but not the word that these were all */
    {"hello", 5, FCGX_PROTOCOL_ERROR, 400, false},
    {"hell", 4, EAGAIN, 408, false},
    {"hell", 4, ECONNRESET, 400, false},
};

START_TEST(a_wrong_end_leaves_the_slot_usable)
{
	struct exchange x;

	open_chunked(&x, &slot, ends[_i].data, ends[_i].len);
	x.body.error_at_end = ends[_i].error;
	x.body.chunk = 3;
	ck_assert_int_eq(status_of(exchange_run(&x)), ends[_i].status);
	ck_assert_int_eq(x.request.body_consumed, ends[_i].consumed);
	exchange_close(&x);
	assert_usable();
}
END_TEST

START_TEST(a_content_length_is_not_believed)
{
	struct exchange x;

	/* a web server cut the body, or the length, on the way */
	open_put(&x, &slot, BODY, SIZE);
	x.body.len = 3;
	ck_assert_int_eq(finish(&x), 400);
	open_put(&x, &slot, BODY, SIZE);
	streams_open_reader(&x.body, "hello, world", 12);
	ck_assert_int_eq(finish(&x), 413);
	assert_usable();
}
END_TEST

START_TEST(a_disk_that_fills_up_is_no_room)
{
	char *data = calloc(1, 1 << 18);
	struct slot big = service_grant(&service, "b", NULL, 1 << 18);
	struct exchange x;
	int status;

	open_put(&x, &big, data, 1 << 18);
	full_disk_begin(1 << 17);
	status = finish(&x);
	full_disk_end();
	ck_assert_int_eq(status, 507);
	free(data);
	assert_usable();
}
END_TEST

START_TEST(a_disk_without_room_for_the_row_is_no_room)
{
	int status;

	full_disk_begin(4096); /* for the body, not for the WAL */
	status = put(&slot, BODY, SIZE);
	full_disk_end();
	ck_assert_int_eq(status, 507);
	ck_assert_int_eq(look_up(&slot).stored_at, 0);
	ck_assert_int_eq(put(&slot, BODY, SIZE), 201);
	assert_stored(&slot, BODY, SIZE);
}
END_TEST

static int
put_too_little(void)
{
	struct exchange x;

	open_chunked(&x, &slot, "hell", 4);
	return finish(&x);
}

static int
put_whole(void)
{
	struct slot other = service_grant(&service, "b", NULL, SIZE);

	return put(&other, BODY, SIZE);
}

static const struct {
	int (*put)(void);
	int status;
} puts_twice[] = {{put_too_little, 400}, {put_whole, 201}};

START_TEST(no_put_leaves_a_descriptor_open)
{
	int open;

	ck_assert_int_eq(puts_twice[_i].put(), puts_twice[_i].status);
	open = descriptor_count(); /* what is opened once is open by now */
	ck_assert_int_eq(puts_twice[_i].put(), puts_twice[_i].status);
	ck_assert_int_eq(descriptor_count(), open);
}
END_TEST

static void
add_checks(Suite *suite)
{
	TCase *tc = tcase_create("before the body");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(
	    tc, the_headers_decide_before_the_body, 0, COUNT(checks));
	tcase_add_loop_test(tc, preconditions_meet_a_file_that_is_not_there_yet,
	    0, COUNT(preconditions));
	tcase_add_test(tc, a_slot_without_a_type_takes_any);
	tcase_add_loop_test(
	    tc, a_wrong_secret_looks_like_an_unknown_token, 0, 2);
	tcase_add_test(tc, a_put_begins_before_its_window_ends_or_not_at_all);
	tcase_add_test(tc, a_second_put_finds_the_slot_stored);
	tcase_add_test(tc, a_disk_that_must_stay_free_is_no_room);
	tcase_add_test(tc, a_database_that_cannot_be_read_is_no_unknown_slot);
	suite_add_tcase(suite, tc);
}

static void
add_bodies(Suite *suite)
{
	TCase *tc = tcase_create("the body");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_created_answer_is_empty);
	tcase_add_loop_test(
	    tc, a_body_is_stored_byte_for_byte, 0, COUNT(shapes));
	tcase_add_loop_test(
	    tc, a_wrong_end_leaves_the_slot_usable, 0, COUNT(ends));
	tcase_add_test(tc, a_content_length_is_not_believed);
	tcase_add_test(tc, a_disk_that_fills_up_is_no_room);
	tcase_add_test(tc, a_disk_without_room_for_the_row_is_no_room);
	tcase_add_loop_test(
	    tc, no_put_leaves_a_descriptor_open, 0, COUNT(puts_twice));
	suite_add_tcase(suite, tc);
}

int
main(void)
{
	Suite *suite = suite_create("put");

	add_checks(suite);
	add_bodies(suite);
	return suite_run(suite);
}
