#include "schema/database.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/schema/store_fixture.h"
#include "tests/suite.h"

#define VERSION "1"

static void
assert_refused(enum store_access access)
{
	struct store *store = NULL;

	ck_assert_int_eq(store_open(fixture_path, access, 0, &store), -1);
	ck_assert_ptr_null(store);
}

static mode_t
mode_of(const char *ending)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", fixture_path, ending);
	ck_assert_int_eq(stat(path, &st), 0);
	return st.st_mode & 07777;
}

START_TEST(an_empty_place_becomes_a_database_of_this_version)
{
	store_close(open_store((enum store_access)_i));
	ck_assert_shell_eq("PRAGMA user_version", VERSION);
	ck_assert_shell_eq("PRAGMA application_id", "1886612596");
	ck_assert_shell_eq("PRAGMA journal_mode", "wal");
	ck_assert_shell_eq("PRAGMA page_size", "2048");
	ck_assert_shell_eq(TOTAL, "0 0 0 0");
	ck_assert_shell_eq("PRAGMA integrity_check", "ok");
}
END_TEST

START_TEST(an_empty_file_becomes_a_database_too)
{
	int fd = open(fixture_path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	store_close(open_store(STORE_GRANT));
	ck_assert_shell_eq("PRAGMA user_version", VERSION);
}
END_TEST

START_TEST(all_files_are_open_to_the_group_whatever_the_umask)
{
	umask(077);
	fixture_store = open_store(STORE_GRANT);
	granted_size(1);
	ck_assert_uint_eq(mode_of(""), 0660);
	ck_assert_uint_eq(mode_of("-wal"), 0660);
	ck_assert_uint_eq(mode_of("-shm"), 0660);
	store_close(fixture_store);
}
END_TEST

START_TEST(an_existing_database_is_opened_as_it_is)
{
	fixture_store = open_store(STORE_GRANT);
	granted_size(1);
	store_close(fixture_store);
	ck_assert_int_eq(chmod(fixture_path, 0600), 0);
	store_close(open_store(STORE_GRANT));
	ck_assert_shell_eq(TOTAL, "0 0 1 1");
	ck_assert_uint_eq(mode_of(""), 0600);
}
END_TEST

START_TEST(a_reader_cannot_make_a_database)
{
	assert_refused(STORE_READ);
	ck_assert_int_eq(access(fixture_path, F_OK), -1);
}
END_TEST

START_TEST(a_reader_cannot_bring_one_up_to_date)
{
	int fd = open(fixture_path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	assert_refused(STORE_READ);
	ck_assert_shell_eq("PRAGMA user_version", "0");
}
END_TEST

START_TEST(a_reader_finds_slots_while_nobody_else_is_there)
{
	struct grant_result result;
	struct slot slot;

	fixture_store = open_store(STORE_GRANT);
	result = granted_size(1);
	store_close(fixture_store);
	fixture_store = open_store(STORE_READ);
	ck_assert_int_eq(store_find(fixture_store, result.token, &slot), 1);
	store_close(fixture_store);
}
END_TEST

START_TEST(a_reader_finds_what_a_killed_writer_left_in_the_wal)
{
	struct slot slot;
	int status, ends[2];
	pid_t pid;
	char token[TOKEN_LEN + 1];

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		fixture_store = open_store(STORE_GRANT);
		if (write(ends[1], granted_size(1).token, sizeof(token)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(read(ends[0], token, sizeof(token)), sizeof(token));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	fixture_store = open_store(STORE_READ);
	ck_assert_int_eq(store_find(fixture_store, token, &slot), 1);
	store_close(fixture_store);
}
END_TEST

START_TEST(a_reader_changes_nothing)
{
	struct grant_request request = request_of(1);
	struct grant_result result;

	store_close(open_store(STORE_GRANT));
	fixture_store = open_store(STORE_READ);
	ck_assert_int_eq(store_grant(fixture_store, &request, &result), -1);
	ck_assert_int_eq(store_erase(fixture_store, OWNER, 10), -1);
	store_close(fixture_store);
	ck_assert_shell_eq(TOTAL, "0 0 0 0");
}
END_TEST

START_TEST(a_newer_version_is_refused_and_left_alone)
{
	store_close(open_store(STORE_GRANT));
	shell("PRAGMA user_version = 99");
	assert_refused((enum store_access)_i);
	ck_assert_shell_eq("PRAGMA user_version", "99");
}
END_TEST

START_TEST(a_database_of_something_else_is_refused_and_left_alone)
{
	shell("CREATE TABLE dear (diary TEXT)");
	assert_refused((enum store_access)_i);
	ck_assert_shell_eq("PRAGMA journal_mode", "delete");
	ck_assert_shell_eq("SELECT count(*) FROM sqlite_schema", "1");
	shell("PRAGMA application_id = 42");
	assert_refused((enum store_access)_i);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused_and_left_alone)
{
	char text[2048];
	FILE *file = fopen(fixture_path, "w");

	memset(text, 'x', sizeof(text));
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, sizeof(text), file), sizeof(text));
	fclose(file);
	assert_refused((enum store_access)_i);
	file = fopen(fixture_path, "r");
	ck_assert_int_eq(fgetc(file), 'x');
	fclose(file);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_an_error)
{
	struct store *store;

	ck_assert_int_eq(
	    store_open("/nonexistent/slots.db", STORE_GRANT, 0, &store), -1);
}
END_TEST

START_TEST(a_writer_is_refused_what_it_may_only_read)
{
	store_close(open_store(STORE_GRANT));
	ck_assert_int_eq(chmod(fixture_path, 0444), 0);
	ck_assert_int_eq(chmod(fixture_dir, 0777), 0);
	if (getuid() == 0) /* for whom modes do not count */
		ck_assert_int_eq(seteuid(65534), 0);
	assert_refused(STORE_GRANT);
	assert_refused(STORE_DURABLE);
	ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

START_TEST(many_who_open_at_once_make_one_database)
{
	enum { MANY = 8 };
	int status;

	for (int i = 0; i < MANY; i++) {
		if (fork() == 0) {
			struct store *store;

			_exit(store_open(fixture_path, STORE_GRANT, TIMEOUT,
				  &store) == 1
				  ? 0
				  : 1);
		}
	}
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	ck_assert_shell_eq("PRAGMA user_version", VERSION);
	ck_assert_shell_eq("SELECT count(*) FROM total", "1");
}
END_TEST

/* Grants as that user of the group 20000, with nobody's leave to read its
 * files, and is killed before it can close anything. */
static void
grant_as(uid_t uid)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		umask(077);
		if (setgroups(0, NULL) == -1 || setgid(20000) == -1 ||
		    setuid(uid) == -1)
			_exit(1);
		fixture_store = open_store(STORE_DURABLE);
		granted_size(1);
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

START_TEST(two_users_of_one_group_share_a_database)
{
	ck_assert_int_eq(chown(fixture_dir, 0, 20000), 0);
	ck_assert_int_eq(chmod(fixture_dir, 02770), 0);
	grant_as(20001);
	grant_as(20002);
	grant_as(20001);
	ck_assert_uint_eq(mode_of("-wal"), 0660);
	ck_assert_shell_eq(TOTAL, "0 0 3 3");
	/* Root was the last to leave just now, and owns nothing all the same.
	 */
	grant_as(20002);
	ck_assert_shell_eq(TOTAL, "0 0 4 4");
}
END_TEST

/* A process that reads, or writes, the database for a moment. */
static pid_t
use_for_a_moment(const char *sql)
{
	int ends[2];
	char ready;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		sqlite3 *db;

		if (sqlite3_open(fixture_path, &db) != SQLITE_OK ||
		    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK ||
		    write(ends[1], "", 1) != 1)
			_exit(1);
		usleep(300000);
		_exit(0);
	}
	ck_assert_int_eq(read(ends[0], &ready, 1), 1);
	return pid;
}

static const char *const uses[] = {
    "BEGIN; SELECT * FROM slot",
    "BEGIN IMMEDIATE",
    "BEGIN EXCLUSIVE",
};

START_TEST(the_switch_to_wal_waits_for_those_who_use_the_database)
{
	struct store *store = NULL;
	int status;
	pid_t pid;

	store_close(open_store(STORE_GRANT));
	shell("PRAGMA journal_mode = DELETE");
	pid = use_for_a_moment(uses[_i]);
	ck_assert_int_eq(
	    store_open(fixture_path, STORE_GRANT, TIMEOUT, &store), 1);
	store_close(store);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_shell_eq("PRAGMA journal_mode", "wal");
}
END_TEST

/* Of each kind of access, what PRAGMA synchronous says. */
static const struct {
	enum store_access access;
	int64_t synchronous;
} sync_cases[] = {
    {STORE_GRANT, 1},   /* NORMAL */
    {STORE_DURABLE, 2}, /* FULL */
};

static int64_t
pragma(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;
	int64_t value;

	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}

START_TEST(only_grants_do_without_waiting_for_the_disk)
{
	sqlite3 *db;

	ck_assert_int_eq(
	    database_open(fixture_path, sync_cases[_i].access, TIMEOUT, &db),
	    1);
	ck_assert_int_eq(
	    pragma(db, "PRAGMA synchronous"), sync_cases[_i].synchronous);
	sqlite3_close(db);
}
END_TEST

static const enum store_access accesses[] = {
    STORE_GRANT, STORE_DURABLE, STORE_READ};

START_TEST(no_temporary_file_is_made_in_another_directory)
{
	sqlite3 *db;

	ck_assert_int_eq(
	    database_open(fixture_path, STORE_GRANT, TIMEOUT, &db), 1);
	sqlite3_close(db);
	ck_assert_int_eq(
	    database_open(fixture_path, accesses[_i], TIMEOUT, &db), 1);
	ck_assert_int_eq(pragma(db, "PRAGMA temp_store"), 2); /* memory */
	sqlite3_close(db);
}
END_TEST

START_TEST(opening_twice_keeps_the_locks_of_the_first)
{
	sqlite3 *first, *second;
	pid_t pid;
	int status;

	ck_assert_int_eq(
	    database_open(fixture_path, STORE_DURABLE, 0, &first), 1);
	ck_assert_int_eq(
	    sqlite3_exec(first, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	ck_assert_int_eq(
	    database_open(fixture_path, STORE_DURABLE, 0, &second), 1);
	/* POSIX locks belong to the process: another one must be kept out. */
	pid = fork();
	if (pid == 0)
		_exit(try_shell("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE") ==
			      SQLITE_BUSY
			  ? 0
			  : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	sqlite3_close(second);
	sqlite3_close(first);
}
END_TEST

START_TEST(a_journal_mode_set_by_hand_is_set_back_by_a_writer)
{
	fixture_store = open_store(STORE_GRANT);
	granted_size(1);
	store_close(fixture_store);
	shell("PRAGMA journal_mode = DELETE");
	fixture_store = open_store(STORE_READ);
	store_close(fixture_store);
	ck_assert_shell_eq("PRAGMA journal_mode", "delete");
	fixture_store = open_store(STORE_GRANT);
	store_close(fixture_store);
	ck_assert_shell_eq("PRAGMA journal_mode", "wal");
}
END_TEST

static void
add_readers(TCase *tc)
{
	tcase_add_test(tc, a_reader_cannot_make_a_database);
	tcase_add_test(tc, a_reader_cannot_bring_one_up_to_date);
	tcase_add_test(tc, a_reader_finds_slots_while_nobody_else_is_there);
	tcase_add_test(tc, a_reader_finds_what_a_killed_writer_left_in_the_wal);
	tcase_add_test(tc, a_reader_changes_nothing);
}

int
main(void)
{
	Suite *suite = suite_create("database");
	TCase *tc = tcase_create("database");

	tcase_add_checked_fixture(tc, set_up_directory, tear_down_directory);
	add_readers(tc);
	tcase_add_loop_test(tc,
	    an_empty_place_becomes_a_database_of_this_version, STORE_GRANT,
	    STORE_DURABLE + 1);
	tcase_add_test(tc, an_empty_file_becomes_a_database_too);
	tcase_add_test(tc, all_files_are_open_to_the_group_whatever_the_umask);
	if (geteuid() == 0) /* nobody else can be two users */
		tcase_add_test(tc, two_users_of_one_group_share_a_database);
	tcase_add_test(tc, an_existing_database_is_opened_as_it_is);
	tcase_add_loop_test(tc, a_newer_version_is_refused_and_left_alone,
	    STORE_READ, STORE_DURABLE + 1);
	tcase_add_loop_test(tc,
	    a_database_of_something_else_is_refused_and_left_alone, STORE_READ,
	    STORE_DURABLE + 1);
	tcase_add_loop_test(tc,
	    a_file_that_is_no_database_is_refused_and_left_alone, STORE_READ,
	    STORE_DURABLE + 1);
	tcase_add_test(tc, a_directory_that_is_not_there_is_an_error);
	tcase_add_test(tc, a_writer_is_refused_what_it_may_only_read);
	tcase_add_test(tc, many_who_open_at_once_make_one_database);
	tcase_add_loop_test(tc,
	    the_switch_to_wal_waits_for_those_who_use_the_database, 0,
	    COUNT(uses));
	tcase_add_loop_test(tc, only_grants_do_without_waiting_for_the_disk, 0,
	    COUNT(sync_cases));
	tcase_add_loop_test(tc, no_temporary_file_is_made_in_another_directory,
	    0, COUNT(accesses));
	tcase_add_test(tc, opening_twice_keeps_the_locks_of_the_first);
	tcase_add_test(tc, a_journal_mode_set_by_hand_is_set_back_by_a_writer);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
