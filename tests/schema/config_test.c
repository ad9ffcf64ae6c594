#include "schema/config.h"

#include <string.h>

#include "schema/config_keys.h"
#include "schema/units.h"
#include "tests/schema/config_fixture.h"
#include "tests/suite.h"

#define MIB INT64_C(1048576)
#define DAY INT64_C(86400)

/* Everything that can be set, set to something else than its default, and the
 * rules before the purposes that they override. */
static const char full[] = "[rule staff profile]\n"
			   "max_file_size = 8 MiB\n"
			   "[rule staff]\n"
			   "match = boss@example.org, @staff.example.org\n"
			   "max_file_size = 1 GiB\n"
			   "retention = never\n"
			   "[rule nobody]\n"
			   "match = *\n"
			   "deny = Not here; ask \xe2\x82\xac #1\n"
			   "[component]\n"
			   "jid = Files.Example.ORG\n"
			   "name = Caf\xc3\xa9\n"
			   "host = ::1\n"
			   "port = 5348\n"
			   "secret = s3cret ; # x\n"
			   "[store]\n"
			   "database = /srv/db\n"
			   "bodies = /srv/bodies\n"
			   "public = /srv/public\n"
			   "busy_timeout = 10s\n"
			   "max_total = 1 TB\n"
			   "min_free = 0\n"
			   "[web]\n"
			   "put_url = http://put.example.org\n"
			   "get_url = http://get.example.org/x\n"
			   "public_url = http://get.example.org/files\n"
			   "allow_http = yes\n"
			   "socket = /run/x.sock\n"
			   "socket_mode = 600\n"
			   "socket_group = www-data\n"
			   "threads = 3\n"
			   "read_timeout = 2m\n"
			   "incoming = /srv/incoming\n"
			   "send_file = x-sendfile\n"
			   "send_file_from = 1 MiB\n"
			   "accel_url = /files\n"
			   "max_cache_age = 0\n"
			   "cors_origin = https://chat.example.org\n"
			   "cors_methods = GET\n"
			   "cors_headers = X-Y\n"
			   "[timers]\n"
			   "put_window = 2s\n"
			   "upload_timeout = 3s\n"
			   "[log]\n"
			   "syslog = yes\n"
			   "[walls]\n"
			   "landlock = no\n"
			   "seccomp = no\n"
			   "[purpose message]\n"
			   "max_file_size = 5 MiB\n"
			   "retention = 5s\n"
			   "[purpose profile]\n"
			   "enabled = no\n"
			   "bytes_per_user = 3 MiB\n"
			   "files_per_user = 7\n"
			   "window = 2h\n"
			   "slots_per_window = unlimited\n"
			   "bytes_per_window = 9 MiB + 1\n"
			   "when_full = refuse\n";

/* Tests run in the top directory of the sources, where the example is. */
static char top[1024];

static struct config *
read_good(const char *text, enum config_reader reader)
{
	struct config *config = NULL;
	char *said = NULL;

	fixture_write(FILE_NAME, text, strlen(text), 0600);
	ck_assert_msg(fixture_read(reader, &config, &said) == 1, "%s", said);
	ck_assert_str_eq(said, "");
	free(said);
	return config;
}

