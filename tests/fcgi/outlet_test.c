#include "fcgi/outlet.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <fastcgi.h>

#include "tests/fcgi/streams.h"
#include "tests/suite.h"
#include "tests/temporary.h"

#define ID 0x0102
#define FILE_SIZE (3 * OUTLET_CONTENT + 77)
#define MOST (FILE_SIZE + 10 * OUTLET_CONTENT)

/* What the peer of the outlet gets. */
static struct peer {
	pthread_t thread;
	int fd;
	unsigned char data[MOST]; /* as it comes */
	size_t len;
	unsigned char answer[MOST]; /* the contents of the records */
	size_t answer_len;
	int records, ends;
} peer;
static struct outlet outlet;
static unsigned char bytes[FILE_SIZE];
static int file;

static void *
read_all(void *arg)
{
	ssize_t n;

	(void)arg;
	while ((n = read(peer.fd, peer.data + peer.len, MOST - peer.len)) > 0)
		peer.len += (size_t)n;
	return NULL;
}

static void
set_up(void)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	memset(&peer, 0, sizeof(peer));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	peer.fd = fds[1];
	outlet_open(&outlet, fds[0], 0);
	for (size_t i = 0; i < FILE_SIZE; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	file = open(temporary_base(), O_TMPFILE | O_RDWR, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(write(file, bytes, FILE_SIZE), FILE_SIZE);
}

static void
tear_down(void)
{
	close(file);
	close(outlet.fd);
	close(peer.fd);
}

/* Begins to answer and to read. */
static void
begin(int request_id)
{
	outlet_open(&outlet, outlet.fd, request_id);
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, read_all, NULL), 0);
}

/* Waits until the peer has everything. */
static void
end(void)
{
	shutdown(outlet.fd, SHUT_WR);
	pthread_join(peer.thread, NULL);
}

/* Takes the records apart; what is no whole record, of the request, is a
 * mistake. */
static void
take_apart(void)
{
	const unsigned char *p = peer.data, *stop = peer.data + peer.len;

	while (p < stop) {
		size_t len = (size_t)(p[4] << 8 | p[5]), pad = p[6];

		ck_assert_int_ge(stop - p, FCGI_HEADER_LEN);
		ck_assert_int_eq(p[0], FCGI_VERSION_1);
		ck_assert_int_eq(p[2] << 8 | p[3], ID);
		ck_assert_uint_ge((size_t)(stop - p), 8 + len + pad);
		if (p[1] == FCGI_STDOUT) {
			memcpy(peer.answer + peer.answer_len, p + 8, len);
			peer.answer_len += len;
		} else {
			ck_assert_int_eq(p[1], FCGI_END_REQUEST);
			ck_assert_uint_eq(len, 8);
			ck_assert_int_eq(p[8] | p[9] | p[10] | p[11], 0);
			ck_assert_int_eq(p[12], FCGI_REQUEST_COMPLETE);
			peer.ends++;
		}
		peer.records++;
		p += 8 + len + pad;
	}
}

START_TEST(cgi_is_sent_as_it_is)
{
	begin(0);
	FCGX_PutS("Status: 200\r\n\r\n", &outlet.stream);
	FCGX_PutS("text", &outlet.stream);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	end();
	ck_assert_uint_eq(peer.len, 19);
	ck_assert_mem_eq(peer.data, "Status: 200\r\n\r\ntext", 19);
}
END_TEST

START_TEST(fastcgi_is_one_record_and_the_end_of_the_request)
{
	begin(ID);
	FCGX_PutS("hello, world!", &outlet.stream);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	end();
	take_apart();
	ck_assert_uint_eq(peer.len, 8 + 16 + 8 + 16);
	ck_assert_int_eq(peer.records, 3);
	ck_assert_int_eq(peer.ends, 1);
	ck_assert_uint_eq(peer.answer_len, 13);
	ck_assert_mem_eq(peer.answer, "hello, world!", 13);
}
END_TEST

