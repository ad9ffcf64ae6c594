/*
 * A directory of its own for each test of the configuration, and reading a
 * text as if it were a file. Included by one test program each.
 */
#ifndef TESTS_SCHEMA_CONFIG_FIXTURE_H
#define TESTS_SCHEMA_CONFIG_FIXTURE_H

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/config.h"
#include "tests/temporary.h"

/* The name that messages begin with. */
#define FILE_NAME "x.conf"

/* The least that works. Five lines: what follows it is on line 6, in [web]. */
#define LEAST                                                      \
	"[component]\njid = upload.example.org\nsecret = s3cret\n" \
	"[web]\nput_url = https://upload.example.org/upload/\n"

static char fixture_directory[PATH_MAX];

static void
fixture_enter(void)
{
	ck_assert(temporary_make(fixture_directory, sizeof(fixture_directory)));
	ck_assert_int_eq(chdir(fixture_directory), 0);
}

static void
fixture_leave(void)
{
	unlink(FILE_NAME);
	unlink("secret");
	ck_assert_int_eq(rmdir(fixture_directory), 0);
}

static void
fixture_write(const char *name, const char *text, size_t len, mode_t mode)
{
	FILE *out = fopen(name, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(fwrite(text, 1, len, out), len);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(chmod(name, mode), 0);
}

/* Reads FILE_NAME; *said is what was said, to be freed. */
static int
fixture_read(enum config_reader reader, struct config **out, char **said)
{
	size_t len;
	FILE *err = open_memstream(said, &len);
	int result;

	ck_assert_ptr_nonnull(err);
	result = config_read(FILE_NAME, reader, out, err);
	ck_assert_int_eq(fclose(err), 0);
	return result;
}

#endif
