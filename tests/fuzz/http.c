/*
 * HTTP requests, from their parameters to the last byte of the answer, on a
 * store of a few slots. Input:
 *
 *	METHOD URI
 *	NAME=value	of any number of parameters
 *	(an empty line)
 *	the body
 *
 * In all but the body "$" and a letter stand for what no fuzzer could guess:
 * the token ("$a") or the secret ("$A") of one of the slots below.
 */
#include "fcgi/http.h"
#include "fcgi/readers.h"

#include <ctype.h>
#include <stdbool.h>
#include <strings.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/body.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/store.h"
#include "tests/fcgi/streams.h"
#include "tests/fuzz/directory.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1790000000) /* 2026-09-21 14:13:20 UTC */
#define DAY 86400
#define AWAITED 5   /* bytes that the slots without a body await */
#define STORED 1000 /* bytes of the others */
#define CHUNK 3     /* bytes of a request's body that arrive at once */

static const struct {
	char letter;
	bool stored;
	int64_t issued_at;
	const char *name, *type;
} slots[] = {
    {'a', false, NOW, "a b.txt", "text/plain"},
    {'n', false, NOW, "n", NULL},
    {'o', false, NOW - 400, "over.txt", NULL}, /* no PUT may begin any more */
    {'t', true, NOW, "\xc3\xa9.txt", "text/plain; charset=utf-8"},
    {'h', true, NOW, "h.html", "text/html"},
    {'u', true, NOW, "u", NULL},
    {'x', true, NOW - DAY, "expired.png", "image/png"},
    /* as a hand may have changed a row */
    {'e', true, NOW, "\r\nX: y\"\xff\\.exe", "a/b\r\nSet-Cookie: c=d"},
};
#define SLOTS (sizeof(slots) / sizeof(*slots))

static struct {
	struct config config;
	struct limits limits;
	struct http_service http;
	struct store *store;
	struct slot slots[SLOTS];
	unsigned char data[STORED];
} fixture;

/* ---- the store ---- */

static void
ignore_turn(struct turn *turn)
{
	(void)turn;
}

static void
publish(const struct slot *slot)
{
	unsigned char sha256[STORE_SHA256_LEN] = {0xab};
	struct turn turn = {
	    .publication = {slot->id, slot->issued_at, sha256, 0},
	    .done = ignore_turn};

	FUZZ_CLAIM(body_begin(fixture.http.bodies, slot->token, BODIES_OWN,
		       STORED, &turn.body) == 1);
	FUZZ_CLAIM(body_write(turn.body, fixture.data, STORED) == 1);
	FUZZ_CLAIM(body_sync(turn.body) == 1);
	writer_submit(fixture.http.writer, &turn);
	FUZZ_CLAIM(writer_publish(fixture.http.writer));
	FUZZ_CLAIM(turn.publication.result == 1);
	body_end(turn.body);
}

static void
make_slot(size_t i)
{
	struct grant_request request = {.owner = "juliet@example.org",
	    .purpose = PURPOSE_MESSAGE,
	    .file_name = slots[i].name,
	    .content_type = slots[i].type,
	    .size = slots[i].stored ? STORED : AWAITED,
	    .expire_before = UNITS_NEVER,
	    .now = slots[i].issued_at,
	    .put_window = 300,
	    .upload_timeout = 300,
	    .max_total = UNITS_NEVER,
	    .room = UNITS_NEVER,
	    .limits = &fixture.limits};
	struct grant_result result;

	FUZZ_CLAIM(store_grant(fixture.store, &request, &result) == 1);
	FUZZ_CLAIM(
	    store_find(fixture.store, result.token, &fixture.slots[i]) == 1);
	if (slots[i].stored)
		publish(&fixture.slots[i]);
}

