#include "fcgi/fsck.h"

#include <sys/syscall.h>
#include <fcntl.h>
#include <time.h>

#include "tests/fcgi/slots.h"
#include "tests/suite.h"

static struct fsck_summary sum;

/* What happens while the check looks at the size of a file that is this big;
 * fstat stands before the C library's. */
static off_t moment;
static void (*meanwhile)(void);

int
fstat(int fd, struct stat *st)
{
	int rc = (int)syscall(SYS_newfstatat, fd, "", st, AT_EMPTY_PATH);

	if (rc == 0 && moment != 0 && st->st_size == moment) {
		moment = 0;
		meanwhile();
	}
	return rc;
}

static int
check(bool repair)
{
	return slots_check(repair, &sum);
}

static int64_t
mistakes(void)
{
	return sum.lost + sum.wrong_size + sum.orphans + sum.foreign +
	       sum.database;
}

/* One that is right in every way, so that the two are no strangers. */
static void
add_sound(void)
{
	slots_add(1, JULIET, FUTURE);
}

/* ---- what is right ---- */

START_TEST(an_empty_store_is_right)
{
	ck_assert_int_eq(check(false), 1);
	ck_assert_int_eq(sum.slots + sum.files + mistakes(), 0);
}
END_TEST

START_TEST(all_states_that_a_slot_may_be_in_are_right)
{
	add_sound();
	slots_add_row(2, JULIET, 0, FUTURE); /* S1 */
	slots_add_row(3, JULIET, 0, FUTURE); /* S2 */
	slots_add_body(3);
	slots_add(4, JULIET, PAST);   /* expired, not yet cleaned */
	slots_add(5, JULIET, FUTURE); /* S4 */
	slots_sql("DELETE FROM slot WHERE id = 5");
	slots_add_row(6, JULIET, PAST, FUTURE); /* S5 */
	slots_sql("DELETE FROM slot WHERE id = 6");
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_eq(mistakes(), 0);
	ck_assert_int_eq(sum.repaired, 0);
	ck_assert_int_eq(sum.slots, 4);
	ck_assert_int_eq(sum.files, 4);
	ck_assert_int_eq(sum.sound, 2);
}
END_TEST

START_TEST(a_check_does_with_reading_alone)
{
	add_sound();
	slots_add_row(2, JULIET, PAST, FUTURE);
	slots_reopen(STORE_READ);
	ck_assert_int_eq(check(false), 0);
	ck_assert_int_eq(sum.lost, 1);
}
END_TEST

START_TEST(more_rows_than_a_batch_are_all_seen)
{
	slots_add_rows(1, 250, PAST, FUTURE);
	slots_add_bodies(1, 249);
	ck_assert_int_eq(check(false), 0);
	ck_assert_int_eq(sum.slots, 250);
	ck_assert_int_eq(sum.sound, 249);
	ck_assert_int_eq(sum.lost, 1);
}
END_TEST

/* ---- what is wrong, one of each kind ---- */

static void
lose_a_body(void)
{
	slots_add_row(2, JULIET, PAST, FUTURE);
}

static void
cut_a_body(void)
{
	slots_add(2, JULIET, FUTURE);
	slots_write_file(slots_body_path(2), 99);
}

static void
stretch_a_body(void)
{
	slots_add(2, JULIET, FUTURE);
	slots_write_file(slots_body_path(2), 101);
}

static void
forget_a_row(void)
{
	slots_add(2, JULIET, FUTURE);
	slots_sql("DELETE FROM slot WHERE id = 2");
	slots_sql("DELETE FROM doomed");
}

static void
miscount_usage(void)
{
	slots_sql("UPDATE usage SET stored_bytes = stored_bytes + 5");
}

static const struct {
	void (*make)(void);
	struct fsck_summary found;
} wrongs[] = {
    {lose_a_body, {.lost = 1}},
    {cut_a_body, {.wrong_size = 1}},
    {stretch_a_body, {.wrong_size = 1}},
    {forget_a_row, {.orphans = 1}},
    {miscount_usage, {.database = 1}},
};

START_TEST(each_wrong_is_found_and_nothing_changed)
{
	const struct fsck_summary *found = &wrongs[_i].found;

	add_sound();
	wrongs[_i].make();
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(check(false), 0);
		ck_assert_int_eq(sum.lost, found->lost);
		ck_assert_int_eq(sum.wrong_size, found->wrong_size);
		ck_assert_int_eq(sum.orphans, found->orphans);
		ck_assert_int_eq(sum.database > 0, found->database > 0);
		ck_assert_int_eq(sum.foreign + sum.repaired, 0);
	}
}
END_TEST

