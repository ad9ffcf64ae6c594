/* What is refused, and with which words. */
#include "component/upload.h"

#include <check.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "tests/component/upload_fixture.h"
#include "tests/schema/lock.h"
#include "tests/suite.h"

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

int
main(void)
{
	Suite *suite = suite_create("refusals");
	TCase *tc = tcase_create("refusals");

	tcase_add_checked_fixture(tc, NULL, services_close);
	tcase_add_loop_test(
	    tc, a_refusal_says_why_as_in_the_listings, 0, COUNT(refused));
	tcase_add_loop_test(tc,
	    a_quota_says_what_is_used_and_when_there_is_room, 0, COUNT(quotas));
	tcase_add_test(tc, a_full_store_is_a_temporary_error);
	tcase_add_test(tc, two_slots_are_not_promised_the_same_space);
	tcase_add_loop_test(
	    tc, room_is_there_at_the_time_that_was_named, 0, COUNT(quotas));
	tcase_add_test(tc, a_locked_database_is_a_wait_error_and_never_silence);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
