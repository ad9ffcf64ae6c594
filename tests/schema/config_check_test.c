#include "schema/config_check.h"

#include <string.h>

#include "tests/schema/config_fixture.h"
#include "tests/suite.h"

static const struct row {
	const char *text;
	enum config_reader reader;
	const char *said; /* "": nothing is wrong */
} rows[] = {
    {LEAST, CONFIG_FOR_COMPONENT, ""},
    {LEAST, CONFIG_FOR_WEB, ""},

    /* what is missing */
    {"", CONFIG_FOR_COMPONENT,
	"x.conf: jid is missing in [component]\n"
	"x.conf: put_url is missing in [web]\n"
	"x.conf: secret or secret_file is missing in [component]\n"},
    {"", CONFIG_FOR_WEB, "x.conf: put_url is missing in [web]\n"},
    {"[web]\nput_url = https://a/\n", CONFIG_FOR_WEB, ""},
    {LEAST "[rule a]\n[rule b message]\n[rule c]\nmatch = *\n", CONFIG_FOR_WEB,
	"x.conf:6: rule a has no match\n"
	"x.conf:7: rule b has no match\n"},
    /* a mistake is not reported as missing, too */
    {"[component]\njid = -\nsecret = x\n[web]\nput_url = y\n",
	CONFIG_FOR_COMPONENT,
	"x.conf:2: jid must be a domain such as upload.example.org\n"
	"x.conf:5: put_url must be a URL such as https://upload.example.org/, "
	"without query, fragment or user\n"},
    {"[component]\njid = localhost\nsecret = x\n"
     "[web]\nput_url = https://a/\n",
	CONFIG_FOR_COMPONENT,
	"x.conf: jid localhost has no parent domain whose accounts could "
	"upload: a [rule NAME] must say who may\n"},
    {"[component]\njid = localhost\nsecret = x\n"
     "[web]\nput_url = https://a/\n[rule a]\nmatch = *\n",
	CONFIG_FOR_COMPONENT, ""},

    /* URLs */
    {"[web]\nput_url = http://a/\nget_url = http://b/\n", CONFIG_FOR_WEB,
	"x.conf:2: put_url must begin with https://, unless allow_http = yes\n"
	"x.conf:3: get_url must begin with https://, unless allow_http = "
	"yes\n"},
    {"[web]\nput_url = http://a/\nallow_http = yes\n", CONFIG_FOR_WEB, ""},
    {"[store]\npublic = /p\n[web]\nput_url = https://a/\n"
     "public_url = http://c/\n",
	CONFIG_FOR_WEB,
	"x.conf:5: public_url must begin with https://, unless allow_http = "
	"yes\n"},

    /* public files */
    {LEAST "public_url = https://c/\n[store]\npublic = /p\n",
	CONFIG_FOR_COMPONENT, ""},
    {LEAST "[store]\npublic = /p\n", CONFIG_FOR_WEB, ""},
    {LEAST "public_url = https://c/\n", CONFIG_FOR_WEB,
	"x.conf:6: public_url needs public in [store]\n"},
    {LEAST "incoming = /p\n[store]\npublic = /q\n", CONFIG_FOR_WEB, ""},
    {LEAST "incoming = /p\n[store]\npublic = /p\n", CONFIG_FOR_WEB,
	"x.conf:6: incoming must be a directory of its own\n"},
    {LEAST "incoming = /var/lib/putslot/bodies\n", CONFIG_FOR_WEB,
	"x.conf:6: incoming must be a directory of its own\n"},
    {LEAST "[store]\npublic = /var/lib/putslot/bodies\n", CONFIG_FOR_WEB,
	"x.conf:7: public must not be bodies\n"},

    /* timers: put_window 5m and upload_timeout 1h unless said otherwise */
    {LEAST "[purpose ephemeral]\nretention = 3899s\n", CONFIG_FOR_WEB,
	"x.conf: [purpose ephemeral]: the retention of 3899s ends before an "
	"upload may: put_window and upload_timeout are 65m together\n"},
    {LEAST "[purpose ephemeral]\nretention = 65m\n", CONFIG_FOR_WEB, ""},
    {LEAST "[purpose permanent]\nretention = 1s\n", CONFIG_FOR_WEB, ""},
    {LEAST "[purpose message]\nenabled = no\nretention = 1s\n", CONFIG_FOR_WEB,
	""},
    {LEAST "[timers]\nupload_timeout = 7d\n", CONFIG_FOR_WEB,
	"x.conf: [purpose ephemeral]: the retention of 1w ends before an "
	"upload may: put_window and upload_timeout are 10085m together\n"},
    {LEAST "[rule a]\nmatch = *\nretention = 1h\n[rule b]\nmatch = *\n"
	   "[rule b profile]\nretention = 2s\n",
	CONFIG_FOR_WEB,
	"x.conf: [rule a message]: the retention of 1h ends before an "
	"upload may: put_window and upload_timeout are 65m together\n"
	"x.conf: [rule a profile]: the retention of 1h ends before an "
	"upload may: put_window and upload_timeout are 65m together\n"
	"x.conf: [rule a ephemeral]: the retention of 1h ends before an "
	"upload may: put_window and upload_timeout are 65m together\n"
	"x.conf: [rule b profile]: the retention of 2s ends before an "
	"upload may: put_window and upload_timeout are 65m together\n"},
    {LEAST "[rule a]\nmatch = *\nretention = 1h\ndeny = no\n", CONFIG_FOR_WEB,
	""},
    /* what was meant instead of the default is not known */
    {LEAST "[timers]\nupload_timeout = 5x\n"
	   "[purpose message]\nretention = 10m\n",
	CONFIG_FOR_WEB,
	"x.conf:7: upload_timeout must be a duration such as 1h30m, "
	"or never\n"},

    /* both secrets */
    {LEAST "[store]\nmax_total = 1 GB\n", CONFIG_FOR_COMPONENT, ""},
    {"[component]\njid = a.b\nsecret = x\nsecret_file = /nowhere\n"
     "[web]\nput_url = https://a/\n",
	CONFIG_FOR_COMPONENT,
	"x.conf:4: secret stands on line 3 already: one of them must go\n"},
};

