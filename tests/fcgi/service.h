/*
 * The web side on a store and bodies of its own in a temporary directory, and
 * one request to it. Opens SQLite: for checked fixtures and tests only.
 */
#ifndef TESTS_FCGI_SERVICE_H
#define TESTS_FCGI_SERVICE_H

#include <check.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/bodies.h"
#include "fcgi/body.h"
#include "fcgi/http.h"
#include "fcgi/readers.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/store.h"
#include "tests/fcgi/streams.h"
#include "tests/temporary.h"

#define SERVICE_NOW 1790000000 /* 2026-09-21 14:13:20 UTC */
#define SERVICE_RETENTION 86400

/* Of every stored body: the handlers do not compute it anew. */
#define SERVICE_SHA256_BYTE 0xab

struct service {
	char dir[200];
	char database[250];
	char bodies_dir[250], public_dir[250];
	char cors_origin[50], cors_methods[50], cors_headers[50];
	struct config config;
	struct limits limits;
	int64_t now; /* SERVICE_NOW, unless a test sets it */
	struct store *grants;
	struct http_service http;
};

static inline void
service_open(struct service *s)
{
	log_open("test", LOG_LEVEL_ERROR, false);
	memset(s, 0, sizeof(*s));
	s->now = SERVICE_NOW;
	ck_assert(temporary_make(s->dir, sizeof(s->dir)));
	snprintf(s->database, sizeof(s->database), "%s/db", s->dir);
	snprintf(s->bodies_dir, sizeof(s->bodies_dir), "%s/bodies", s->dir);
	snprintf(s->public_dir, sizeof(s->public_dir), "%s/public", s->dir);
	snprintf(s->cors_origin, sizeof(s->cors_origin), "*");
	snprintf(s->cors_methods, sizeof(s->cors_methods),
	    "GET, HEAD, PUT, OPTIONS");
	snprintf(s->cors_headers, sizeof(s->cors_headers), "Content-Type");

	s->config.database = s->database;
	s->config.bodies = s->bodies_dir;
	s->config.busy_timeout = 5;
	s->config.read_timeout = 5;
	s->config.threads = 4;
	s->config.durable = true;
	s->config.max_total = UNITS_NEVER;
	s->config.max_cache_age = 3600;
	s->config.cors_origin = s->cors_origin;
	s->config.cors_methods = s->cors_methods;
	s->config.cors_headers = s->cors_headers;
	s->limits =
	    (struct limits){true, UNITS_NEVER, SERVICE_RETENTION, UNITS_NEVER,
		UNITS_NEVER, 3600, UNITS_NEVER, UNITS_NEVER, WHEN_FULL_REFUSE};

	s->http.config = &s->config;
	ck_assert_int_eq(
	    store_open(s->database, STORE_GRANT, 5, &s->grants), 1);
	ck_assert_int_eq(readers_open(s->database, 5, 8, &s->http.readers), 1);
	ck_assert_int_eq(
	    writer_open(s->database, STORE_DURABLE, 5, &s->http.writer), 1);
	ck_assert_int_eq(
	    bodies_open(s->bodies_dir, NULL, BODIES_NAMELESS, &s->http.bodies),
	    1);
}

/* From now on some files are the web server's to serve. */
static inline void
service_open_public(struct service *s)
{
	s->config.public = s->public_dir;
	bodies_close(s->http.bodies);
	s->http.bodies = NULL;
	ck_assert_int_eq(bodies_open(s->bodies_dir, s->public_dir,
			     BODIES_NAMELESS, &s->http.bodies),
	    1);
}

static inline void
service_close(struct service *s)
{
	bodies_close(s->http.bodies);
	writer_close(s->http.writer);
	readers_close(s->http.readers);
	store_close(s->grants);
	temporary_remove(s->dir);
}

/* ---- slots ---- */

/* For a slot that awaits its PUT until 600 seconds after s->now; type may be
 * NULL. What is to be otherwise can be changed before it is granted. */
static inline struct grant_request
service_request(
    struct service *s, const char *name, const char *type, int64_t size)
{
	return (struct grant_request){.owner = "juliet@example.org",
	    .purpose = PURPOSE_MESSAGE,
	    .file_name = name,
	    .content_type = type,
	    .size = size,
	    .expire_before = UNITS_NEVER,
	    .now = s->now,
	    .put_window = 300,
	    .upload_timeout = 300,
	    .max_total = UNITS_NEVER,
	    .room = UNITS_NEVER,
	    .limits = &s->limits};
}

static inline struct slot
service_grant_request(struct service *s, const struct grant_request *request)
{
	struct grant_result result;
	struct slot slot;

	ck_assert_int_eq(store_grant(s->grants, request, &result), 1);
	ck_assert_int_eq(store_find(s->grants, result.token, &slot), 1);
	return slot;
}

