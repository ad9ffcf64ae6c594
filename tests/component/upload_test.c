#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "component/iq.h"
#include "schema/log.h"
#include "tests/component/services.h"
#include "tests/component/stanzas.h"
#include "tests/schema/lock.h"
#include "tests/schema/publications.h"
#include "tests/suite.h"

#define FROM "romeo@montague.tld/garden"
#define ASK_FROM(from, request)                                      \
	"<iq from='" from "' to='upload.montague.tld' id='step_03' " \
	"type='get'>" request "</iq>"
#define ASK(request) ASK_FROM(FROM, request)
#define REQUEST(size)                                                    \
	"<request xmlns='urn:xmpp:http:upload:0' filename='tr\xc3\xa8s " \
	"cool.jpg' size='" size "' content-type='image/jpeg'/>"
#define PURPOSE(size, purpose)                                             \
	"<request xmlns='urn:xmpp:http:upload:0' filename='a' size='" size \
	"'><" purpose " xmlns='urn:xmpp:http:upload:purpose:0'/></request>"
#define LEGACY(ns, size)                                                    \
	"<request xmlns='" ns "'><filename>tr\xc3\xa8s cool.jpg</filename>" \
	"<size>" size "</size><content-type>image/jpeg</content-type>"      \
	"</request>"
#define OLD "urn:xmpp:http:upload"
#define OLDER "eu:siacs:conversations:http:upload"
#define STANZAS "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
#define ERROR_TO(to, echo, type, condition, text, more)                        \
	"<iq from='upload.montague.tld' to='" to                               \
	"' id='step_03' type='error'>" echo "<error type='" type               \
	"'><" condition " " STANZAS "/><text " STANZAS ">" text "</text>" more \
	"</error></iq>"
#define ERROR(echo, type, condition, text, more) \
	ERROR_TO(FROM, echo, type, condition, text, more)
#define RETRY(stamp) "<retry xmlns='urn:xmpp:http:upload:0' stamp='" stamp "'/>"

/* Follows the names down from the answer; the test fails if one is missing. */
static xmpp_stanza_t *
child(xmpp_stanza_t *stanza, const char *name)
{
	xmpp_stanza_t *found = xmpp_stanza_get_child_by_name(stanza, name);

	ck_assert_msg(found != NULL, "no <%s>", name);
	return found;
}

static xmpp_stanza_t *
granted(const char *request)
{
	xmpp_stanza_t *reply = services_answer(request);

	ck_assert_str_eq(xmpp_stanza_get_type(reply), "result");
	ck_assert_str_eq(xmpp_stanza_get_id(reply), "step_03");
	ck_assert_str_eq(xmpp_stanza_get_from(reply), "upload.montague.tld");
	ck_assert_str_eq(xmpp_stanza_get_to(reply), FROM);
	return child(reply, "slot");
}

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

