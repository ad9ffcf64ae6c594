/*
 * PUT and GET where some files are the web server's to serve.
 */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fcgi/service.h"
#include "tests/suite.h"

#define BODY "0123456789"
#define SIZE ((int64_t)sizeof(BODY) - 1)

static struct service service;
static char public_url[] = "https://files.example.org/";

static void
set_up(void)
{
	service_open(&service);
	service_open_public(&service);
	service.config.public_url = public_url;
}

static void
tear_down(void)
{
	service_close(&service);
}

static struct slot
grant(enum purpose purpose)
{
	struct grant_request request =
	    service_request(&service, "a.txt", NULL, SIZE);

	request.purpose = purpose;
	request.expire_before = SERVICE_NOW + 1000;
	return service_grant_request(&service, &request);
}

static void
put(const struct slot *slot, int status)
{
	char uri[200];
	struct exchange x;

	snprintf(uri, sizeof(uri), "/u/%s/%s/a.txt", slot->token, slot->secret);
	exchange_open(&x, &service, "PUT", uri);
	exchange_param(&x, "CONTENT_LENGTH", "10");
	streams_open_reader(&x.body, BODY, (size_t)SIZE);
	exchange_check_status(exchange_run(&x), status);
	exchange_close(&x);
}

static void
get(const char *uri, int status)
{
	struct exchange x;
	const char *answer;

	exchange_open(&x, &service, "GET", uri);
	answer = exchange_run(&x);
	exchange_check_status(answer, status);
	if (status == 200)
		ck_assert_str_eq(exchange_content(answer), BODY);
	exchange_close(&x);
}

static bool
lies_in(const char *tree, const struct slot *slot)
{
	char path[400];

	snprintf(
	    path, sizeof(path), "%s/%.2s/%s", tree, slot->token, slot->token);
	return access(path, F_OK) == 0;
}

START_TEST(only_ephemeral_files_do_not_become_public)
{
	struct slot slot = grant((enum purpose)_i);
	bool public = _i != PURPOSE_EPHEMERAL;

	put(&slot, 201);
	ck_assert(lies_in(service.public_dir, &slot) == public);
	ck_assert(lies_in(service.bodies_dir, &slot) != public);
}
END_TEST

/* What the web server passes on when it has not found the file. */
START_TEST(a_public_url_is_answered_by_the_program_too)
{
	struct slot slot = grant(PURPOSE_MESSAGE);
	char uri[200];

	snprintf(
	    uri, sizeof(uri), "/files/%.2s/%s/a.txt", slot.token, slot.token);
	get(uri, 404);
	put(&slot, 201);
	get(uri, 200);
	service.now = SERVICE_NOW + 1000;
	get(uri, 404);
}
END_TEST

/* Before, and after, the configuration was changed. */
START_TEST(files_stay_when_the_public_url_goes_or_comes)
{
	struct slot before, after;
	char uri[200];

	before = grant(PURPOSE_MESSAGE);
	put(&before, 201);
	service.config.public_url = NULL;
	after = grant(PURPOSE_MESSAGE);
	put(&after, 201);
	ck_assert(lies_in(service.bodies_dir, &after));
	snprintf(uri, sizeof(uri), "/u/%s/a", before.token);
	get(uri, 200);
	service.config.public_url = public_url;
	snprintf(uri, sizeof(uri), "/u/%s/a", after.token);
	get(uri, 200);
}
END_TEST

START_TEST(a_full_disk_takes_no_public_file)
{
	struct slot slot = grant(PURPOSE_MESSAGE);

	service.config.min_free = UNITS_NEVER - 1;
	put(&slot, 507);
	ck_assert(!lies_in(service.public_dir, &slot));
	service.config.min_free = 0;
	put(&slot, 201);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("public files");
	TCase *tc = tcase_create("PUT and GET");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(
	    tc, only_ephemeral_files_do_not_become_public, 0, PURPOSE_COUNT);
	tcase_add_test(tc, a_public_url_is_answered_by_the_program_too);
	tcase_add_test(tc, files_stay_when_the_public_url_goes_or_comes);
	tcase_add_test(tc, a_full_disk_takes_no_public_file);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
