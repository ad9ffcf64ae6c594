/* docs/database.md: every block of SQL in it runs, and finds or changes what it
 * is meant to, so that the recipes cannot rot. */
#include <stdbool.h>
#include <sys/stat.h>

#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

#define DOCUMENT "docs/database.md"
#define BLOCKS_MAX 64
#define BLOCK_LEN 1024

static char blocks[BLOCKS_MAX][BLOCK_LEN];
static int block_count;

static void
read_blocks(void)
{
	char line[BLOCK_LEN];
	bool within = false;
	FILE *file = fopen(DOCUMENT, "r");

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL) {
		char *block = blocks[block_count];
		size_t used = strlen(block);

		if (strcmp(line, "```sql\n") == 0) {
			within = block_count < BLOCKS_MAX - 1;
		} else if (within && strcmp(line, "```\n") == 0) {
			within = false;
			block_count++;
		} else if (within) {
			snprintf(block + used, BLOCK_LEN - used, "%s", line);
		}
	}
	fclose(file);
}

/* What the recipes speak of: the upload 42 with a known token and hash, slots
 * that await their upload or timed out, another user. */
static const char population[] =
    "INSERT INTO slot SELECT column1, column2, "
    "'2222222222222222222222222' || substr(column1, 1, 1), column3, "
    "'message', 'romeo.jpg', NULL, 5242880, "
    "strftime('%s', 'now', column4) + 0, "
    "strftime('%s', 'now', column4) + 300, "
    "strftime('%s', 'now', column4) + 600, "
    "iif(column5, strftime('%s', 'now', column4) + 60, NULL), "
    "strftime('%s', 'now', column4, '+60 days') + 0, "
    "iif(column5, x'e3b0c44298fc1c149afbf4c8996fb924"
    "27ae41e4649b934ca495991b7852b855', NULL) FROM (VALUES "
    "(42, 'abcdefghijklmnopqrstuvwxyz', 'juliet@example.org', '-1 day', 1), "
    "(53, 'bbcdefghijklmnopqrstuvwxyz', 'juliet@example.org', '-0 day', 0), "
    "(64, 'cbcdefghijklmnopqrstuvwxyz', 'romeo@example.org', '-2 day', 1), "
    "(75, 'dbcdefghijklmnopqrstuvwxyz', 'romeo@example.org', '-2 day', 0));"
    "INSERT INTO recent SELECT id, owner, purpose, size, issued_at, "
    "issued_at + 604800, NULL FROM slot;";

static void
set_up_population(void)
{
	set_up_store();
	store_close(fixture_store);
	shell(population);
	ck_assert_int_eq(chdir(fixture_dir), 0);
}

/* Whatever was changed, nothing is wrong afterwards. */
static void
tear_down_population(void)
{
	fixture_store = open_store(STORE_DURABLE);
	ck_assert_int_eq(store_audit(fixture_store, false), 0);
	tear_down_store();
}

/* A statement that reads must find, one that writes must change something. */
static void
assert_useful(sqlite3 *db, sqlite3_stmt *st)
{
	int before = sqlite3_total_changes(db);
	struct stat copy;
	int code = sqlite3_step(st);

	if (strstr(sqlite3_sql(st), "VACUUM") != NULL) {
		ck_assert_int_eq(code, SQLITE_DONE);
		ck_assert_int_eq(stat("putslot.db.copy", &copy), 0);
	} else if (sqlite3_stmt_readonly(st)) {
		ck_assert_int_eq(code, SQLITE_ROW);
	} else {
		ck_assert_int_eq(code, SQLITE_DONE);
		ck_assert_int_gt(sqlite3_total_changes(db), before);
	}
}

START_TEST(a_recipe_does_something)
{
	const char *rest = blocks[_i];
	sqlite3_stmt *st;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(fixture_path, &db), SQLITE_OK);
	for (;;) {
		ck_assert_msg(
		    sqlite3_prepare_v2(db, rest, -1, &st, &rest) == SQLITE_OK,
		    "%s in:\n%s", sqlite3_errmsg(db), blocks[_i]);
		if (st == NULL)
			break;
		assert_useful(db, st);
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
}
END_TEST

/* What a recipe begins with, and a question whose answer is then "1". */
static const struct {
	const char *recipe, *question;
} outcomes[] = {
    {"UPDATE slot SET expires_at = 0 WHERE id = 42",
	"SELECT state = 'expired' FROM slots WHERE id = 42"},
    {"DELETE FROM slot WHERE id = 42",
	"SELECT count(*) FROM doomed "
	"WHERE token = 'abcdefghijklmnopqrstuvwxyz'"},
    {"DELETE FROM slot WHERE owner", "SELECT count(DISTINCT owner) FROM slot"},
    {"UPDATE slot SET expires_at = strftime",
	"SELECT expires = 'never' FROM slots WHERE id = 42"},
    {"UPDATE slot SET expires_at = issued_at",
	"SELECT min(expires_at - issued_at = 2592000) FROM slot"},
    {"DELETE FROM recent",
	"SELECT max(owner) = 'romeo@example.org' AND min(owner) = "
	"'romeo@example.org' FROM recent"},
    {"UPDATE slot SET owner", "SELECT stored_files FROM usage "
			      "WHERE owner = 'juliet@capulet.example'"},
};

START_TEST(a_recipe_does_what_it_says)
{
	const char *recipe = outcomes[_i].recipe;
	int found = 0;

	for (int i = 0; i < block_count; i++) {
		if (strncmp(blocks[i], recipe, strlen(recipe)) == 0) {
			shell(blocks[i]);
			found++;
		}
	}
	ck_assert_int_eq(found, 1);
	ck_assert_shell_eq(outcomes[_i].question, "1");
}
END_TEST

START_TEST(the_recipes_are_found)
{
	ck_assert_int_ge(block_count, 15);
	ck_assert_int_lt(block_count, BLOCKS_MAX - 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recipes");
	TCase *tc = tcase_create("recipes");

	read_blocks();
	tcase_add_checked_fixture(tc, set_up_population, tear_down_population);
	tcase_add_test(tc, the_recipes_are_found);
	tcase_add_loop_test(tc, a_recipe_does_something, 0, block_count);
	tcase_add_loop_test(tc, a_recipe_does_what_it_says, 0, COUNT(outcomes));
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