static const struct {
	const char *settings;
	const char *request;
	const char *reply;
} refused[] = {
    /* listing 11, and the same in the other namespaces */
    {"[purpose message]\nmax_file_size = 20000\n", ASK(REQUEST("23456")),
	ERROR(REQUEST("23456"), "modify", "not-acceptable",
	    "File too large. The maximum file size is 20000 bytes.",
	    "<file-too-large xmlns='urn:xmpp:http:upload:0'>"
	    "<max-file-size>20000</max-file-size></file-too-large>")},
    {"[purpose message]\nmax_file_size = 20000\n", ASK(LEGACY(OLD, "20001")),
	ERROR(LEGACY(OLD, "20001"), "modify", "not-acceptable",
	    "File too large. The maximum file size is 20000 bytes.",
	    "<file-too-large xmlns='" OLD "'>"
	    "<max-file-size>20000</max-file-size></file-too-large>")},
    {"[purpose profile]\nmax_file_size = 100\n", ASK(PURPOSE("101", "profile")),
	ERROR("<request xmlns='urn:xmpp:http:upload:0' filename='a' "
	      "size='101'/>",
	    "modify", "not-acceptable",
	    "File too large. The maximum file size is 100 bytes.",
	    "<file-too-large xmlns='urn:xmpp:http:upload:0'>"
	    "<max-file-size>100</max-file-size></file-too-large>")},
    {"", ASK(REQUEST("9223372036854775806")),
	ERROR(REQUEST("9223372036854775806"), "modify", "not-acceptable",
	    "File too large. The maximum file size is 104857616 bytes.",
	    "<file-too-large xmlns='urn:xmpp:http:upload:0'>"
	    "<max-file-size>104857616</max-file-size></file-too-large>")},
    /* nor would one over the total ever fit */
    {"max_total = 20000\n", ASK(REQUEST("20001")),
	ERROR(REQUEST("20001"), "modify", "not-acceptable",
	    "File too large. The maximum file size is 20000 bytes.",
	    "<file-too-large xmlns='urn:xmpp:http:upload:0'>"
	    "<max-file-size>20000</max-file-size></file-too-large>")},
    /* listing 13 */
    {"[rule all]\nmatch = *\n"
     "deny = Only premium members are allowed to upload files\n",
	ASK(REQUEST("23456")),
	ERROR(REQUEST("23456"), "auth", "forbidden",
	    "Only premium members are allowed to upload files", "")},
    {"[rule all]\nmatch = *\ndeny = No <b>.\n", ASK(LEGACY(OLD, "5")),
	ERROR(LEGACY(OLD, "5"), "cancel", "not-allowed", "No &lt;b&gt;.", "")},
    {"", ASK_FROM("juliet@capulet.lit", REQUEST("5")),
	ERROR_TO("juliet@capulet.lit", REQUEST("5"), "auth", "forbidden",
	    "You may not upload files here.", "")},
    {"", ASK_FROM("gateway.montague.tld", REQUEST("5")),
	ERROR_TO("gateway.montague.tld", REQUEST("5"), "auth", "forbidden",
	    "You may not upload files here.", "")},
    /* purposes */
    {"", ASK(PURPOSE("5", "permanent")),
	ERROR("<request xmlns='urn:xmpp:http:upload:0' filename='a' "
	      "size='5'/>",
	    "cancel", "feature-not-implemented",
	    "Uploads for the purpose 'permanent' are not offered to you.", "")},
    {"[purpose message]\nenabled = no\n", ASK(REQUEST("5")),
	ERROR(REQUEST("5"), "cancel", "feature-not-implemented",
	    "Uploads for the purpose 'message' are not offered to you.", "")},
    {"", ASK(PURPOSE("5", "holiday")),
	ERROR("<request xmlns='urn:xmpp:http:upload:0' filename='a' "
	      "size='5'/>",
	    "cancel", "feature-not-implemented",
	    "The purpose 'holiday' is not known here.", "")},
    /* malformed: what there is comes back */
    {"",
	ASK("<request xmlns='urn:xmpp:http:upload:0' size='5' x='y'><z/>"
	    "</request>"),
	ERROR("<request xmlns='urn:xmpp:http:upload:0' size='5'/>", "modify",
	    "bad-request", "The request needs a filename, in UTF-8.", "")},
    {"", ASK(REQUEST("1e3")),
	ERROR(REQUEST("1e3"), "modify", "bad-request",
	    "The request needs a size: a positive decimal number of bytes.",
	    "")},
    /* the disk */
    {"min_free = 1000000 TB\n", ASK(REQUEST("5")),
	ERROR(REQUEST("5"), "wait", "resource-constraint",
	    "The service is short of disk space. Please try again later.", "")},
};

START_TEST(a_refusal_says_why_as_in_the_listings)
{
	services_open(refused[_i].settings);
	stanzas_expect(services_answer(refused[_i].request), refused[_i].reply);
}
END_TEST

/* The first request is granted at SERVICES_NOW, the second refused a minute
 * later. Unused slots stop counting when their PUT can no longer end. */
#define TIMERS "[timers]\nput_window = 5m\nupload_timeout = 10m\n"
#define TIMED_OUT "2025-09-10T23:23:25Z"

