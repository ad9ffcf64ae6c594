/* What is granted, and what is said of it in the log;
 * tests/component/upload_refusals_test.c has what is refused. */
#include "component/upload.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/log.h"
#include "tests/component/upload_fixture.h"
#include "tests/schema/publications.h"
#include "tests/suite.h"

/* Checks both URLs and gives the slot that they lead to. */
static struct slot
expect_urls(const char *put, const char *get, const char *name)
{
	const char *put_base = "https://up.montague.tld/";
	const char *get_base = "https://down.montague.tld/";
	char token[TOKEN_LEN + 1] = "", rest[300], secret[TOKEN_LEN + 1];
	struct slot slot;

	ck_assert_int_eq(strncmp(put, put_base, strlen(put_base)), 0);
	memcpy(token, put + strlen(put_base), TOKEN_LEN);
	ck_assert_int_eq(store_find(services_service.store, token, &slot), 1);
	snprintf(rest, sizeof(rest), "%s%s/%s/%s", put_base, token, slot.secret,
	    name);
	ck_assert_str_eq(put, rest);
	snprintf(rest, sizeof(rest), "%s%s/%s", get_base, token, name);
	ck_assert_str_eq(get, rest);
	snprintf(secret, sizeof(secret), "%s", slot.secret);
	ck_assert_str_ne(token, secret);
	return slot;
}

/* The same, of a slot in the form of the newest namespace. */
static struct slot
expect_url_attributes(xmpp_stanza_t *slot, const char *name)
{
	return expect_urls(xmpp_stanza_get_attribute(child(slot, "put"), "url"),
	    xmpp_stanza_get_attribute(child(slot, "get"), "url"), name);
}

START_TEST(a_request_is_granted_as_in_listing_6)
{
	struct slot slot;
	xmpp_stanza_t *reply;

	services_open("");
	reply = granted(ASK(REQUEST("23456")));
	ck_assert_str_eq(xmpp_stanza_get_ns(reply), "urn:xmpp:http:upload:0");
	slot = expect_url_attributes(reply, "tr%C3%A8s%20cool.jpg");
	ck_assert_str_eq(slot.owner, "romeo@montague.tld");
	ck_assert_str_eq(slot.file_name, "tr\xc3\xa8s cool.jpg");
	ck_assert_str_eq(slot.content_type, "image/jpeg");
	ck_assert_int_eq(slot.size, 23456);
	ck_assert_int_eq(slot.purpose, PURPOSE_MESSAGE);
	ck_assert_int_eq(slot.issued_at, SERVICES_NOW);
	ck_assert_int_eq(
	    slot.put_expires_at, SERVICES_NOW + services_config->put_window);
	ck_assert_int_eq(slot.stored_at, 0);
}
END_TEST

#define EPHEMERAL                                                         \
	ASK("<request xmlns='urn:xmpp:http:upload:0' filename='a' "       \
	    "size='5'><ephemeral xmlns='urn:xmpp:http:upload:purpose:0' " \
	    "expire-before='2030-01-01T00:00:00Z'/></request>")

static const struct {
	const char *request;
	bool public;
} publics[] = {
    {ASK(REQUEST("5")), true},
    {ASK(PURPOSE("5", "message")), true},
    {ASK(PURPOSE("5", "profile")), true},
    {EPHEMERAL, false},
};

START_TEST(all_but_ephemeral_files_are_downloaded_from_the_public_url)
{
	xmpp_stanza_t *reply;
	char token[TOKEN_LEN + 1] = "", start[100];
	const char *put, *get;

	services_open("");
	services_config->public = strdup("/");
	services_config->public_url = strdup("https://files.montague.tld/");
	reply = granted(publics[_i].request);
	put = xmpp_stanza_get_attribute(child(reply, "put"), "url");
	get = xmpp_stanza_get_attribute(child(reply, "get"), "url");
	memcpy(token, put + strlen("https://up.montague.tld/"), TOKEN_LEN);
	if (publics[_i].public)
		snprintf(start, sizeof(start),
		    "https://files.montague.tld/%.2s/%s/", token, token);
	else
		snprintf(start, sizeof(start), "https://down.montague.tld/%s/",
		    token);
	ck_assert_msg(strncmp(get, start, strlen(start)) == 0, "%s", get);
}
END_TEST

static const char *const legacy_requests[][2] = {
    {OLD, ASK(LEGACY(OLD, "5"))},
    {OLDER, ASK(LEGACY(OLDER, "5"))},
    {OLD, ASK("<request xmlns='" OLD "' filename='tr\xc3\xa8s cool.jpg' "
	      "size='5'/>")},
};

START_TEST(a_legacy_request_is_granted_in_its_own_form)
{
	xmpp_stanza_t *reply;
	char *put, *get;

	services_open("");
	reply = granted(legacy_requests[_i][1]);
	ck_assert_str_eq(xmpp_stanza_get_ns(reply), legacy_requests[_i][0]);
	put = xmpp_stanza_get_text(child(reply, "put"));
	get = xmpp_stanza_get_text(child(reply, "get"));
	expect_urls(put, get, "tr%C3%A8s%20cool.jpg");
	free(put);
	free(get);
	ck_assert_ptr_null(
	    xmpp_stanza_get_attribute(child(reply, "put"), "url"));
}
END_TEST

