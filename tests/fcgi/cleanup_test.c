/* The program itself, in $PUTSLOT_BUILD: options, exit codes, what it says. */

#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <utime.h>

#include "tests/fcgi/slots.h"
#include "tests/suite.h"

#define MAX_ARGUMENTS 10
#define CONFIG "-c", "putslot.conf"

/* What the last run wrote. */
static char out[8192];
static char err[8192];

static void
read_into(const char *name, char *text, size_t len)
{
	FILE *f = fopen(slots_path(name), "r");

	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, len - 1, f)] = '\0';
	fclose(f);
}

/* What sanitizers do at the end is what the walls are there to stop. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WALLS "[walls]\nlandlock = no\nseccomp = no\n"
#else
#define WALLS ""
#endif

static void
write_config(const char *more)
{
	FILE *f = fopen(slots_path("putslot.conf"), "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f,
	    "[component]\njid = upload.example.org\n"
	    "[web]\nput_url = https://upload.example.org/\n"
	    "[store]\nbusy_timeout = 1s\n"
	    "database = %s/db\nbodies = %s/bodies\n%s" WALLS,
	    slots_dir, slots_dir, more);
	fclose(f);
}

static void
redirect(const char *name, int to)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	if (fd == -1 || dup2(fd, to) == -1)
		_exit(100);
	close(fd);
}

static void __attribute__((noreturn)) become(char *const arguments[])
{
	const char *build = getenv("PUTSLOT_BUILD");
	char program[PATH_MAX];
	char *top = realpath(build != NULL ? build : "build", NULL);
	int len = 0;

	if (top == NULL || chdir(slots_dir) == -1)
		_exit(101);
	len = snprintf(program, sizeof(program), "%s/putslot-cleanup", top);
	if (len < 0 || (size_t)len >= sizeof(program))
		_exit(102);
	redirect("out", STDOUT_FILENO);
	redirect("err", STDERR_FILENO);
	execv(program, arguments);
	_exit(103);
}

/* Runs the program in the slots' directory; its exit status. The arguments end
 * with NULL. */