/* What a request has stored is removed, and awaited anew. */
static void
renew_slot(size_t i)
{
	char doomed[1][TOKEN_LEN + 1];
	struct slot *slot = &fixture.slots[i];

	FUZZ_CLAIM(store_drop(fixture.store, slot->id) == 1);
	FUZZ_CLAIM(store_doomed(fixture.store, "", doomed, 1) == 1);
	FUZZ_CLAIM(bodies_remove(fixture.http.bodies, doomed[0]) == 1);
	FUZZ_CLAIM(store_forget(fixture.store, doomed, 1) == 1);
	make_slot(i);
}

static void
set_up(void)
{
	static char database[250], bodies[250];
	static char any[] = "*", methods[] = "PUT", headers[] = "Content-Type";

	directory_make();
	log_open("fuzz", LOG_LEVEL_ERROR, false);
	snprintf(database, sizeof(database), "%s/db", directory_path);
	snprintf(bodies, sizeof(bodies), "%s/bodies", directory_path);
	for (size_t i = 0; i < STORED; i++)
		fixture.data[i] = (unsigned char)(i * 7);
	fixture.config = (struct config){.database = database,
	    .threads = 1,
	    .bodies = bodies,
	    .busy_timeout = 5,
	    .read_timeout = 5,
	    .max_cache_age = 3600,
	    .cors_origin = any,
	    .cors_methods = methods,
	    .cors_headers = headers};
	fixture.limits = (struct limits){true, UNITS_NEVER, DAY, UNITS_NEVER,
	    UNITS_NEVER, 3600, UNITS_NEVER, UNITS_NEVER, WHEN_FULL_REFUSE};
	fixture.http.config = &fixture.config;
	FUZZ_CLAIM(store_open(database, STORE_GRANT, 5, &fixture.store) == 1);
	FUZZ_CLAIM(readers_open(database, 5, 1, &fixture.http.readers) == 1);
	FUZZ_CLAIM(
	    writer_open(database, STORE_DURABLE, 5, &fixture.http.writer) == 1);
	FUZZ_CLAIM(bodies_open(bodies, NULL, BODIES_NAMELESS,
		       &fixture.http.bodies) == 1);
	for (size_t i = 0; i < SLOTS; i++)
		make_slot(i);
}

/* ---- a request ---- */

struct exchange {
	struct http_request request; /* first: http_answer gives it back */
	int status;
	struct streams_reader body;
	struct streams_writer answer;
	char *params[FUZZ_FIELDS + 2];
	const unsigned char *data; /* of the body */
	size_t len;
	const char *text; /* the whole answer, with a NUL behind it */
	size_t text_len;
	const char *content; /* the part of it after the headers */
	size_t content_len;
};

/* What "$" and this letter stand for, or NULL. */
static const char *
find_word(char letter)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (letter == slots[i].letter)
			return fixture.slots[i].token;
		if (letter == toupper(slots[i].letter))
			return fixture.slots[i].secret;
	}
	return NULL;
}

/* name and the text with its "$" replaced, to be freed. */
static char *
expand(const char *name, const char *text)
{
	char *whole = NULL;
	size_t len;
	FILE *out = open_memstream(&whole, &len);

	FUZZ_CLAIM(out != NULL);
	fputs(name, out);
	for (; *text; text++) {
		const char *word = *text == '$' ? find_word(text[1]) : NULL;

		if (word)
			fputs(word, out);
		else
			fputc(*text, out);
		text += word != NULL;
	}
	FUZZ_CLAIM(fclose(out) == 0);
	return whole;
}

static void
note_status(struct http_request *request, int status)
{
	((struct exchange *)(void *)request)->status = status;
}

static void
open_exchange(struct exchange *x, const uint8_t *data, size_t size)
{
	struct fuzz_input input;
	size_t used = fuzz_open(&input, data, size);
	int count = 0;

	memset(x, 0, sizeof(*x));
	x->data = data + used;
	x->len = size - used;
	if (input.count > 0) {
		char *uri = input.fields[0];
		char *method = strsep(&uri, " ");

		x->params[count++] = expand("REQUEST_METHOD=", method);
		if (uri)
			x->params[count++] = expand("REQUEST_URI=", uri);
	}
	for (int i = 1; i < input.count; i++)
		x->params[count++] = expand("", input.fields[i]);
	fuzz_close(&input);

	streams_open_reader(&x->body, x->data, x->len);
	x->body.chunk = CHUNK;
	streams_open_writer(&x->answer);
	x->request = (struct http_request){.service = &fixture.http,
	    .params = x->params,
	    .in = &x->body.stream,
	    .out = &x->answer.stream,
	    .now = NOW,
	    .answered = note_status};
}