START_TEST(an_answer_of_nothing_ends_all_the_same)
{
	begin(ID);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	end();
	take_apart();
	ck_assert_int_eq(peer.records, 2);
	ck_assert_int_eq(peer.ends, 1);
}
END_TEST

START_TEST(the_end_is_written_once)
{
	begin(ID);
	FCGX_PutS("x", &outlet.stream);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	end();
	take_apart();
	ck_assert_int_eq(peer.ends, 1);
}
END_TEST

static const size_t lengths[] = {OUTLET_CONTENT - 1, OUTLET_CONTENT,
    OUTLET_CONTENT + 1, 2 * OUTLET_CONTENT, FILE_SIZE};

START_TEST(more_than_the_buffer_takes_several_records)
{
	const size_t len = lengths[_i];
	const int asked = (int)len;

	begin(ID);
	ck_assert_int_eq(
	    FCGX_PutStr((const char *)bytes, asked, &outlet.stream), asked);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	end();
	take_apart();
	ck_assert_uint_eq(peer.answer_len, len);
	ck_assert_mem_eq(peer.answer, bytes, len);
	ck_assert_int_eq(peer.ends, 1);
}
END_TEST

/* ---- files ---- */

static const struct {
	int64_t first, count;
} stretches[] = {
    {0, 0},
    {0, 1},
    {5, 10240},
    {0, OUTLET_CONTENT - 4},
    {0, OUTLET_CONTENT - 3},
    {1, OUTLET_CONTENT},
    {0, 2 * OUTLET_CONTENT},
    {3, 2 * OUTLET_CONTENT + 1},
    {0, FILE_SIZE},
};

/* "head", the stretch, "tail" */
static void
send_stretch(int i)
{
	FCGX_PutS("head", &outlet.stream);
	ck_assert_int_eq(outlet_send_file(&outlet.stream, file,
			     stretches[i].first, stretches[i].count),
	    1);
	FCGX_PutS("tail", &outlet.stream);
	ck_assert_int_eq(outlet_close(&outlet), 0);
}

static void
check_stretch(int i, const unsigned char *data, size_t len)
{
	const size_t count = (size_t)stretches[i].count;

	ck_assert_uint_eq(len, count + 8);
	ck_assert_mem_eq(data, "head", 4);
	if (count > 0)
		ck_assert_mem_eq(data + 4, bytes + stretches[i].first, count);
	ck_assert_mem_eq(data + 4 + count, "tail", 4);
}

START_TEST(a_file_is_sent_between_what_is_written)
{
	begin(0);
	send_stretch(_i);
	end();
	check_stretch(_i, peer.data, peer.len);
}
END_TEST

START_TEST(a_file_is_sent_in_records)
{
	begin(ID);
	send_stretch(_i);
	end();
	take_apart();
	check_stretch(_i, peer.answer, peer.answer_len);
	ck_assert_int_eq(peer.ends, 1);
}
END_TEST

/* To a file that is appended to the kernel sends nothing: EINVAL. */
START_TEST(a_file_is_copied_where_the_kernel_does_not_move_it)
{
	char path[] = "/tmp/outlet.XXXXXX";
	int plain = mkstemp(path);
	int appending = open(path, O_WRONLY | O_APPEND);

	unlink(path);
	close(outlet.fd);
	outlet_open(&outlet, appending, _i % 2 ? ID : 0);
	send_stretch(_i / 2);
	peer.len = (size_t)pread(plain, peer.data, MOST, 0);
	close(plain);
	if (_i % 2 == 0) {
		check_stretch(_i / 2, peer.data, peer.len);
		return;
	}
	take_apart();
	check_stretch(_i / 2, peer.answer, peer.answer_len);
}
END_TEST