START_TEST(children_in_the_new_namespace_are_answered_with_attributes)
{
	xmpp_stanza_t *reply;

	services_open("");
	reply = granted(ASK(LEGACY("urn:xmpp:http:upload:0", "5")));
	expect_url_attributes(reply, "tr%C3%A8s%20cool.jpg");
}
END_TEST

START_TEST(an_ephemeral_upload_expires_before_it_is_asked_to)
{
	xmpp_stanza_t *reply;
	struct slot slot;

	services_open("");
	reply = granted(
	    ASK("<request xmlns='urn:xmpp:http:upload:0' filename='a' "
		"size='5'><ephemeral xmlns='urn:xmpp:http:upload:purpose:0' "
		"expire-before='2025-09-11T01:28:25.7+02:00'/></request>"));
	slot = expect_url_attributes(reply, "a");
	ck_assert_int_eq(slot.purpose, PURPOSE_EPHEMERAL);
	ck_assert_int_eq(slot.expires_at, SERVICES_NOW + 20 * 60);
}
END_TEST

START_TEST(a_disk_that_cannot_be_seen_refuses_nothing)
{
	services_open("min_free = 1000000 TB\n");
	free(services_config->bodies);
	services_config->bodies = strdup("/nonexistent/bodies");
	granted(ASK(REQUEST("5")));
}
END_TEST

START_TEST(the_disk_that_counts_is_the_one_that_takes_the_file)
{
	services_open("min_free = 1000000 TB\n");
	services_config->public = strdup("/nonexistent/public");
	services_config->public_url = strdup("https://files.montague.tld/");
	granted(ASK(REQUEST("5")));
	ck_assert_str_eq(
	    xmpp_stanza_get_type(services_answer(EPHEMERAL)), "error");
}
END_TEST

/* ---- the log ---- */

/* What is logged from here on, read back. */
static void
log_to_file(void)
{
	char path[250];

	log_open("test", LOG_LEVEL_DEBUG, false);
	ck_assert_ptr_nonnull(
	    freopen(services_path("log", path), "w+", stderr));
}

static const char *
logged(void)
{
	static char text[4096];
	size_t len;

	fflush(stderr);
	rewind(stderr);
	len = fread(text, 1, sizeof(text) - 1, stderr);
	text[len] = '\0';
	return text;
}

START_TEST(a_grant_is_logged_without_token_and_secret)
{
	xmpp_stanza_t *reply;
	struct slot slot;
	const char *text;

	services_open("");
	log_to_file();
	reply = granted(ASK(REQUEST("23456")));
	slot = expect_url_attributes(reply, "tr%C3%A8s%20cool.jpg");
	text = logged();
	ck_assert_ptr_nonnull(strstr(text,
	    "slot 1 granted to romeo@montague.tld: message, 23456 bytes"));
	ck_assert_ptr_null(strstr(text, slot.token));
	ck_assert_ptr_null(strstr(text, slot.secret));
	ck_assert_ptr_null(strstr(text, "https:"));
}
END_TEST

static int
link_nothing(void *arg)
{
	(void)arg;
	return 1;
}

START_TEST(what_makes_room_is_logged_with_the_reason)
{
	static const unsigned char sha256[STORE_SHA256_LEN];

	services_open(
	    "[purpose message]\nfiles_per_user = 1\nwhen_full = make room\n");
	log_to_file();
	granted(ASK(REQUEST("1000")));
	ck_assert_int_eq(publish_one(services_service.store,
			     (struct publication){1, SERVICES_NOW, sha256, 0},
			     link_nothing, NULL),
	    1);
	granted(ASK(REQUEST("10")));
	ck_assert_ptr_nonnull(strstr(logged(),
	    "slot 2: 1 older uploads (1000 bytes) of romeo@montague.tld "
	    "removed, to make room within the limits of 'message'"));
}
END_TEST

START_TEST(a_refusal_is_logged)
{
	services_open("");
	log_to_file();
	services_answer(ASK_FROM("juliet@capulet.lit/x", REQUEST("5")));
	ck_assert_ptr_nonnull(strstr(logged(),
	    "slot refused to juliet@capulet.lit: You may not upload files "
	    "here."));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("upload");
	TCase *tc = tcase_create("answer");

	tcase_add_checked_fixture(tc, NULL, services_close);
	tcase_add_test(tc, a_request_is_granted_as_in_listing_6);
	tcase_add_loop_test(tc,
	    all_but_ephemeral_files_are_downloaded_from_the_public_url, 0,
	    COUNT(publics));
	tcase_add_loop_test(tc, a_legacy_request_is_granted_in_its_own_form, 0,
	    COUNT(legacy_requests));
	tcase_add_test(
	    tc, children_in_the_new_namespace_are_answered_with_attributes);
	tcase_add_test(tc, an_ephemeral_upload_expires_before_it_is_asked_to);
	tcase_add_test(tc, a_disk_that_cannot_be_seen_refuses_nothing);
	tcase_add_test(tc, the_disk_that_counts_is_the_one_that_takes_the_file);
	tcase_add_test(tc, a_grant_is_logged_without_token_and_secret);
	tcase_add_test(tc, what_makes_room_is_logged_with_the_reason);
	tcase_add_test(tc, a_refusal_is_logged);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