static void
close_exchange(struct exchange *x)
{
	for (int i = 0; x->params[i]; i++)
		free(x->params[i]);
	streams_close_writer(&x->answer);
}

/* ---- the form of the answer ---- */

/* All that may ever be sent. The first REQUIRED are never missing. */
static const char *const headers[] = {"Status", "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers", "Content-Security-Policy",
    "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy",
    "ETag", "Last-Modified", "Cache-Control", "Content-Type", "Content-Length",
    "Accept-Ranges", "Content-Disposition", "Content-Range", "Allow",
    "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
    "Access-Control-Max-Age"};
#define HEADERS (sizeof(headers) / sizeof(*headers))
#define REQUIRED 7

/* The value of a header, not NUL-terminated, or NULL. */
static const char *
find_header(const struct exchange *x, const char *name)
{
	const char *p = x->text;

	while (p < x->content - 2) {
		if (strncmp(p, name, strlen(name)) == 0 &&
		    p[strlen(name)] == ':')
			return p + strlen(name) + 2;
		p = strstr(p, "\r\n") + 2;
	}
	return NULL;
}

/* One line: a known name, a value without a control character. */
static size_t
check_header(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t i = 0;

	FUZZ_CLAIM(colon != NULL && colon[1] == ' ');
	while (i < HEADERS && (strlen(headers[i]) != (size_t)(colon - line) ||
				  memcmp(headers[i], line, strlen(headers[i]))))
		i++;
	FUZZ_CLAIM(i < HEADERS);
	for (size_t n = 0; n < len; n++)
		FUZZ_CLAIM((unsigned char)line[n] >= ' ' && line[n] != 0x7f);
	return i;
}

/* Finds where the content begins. */
static void
check_headers(struct exchange *x)
{
	int seen[HEADERS] = {0};
	const char *p = x->text;
	const char *end = strstr(p, "\r\n\r\n");

	FUZZ_CLAIM(end != NULL);
	x->content = end + 4;
	x->content_len = x->text_len - (size_t)(x->content - x->text);
	while (p < x->content - 2) {
		const char *line_end = strstr(p, "\r\n");

		seen[check_header(p, (size_t)(line_end - p))]++;
		p = line_end + 2;
	}
	for (size_t i = 0; i < HEADERS; i++)
		FUZZ_CLAIM(seen[i] <= 1 && (i >= REQUIRED || seen[i] == 1));
}

static void
check_length(const struct exchange *x, int status)
{
	const char *length = find_header(x, "Content-Length");

	if (status == 204 || status == 304) {
		FUZZ_CLAIM(length == NULL && x->content_len == 0);
		return;
	}
	FUZZ_CLAIM(length != NULL);
	if (x->request.method == HTTP_HEAD)
		FUZZ_CLAIM(x->content_len == 0);
	else
		FUZZ_CLAIM(
		    strtoull(length, NULL, 10) == (uint64_t)x->content_len);
}

/* No secret leaves by an answer, nor what another slot is called than the one
 * that was asked for. */
static void
check_secrets(const struct exchange *x)
{
	for (size_t i = 0; i < SLOTS; i++) {
		const struct slot *slot = &fixture.slots[i];

		FUZZ_CLAIM(memmem(x->text, x->text_len, slot->secret,
			       TOKEN_LEN) == NULL);
		FUZZ_CLAIM(strcmp(slot->token, x->request.token) == 0 ||
			   memmem(x->text, x->text_len, slot->token,
			       TOKEN_LEN) == NULL);
	}
}

/* ---- its meaning ---- */