static char *
print(const struct config *config)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	config_print(config, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(everything_has_a_default_but_three_keys)
{
	struct config *c = read_good(LEAST, CONFIG_FOR_COMPONENT);

	ck_assert_str_eq(c->jid, "upload.example.org");
	ck_assert_str_eq(c->name, "HTTP File Upload");
	ck_assert_str_eq(c->host, "127.0.0.1");
	ck_assert_int_eq(c->port, 5347);
	ck_assert_str_eq(c->secret, "s3cret");
	ck_assert_ptr_null(c->secret_file);
	ck_assert_str_eq(c->database, "/var/lib/putslot/putslot.db");
	ck_assert_str_eq(c->bodies, "/var/lib/putslot/bodies");
	ck_assert_int_eq(c->busy_timeout, 5);
	ck_assert_int_eq(c->max_total, UNITS_NEVER);
	ck_assert_int_eq(c->min_free, 256 * MIB);
	ck_assert_str_eq(c->put_url, "https://upload.example.org/upload/");
	ck_assert_str_eq(c->get_url, "https://upload.example.org/upload/");
	ck_assert(!c->allow_http);
	ck_assert_ptr_null(c->socket);
	ck_assert_int_eq(c->socket_mode, 0660);
	ck_assert_ptr_null(c->socket_group);
	ck_assert_int_eq(c->threads, 64);
	ck_assert_int_eq(c->read_timeout, 60);
	ck_assert_int_eq(c->send_file, SEND_FILE_NO);
	ck_assert_int_eq(c->send_file_from, 32768);
	ck_assert_str_eq(c->accel_url, "/_putslot/");
	ck_assert_int_eq(c->max_cache_age, 7 * DAY);
	ck_assert_str_eq(c->cors_origin, "*");
	ck_assert_str_eq(c->cors_methods, "GET, HEAD, PUT, OPTIONS");
	ck_assert_str_eq(c->cors_headers, "Authorization, Content-Type");
	ck_assert_int_eq(c->put_window, 300);
	ck_assert_int_eq(c->upload_timeout, 3600);
	ck_assert(!c->syslog);
	ck_assert(c->landlock);
	ck_assert(c->seccomp);
	config_free(c);
}
END_TEST

static const struct limits defaults[PURPOSE_COUNT] = {
    [PURPOSE_MESSAGE] = {true, 100 * MIB + 16, 30 * DAY, UNITS_NEVER,
	UNITS_NEVER, 3600, 200, UNITS_NEVER, WHEN_FULL_REFUSE},
    [PURPOSE_PROFILE] = {true, 2 * MIB + 16, UNITS_NEVER, 20 * MIB, 40, 3600,
	20, UNITS_NEVER, WHEN_FULL_MAKE_ROOM},
    [PURPOSE_EPHEMERAL] = {true, 100 * MIB + 16, 7 * DAY, UNITS_NEVER,
	UNITS_NEVER, 3600, 200, UNITS_NEVER, WHEN_FULL_REFUSE},
    [PURPOSE_PERMANENT] = {false, 100 * MIB + 16, UNITS_NEVER, 1024 * MIB,
	UNITS_NEVER, 3600, 50, UNITS_NEVER, WHEN_FULL_REFUSE},
};

static void
check_limits(const struct limits *a, const struct limits *b)
{
	ck_assert_int_eq(a->enabled, b->enabled);
	ck_assert_int_eq(a->max_file_size, b->max_file_size);
	ck_assert_int_eq(a->retention, b->retention);
	ck_assert_int_eq(a->bytes_per_user, b->bytes_per_user);
	ck_assert_int_eq(a->files_per_user, b->files_per_user);
	ck_assert_int_eq(a->window, b->window);
	ck_assert_int_eq(a->slots_per_window, b->slots_per_window);
	ck_assert_int_eq(a->bytes_per_window, b->bytes_per_window);
	ck_assert_int_eq((int)a->when_full, (int)b->when_full);
}

START_TEST(each_purpose_has_default_limits)
{
	struct config *c = read_good(LEAST, CONFIG_FOR_COMPONENT);

	check_limits(&c->limits[_i], &defaults[_i]);
	check_limits(&c->rules[0].limits[_i], &defaults[_i]);
	config_free(c);
}
END_TEST

START_TEST(without_rules_the_parent_domain_may_upload)
{
	struct config *c = read_good(LEAST, CONFIG_FOR_COMPONENT);

	ck_assert_uint_eq(c->rule_count, 1);
	ck_assert_str_eq(c->rules[0].name, "default");
	ck_assert_str_eq(c->rules[0].patterns[0], "@example.org");
	ck_assert_ptr_null(c->rules[0].patterns[1]);
	ck_assert_ptr_null(c->rules[0].deny);
	config_free(c);
}
END_TEST

START_TEST(every_key_can_be_set)
{
	struct config *c = read_good(full, CONFIG_FOR_COMPONENT);

	ck_assert_str_eq(c->jid, "files.example.org");
	ck_assert_str_eq(c->name, "Caf\xc3\xa9");
	ck_assert_str_eq(c->host, "::1");
	ck_assert_int_eq(c->port, 5348);
	ck_assert_str_eq(c->secret, "s3cret ; # x");
	ck_assert_str_eq(c->database, "/srv/db");
	ck_assert_str_eq(c->bodies, "/srv/bodies");
	ck_assert_int_eq(c->busy_timeout, 10);
	ck_assert_int_eq(c->max_total, INT64_C(1000000000000));
	ck_assert_int_eq(c->min_free, 0);
	ck_assert_str_eq(c->put_url, "http://put.example.org/");
	ck_assert_str_eq(c->get_url, "http://get.example.org/x/");
	ck_assert_str_eq(c->public, "/srv/public");
	ck_assert_str_eq(c->incoming, "/srv/incoming");
	ck_assert_str_eq(c->public_url, "http://get.example.org/files/");
	ck_assert(c->allow_http);
	ck_assert_str_eq(c->socket, "/run/x.sock");
	ck_assert_int_eq(c->socket_mode, 0600);
	ck_assert_str_eq(c->socket_group, "www-data");
	ck_assert_int_eq(c->threads, 3);
	ck_assert_int_eq(c->read_timeout, 120);
	ck_assert_int_eq(c->send_file, SEND_FILE_X_SENDFILE);
	ck_assert_int_eq(c->send_file_from, MIB);
	ck_assert_str_eq(c->accel_url, "/files/");
	ck_assert_int_eq(c->max_cache_age, 0);
	ck_assert_str_eq(c->cors_origin, "https://chat.example.org");
	ck_assert_str_eq(c->cors_methods, "GET");
	ck_assert_str_eq(c->cors_headers, "X-Y");
	ck_assert_int_eq(c->put_window, 2);
	ck_assert_int_eq(c->upload_timeout, 3);
	ck_assert(c->syslog);
	ck_assert(!c->landlock);
	ck_assert(!c->seccomp);
	config_free(c);
}
END_TEST

START_TEST(a_purpose_is_set_alone)
{
	struct config *c = read_good(full, CONFIG_FOR_COMPONENT);
	struct limits message = defaults[PURPOSE_MESSAGE];
	static const struct limits profile = {false, 2 * MIB + 16, UNITS_NEVER,
	    3 * MIB, 7, 7200, UNITS_NEVER, 9 * MIB + 1, WHEN_FULL_REFUSE};

	message.max_file_size = 5 * MIB;
	message.retention = 5;
	check_limits(&c->limits[PURPOSE_MESSAGE], &message);
	check_limits(&c->limits[PURPOSE_PROFILE], &profile);
	check_limits(
	    &c->limits[PURPOSE_EPHEMERAL], &defaults[PURPOSE_EPHEMERAL]);
	config_free(c);
}
END_TEST

START_TEST(a_rule_overrides_purposes_wherever_it_stands)
{
	struct config *c = read_good(full, CONFIG_FOR_COMPONENT);
	const struct rule *staff = &c->rules[0];

	ck_assert_uint_eq(c->rule_count, 2);
	ck_assert_str_eq(staff->name, "staff");
	ck_assert_str_eq(staff->patterns[0], "boss@example.org");
	ck_assert_str_eq(staff->patterns[1], "@staff.example.org");
	ck_assert_ptr_null(staff->patterns[2]);
	ck_assert_ptr_null(staff->deny);
	/* for all purposes, but the particular one, which stood before */
	ck_assert_int_eq(
	    staff->limits[PURPOSE_MESSAGE].max_file_size, 1024 * MIB);
	ck_assert_int_eq(staff->limits[PURPOSE_PROFILE].max_file_size, 8 * MIB);
	ck_assert_int_eq(staff->limits[PURPOSE_MESSAGE].retention, UNITS_NEVER);
	/* and what the rule does not say comes from the purpose */
	ck_assert_int_eq(staff->limits[PURPOSE_PROFILE].window, 7200);
	ck_assert(!staff->limits[PURPOSE_PROFILE].enabled);
	ck_assert_str_eq(c->rules[1].deny, "Not here; ask \xe2\x82\xac #1");
	config_free(c);
}
END_TEST

static const char *const sources[] = {LEAST, full};

START_TEST(what_is_printed_reads_back_the_same)
{
	struct config *first = read_good(sources[_i], CONFIG_FOR_WEB);
	char *printed = print(first);
	struct config *second = read_good(printed, CONFIG_FOR_WEB);
	char *again = print(second);

	ck_assert_str_eq(printed, again);
	ck_assert_uint_eq(first->rule_count, second->rule_count);
	for (int p = 0; p < PURPOSE_COUNT; p++) {
		check_limits(&first->limits[p], &second->limits[p]);
		check_limits(
		    &first->rules[0].limits[p], &second->rules[0].limits[p]);
	}
	free(printed);
	free(again);
	config_free(first);
	config_free(second);
}
END_TEST

START_TEST(every_key_is_printed_but_the_secret)
{
	struct config *config = read_good(full, CONFIG_FOR_COMPONENT);
	char *printed = print(config);

	ck_assert_ptr_null(strstr(printed, "s3cret"));
	for (const struct config_key *k = config_keys_all(); k->name; k++) {
		char line[64];

		snprintf(line, sizeof(line), "\n%s = ", k->name);
		ck_assert_msg(k->type == CONFIG_TYPE_SECRET ||
				  strstr(printed, line) != NULL ||
				  strcmp(k->name, "secret_file") == 0,
		    "%s", k->name);
	}
	free(printed);
	config_free(config);
}
END_TEST

START_TEST(all_but_ephemeral_uploads_are_public_where_there_is_a_url)
{
	struct config *without = read_good(LEAST, CONFIG_FOR_WEB);
	struct config *with = read_good(full, CONFIG_FOR_WEB);

	for (int p = 0; p < PURPOSE_COUNT; p++) {
		enum purpose purpose = (enum purpose)p;

		ck_assert(!config_is_public(without, purpose));
		ck_assert(config_is_public(with, purpose) ==
			  (purpose != PURPOSE_EPHEMERAL));
	}
	config_free(without);
	config_free(with);
}
END_TEST

START_TEST(the_list_of_keys_has_a_line_for_each)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	config_print_keys(out);
	fclose(out);
	ck_assert_ptr_nonnull(
	    strstr(text, "web\tthreads\tnumber\t64\t"
			 "requests that are served at the same time\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "purpose profile\tretention\tduration\tnever\t"
			 "how long after its slot a file is kept\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "rule\tmatch\tpatterns\t\twhom the rule is about\n"));
	free(text);
}
END_TEST

/* Reads the example; with all, every setting that it shows in a comment, but
 * those without value. */
static void
copy_example(const char *path, bool all)
{
	FILE *in = fopen(path, "r"), *out = fopen(FILE_NAME, "w");
	char line[200];

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
	while (fgets(line, sizeof(line), in) != NULL) {
		bool shown = line[0] == '#' && line[1] != ' ' &&
			     strstr(line, " =\n") == NULL;

		fputs(all && shown ? line + 1 : line, out);
	}
	ck_assert_int_eq(fclose(in), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static struct config *
read_example(bool all)
{
	struct config *config = NULL;
	char path[PATH_MAX], *said = NULL;

	snprintf(path, sizeof(path), "%s/contrib/putslot.conf", top);
	copy_example(path, all);
	ck_assert_msg(
	    fixture_read(CONFIG_FOR_WEB, &config, &said) == 1, "%s", said);
	free(said);
	return config;
}

START_TEST(the_example_sets_nothing_but_what_it_must)
{
	struct config *example = read_example(false);
	struct config *least = read_good(LEAST, CONFIG_FOR_WEB);
	char *printed, *expected;

	/* which the least has in its place */
	free(example->secret_file);
	example->secret_file = NULL;
	printed = print(example);
	expected = print(least);
	ck_assert_str_eq(printed, expected);
	free(printed);
	free(expected);
	config_free(example);
	config_free(least);
}
END_TEST

START_TEST(the_example_is_right_in_its_comments)
{
	struct config *c = read_example(true);

	for (int p = 0; p < PURPOSE_COUNT; p++)
		check_limits(&c->limits[p], &defaults[p]);
	ck_assert_uint_eq(c->rule_count, 4);
	ck_assert_str_eq(limits_rule(c, "x@staff.example.org")->name, "staff");
	ck_assert_ptr_nonnull(limits_rule(c, "x@anonymous.example.org")->deny);
	ck_assert_str_eq(limits_rule(c, "x@example.org")->name, "everyone");
	ck_assert_ptr_null(limits_rule(c, "x@example.com"));
	config_free(c);
}
END_TEST

START_TEST(the_environment_names_the_file_unless_it_is_empty)
{
	ck_assert_int_eq(unsetenv("PUTSLOT_CONFIG"), 0);
	ck_assert_str_eq(config_default_path(), CONFIG_DEFAULT_FILE);
	ck_assert_int_eq(setenv("PUTSLOT_CONFIG", "", 1), 0);
	ck_assert_str_eq(config_default_path(), CONFIG_DEFAULT_FILE);
	ck_assert_int_eq(setenv("PUTSLOT_CONFIG", "/home/me/conf", 1), 0);
	ck_assert_str_eq(config_default_path(), "/home/me/conf");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	if (getcwd(top, sizeof(top)) == NULL)
		return 1;
	tcase_add_checked_fixture(tc, fixture_enter, fixture_leave);
	tcase_add_test(tc, the_environment_names_the_file_unless_it_is_empty);
	tcase_add_test(tc, everything_has_a_default_but_three_keys);
	tcase_add_loop_test(
	    tc, each_purpose_has_default_limits, 0, PURPOSE_COUNT);
	tcase_add_test(tc, without_rules_the_parent_domain_may_upload);
	tcase_add_test(tc, every_key_can_be_set);
	tcase_add_test(tc, a_purpose_is_set_alone);
	tcase_add_test(tc, a_rule_overrides_purposes_wherever_it_stands);
	tcase_add_loop_test(
	    tc, what_is_printed_reads_back_the_same, 0, COUNT(sources));
	tcase_add_test(tc, every_key_is_printed_but_the_secret);
	tcase_add_test(
	    tc, all_but_ephemeral_uploads_are_public_where_there_is_a_url);
	tcase_add_test(tc, the_list_of_keys_has_a_line_for_each);
	tcase_add_test(tc, the_example_sets_nothing_but_what_it_must);
	tcase_add_test(tc, the_example_is_right_in_its_comments);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
