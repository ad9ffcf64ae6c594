/*
 * What is handed off to a web server, which looks at the request once more.
 * Input:
 *
 *	one of the ways in which a file is named, by its number
 *	send_file_from
 *	size of the body
 *	NAME=value	of any number of parameters
 *
 * Whatever they are, the server sends what was decided here: this reads a plain
 * range as every server does, and knows no condition.
 */
#include "fcgi/hand_off.h"

#include <inttypes.h>
#include <stdbool.h>

#include "fcgi/conditional.h"
#include "fcgi/http.h"
#include "fcgi/range.h"
#include "schema/config.h"
#include "schema/units.h"
#include "tests/fcgi/streams.h"
#include "tests/fuzz/fuzz.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define NOW INT64_C(1790000000)
#define STORED INT64_C(784111777) /* "Sun, 06 Nov 1994 08:49:37 GMT" */

static char accel_url[] = "/_files/", bodies[] = "/var/lib/putslot/bodies";
static struct config config = {.accel_url = accel_url, .bodies = bodies};
static const struct http_service service = {.config = &config};

static int64_t
number(const char *text)
{
	int64_t value = 0;

	while (*text >= '0' && *text <= '9' && value < INT64_MAX / 100)
		value = value * 10 + *text++ - '0';
	return value;
}

/* ---- the web server ---- */

/* Its range of a plain header, the last byte being INT64_MAX for an open end
 * and the first one negative for the last bytes. */
static struct range
read_plain(const char *header)
{
	struct range range = {0, INT64_MAX};
	char tail = '\0';

	FUZZ_CLAIM(strncmp(header, "bytes=", 6) == 0);
	header += 6;
	FUZZ_CLAIM(strspn(header, "0123456789-") == strlen(header));
	if (header[0] == '-')
		FUZZ_CLAIM(
		    sscanf(header, "%" SCNd64 "%c", &range.first, &tail) == 1);
	else if (header[strlen(header) - 1] == '-')
		FUZZ_CLAIM(
		    sscanf(header, "%" SCNd64 "%c", &range.first, &tail) == 2);
	else
		FUZZ_CLAIM(sscanf(header, "%" SCNd64 "-%" SCNd64 "%c",
			       &range.first, &range.last, &tail) == 2);
	return range;
}

/* That it sends the same range of a body of that size. */
static void
check_cut(const char *header, int64_t size, const struct range *decided)
{
	struct range range = read_plain(header);

	if (range.first < 0)
		range.first = -range.first < size ? size + range.first : 0;
	if (range.last >= size)
		range.last = size - 1;
	FUZZ_CLAIM(range.first == decided->first);
	FUZZ_CLAIM(range.last == decided->last);
}

/* ---- the program ---- */

static void
check_headers(struct http_request *request, int ranges)
{
	static const char *const names[] = {
	    [SEND_FILE_X_ACCEL_REDIRECT] =
		"X-Accel-Redirect: /_files/ab/" TOKEN "\r\n",
	    [SEND_FILE_X_SENDFILE] =
		"X-Sendfile: /var/lib/putslot/bodies/ab/" TOKEN "\r\n",
	};
	static const char accept[] = "Accept-Ranges: bytes\r\n";
	struct streams_writer out;

	streams_open_writer(&out);
	request->out = &out.stream;
	hand_off_headers(request, TOKEN, ranges);
	FUZZ_CLAIM(streams_written(&out) > 0);
	const char *text = streams_text(&out);
	if (strncmp(text, accept, strlen(accept)) == 0)
		text += strlen(accept);
	else
		FUZZ_CLAIM(config.send_file == SEND_FILE_X_ACCEL_REDIRECT &&
			   ranges == 0);
	FUZZ_CLAIM(strcmp(text, names[config.send_file]) == 0);
	streams_close_writer(&out);
}

/* As get.c decides. */
static void
check_decision(struct http_request *request, int64_t size)
{
	const char *header = http_param(request, "HTTP_RANGE");
	const struct conditions conditions = {
	    .if_match = http_param(request, "HTTP_IF_MATCH"),
	    .if_unmodified_since =
		http_param(request, "HTTP_IF_UNMODIFIED_SINCE"),
	    .if_none_match = http_param(request, "HTTP_IF_NONE_MATCH"),
	    .if_modified_since = http_param(request, "HTTP_IF_MODIFIED_SINCE"),
	    .if_range = http_param(request, "HTTP_IF_RANGE"),
	    .now = NOW};
	struct range ranges[RANGE_MAX];
	int count = header ? range_parse(header, size, ranges) : 0;

	FUZZ_CLAIM(conditional_status(&conditions, "\"a\"", STORED) == 200);
	FUZZ_CLAIM(conditional_range_counts(&conditions, "\"a\"", STORED));
	if (count == -1 || !hand_off_agrees(request, ranges, count))
		return;
	FUZZ_CLAIM(count == (header != NULL));
	if (header)
		check_cut(header, size, ranges);
	check_headers(request, count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input;
	char *params[FUZZ_FIELDS + 1] = {NULL};
	struct http_request request = {.service = &service, .params = params};

	fuzz_open(&input, data, size);
	config.send_file = (enum send_file)(
	    number(fuzz_field(&input, 0)) % (SEND_FILE_X_SENDFILE + 1));
	config.send_file_from = number(fuzz_field(&input, 1));
	int64_t body = number(fuzz_field(&input, 2)) + 1;
	for (int i = 3; i < input.count; i++)
		params[i - 3] = input.fields[i];
	http_parse(&request);
	if (hand_off_possible(&request, body)) {
		FUZZ_CLAIM(config.send_file != SEND_FILE_NO);
		FUZZ_CLAIM(body >= config.send_file_from);
		FUZZ_CLAIM(request.method == HTTP_GET);
		check_decision(&request, body);
	}
	fuzz_close(&input);
	return 0;
}
