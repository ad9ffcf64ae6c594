/*
 * Many stanzas at once.
 */
#include "component/batch.h"

#include <sqlite3.h>

#include "tests/component/services.h"
#include "tests/full_disk.h"
#include "tests/schema/lock.h"
#include "tests/suite.h"

#define FROM "a@example.org/r"
#define IQ(inside)        \
	"<iq from='" FROM \
	"' to='upload.montague.tld' id='%d' type='get'>" inside "</iq>"
#define SLOT(size)                                                 \
	IQ("<request xmlns='urn:xmpp:http:upload:0' filename='a' " \
	   "size='" size "'/>")
#define PING IQ("<ping xmlns='urn:xmpp:ping'/>")
#define MALFORMED SLOT("-1")
#define RESULT "<iq xmlns='jabber:client' type='result' id='%d'/>"

static struct batch *batch;
static char text[4 << 20]; /* all that was sent, within an element */
static size_t len;
static int pieces;

static void
set_up(void)
{
	services_open("[rule all]\nmatch = *\nfiles_per_user = 100\n");
	batch = batch_new(&services_service);
	ck_assert_ptr_nonnull(batch);
	len = (size_t)snprintf(text, sizeof(text), "<all>");
	pieces = 0;
}

static void
tear_down(void)
{
	batch_free(batch);
	services_close();
}

static void
take(void *arg, const char *piece, size_t piece_len)
{
	ck_assert_ptr_eq(arg, &pieces);
	ck_assert_uint_eq(strlen(piece), piece_len);
	ck_assert_uint_lt(len + piece_len, sizeof(text) - 10);
	memcpy(text + len, piece, piece_len + 1);
	len += piece_len;
	pieces++;
}

static void
ask(const char *xml)
{
	xmpp_stanza_t *stanza = xmpp_stanza_new_from_string(stanzas_ctx(), xml);

	ck_assert_ptr_nonnull(stanza);
	batch_add(batch, SERVICES_NOW, stanza);
	xmpp_stanza_release(stanza);
}

static void
ask_with_id(const char *form, int id)
{
	char xml[8192];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(xml, sizeof(xml), form, id);
#pragma GCC diagnostic pop
	ask(xml);
}

/* The first of the answers; xmpp_stanza_get_next leads to the others. A machine
 * that is busy needs more than one turn for them. */
static xmpp_stanza_t *
answers(void)
{
	do
		batch_answer(batch, take, &pieces);
	while (!batch_empty(batch));
	snprintf(text + len, sizeof(text) - len, "</all>");
	return xmpp_stanza_get_children(stanzas_parse(text));
}

/* "slot", "ping", or the condition of an error. */
static const char *
what(xmpp_stanza_t *answer)
{
	xmpp_stanza_t *error = xmpp_stanza_get_child_by_name(answer, "error");

	if (error != NULL)
		return xmpp_stanza_get_name(xmpp_stanza_get_children(error));
	return xmpp_stanza_get_children(answer) != NULL ? "slot" : "ping";
}

static xmpp_stanza_t *
expect(xmpp_stanza_t *answer, int id, const char *expected)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", id);
	ck_assert_ptr_nonnull(answer);
	ck_assert_str_eq(xmpp_stanza_get_id(answer), number);
	ck_assert_str_eq(what(answer), expected);
	return xmpp_stanza_get_next(answer);
}

static int
count_slots(void)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int count;

	ck_assert_int_eq(
	    sqlite3_open(services_config->database, &db), SQLITE_OK);
	sqlite3_prepare_v2(db, "SELECT count(*) FROM slot", -1, &st, NULL);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	count = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return count;
}

START_TEST(all_are_answered_in_order_and_in_one_piece)
{
	xmpp_stanza_t *answer;

	ask_with_id(SLOT("1"), 1);
	ask_with_id(PING, 2);
	ask_with_id(MALFORMED, 3);
	ask_with_id(RESULT, 4); /* asks for no answer */
	ask_with_id(SLOT("2"), 5);
	answer = expect(answers(), 1, "slot");
	answer = expect(answer, 2, "ping");
	answer = expect(answer, 3, "bad-request");
	answer = expect(answer, 5, "slot");
	ck_assert_ptr_null(answer);
	ck_assert_int_eq(pieces, 1);
	ck_assert_int_eq(count_slots(), 2);
}
END_TEST