static int
run(const char *first, ...)
{
	char *arguments[MAX_ARGUMENTS] = {"putslot-cleanup"};
	const char *next = first;
	va_list rest;
	int status = 0;
	pid_t pid = 0;

	va_start(rest, first);
	for (int i = 1; next != NULL && i < MAX_ARGUMENTS - 1; i++) {
		arguments[i] = strdup(next);
		next = va_arg(rest, const char *);
	}
	va_end(rest);
	pid = fork();
	if (pid == 0)
		become(arguments);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (int i = 1; arguments[i] != NULL; i++)
		free(arguments[i]);
	read_into("out", out, sizeof(out));
	read_into("err", err, sizeof(err));
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
set_up(void)
{
	slots_set_up();
	unsetenv("PUTSLOT_CONFIG");
	write_config("");
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* One line, and nothing after it. */
static bool
is_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end != NULL && end[1] == '\0';
}

/* A slot of which the real clock says that it is not over. */
static void
add_lasting(int n, const char *owner)
{
	slots_add(n, owner, (int64_t)time(NULL) + 1000);
}

/* ---- runs ---- */

/* A PUT that began at once lasts until both timers are over. */
START_TEST(a_body_in_flight_is_left_while_its_slot_may_take_it)
{
	const char *name = "bodies/incoming/aaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct utimbuf times;

	times.actime = times.modtime = time(NULL) - 60;
	write_config("[timers]\nput_window = 10m\nupload_timeout = 1s\n");
	ck_assert_int_eq(mkdir(slots_path("bodies/incoming"), 0770), 0);
	slots_write_file(slots_path(name), 10);
	ck_assert_int_eq(utime(slots_path(name), &times), 0);
	ck_assert_int_eq(run(CONFIG, NULL), 0);
	ck_assert_int_eq(access(slots_path(name), F_OK), 0);
}
END_TEST

START_TEST(a_run_ends_with_one_line_and_0)
{
	slots_add(1, JULIET, PAST);
	add_lasting(2, JULIET);
	ck_assert_int_eq(run(CONFIG, NULL), 0);
	ck_assert_str_eq(out,
	    "removed 1 files, 100 B; expired 1, never used 0, erased 0, "
	    "row deleted 0, incoming 0, failed 0\n");
	ck_assert_str_eq(err, "");
	ck_assert(!slots_has_body(1));
	ck_assert(slots_has_row(2) && slots_has_body(2));
}
END_TEST

START_TEST(a_run_flat_out_does_and_says_the_same)
{
	slots_add(1, JULIET, PAST);
	slots_add_row(2, ROMEO, 0, FUTURE);
	ck_assert_int_eq(run("-fv", CONFIG, NULL), 0);
	ck_assert_str_eq(out,
	    "removed 1 files, 100 B; expired 1, never used 1, erased 0, "
	    "row deleted 0, incoming 0, failed 0\n");
	ck_assert(has(err, "slot 1 of " JULIET));
	ck_assert(has(err, "never used"));
	ck_assert(!slots_has_body(1));
	ck_assert_int_eq(slots_count_doomed(), 0);
}
END_TEST

START_TEST(a_verbose_run_tells_each_slot)
{
	slots_add(1, JULIET, PAST);
	ck_assert_int_eq(run(CONFIG, "-v", NULL), 0);
	ck_assert(is_one_line(out));
	ck_assert(has(err, "slot 1 of " JULIET));
	ck_assert(has(err, "expired"));
}
END_TEST

START_TEST(a_dry_run_says_what_it_would_do)
{
	slots_add(1, JULIET, PAST);
	ck_assert_int_eq(run(CONFIG, "-nv", NULL), 0);
	ck_assert(is_one_line(out));
	ck_assert(has(out, "would remove 1 files, 100 B; expired 1,"));
	ck_assert(has(err, "slot 1 of " JULIET));
	ck_assert(slots_has_row(1) && slots_has_body(1));
}
END_TEST

START_TEST(a_body_that_cannot_be_removed_gives_1)
{
	slots_add_row(1, JULIET, PAST, PAST);
	ck_assert_int_eq(mkdir(slots_body_path(1), 0770), 0);
	ck_assert_int_eq(run(CONFIG, NULL), 1);
	ck_assert(has(out, "failed 1"));
	ck_assert(has(err, "error: "));
}
END_TEST

START_TEST(a_locked_database_gives_1_and_says_so)
{
	slots_add(1, JULIET, PAST);
	slots_sql("BEGIN IMMEDIATE");
	ck_assert_int_eq(run(CONFIG, NULL), 1);
	ck_assert(has(err, "locked"));
	slots_sql("ROLLBACK");
	ck_assert_int_eq(run(CONFIG, NULL), 0);
}
END_TEST

static const char *const needed[] = {"db", "bodies"};

START_TEST(what_is_missing_gives_1_and_is_not_made)
{
	char away[PATH_MAX];

	snprintf(away, sizeof(away), "%s/away", slots_dir);
	ck_assert_int_eq(rename(slots_path(needed[_i]), away), 0);
	ck_assert_int_eq(run(CONFIG, NULL), 1);
	ck_assert(has(err, needed[_i]));
	ck_assert(has(err, "No such file"));
	ck_assert_int_ne(access(slots_path(needed[_i]), F_OK), 0);
}
END_TEST

START_TEST(an_erasure_forgets_one_user)
{
	add_lasting(1, JULIET);
	add_lasting(2, ROMEO);
	ck_assert_int_eq(run(CONFIG, "--erase", JULIET, NULL), 0);
	ck_assert(has(out, "removed 1 files, 100 B"));
	ck_assert(has(out, "erased 1"));
	ck_assert(!slots_has_row(1) && !slots_has_body(1));
	ck_assert(slots_has_row(2) && slots_has_body(2));
}
END_TEST

/* ---- the check ---- */

START_TEST(a_check_that_finds_nothing_gives_0)
{
	add_lasting(1, JULIET);
	ck_assert_int_eq(run(CONFIG, "--fsck", NULL), 0);
	ck_assert_str_eq(out,
	    "checked 1 slots, 1 files; lost 0, wrong size 0, orphans 0, "
	    "foreign 0, database 0, repaired 0; without SHA-256 0\n");
}
END_TEST

START_TEST(a_check_that_finds_something_gives_3_until_it_is_repaired)
{
	add_lasting(1, JULIET);
	slots_add_row(2, JULIET, PAST, PAST);
	ck_assert_int_eq(run(CONFIG, "--fsck", NULL), 3);
	ck_assert(has(err, "slot 2 of " JULIET));
	ck_assert_int_eq(run(CONFIG, "-n", "--fsck", "--repair", NULL), 3);
	ck_assert(slots_has_row(2));
	ck_assert_int_eq(run(CONFIG, "--fsck", "--repair", NULL), 0);
	ck_assert(has(out, "lost 1"));
	ck_assert(has(out, "repaired 1"));
	ck_assert_int_eq(run(CONFIG, "--fsck", NULL), 0);
}
END_TEST

START_TEST(a_check_that_cannot_be_made_gives_1)
{
	slots_sql("DROP TABLE total");
	ck_assert_int_eq(run(CONFIG, "--fsck", NULL), 1);
}
END_TEST

START_TEST(a_young_file_is_judged_only_without_grace)
{
	add_lasting(1, JULIET);
	slots_add_body(2);
	ck_assert_int_eq(run(CONFIG, "--fsck", NULL), 0);
	ck_assert_int_eq(run(CONFIG, "--fsck", "--grace", "1h", NULL), 0);
	ck_assert_int_eq(run(CONFIG, "--fsck", "--grace", "0", NULL), 3);
	ck_assert(has(out, "orphans 1"));
	ck_assert(slots_has_body(2));
}
END_TEST

/* ---- options ---- */

static const char *const wrong[][4] = {
    {"-x"},
    {"--no-such"},
    {"-c"},
    {"argument"},
    {"--erase"},
    {"--erase", ""},
    {"--erase", "juliet@example.org/balcony"},
    {"--erase", "@example.org"},
    {"--erase", "juliet@"},
    {"--erase", JULIET, "--fsck"},
    {"--repair"},
    {"--repair", "--erase", JULIET},
    {"--grace", "1h"},
    {"-f", "--fsck"},
    {"-f", "--erase", JULIET},
    {"--fsck", "--grace"},
    {"--fsck", "--grace", "5"},
    {"--fsck", "--grace", "soon"},
};

START_TEST(a_wrong_option_gives_2_and_does_nothing)
{
	const char *const *w = wrong[_i];

	slots_add(1, JULIET, PAST);
	setenv("PUTSLOT_CONFIG", slots_path("putslot.conf"), 1);
	ck_assert_int_eq(run(w[0], w[1], w[2], NULL), 2);
	ck_assert(has(err, "usage: putslot-cleanup"));
	ck_assert_str_eq(out, "");
	ck_assert(slots_has_row(1));
}
END_TEST

START_TEST(the_version_is_printed)
{
	ck_assert_int_eq(run("-V", NULL), 0);
	ck_assert_str_eq(out, "putslot-cleanup " PUTSLOT_VERSION "\n");
}
END_TEST

START_TEST(a_mistake_in_the_configuration_gives_2_and_its_line)
{
	write_config("nonsense = 1\n");
	ck_assert_int_eq(run(CONFIG, NULL), 2);
	ck_assert(has(err, "putslot.conf:9: "));
}
END_TEST

START_TEST(a_missing_configuration_gives_2)
{
	ck_assert_int_eq(run("-c", "missing.conf", NULL), 2);
	ck_assert(has(err, "missing.conf"));
}
END_TEST

START_TEST(the_environment_names_the_configuration)
{
	setenv("PUTSLOT_CONFIG", slots_path("putslot.conf"), 1);
	ck_assert_int_eq(run(NULL), 0);
	ck_assert_int_eq(run("-c", "missing.conf", NULL), 2);
}
END_TEST

static void
add_runs(TCase *tc)
{
	tcase_add_test(tc, a_run_ends_with_one_line_and_0);
	tcase_add_test(tc, a_body_in_flight_is_left_while_its_slot_may_take_it);
	tcase_add_test(tc, a_run_flat_out_does_and_says_the_same);
	tcase_add_test(tc, a_verbose_run_tells_each_slot);
	tcase_add_test(tc, a_dry_run_says_what_it_would_do);
	tcase_add_test(tc, a_body_that_cannot_be_removed_gives_1);
	tcase_add_test(tc, a_locked_database_gives_1_and_says_so);
	tcase_add_loop_test(
	    tc, what_is_missing_gives_1_and_is_not_made, 0, COUNT(needed));
	tcase_add_test(tc, an_erasure_forgets_one_user);
	tcase_add_test(tc, a_check_that_finds_nothing_gives_0);
	tcase_add_test(
	    tc, a_check_that_finds_something_gives_3_until_it_is_repaired);
	tcase_add_test(tc, a_check_that_cannot_be_made_gives_1);
	tcase_add_test(tc, a_young_file_is_judged_only_without_grace);
}

static void
add_options(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_wrong_option_gives_2_and_does_nothing, 0, COUNT(wrong));
	tcase_add_test(tc, the_version_is_printed);
	tcase_add_test(tc, a_mistake_in_the_configuration_gives_2_and_its_line);
	tcase_add_test(tc, a_missing_configuration_gives_2);
	tcase_add_test(tc, the_environment_names_the_configuration);
}

int
main(void)
{
	Suite *s = suite_create("cleanup");

	add_runs(slots_case(s, "runs", set_up));
	add_options(slots_case(s, "options", set_up));
	return suite_run(s);
}