START_TEST(each_wrong_is_repaired_and_the_rest_left_alone)
{
	add_sound();
	wrongs[_i].make();
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_gt(mistakes(), 0);
	ck_assert_int_eq(sum.repaired, mistakes());
	ck_assert_int_eq(check(false), 1);
	ck_assert_int_eq(mistakes(), 0);
	ck_assert(slots_has_row(1) && slots_has_body(1));
}
END_TEST

START_TEST(the_row_of_a_lost_body_is_dropped_and_its_body_doomed)
{
	add_sound();
	cut_a_body();
	ck_assert_int_eq(check(true), 1);
	ck_assert(!slots_has_row(2));
	ck_assert_int_eq(slots_count_doomed(), 1);
	ck_assert_int_eq(slots_sql("SELECT stored_files FROM usage"), 1);
}
END_TEST

START_TEST(an_orphan_is_removed)
{
	add_sound();
	forget_a_row();
	ck_assert_int_eq(check(true), 1);
	ck_assert(!slots_has_body(2));
}
END_TEST

START_TEST(everything_at_once_is_repaired)
{
	add_sound();
	lose_a_body();
	slots_add(3, ROMEO, FUTURE);
	slots_sql("DELETE FROM slot WHERE id = 3");
	slots_sql("DELETE FROM doomed");
	slots_add(4, ROMEO, FUTURE);
	slots_write_file(slots_body_path(4), 0);
	miscount_usage();
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_eq(sum.lost, 1);
	ck_assert_int_eq(sum.wrong_size, 1);
	ck_assert_int_eq(sum.orphans, 1);
	ck_assert_int_gt(sum.database, 0);
	ck_assert_int_eq(check(false), 1);
}
END_TEST

/* ---- what is not judged ---- */

START_TEST(a_file_within_its_grace_is_not_judged)
{
	struct fsck job = {
	    .store = slots_store,
	    .bodies = slots_bodies,
	    .now = time(NULL) + GRACE - 60,
	    .grace = GRACE,
	    .repair = true,
	};

	add_sound();
	forget_a_row();
	ck_assert_int_eq(fsck_run(&job, &sum), 1);
	ck_assert_int_eq(sum.orphans, 0);
	ck_assert(slots_has_body(2));
	job.grace = 0;
	ck_assert_int_eq(fsck_run(&job, &sum), 1);
	ck_assert_int_eq(sum.orphans, 1);
	ck_assert(!slots_has_body(2));
}
END_TEST

