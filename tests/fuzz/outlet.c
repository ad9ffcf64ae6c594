/*
 * The way out of an answer, as CGI and in FastCGI's records. Input: the id of
 * the request, 0 for CGI, and then, a line each, what is sent:
 *
 *	p TEXT		the text
 *	n COUNT		so many bytes at once
 *	f FIRST COUNT	a part of a file, which may be beyond its end
 *	!		nothing more: no room
 */
#include "fcgi/outlet.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>
#include <fastcgi.h>

#include "tests/fuzz/fuzz.h"

#define FILE_SIZE (2 * OUTLET_CONTENT + 99)
#define MOST (FUZZ_FIELDS * FILE_SIZE)

static struct {
	struct outlet outlet;
	int file, answer, full; /* full: /dev/full */
	unsigned char data[FILE_SIZE];
	unsigned char sent[MOST]; /* what the answer is to be */
	size_t len;
	bool broken; /* the answer is not whole, and says so */
} x;

static void
set_up(void)
{
	for (size_t i = 0; i < FILE_SIZE; i++)
		x.data[i] = (unsigned char)(i * 7 + i / 251);
	x.file = memfd_create("file", 0);
	x.answer = memfd_create("answer", 0);
	x.full = open("/dev/full", O_WRONLY);
	FUZZ_CLAIM(x.file > 0 && x.answer > 0 && x.full > 0);
	FUZZ_CLAIM(write(x.file, x.data, FILE_SIZE) == FILE_SIZE);
}

/* ---- sending ---- */

static void
expect(const void *data, size_t len)
{
	memcpy(x.sent + x.len, data, len);
	x.len += len;
}

static void
put(const void *data, size_t len)
{
	FCGX_PutStr(data, (int)len, &x.outlet.stream);
	expect(data, len);
}

static void
send_file(const char *words)
{
	char *rest;
	int64_t first = strtol(words, &rest, 10) % (FILE_SIZE + 2);
	int64_t count = strtol(rest, NULL, 10) % (FILE_SIZE + 2);

	if (first < 0 || count < 1)
		return;
	bool there = first + count <= FILE_SIZE;
	int rc = outlet_send_file(&x.outlet.stream, x.file, first, count);

	FUZZ_CLAIM(rc == (there ? 1 : -1) || x.outlet.fd == x.full);
	if (rc == 1)
		expect(x.data + first, (size_t)count);
	else
		x.broken = true; /* no more may be sent */
}

static void
send_line(const char *line)
{
	long count;

	if (x.broken)
		return;
	switch (line[0]) {
	case 'p':
		put(line + 1, strlen(line + 1));
		break;
	case 'n':
		count = strtol(line + 1, NULL, 10) % FILE_SIZE;
		put(x.data, count > 0 ? (size_t)count : 0);
		break;
	case 'f':
		send_file(line + 1);
		break;
	case '!':
		x.outlet.fd = x.full;
		break;
	default:
		break;
	}
}

/* ---- what came ---- */

/* The answer's bytes must be the first of what is expected: all, if it ended
 * as it should. */
static void
check_content(const unsigned char *data, size_t len, size_t *at)
{
	FUZZ_CLAIM(len <= x.len - *at || x.broken);
	if (len > x.len - *at)
		len = x.len - *at;
	FUZZ_CLAIM(memcmp(data, x.sent + *at, len) == 0);
	*at += len;
}

/* Takes records apart (FastCGI section 3.3). Whether the request ended. */
static bool
check_records(const unsigned char *p, size_t left, int id, size_t *at)
{
	bool ended = false;

	while (left > 0) {
		FUZZ_CLAIM(left >= 8 && !ended);
		size_t len = (size_t)(p[4] << 8 | p[5]), pad = p[6];

		FUZZ_CLAIM(p[0] == FCGI_VERSION_1 && p[7] == 0);
		FUZZ_CLAIM((p[2] << 8 | p[3]) == id);
		FUZZ_CLAIM(left >= 8 + len + pad || x.broken);
		if (left < 8 + len + pad)
			return false;
		FUZZ_CLAIM(p[1] == FCGI_STDOUT || p[1] == FCGI_END_REQUEST);
		if (p[1] == FCGI_STDOUT)
			check_content(p + 8, len, at);
		else
			ended = true;
		p += 8 + len + pad;
		left -= 8 + len + pad;
	}
	return ended;
}

static void
check_answer(int id, int error)
{
	size_t len = (size_t)lseek(x.answer, 0, SEEK_END), at = 0;
	unsigned char *answer = malloc(len + 1);
	bool full = x.outlet.fd == x.full, ended = false;

	FUZZ_CLAIM(answer != NULL);
	FUZZ_CLAIM(pread(x.answer, answer, len, 0) == (ssize_t)len);
	if (id == 0)
		check_content(answer, len, &at);
	else
		ended = check_records(answer, len, id, &at);
	FUZZ_CLAIM(x.broken || id == 0 || ended == !full);
	if (error == 0)
		FUZZ_CLAIM(at == x.len || x.broken);
	if (!x.broken && !full)
		FUZZ_CLAIM(error == 0);
	free(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;

	if (x.file == 0)
		set_up();
	fuzz_open(&input, data, size);
	int id = (int)strtol(fuzz_field(&input, 0), NULL, 10) & 0xffff;
	FUZZ_CLAIM(ftruncate(x.answer, 0) == 0);
	FUZZ_CLAIM(lseek(x.answer, 0, SEEK_SET) == 0);
	x.len = 0;
	x.broken = false;
	outlet_open(&x.outlet, x.answer, id);
	for (int i = 1; i < input.count; i++)
		send_line(input.fields[i]);
	check_answer(id, outlet_close(&x.outlet));
	fuzz_close(&input);
	return 0;
}