START_TEST(as_many_slots_are_granted_as_the_quota_has)
{
	xmpp_stanza_t *answer;
	int id;

	for (id = 0; !batch_full(batch); id++)
		ask_with_id(SLOT("1"), id);
	ck_assert_int_gt(id, 100);
	answer = answers();
	for (int i = 0; i < id; i++)
		answer =
		    expect(answer, i, i < 100 ? "slot" : "resource-constraint");
	ck_assert_int_eq(count_slots(), 100);
}
END_TEST

START_TEST(long_answers_are_whole)
{
	static char name[60000];
	char *xml = NULL;
	xmpp_stanza_t *answer;

	/* Each comes back in the error. */
	for (int id = 0; id < 20; id++) {
		memset(name, 'x', sizeof(name) - 1);
		ck_assert_int_gt(
		    asprintf(&xml,
			"<iq from='" FROM "' id='%d' type='get'><request "
			"xmlns='urn:xmpp:http:upload:0' filename='%.*s' "
			"size='0'/></iq>",
			id, id % 4 * 30000, name),
		    0);
		ask(xml);
		free(xml);
	}
	answer = answers();
	for (int id = 0; id < 20; id++)
		answer = expect(answer, id, "bad-request");
	ck_assert_int_gt(pieces, 1);
}
END_TEST

static void
ask_three(void)
{
	ask_with_id(SLOT("1"), 1);
	ask_with_id(MALFORMED, 2);
	ask_with_id(SLOT("2"), 3);
}

static void
expect_two_broken(void)
{
	xmpp_stanza_t *answer = answers();

	answer = expect(answer, 1, "internal-server-error");
	answer = expect(answer, 2, "bad-request");
	answer = expect(answer, 3, "internal-server-error");
	ck_assert_ptr_null(answer);
	ck_assert_int_eq(count_slots(), 0);
}

START_TEST(a_locked_database_is_an_error_for_those_who_need_it)
{
	sqlite3 *lock = lock_hold(services_config->database);

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	ask_three();
	expect_two_broken();
	sqlite3_close(lock);
}
END_TEST

START_TEST(nothing_is_granted_when_the_commit_fails)
{
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	ask_three();
	full_disk_begin(1);
	batch_answer(batch, take, &pieces);
	full_disk_end();
	expect_two_broken();
}
END_TEST

START_TEST(a_slow_batch_gives_way_to_others)
{
	xmpp_stanza_t *answer;
	sqlite3 *db;
	int calls = 0;

	/* About a third of a second each. */
	ck_assert_int_eq(
	    sqlite3_open(services_config->database, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db,
		"CREATE TRIGGER slow BEFORE INSERT ON slot WHEN (WITH "
		"RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
		"WHERE i < 1000000) SELECT sum(i) FROM n) > 0 "
		"BEGIN SELECT 1; END",
		NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	for (int id = 0; id < 4; id++)
		ask_with_id(SLOT("1"), id);
	for (; !batch_empty(batch); calls++)
		batch_answer(batch, take, &pieces);
	ck_assert_int_gt(calls, 1);
	answer = answers();
	for (int id = 0; id < 4; id++)
		answer = expect(answer, id, "slot");
	ck_assert_ptr_null(answer);
}
END_TEST

START_TEST(what_was_dropped_is_not_answered)
{
	ask_three();
	batch_drop(batch);
	ck_assert(batch_empty(batch));
	ck_assert_ptr_null(answers());
	ck_assert_int_eq(pieces, 0);
	ck_assert_int_eq(count_slots(), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("batch");
	TCase *tc = tcase_create("batch");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, all_are_answered_in_order_and_in_one_piece);
	tcase_add_test(tc, as_many_slots_are_granted_as_the_quota_has);
	tcase_add_test(tc, long_answers_are_whole);
	tcase_add_test(tc, a_locked_database_is_an_error_for_those_who_need_it);
	tcase_add_test(tc, nothing_is_granted_when_the_commit_fails);
	tcase_add_test(tc, a_slow_batch_gives_way_to_others);
	tcase_add_test(tc, what_was_dropped_is_not_answered);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
