/*
 * What the tests of GET start from: a service that has stored one file, and a
 * request for it that is still to be answered. For checked fixtures alone, as
 * all of tests/fcgi/service.h.
 */
#ifndef TESTS_FCGI_GET_FIXTURE_H
#define TESTS_FCGI_GET_FIXTURE_H

#include "tests/fcgi/service.h"

#define BODY "0123456789abcdefghij" /* 20 bytes */

static struct service service;
static struct exchange exchange;
static struct slot cat; /* stored: cat.jpg, image/jpeg, BODY */

static inline void
open_request(const char *method, const struct slot *slot)
{
	char url[100];

	snprintf(url, sizeof(url), "/upload/%s/any-name", slot->token);
	exchange_open(&exchange, &service, method, url);
}

/* exchange is a GET of cat, to which a test may add before it runs it. */
static inline void
set_up(void)
{
	service_open(&service);
	cat = service_grant(&service, "cat.jpg", "image/jpeg", 20);
	service_publish(&service, &cat, BODY, 20);
	open_request("GET", &cat);
}

static inline void
tear_down(void)
{
	exchange_close(&exchange);
	service_close(&service);
}

/* Begins anew, with another method or file. */
static inline void
request(const char *method, const struct slot *slot)
{
	exchange_close(&exchange);
	open_request(method, slot);
}

#endif
