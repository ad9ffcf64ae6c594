#include "component/strophe_log.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "schema/log.h"
#include "tests/suite.h"

static const struct {
	xmpp_log_level_t level;
	const char *area, *text;
	const char *line; /* NULL: left out */
} cases[] = {
    {XMPP_LEVEL_DEBUG, "xmpp", "low", "test: debug: libstrophe: xmpp: low"},
    {XMPP_LEVEL_INFO, "xmpp", "mid", "test: debug: libstrophe: xmpp: mid"},
    {XMPP_LEVEL_WARN, "xmpp", "odd", "test: warning: libstrophe: xmpp: odd"},
    {XMPP_LEVEL_ERROR, "xmpp", "lost", "test: warning: libstrophe: xmpp: lost"},
    /* the stream, with digests and URLs, at any level */
    {XMPP_LEVEL_DEBUG, "conn", "SENT: <handshake>eb42b204</handshake>", NULL},
    {XMPP_LEVEL_ERROR, "conn", "RECV: <iq/>", NULL},
    /* the digest without its element */
    {XMPP_LEVEL_DEBUG, "auth", "Digest: eb42b204, len: 40", NULL},
    {XMPP_LEVEL_INFO, "auth", "eb42b204", NULL},
    {XMPP_LEVEL_WARN, "auth", "no", "test: warning: libstrophe: auth: no"},
};

START_TEST(what_may_hold_a_secret_is_left_out)
{
	const xmpp_log_t *log = strophe_log();
	char line[128] = "";
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	log_open("test", LOG_LEVEL_DEBUG, false);
	stderr = file;
	log->handler(
	    log->userdata, cases[_i].level, cases[_i].area, cases[_i].text);
	rewind(file);
	if (cases[_i].line == NULL) {
		ck_assert_ptr_null(fgets(line, sizeof(line), file));
		return;
	}
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	line[strcspn(line, "\n")] = '\0';
	ck_assert_str_eq(line, cases[_i].line);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("strophe_log");
	TCase *tc = tcase_create("messages");

	tcase_add_loop_test(
	    tc, what_may_hold_a_secret_is_left_out, 0, COUNT(cases));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