static void
check_part(const struct exchange *x)
{
	const char *range = find_header(x, "Content-Range");
	long long first, last, size;

	if (range == NULL) {
		const char *type = find_header(x, "Content-Type");

		FUZZ_CLAIM(strncmp(type, "multipart/byteranges; ", 22) == 0);
		return;
	}
	FUZZ_CLAIM(
	    sscanf(range, "bytes %lld-%lld/%lld", &first, &last, &size) == 3);
	FUZZ_CLAIM(first >= 0 && first <= last && last < size);
	FUZZ_CLAIM(size == STORED);
	FUZZ_CLAIM((long long)x->content_len == last - first + 1);
	FUZZ_CLAIM(
	    memcmp(x->content, fixture.data + first, x->content_len) == 0);
}

/* What was sent of a body is of one that may be read. */
static void
check_download(const struct exchange *x, int status)
{
	size_t i = 0;

	while (i < SLOTS && fixture.slots[i].id != x->request.slot_id)
		i++;
	FUZZ_CLAIM(i < SLOTS && slots[i].stored);
	FUZZ_CLAIM(fixture.slots[i].expires_at > NOW);
	if (status == 206)
		check_part(x);
	else if (x->request.method == HTTP_GET)
		FUZZ_CLAIM(x->content_len == STORED &&
			   memcmp(x->content, fixture.data, STORED) == 0);
}

/* 201 is said of a body that is there, byte by byte. */
static void
check_upload(const struct exchange *x, const struct slot *slot)
{
	unsigned char stored[AWAITED];
	int64_t size;
	int fd;

	FUZZ_CLAIM(x->request.method == HTTP_PUT && x->len == AWAITED);
	FUZZ_CLAIM(strcmp(x->request.secret, slot->secret) == 0);
	FUZZ_CLAIM(
	    bodies_read(fixture.http.bodies, slot->token, &fd, &size) == 1);
	FUZZ_CLAIM(size == AWAITED && read(fd, stored, AWAITED) == AWAITED);
	FUZZ_CLAIM(memcmp(stored, x->data, AWAITED) == 0);
	FUZZ_CLAIM(x->request.body_consumed);
	close(fd);
}

/* Only what was answered 201 is stored. */
static void
check_slots(const struct exchange *x, int status)
{
	bool created = false;

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot slot;

		if (slots[i].stored)
			continue;
		FUZZ_CLAIM(store_find(fixture.store, fixture.slots[i].token,
			       &slot) == 1);
		if (slot.stored_at == 0)
			continue;
		FUZZ_CLAIM(status == 201 && !created);
		FUZZ_CLAIM(slot.id == x->request.slot_id);
		FUZZ_CLAIM(slots[i].issued_at == NOW);
		created = true;
		check_upload(x, &slot);
		renew_slot(i);
	}
	FUZZ_CLAIM(created == (status == 201));
}

static void
check_status(const struct exchange *x, int status)
{
	static const int known[] = {200, 201, 204, 206, 304, 400, 404, 405, 409,
	    411, 412, 413, 415, 416};
	bool is_known = false;

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		is_known = is_known || known[i] == status;
	FUZZ_CLAIM(is_known);
	FUZZ_CLAIM(strtol(find_header(x, "Status"), NULL, 10) == status);
	FUZZ_CLAIM((status == 405) ==
		   (find_header(x, "Allow") != NULL && status != 204));
	if (status == 200 || status == 206 || status == 304)
		FUZZ_CLAIM(x->request.method == HTTP_GET ||
			   x->request.method == HTTP_HEAD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exchange x;

	if (fixture.store == NULL)
		set_up();
	open_exchange(&x, data, size);
	http_answer(&x.request);
	writer_publish_all(fixture.http.writer);
	int status = x.status;
	x.text_len = streams_written(&x.answer);
	x.text = streams_text(&x.answer);

	check_headers(&x);
	check_length(&x, status);
	check_secrets(&x);
	check_status(&x, status);
	if (status == 200 || status == 206)
		check_download(&x, status);
	if (x.request.method == HTTP_PUT || status == 201)
		check_slots(&x, status);
	close_exchange(&x);
	return 0;
}