START_TEST(a_foreign_file_is_told_and_never_touched)
{
	char path[PATH_MAX + 10];

	add_sound();
	snprintf(path, sizeof(path), "%s.bak", slots_body_path(1));
	slots_write_file(path, 5);
	ck_assert_int_eq(check(true), 0);
	ck_assert_int_eq(sum.foreign, 1);
	ck_assert_int_eq(mistakes(), 1);
	ck_assert_int_eq(sum.repaired, 0);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

static void
delete_the_row(void)
{
	slots_sql("DELETE FROM slot WHERE id = 2");
}

START_TEST(a_row_that_cleanup_removes_meanwhile_is_no_mistake)
{
	add_sound();
	cut_a_body();
	moment = 99;
	meanwhile = delete_the_row;
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_eq(moment, 0);
	ck_assert_int_eq(mistakes(), 0);
}
END_TEST

/* ---- strangers ---- */

START_TEST(rows_are_not_dropped_when_no_body_is_there_at_all)
{
	slots_add_rows(1, FSCK_STRANGERS + 1, PAST, FUTURE);
	ck_assert_int_eq(check(true), 0);
	ck_assert_int_eq(sum.repaired, 0);
	ck_assert_int_eq(slots_count_rows(), FSCK_STRANGERS + 1);
}
END_TEST

START_TEST(bodies_are_not_removed_when_the_database_is_another)
{
	slots_add_bodies(1, FSCK_STRANGERS + 1);
	ck_assert_int_eq(check(true), 0);
	ck_assert_int_eq(sum.repaired, 0);
	ck_assert_int_eq(sum.orphans, FSCK_STRANGERS + 1);
	ck_assert(slots_has_body(1));
}
END_TEST

START_TEST(a_few_lost_bodies_are_no_strangers)
{
	slots_add_rows(1, FSCK_STRANGERS, PAST, FUTURE);
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_eq(slots_count_rows(), 0);
}
END_TEST

START_TEST(many_lost_bodies_beside_a_sound_one_are_no_strangers)
{
	add_sound();
	slots_add_rows(2, 150, PAST, FUTURE);
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_eq(sum.repaired, 149);
	ck_assert_int_eq(slots_count_rows(), 1);
}
END_TEST

/* ---- failures ---- */

START_TEST(a_locked_database_is_said_to_be_broken_not_wrong)
{
	add_sound();
	lose_a_body();
	slots_lock();
	ck_assert_int_eq(check(true), -1);
	slots_sql("ROLLBACK");
	ck_assert(slots_has_row(2));
}
END_TEST

static int64_t
count_digests(void)
{
	/* that of 100 NULs, which is what a body here is */
	return slots_sql("SELECT count(*) FROM slot WHERE sha256 = "
			 "x'cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a41"
			 "8b6840b86e79a3'");
}

START_TEST(a_missing_digest_is_no_mistake_and_a_repair_computes_it)
{
	add_sound();
	slots_add(2, JULIET, FUTURE);
	slots_add(3, JULIET, FUTURE);
	slots_sql("UPDATE slot SET sha256 = NULL WHERE id IN (2, 3)");
	ck_assert_int_eq(check(false), 1);
	ck_assert_int_eq(sum.undigested, 2);
	ck_assert_int_eq(count_digests(), 0);
	ck_assert_int_eq(check(true), 1);
	ck_assert_int_eq(sum.undigested, 0);
	ck_assert_int_eq(sum.repaired, 0);
	ck_assert_int_eq(count_digests(), 2);
	ck_assert_int_eq(check(false), 1);
	ck_assert_int_eq(sum.undigested, 0);
}
END_TEST

START_TEST(a_check_that_broke_does_not_say_that_all_is_well)
{
	add_sound();
	slots_sql("DROP TABLE total");
	ck_assert_int_eq(check(false), -1);
}
END_TEST

START_TEST(a_body_that_cannot_be_looked_at_costs_no_row)
{
	add_sound();
	slots_add_row(7, JULIET, PAST, FUTURE);
	ck_assert_int_eq(symlink("elsewhere", slots_body_path(7)), 0);
	ck_assert_int_eq(check(true), -1);
	ck_assert(slots_has_row(7));
}
END_TEST

START_TEST(the_summary_is_one_line)
{
	const struct fsck_summary figures = {
	    .slots = 120,
	    .files = 119,
	    .sound = 100,
	    .lost = 1,
	    .wrong_size = 2,
	    .orphans = 3,
	    .foreign = 4,
	    .database = 5,
	    .repaired = 6,
	    .undigested = 7,
	};
	char text[300] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	fsck_print(&figures, out);
	fclose(out);
	ck_assert_str_eq(text,
	    "checked 120 slots, 119 files; lost 1, wrong size 2, orphans 3, "
	    "foreign 4, database 5, repaired 6; without SHA-256 7\n");
}
END_TEST

static void
add_findings(TCase *tc)
{
	tcase_add_test(tc, an_empty_store_is_right);
	tcase_add_test(tc, all_states_that_a_slot_may_be_in_are_right);
	tcase_add_test(tc, a_check_does_with_reading_alone);
	tcase_add_test(tc, more_rows_than_a_batch_are_all_seen);
	tcase_add_loop_test(
	    tc, each_wrong_is_found_and_nothing_changed, 0, COUNT(wrongs));
	tcase_add_loop_test(tc, each_wrong_is_repaired_and_the_rest_left_alone,
	    0, COUNT(wrongs));
	tcase_add_test(
	    tc, the_row_of_a_lost_body_is_dropped_and_its_body_doomed);
	tcase_add_test(tc, an_orphan_is_removed);
	tcase_add_test(tc, everything_at_once_is_repaired);
}

static void
add_limits(TCase *tc)
{
	tcase_add_test(tc, a_file_within_its_grace_is_not_judged);
	tcase_add_test(tc, a_foreign_file_is_told_and_never_touched);
	tcase_add_test(tc, a_row_that_cleanup_removes_meanwhile_is_no_mistake);
	tcase_add_test(tc, rows_are_not_dropped_when_no_body_is_there_at_all);
	tcase_add_test(tc, bodies_are_not_removed_when_the_database_is_another);
	tcase_add_test(tc, a_few_lost_bodies_are_no_strangers);
	tcase_add_test(
	    tc, many_lost_bodies_beside_a_sound_one_are_no_strangers);
	tcase_add_test(tc, a_locked_database_is_said_to_be_broken_not_wrong);
	tcase_add_test(
	    tc, a_missing_digest_is_no_mistake_and_a_repair_computes_it);
	tcase_add_test(tc, a_check_that_broke_does_not_say_that_all_is_well);
	tcase_add_test(tc, a_body_that_cannot_be_looked_at_costs_no_row);
	tcase_add_test(tc, the_summary_is_one_line);
}

int
main(void)
{
	Suite *s = suite_create("fsck");

	add_findings(slots_case(s, "findings", slots_set_up));
	add_limits(slots_case(s, "limits", slots_set_up));
	return suite_run(s);
}