static const struct {
	const char *settings;
	const char *first, *second;
	const char *reply;
} quotas[] = {
    {TIMERS "[purpose message]\nfiles_per_user = 1\n", ASK(REQUEST("100")),
	ASK(REQUEST("100")),
	ERROR(REQUEST("100"), "wait", "resource-constraint",
	    "Quota reached. You have stored 1 of 1 'message' uploads; there "
	    "is room for this file at " TIMED_OUT ".",
	    RETRY(TIMED_OUT))},
    {TIMERS "[purpose message]\nbytes_per_user = 10 MiB\n",
	ASK(REQUEST("9961472")), ASK(REQUEST("1048576")),
	ERROR(REQUEST("1048576"), "wait", "resource-constraint",
	    "Quota reached. You have used 9.5 MiB of 10 MiB for 'message' "
	    "uploads; there is room for this file at " TIMED_OUT ".",
	    RETRY(TIMED_OUT))},
    {TIMERS "[purpose message]\nwindow = 1h\nslots_per_window = 1\n",
	ASK(REQUEST("100")), ASK(REQUEST("100")),
	ERROR(REQUEST("100"), "wait", "resource-constraint",
	    "Quota reached. You have requested 1 of 1 'message' uploads in 1 "
	    "hour; there is room for this file at " TIMED_OUT ".",
	    RETRY(TIMED_OUT))},
    {TIMERS "[purpose message]\nwindow = 90m\nbytes_per_window = 1 kB\n",
	ASK(REQUEST("1000")), ASK(REQUEST("1")),
	ERROR(REQUEST("1"), "wait", "resource-constraint",
	    "Quota reached. You have used 1000 B of 1000 B for 'message' "
	    "uploads in 90 minutes; there is room for this file "
	    "at " TIMED_OUT ".",
	    RETRY(TIMED_OUT))},
    /* legacy clients know no <retry/> */
    {TIMERS "[purpose message]\nfiles_per_user = 1\n", ASK(REQUEST("100")),
	ASK(LEGACY(OLD, "100")),
	ERROR(LEGACY(OLD, "100"), "wait", "resource-constraint",
	    "Quota reached. You have stored 1 of 1 'message' uploads; there "
	    "is room for this file at " TIMED_OUT ".",
	    "")},
};

START_TEST(a_quota_says_what_is_used_and_when_there_is_room)
{
	services_open(quotas[_i].settings);
	granted(quotas[_i].first);
	stanzas_expect(
	    services_answer_at(60, quotas[_i].second), quotas[_i].reply);
}
END_TEST

START_TEST(a_full_store_is_a_temporary_error)
{
	services_open("max_total = 1000\n");
	granted(ASK(REQUEST("1000")));
	stanzas_expect(services_answer(ASK(REQUEST("1"))),
	    ERROR(REQUEST("1"), "wait", "resource-constraint",
		"The service is full. Please try again later.", ""));
}
END_TEST

START_TEST(two_slots_are_not_promised_the_same_space)
{
	char request[512];
	struct statvfs fs;

	/* The bodies' directory is below /tmp. */
	ck_assert_int_eq(statvfs("/tmp", &fs), 0);
	services_open("min_free = 0\n"
		      "[purpose message]\nmax_file_size = unlimited\n");
	snprintf(request, sizeof request,
	    ASK("<request xmlns='urn:xmpp:http:upload:0' filename='a' "
		"size='%" PRIu64 "'/>"),
	    (uint64_t)fs.f_bavail * fs.f_frsize * 2 / 3);
	granted(request);
	ck_assert_str_eq(
	    xmpp_stanza_get_type(services_answer(request)), "error");
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

START_TEST(room_is_there_at_the_time_that_was_named)
{
	xmpp_stanza_t *reply;

	services_open(quotas[_i].settings);
	granted(quotas[_i].first);
	reply = services_answer_at(15 * 60 - 1, quotas[_i].second);
	ck_assert_str_eq(xmpp_stanza_get_type(reply), "error");
	reply = services_answer_at(15 * 60, quotas[_i].second);
	ck_assert_str_eq(xmpp_stanza_get_type(reply), "result");
}
END_TEST

START_TEST(a_locked_database_is_a_wait_error_and_never_silence)
{
	xmpp_stanza_t *reply;
	sqlite3 *lock;

	services_open("");
	lock = lock_hold(services_config->database);
	reply = services_answer(ASK(REQUEST("5")));
	sqlite3_close(lock);
	stanzas_expect(reply,
	    ERROR(REQUEST("5"), "wait", "internal-server-error",
		"The service has a problem. Please try again later.", ""));
	granted(ASK(REQUEST("5"))); /* and it recovers */
}
END_TEST

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
	tcase_add_loop_test(
	    tc, a_refusal_says_why_as_in_the_listings, 0, COUNT(refused));
	tcase_add_loop_test(tc,
	    a_quota_says_what_is_used_and_when_there_is_room, 0, COUNT(quotas));
	tcase_add_test(tc, a_full_store_is_a_temporary_error);
	tcase_add_test(tc, two_slots_are_not_promised_the_same_space);
	tcase_add_test(tc, a_disk_that_cannot_be_seen_refuses_nothing);
	tcase_add_loop_test(
	    tc, room_is_there_at_the_time_that_was_named, 0, COUNT(quotas));
	tcase_add_test(tc, a_locked_database_is_a_wait_error_and_never_silence);
	tcase_add_test(tc, a_grant_is_logged_without_token_and_secret);
	tcase_add_test(tc, what_makes_room_is_logged_with_the_reason);
	tcase_add_test(tc, a_refusal_is_logged);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
