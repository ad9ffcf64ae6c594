/*
 * What the tests of PUT start from: a service that has granted one slot, and
 * what must hold after a PUT to it. For checked fixtures alone, as all of
 * tests/fcgi/service.h.
 */
#ifndef TESTS_FCGI_PUT_FIXTURE_H
#define TESTS_FCGI_PUT_FIXTURE_H

#include <openssl/evp.h>
#include <unistd.h>

#include "tests/fcgi/service.h"

#define BODY "hello"
#define SIZE 5

static struct service service;
static struct slot slot;

static inline void
set_up(void)
{
	service_open(&service);
	slot = service_grant(&service, "a.txt", "text/plain", SIZE);
}

static inline void
tear_down(void)
{
	service_close(&service);
}

/* A PUT of len bytes to the slot, as HTTP/1.1 with a length. */
static inline void
open_put(
    struct exchange *x, const struct slot *to, const char *data, size_t len)
{
	char uri[100], length[30];

	snprintf(
	    uri, sizeof(uri), "/upload/%s/%s/a.txt", to->token, to->secret);
	snprintf(length, sizeof(length), "%zu", len);
	exchange_open(x, &service, "PUT", uri);
	streams_open_reader(&x->body, data, len);
	exchange_param(x, "SERVER_PROTOCOL", "HTTP/1.1");
	exchange_param(x, "CONTENT_LENGTH", length);
}

/* The same, chunked: nothing says how long it is. */
static inline void
open_chunked(
    struct exchange *x, const struct slot *to, const char *data, size_t len)
{
	open_put(x, to, data, len);
	free(x->params[--x->param_count]);
	x->params[x->param_count] = NULL;
	exchange_param(x, "HTTP_TRANSFER_ENCODING", "chunked");
}

static inline int
status_of(const char *answer)
{
	int status = 0;

	ck_assert_int_eq(sscanf(answer, "Status: %d ", &status), 1);
	return status;
}

/* Runs and closes. The status. */
static inline int
finish(struct exchange *x)
{
	int status = status_of(exchange_run(x));

	exchange_close(x);
	return status;
}

static inline int
put(const struct slot *to, const char *data, size_t len)
{
	struct exchange x;

	open_put(&x, to, data, len);
	return finish(&x);
}

static inline struct slot
look_up(const struct slot *which)
{
	struct slot found;

	ck_assert_int_eq(store_find(service.grants, which->token, &found), 1);
	return found;
}

/* Nothing lies on the disk, the row awaits its PUT, and the PUT works. */
static inline void
assert_usable(void)
{
	ck_assert_int_eq(service_count_files(&service), 0);
	ck_assert_int_eq(look_up(&slot).stored_at, 0);
	ck_assert_int_eq(put(&slot, BODY, SIZE), 201);
}

/* The file holds exactly data, and the row its digest. */
static inline void
assert_stored(const struct slot *which, const char *data, size_t len)
{
	unsigned char sha256[STORE_SHA256_LEN];
	struct slot found = look_up(which);
	char *got = malloc(len + 1);
	int64_t size;
	int fd;

	ck_assert_int_eq(
	    bodies_read(service.http.bodies, which->token, &fd, &size), 1);
	ck_assert_int_eq(size, (int64_t)len);
	ck_assert_int_eq(read(fd, got, len + 1), (ssize_t)len);
	close(fd);
	ck_assert_mem_eq(got, data, len);
	free(got);
	ck_assert_int_ge(found.stored_at, SERVICE_NOW);
	ck_assert_int_eq(
	    EVP_Digest(data, len, sha256, NULL, EVP_sha256(), NULL), 1);
	ck_assert_mem_eq(found.sha256, sha256, sizeof(sha256));
}

#endif