/* The mode of the configuration file, and whether it is accepted. */
static const struct mode {
	mode_t mode;
	bool good;
} modes[] = {
    {0600, true},
    {0640, true},
    {0660, true},
    {0644, false},
    {0604, false},
    {0602, false},
    {0601, false},
};

/* What is in a secret file, and what becomes of it. */
static const struct secret {
	const char *content;
	const char *secret; /* NULL: refused */
	const char *why;
} secrets[] = {
    {"s3cret", "s3cret", NULL},
    {"s3cret\n", "s3cret", NULL},
    {"s3cret\r\n", "s3cret", NULL},
    {"s3cret\nand a remark\n", "s3cret", NULL},
    {" s3 cret #\n", " s3 cret #", NULL},
    {"", NULL, "has no secret in its first line"},
    {"\ns3cret\n", NULL, "has no secret in its first line"},
    {"s3\tcret\n", NULL,
	"has a secret that is not UTF-8 or has control characters"},
    {"s3\xff", NULL,
	"has a secret that is not UTF-8 or has control characters"},
};

/* Reads text and returns the result; what was said must be as expected. */
static int
check(const char *text, enum config_reader reader, const char *said)
{
	struct config *config = NULL;
	char *heard = NULL;
	int result;

	fixture_write(FILE_NAME, text, strlen(text), 0600);
	result = fixture_read(reader, &config, &heard);
	ck_assert_str_eq(heard, said);
	ck_assert_int_eq(result, config != NULL);
	free(heard);
	config_free(config);
	return result;
}

START_TEST(settings_that_do_not_go_together_are_refused)
{
	const struct row *row = &rows[_i];

	ck_assert_int_eq(
	    check(row->text, row->reader, row->said), row->said[0] == '\0');
}
END_TEST

START_TEST(a_file_with_the_secret_is_not_for_everyone)
{
	struct config *config = NULL;
	char *said = NULL, expected[200];
	int result;

	snprintf(expected, sizeof(expected),
	    "x.conf:3: this file holds the secret and is open to everyone "
	    "(mode %04o): chmod o= it\n",
	    (unsigned int)modes[_i].mode);
	fixture_write(FILE_NAME, LEAST, strlen(LEAST), modes[_i].mode);
	result = fixture_read(CONFIG_FOR_COMPONENT, &config, &said);
	ck_assert_int_eq(result, modes[_i].good);
	ck_assert_str_eq(said, modes[_i].good ? "" : expected);
	config_free(config);
	free(said);
	/* The web side is told as well: the secret leaks all the same. */
	ck_assert_int_eq(
	    fixture_read(CONFIG_FOR_WEB, &config, &said), modes[_i].good);
	config_free(config);
	free(said);
}
END_TEST

