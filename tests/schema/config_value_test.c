#include "schema/config_value.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "schema/config.h"
#include "schema/config_keys.h"
#include "schema/units.h"
#include "tests/suite.h"

/* A key, a text, and the number that it is. */
static const struct good {
	enum config_section section;
	const char *key, *text;
	int64_t number;
} goods[] = {
    {CONFIG_WEB, "allow_http", "yes", 1},
    {CONFIG_WEB, "allow_http", "no", 0},
    {CONFIG_WEB, "send_file", "no", SEND_FILE_NO},
    {CONFIG_WEB, "send_file", "x-accel-redirect", SEND_FILE_X_ACCEL_REDIRECT},
    {CONFIG_WEB, "send_file", "x-sendfile", SEND_FILE_X_SENDFILE},
    {CONFIG_WEB, "threads", "1", 1},
    {CONFIG_WEB, "threads", "256", 256},
    {CONFIG_WEB, "socket_mode", "0660", 0660},
    {CONFIG_WEB, "socket_mode", "777", 0777},
    {CONFIG_WEB, "socket_mode", "0", 0},
    {CONFIG_STORE, "busy_timeout", "1s", 1},
    {CONFIG_STORE, "busy_timeout", "60m", 3600},
    {CONFIG_STORE, "max_total", "unlimited", UNITS_NEVER},
    {CONFIG_STORE, "max_total", "1 TiB", INT64_C(1) << 40},
    {CONFIG_STORE, "min_free", "0", 0},
    {CONFIG_PURPOSE, "retention", "never", UNITS_NEVER},
    {CONFIG_PURPOSE, "files_per_user", "unlimited", UNITS_NEVER},
    {CONFIG_PURPOSE, "files_per_user", "40", 40},
    {CONFIG_PURPOSE, "when_full", "refuse", WHEN_FULL_REFUSE},
    {CONFIG_PURPOSE, "when_full", "make room", WHEN_FULL_MAKE_ROOM},
};

/* A key, a text, and what it must be instead. */
static const struct bad {
	enum config_section section;
	const char *key, *text;
	const char *must_be;
} bads[] = {
    {CONFIG_WEB, "allow_http", "true", "yes or no"},
    {CONFIG_WEB, "allow_http", "YES", "yes or no"},
    {CONFIG_WEB, "allow_http", "1", "yes or no"},
    {CONFIG_WEB, "allow_http", "", "given a value"},
    {CONFIG_WEB, "send_file", "yes", "no, x-accel-redirect or x-sendfile"},
    {CONFIG_WEB, "threads", "0", "between 1 and 256"},
    {CONFIG_WEB, "threads", "257", "between 1 and 256"},
    {CONFIG_WEB, "threads", "4294967297", "between 1 and 256"},
    {CONFIG_WEB, "threads", "-1", "a decimal number"},
    {CONFIG_WEB, "threads", "99999999999999999999", "a decimal number"},
    {CONFIG_WEB, "threads", "unlimited", "a decimal number"},
    {CONFIG_WEB, "socket_mode", "1777", "between 0000 and 0777"},
    {CONFIG_WEB, "socket_mode", "00660", "permissions in octal, such as 0660"},
    {CONFIG_WEB, "socket_mode", "0668", "permissions in octal, such as 0660"},
    {CONFIG_WEB, "socket_mode", "rw-rw----",
	"permissions in octal, such as 0660"},
    {CONFIG_STORE, "busy_timeout", "0", "between 1s and 1h"},
    {CONFIG_STORE, "busy_timeout", "3601s", "between 1s and 1h"},
    {CONFIG_STORE, "busy_timeout", "never", "between 1s and 1h"},
    {CONFIG_STORE, "busy_timeout", "5", "a duration such as 1h30m, or never"},
    {CONFIG_STORE, "max_total", "0", "between 1 B and unlimited"},
    {CONFIG_STORE, "max_total", "1 TiBs",
	"a size such as 100 MiB, or unlimited"},
    {CONFIG_STORE, "min_free", "unlimited", "limited"},
    {CONFIG_PURPOSE, "max_file_size", "0", "between 1 B and unlimited"},
    {CONFIG_PURPOSE, "files_per_user", "40 files",
	"a decimal number or unlimited"},
    {CONFIG_PURPOSE, "window", "never", "between 1s and 1y"},
    {CONFIG_PURPOSE, "when_full", "makeroom", "refuse or make room"},
};

START_TEST(a_value_has_the_type_and_range_of_its_key)
{
	const struct good *good = &goods[_i];
	const struct config_key *key =
	    config_keys_find(good->section, good->key);
	struct config_value value;
	char why[128] = "";

	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(
	    config_value_parse(key, good->text, &value, why, sizeof(why)), 1);
	ck_assert_int_eq(value.number, good->number);
	ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(what_is_wrong_with_a_value_is_said)
{
	const struct bad *bad = &bads[_i];
	const struct config_key *key = config_keys_find(bad->section, bad->key);
	struct config_value value;
	char why[128] = "";

	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(
	    config_value_parse(key, bad->text, &value, why, sizeof(why)), 0);
	ck_assert_int_eq(value.number, 0);
	ck_assert_str_eq(why, bad->must_be);
}
END_TEST

START_TEST(a_stored_value_is_printed_as_it_is_read)
{
	const struct good *good = &goods[_i];
	const struct config_key *key =
	    config_keys_find(good->section, good->key);
	struct config_value value, again;
	union { /* whichever struct the key belongs to */
		struct config config;
		struct limits limits;
	} base = {.config = {.jid = NULL}};
	char why[128], printed[100] = "";
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	ck_assert_int_eq(
	    config_value_parse(key, good->text, &value, why, sizeof(why)), 1);
	config_value_store(key, &base, &value);
	config_value_print(key, &base, out);
	fclose(out);
	ck_assert_int_eq(strncmp(printed, good->key, strlen(good->key)), 0);
	printed[strcspn(printed, "\n")] = '\0';
	ck_assert_int_eq(config_value_parse(key, strstr(printed, "= ") + 2,
			     &again, why, sizeof(why)),
	    1);
	ck_assert_int_eq(again.number, good->number);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_value");
	TCase *tc = tcase_create("config_value");

	tcase_add_loop_test(
	    tc, a_value_has_the_type_and_range_of_its_key, 0, COUNT(goods));
	tcase_add_loop_test(
	    tc, what_is_wrong_with_a_value_is_said, 0, COUNT(bads));
	tcase_add_loop_test(
	    tc, a_stored_value_is_printed_as_it_is_read, 0, COUNT(goods));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