static inline struct slot
service_grant(
    struct service *s, const char *name, const char *type, int64_t size)
{
	struct grant_request request = service_request(s, name, type, size);

	return service_grant_request(s, &request);
}

static inline void
service_ignore_turn(struct turn *turn)
{
	(void)turn;
}

/* Stores data[0..len) as the body of the slot, at s->now. */
static inline void
service_publish(
    struct service *s, const struct slot *slot, const void *data, size_t len)
{
	unsigned char sha256[STORE_SHA256_LEN];
	struct turn turn = {.publication = {slot->id, s->now, sha256, 0},
	    .done = service_ignore_turn};

	memset(sha256, SERVICE_SHA256_BYTE, sizeof(sha256));
	ck_assert_int_eq(body_begin(s->http.bodies, slot->token, BODIES_OWN,
			     (int64_t)len, &turn.body),
	    1);
	ck_assert_int_eq(body_write(turn.body, data, len), 1);
	ck_assert_int_eq(body_sync(turn.body), 1);
	writer_submit(s->http.writer, &turn);
	ck_assert(writer_publish(s->http.writer));
	ck_assert_int_eq(turn.publication.result, 1);
	body_end(turn.body);
}

static inline void
service_ignore_file(void *arg, const char *path, const char *token,
    int64_t size, int64_t changed_at)
{
	(void)arg, (void)path, (void)token, (void)size, (void)changed_at;
}

/* From now on no slot can be looked up. */
static inline void
service_break_database(const struct service *s)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(s->database, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db, "DROP TABLE slot", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* How many files lie among the bodies. */
static inline int64_t
service_count_files(const struct service *s)
{
	return bodies_each(s->http.bodies, service_ignore_file, NULL);
}

/* ---- one request and its answer ---- */

#define EXCHANGE_PARAMS 20

struct exchange {
	struct http_request request; /* first: http_answer gives it back */
	sem_t answered;              /* by whichever thread */
	int status;
	struct streams_reader body;
	struct streams_writer answer;
	char *params[EXCHANGE_PARAMS + 1];
	int param_count;
};

/* Adds a parameter; a value of NULL adds none. */
static inline void
exchange_param(struct exchange *x, const char *name, const char *value)
{
	if (!value)
		return;
	ck_assert_int_lt(x->param_count, EXCHANGE_PARAMS);
	ck_assert_int_gt(
	    asprintf(&x->params[x->param_count++], "%s=%s", name, value), 0);
}

static inline void
exchange_note_status(struct http_request *request, int status)
{
	struct exchange *x = (struct exchange *)(void *)request;

	x->status = status;
	sem_post(&x->answered);
}

/* A request without a body; then come parameters, fields of body, and
 * exchange_run. */
static inline void
exchange_open(struct exchange *x, const struct service *s, const char *method,
    const char *uri)
{
	memset(x, 0, sizeof(*x));
	streams_open_reader(&x->body, NULL, 0);
	streams_open_writer(&x->answer);
	exchange_param(x, "REQUEST_METHOD", method);
	exchange_param(x, "REQUEST_URI", uri);
	x->request = (struct http_request){.service = &s->http,
	    .params = x->params,
	    .in = &x->body.stream,
	    .out = &x->answer.stream,
	    .now = s->now,
	    .answered = exchange_note_status};
	sem_init(&x->answered, 0, 0);
}

/* Answers; the text of the answer stays until exchange_close. */
static inline const char *
exchange_run(struct exchange *x)
{
	const char *text;
	char line[20];

	http_answer(&x->request);
	writer_publish_all(x->request.service->writer);
	while (sem_wait(&x->answered) == -1)
		;
	text = streams_text(&x->answer);
	snprintf(line, sizeof(line), "Status: %d ", x->status);
	ck_assert_msg(strncmp(text, line, strlen(line)) == 0,
	    "returned %d, but answered: %s", x->status, text);
	return text;
}

static inline void
exchange_close(struct exchange *x)
{
	for (int i = 0; i < x->param_count; i++)
		free(x->params[i]);
	streams_close_writer(&x->answer);
}

/* Whether the answer has that line among its headers. */
static inline void
exchange_check_header(const char *answer, const char *line)
{
	char whole[1500];

	snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
	ck_assert_msg(
	    strstr(answer, whole) != NULL, "no '%s' in: %s", line, answer);
}

static inline void
exchange_check_status(const char *answer, int status)
{
	char line[20];

	snprintf(line, sizeof(line), "Status: %d ", status);
	ck_assert_msg(strncmp(answer, line, strlen(line)) == 0, "%s", answer);
}

/* What follows the headers. */
static inline const char *
exchange_content(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	ck_assert_ptr_nonnull(end);
	return end + 4;
}

#endif