START_TEST(any_other_stream_takes_a_file_too)
{
	struct streams_writer writer;

	streams_open_writer(&writer);
	ck_assert_int_eq(
	    outlet_send_file(&writer.stream, file, 2, FILE_SIZE - 2), 1);
	ck_assert_uint_eq(streams_written(&writer), FILE_SIZE - 2);
	ck_assert_mem_eq(writer.data, bytes + 2, FILE_SIZE - 2);
	streams_close_writer(&writer);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(a_file_that_ends_too_soon_is_told)
{
	begin(_i ? ID : 0);
	errno = EIO;
	ck_assert_int_eq(
	    outlet_send_file(&outlet.stream, file, 100, FILE_SIZE), -1);
	ck_assert_int_eq(errno, 0);
	/* a record was promised more: nothing may follow */
	ck_assert_int_ne(outlet_close(&outlet), 0);
	end();
	ck_assert_uint_lt(peer.len, FILE_SIZE + 100);
}
END_TEST

START_TEST(a_small_file_that_ends_too_soon_leaves_a_short_answer)
{
	begin(ID);
	ck_assert_int_eq(
	    outlet_send_file(&outlet.stream, file, FILE_SIZE - 5, 10), -1);
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(outlet_close(&outlet), 0);
	end();
	take_apart();
	ck_assert_uint_eq(peer.answer_len, 5);
	ck_assert_int_eq(peer.ends, 1);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told)
{
	begin(ID);
	ck_assert_int_eq(outlet_send_file(&outlet.stream, -1, 0, 10), -1);
	ck_assert_int_eq(errno, EBADF);
	end();
}
END_TEST

START_TEST(a_client_that_is_gone_is_told)
{
	close(peer.fd);
	outlet_open(&outlet, outlet.fd, ID);
	if (_i == 0)
		FCGX_PutS("text", &outlet.stream);
	else
		ck_assert_int_eq(
		    outlet_send_file(&outlet.stream, file, 0, FILE_SIZE), 0);
	ck_assert_int_eq(outlet_close(&outlet), EPIPE);
	ck_assert_int_eq(
	    outlet_send_file(&outlet.stream, file, 0, FILE_SIZE), 0);
	ck_assert_int_eq(outlet_send_file(&outlet.stream, file, 0, 10), 0);
	peer.fd = -1;
}
END_TEST

START_TEST(a_client_that_stands_still_is_left_after_its_time)
{
	const struct timeval soon = {.tv_usec = 50000};

	ck_assert_int_eq(
	    setsockopt(outlet.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)),
	    0);
	outlet_open(&outlet, outlet.fd, ID);
	int rc = 1;
	for (int i = 0; i < 100 && rc == 1; i++)
		rc = outlet_send_file(&outlet.stream, file, 0, FILE_SIZE);
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(outlet_close(&outlet), EAGAIN);
}
END_TEST

static Suite *
outlet_suite(void)
{
	Suite *suite = suite_create("outlet");
	TCase *tc = tcase_create("outlet");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, cgi_is_sent_as_it_is);
	tcase_add_test(tc, fastcgi_is_one_record_and_the_end_of_the_request);
	tcase_add_test(tc, an_answer_of_nothing_ends_all_the_same);
	tcase_add_test(tc, the_end_is_written_once);
	tcase_add_loop_test(
	    tc, more_than_the_buffer_takes_several_records, 0, COUNT(lengths));
	tcase_add_loop_test(
	    tc, a_file_is_sent_between_what_is_written, 0, COUNT(stretches));
	tcase_add_loop_test(tc, a_file_is_sent_in_records, 0, COUNT(stretches));
	tcase_add_loop_test(tc,
	    a_file_is_copied_where_the_kernel_does_not_move_it, 0,
	    2 * COUNT(stretches));
	tcase_add_test(tc, any_other_stream_takes_a_file_too);
	tcase_add_loop_test(tc, a_file_that_ends_too_soon_is_told, 0, 2);
	tcase_add_test(
	    tc, a_small_file_that_ends_too_soon_leaves_a_short_answer);
	tcase_add_test(tc, a_file_that_cannot_be_read_is_told);
	tcase_add_loop_test(tc, a_client_that_is_gone_is_told, 0, 2);
	tcase_add_test(tc, a_client_that_stands_still_is_left_after_its_time);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	return suite_run(outlet_suite());
}
