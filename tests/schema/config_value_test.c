#include "schema/config_value.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "schema/config.h"
#include "schema/config_keys.h"
#include "schema/units.h"
#include "tests/suite.h"

/* A key, a text, and the number that it is or what it must be instead. */
static const struct row {
	enum config_section section;
	const char *key, *text;
	int64_t number;
	const char *must_be; /* NULL: good */
} rows[] = {
    {CONFIG_WEB, "allow_http", "yes", 1, NULL},
    {CONFIG_WEB, "allow_http", "no", 0, NULL},
    {CONFIG_WEB, "allow_http", "true", 0, "yes or no"},
    {CONFIG_WEB, "allow_http", "YES", 0, "yes or no"},
    {CONFIG_WEB, "allow_http", "1", 0, "yes or no"},
    {CONFIG_WEB, "allow_http", "", 0, "given a value"},
    {CONFIG_WEB, "send_file", "no", SEND_FILE_NO, NULL},
    {CONFIG_WEB, "send_file", "x-accel-redirect", SEND_FILE_X_ACCEL_REDIRECT,
	NULL},
    {CONFIG_WEB, "send_file", "x-sendfile", SEND_FILE_X_SENDFILE, NULL},
    {CONFIG_WEB, "send_file", "yes", 0, "no, x-accel-redirect or x-sendfile"},
    {CONFIG_WEB, "threads", "1", 1, NULL},
    {CONFIG_WEB, "threads", "256", 256, NULL},
    {CONFIG_WEB, "threads", "0", 0, "between 1 and 256"},
    {CONFIG_WEB, "threads", "257", 0, "between 1 and 256"},
    {CONFIG_WEB, "threads", "4294967297", 0, "between 1 and 256"},
    {CONFIG_WEB, "threads", "-1", 0, "a decimal number"},
    {CONFIG_WEB, "threads", "99999999999999999999", 0, "a decimal number"},
    {CONFIG_WEB, "threads", "unlimited", 0, "a decimal number"},
    {CONFIG_WEB, "socket_mode", "0660", 0660, NULL},
    {CONFIG_WEB, "socket_mode", "777", 0777, NULL},
    {CONFIG_WEB, "socket_mode", "0", 0, NULL},
    {CONFIG_WEB, "socket_mode", "1777", 0, "between 0000 and 0777"},
    {CONFIG_WEB, "socket_mode", "00660", 0,
	"permissions in octal, such as 0660"},
    {CONFIG_WEB, "socket_mode", "0668", 0,
	"permissions in octal, such as 0660"},
    {CONFIG_WEB, "socket_mode", "rw-rw----", 0,
	"permissions in octal, such as 0660"},
    {CONFIG_STORE, "busy_timeout", "1s", 1, NULL},
    {CONFIG_STORE, "busy_timeout", "60m", 3600, NULL},
    {CONFIG_STORE, "busy_timeout", "0", 0, "between 1s and 1h"},
    {CONFIG_STORE, "busy_timeout", "3601s", 0, "between 1s and 1h"},
    {CONFIG_STORE, "busy_timeout", "never", 0, "between 1s and 1h"},
    {CONFIG_STORE, "busy_timeout", "5", 0,
	"a duration such as 1h30m, or never"},
    {CONFIG_STORE, "max_total", "unlimited", UNITS_NEVER, NULL},
    {CONFIG_STORE, "max_total", "1 TiB", INT64_C(1) << 40, NULL},
    {CONFIG_STORE, "max_total", "0", 0, "between 1 B and unlimited"},
    {CONFIG_STORE, "max_total", "1 TiBs", 0,
	"a size such as 100 MiB, or unlimited"},
    {CONFIG_STORE, "min_free", "0", 0, NULL},
    {CONFIG_STORE, "min_free", "unlimited", 0, "limited"},
    {CONFIG_PURPOSE, "retention", "never", UNITS_NEVER, NULL},
    {CONFIG_PURPOSE, "max_file_size", "0", 0, "between 1 B and unlimited"},
    {CONFIG_PURPOSE, "files_per_user", "unlimited", UNITS_NEVER, NULL},
    {CONFIG_PURPOSE, "files_per_user", "40", 40, NULL},
    {CONFIG_PURPOSE, "files_per_user", "40 files", 0,
	"a decimal number or unlimited"},
    {CONFIG_PURPOSE, "window", "never", 0, "between 1s and 1y"},
    {CONFIG_PURPOSE, "when_full", "refuse", WHEN_FULL_REFUSE, NULL},
    {CONFIG_PURPOSE, "when_full", "make room", WHEN_FULL_MAKE_ROOM, NULL},
    {CONFIG_PURPOSE, "when_full", "makeroom", 0, "refuse or make room"},
};

START_TEST(a_value_has_the_type_and_range_of_its_key)
{
	const struct row *row = &rows[_i];
	const struct config_key *key = config_keys_find(row->section, row->key);
	struct config_value value;
	char why[128] = "";
	int result;

	ck_assert_ptr_nonnull(key);
	result = config_value_parse(key, row->text, &value, why, sizeof(why));
	ck_assert_int_eq(result, row->must_be == NULL);
	ck_assert_int_eq(value.number, row->number);
	ck_assert_str_eq(why, row->must_be == NULL ? "" : row->must_be);
}
END_TEST

START_TEST(a_stored_value_is_printed_as_it_is_read)
{
	const struct row *row = &rows[_i];
	const struct config_key *key = config_keys_find(row->section, row->key);
	struct config_value value, again;
	union { /* whichever struct the key belongs to */
		struct config config;
		struct limits limits;
	} base = {.config = {.jid = NULL}};
	char why[128], printed[100] = "";
	FILE *out = fmemopen(printed, sizeof(printed), "w");

	if (row->must_be == NULL) {
		ck_assert_int_eq(config_value_parse(
				     key, row->text, &value, why, sizeof(why)),
		    1);
		config_value_store(key, &base, &value);
		config_value_print(key, &base, out);
	}
	fclose(out);
	if (row->must_be != NULL)
		return;
	ck_assert_int_eq(strncmp(printed, row->key, strlen(row->key)), 0);
	printed[strcspn(printed, "\n")] = '\0';
	ck_assert_int_eq(config_value_parse(key, strstr(printed, "= ") + 2,
			     &again, why, sizeof(why)),
	    1);
	ck_assert_int_eq(again.number, row->number);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config_value");
	TCase *tc = tcase_create("config_value");

	tcase_add_loop_test(
	    tc, a_value_has_the_type_and_range_of_its_key, 0, COUNT(rows));
	tcase_add_loop_test(
	    tc, a_stored_value_is_printed_as_it_is_read, 0, COUNT(rows));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
