#include "schema/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/suite.h"

/* Standard error is this pipe while a test runs, in the test's own process. */
static int from_stderr = -1;

static void
catch_stderr(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
	close(ends[1]);
	from_stderr = ends[0];
}

/* All that was written; closes the pipe's writing end. */
static const char *
caught(void)
{
	static char text[16384];
	size_t used = 0;
	ssize_t n;

	close(STDERR_FILENO);
	while (
	    (n = read(from_stderr, text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return text;
}

START_TEST(a_line_names_program_and_level)
{
	log_open("putslot-test", LOG_LEVEL_INFO, false);
	log_error("slot %d: %s", 7, "no room");
	log_warn("beware");
	log_info("so be it");
	ck_assert_str_eq(caught(), "putslot-test: error: slot 7: no room\n"
				   "putslot-test: warning: beware\n"
				   "putslot-test: info: so be it\n");
}
END_TEST

START_TEST(lines_above_the_level_are_dropped)
{
	log_open("t", LOG_LEVEL_ERROR, false);
	log_debug("no");
	log_info("no");
	log_warn("no");
	log_error("yes");
	ck_assert_str_eq(caught(), "t: error: yes\n");
}
END_TEST

static struct log_lines lines;

/* How much of what was written can be read already. */
static int
written(void)
{
	int bytes = 0;

	ck_assert_int_eq(ioctl(from_stderr, FIONREAD, &bytes), 0);
	return bytes;
}

START_TEST(lines_are_held_until_they_are_released)
{
	log_open("t", LOG_LEVEL_INFO, false);
	log_hold(&lines);
	log_info("one");
	log_info("two");
	ck_assert_int_eq(written(), 0);
	log_release();
	ck_assert_int_gt(written(), 0);
	log_release();
	log_info("three");
	ck_assert_str_eq(caught(), "t: info: one\nt: info: two\n"
				   "t: info: three\n");
}
END_TEST

START_TEST(trouble_is_not_held_and_keeps_its_place)
{
	log_open("t", LOG_LEVEL_INFO, false);
	log_hold(&lines);
	log_info("one");
	log_warn("two");
	log_info("three");
	ck_assert_int_eq(written(), 29);
	log_release();
	ck_assert_str_eq(caught(), "t: info: one\nt: warning: two\n"
				   "t: info: three\n");
}
END_TEST

START_TEST(more_lines_than_can_be_held_are_written)
{
	char expected[16];

	log_open("t", LOG_LEVEL_INFO, false);
	fcntl(from_stderr, F_SETPIPE_SZ, 1 << 20);
	log_hold(&lines);
	for (int i = 0; i < 5000; i++)
		log_info("%04d", i);
	ck_assert_int_gt(written(), 10000);
	log_release();
	ck_assert_int_eq(written(), 5000 * 14);
	for (int i = 0; i < 5000; i++) {
		char line[15] = "";

		ck_assert_int_eq(read(from_stderr, line, 14), 14);
		snprintf(expected, sizeof(expected), "t: info: %04d", i);
		line[13] = '\0'; /* the end of the line */
		ck_assert_str_eq(line, expected);
	}
}
END_TEST

START_TEST(debug_lines_are_written_when_asked_for)
{
	log_open("t", LOG_LEVEL_DEBUG, false);
	log_debug("detail");
	ck_assert_str_eq(caught(), "t: debug: detail\n");
}
END_TEST

START_TEST(nothing_from_outside_can_forge_a_line)
{
	log_open("t", LOG_LEVEL_INFO, false);
	log_info("name %s", "a\nt: error: b\r\x1b[2J\x7f\tc");
	ck_assert_str_eq(caught(),
	    "t: info: name a\\x0at: error: b\\x0d\\x1b[2J\\x7f\\x09c\n");
}
END_TEST

START_TEST(letters_of_every_script_stay_readable)
{
	log_open("t", LOG_LEVEL_INFO, false);
	log_info("caf\xc3\xa9 \xe5\x9b\xbe.jpg");
	ck_assert_str_eq(caught(), "t: info: caf\xc3\xa9 \xe5\x9b\xbe.jpg\n");
}
END_TEST

START_TEST(a_line_is_utf8_whatever_comes_from_outside)
{
	log_open("t", LOG_LEVEL_INFO, false);
	log_info("%s", "a\xff"
		       "b\xc0\x8a"
		       "c\xe5\x9b.\xc2\x9b"
		       "2J\xc2\xa0\xc3");
	ck_assert_str_eq(caught(),
	    "t: info: "
	    "a\\xffb\\xc0\\x8ac\\xe5\\x9b.\\xc2\\x9b2J\xc2\xa0\\xc3\n");
}
END_TEST

START_TEST(a_long_line_is_cut_and_says_so)
{
	char text[5000];
	const char *line;

	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_open("t", LOG_LEVEL_INFO, false);
	log_info("%s", text);
	line = caught();
	ck_assert_uint_lt(strlen(line), sizeof(text));
	ck_assert_str_eq(line + strlen(line) - 8, "\\x0a...\n");
}
END_TEST

START_TEST(errno_is_kept)
{
	log_open("t", LOG_LEVEL_INFO, false);
	close(STDERR_FILENO);
	errno = ENOSPC;
	log_error("the disk is full");
	ck_assert_int_eq(errno, ENOSPC);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, catch_stderr, NULL);
	tcase_add_test(tc, a_line_names_program_and_level);
	tcase_add_test(tc, lines_above_the_level_are_dropped);
	tcase_add_test(tc, lines_are_held_until_they_are_released);
	tcase_add_test(tc, trouble_is_not_held_and_keeps_its_place);
	tcase_add_test(tc, more_lines_than_can_be_held_are_written);
	tcase_add_test(tc, debug_lines_are_written_when_asked_for);
	tcase_add_test(tc, nothing_from_outside_can_forge_a_line);
	tcase_add_test(tc, letters_of_every_script_stay_readable);
	tcase_add_test(tc, a_line_is_utf8_whatever_comes_from_outside);
	tcase_add_test(tc, a_long_line_is_cut_and_says_so);
	tcase_add_test(tc, errno_is_kept);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