START_TEST(a_file_without_the_secret_is_for_everyone)
{
	static const char text[] = "[web]\nput_url = https://a/\n";
	struct config *config = NULL;
	char *said = NULL;

	fixture_write(FILE_NAME, text, strlen(text), 0644);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_WEB, &config, &said), 1);
	config_free(config);
	free(said);
}
END_TEST

/* A configuration that names the secret file by its absolute path. */
static void
write_config(void)
{
	char text[PATH_MAX + 200];

	snprintf(text, sizeof(text),
	    "[component]\njid = upload.example.org\nsecret_file = %s/secret\n"
	    "[web]\nput_url = https://upload.example.org/\n",
	    fixture_directory);
	fixture_write(FILE_NAME, text, strlen(text), 0644);
}

START_TEST(the_secret_is_the_first_line_of_its_file)
{
	const struct secret *s = &secrets[_i];
	struct config *config = NULL;
	char *said = NULL;

	fixture_write("secret", s->content, strlen(s->content), 0640);
	write_config();
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said),
	    s->secret != NULL);
	if (s->secret != NULL) {
		ck_assert_str_eq(said, "");
		ck_assert_str_eq(config->secret, s->secret);
	} else {
		ck_assert_ptr_nonnull(strstr(said, "x.conf:3: /"));
		ck_assert_ptr_nonnull(strstr(said, s->why));
	}
	config_free(config);
	free(said);
}
END_TEST

START_TEST(a_secret_has_a_longest_length)
{
	struct config *config = NULL;
	char *said = NULL, secret[1100];

	memset(secret, 'x', sizeof(secret));
	write_config();
	fixture_write("secret", secret, 1022, 0600);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 1);
	ck_assert_uint_eq(strlen(config->secret), 1022);
	config_free(config);
	free(said);
	fixture_write("secret", secret, 1023, 0600);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 0);
	ck_assert_ptr_nonnull(strstr(said, "too long"));
	free(said);
}
END_TEST

START_TEST(a_nul_byte_does_not_shorten_a_secret)
{
	struct config *config = NULL;
	char *said = NULL;

	write_config();
	fixture_write("secret", "s3\0cret\n", 8, 0600);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 0);
	ck_assert_ptr_nonnull(strstr(said, "has control characters"));
	free(said);
}
END_TEST

START_TEST(a_secret_file_is_not_for_everyone)
{
	struct config *config = NULL;
	char *said = NULL;

	write_config();
	fixture_write("secret", "s3cret\n", 7, 0644);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 0);
	ck_assert_ptr_nonnull(strstr(said, "is open to everyone (mode 0644)"));
	ck_assert_ptr_null(strstr(said, "s3cret"));
	free(said);
}
END_TEST

START_TEST(the_web_side_does_not_look_for_the_secret)
{
	struct config *config = NULL;
	char *said = NULL;

	write_config(); /* and no file of that name */
	ck_assert_int_eq(fixture_read(CONFIG_FOR_WEB, &config, &said), 1);
	ck_assert_ptr_null(config->secret);
	config_free(config);
	free(said);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_COMPONENT, &config, &said), 0);
	ck_assert_ptr_nonnull(strstr(said, "secret: No such file"));
	free(said);
}
END_TEST

START_TEST(the_web_side_forgets_a_secret_that_it_saw)
{
	struct config *config = NULL;
	char *said = NULL;

	fixture_write(FILE_NAME, LEAST, strlen(LEAST), 0600);
	ck_assert_int_eq(fixture_read(CONFIG_FOR_WEB, &config, &said), 1);
	ck_assert_ptr_null(config->secret);
	config_free(config);
	free(said);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_check");
	TCase *tc = tcase_create("config_check");

	tcase_add_checked_fixture(tc, fixture_enter, fixture_leave);
	tcase_add_loop_test(
	    tc, settings_that_do_not_go_together_are_refused, 0, COUNT(rows));
	tcase_add_loop_test(
	    tc, a_file_with_the_secret_is_not_for_everyone, 0, COUNT(modes));
	tcase_add_test(tc, a_file_without_the_secret_is_for_everyone);
	tcase_add_loop_test(
	    tc, the_secret_is_the_first_line_of_its_file, 0, COUNT(secrets));
	tcase_add_test(tc, a_secret_has_a_longest_length);
	tcase_add_test(tc, a_nul_byte_does_not_shorten_a_secret);
	tcase_add_test(tc, a_secret_file_is_not_for_everyone);
	tcase_add_test(tc, the_web_side_does_not_look_for_the_secret);
	tcase_add_test(tc, the_web_side_forgets_a_secret_that_it_saw);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
