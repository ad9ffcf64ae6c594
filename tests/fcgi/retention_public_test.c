/*
 * Cleanup and the check where some bodies are public.
 */
#include "fcgi/retention.h"
#include "tests/fcgi/slots.h"
#include "tests/suite.h"

/* Slots with an odd number have a public body. */
static const char *
body_path(int n)
{
	const char *token = slots_token(n);
	const char *tree = n % 2 == 1 ? "public" : "bodies";
	char name[TOKEN_LEN + 20];

	snprintf(name, sizeof(name), "%s/%.2s", tree, token);
	mkdir(slots_path(name), 0770);
	snprintf(name, sizeof(name), "%s/%.2s/%s", tree, token, token);
	return slots_path(name);
}

static bool
has_body(int n)
{
	return access(body_path(n), F_OK) == 0;
}

static void
set_up(void)
{
	char public[PATH_MAX];

	slots_set_up();
	bodies_close(slots_bodies);
	slots_bodies = NULL;
	snprintf(public, sizeof(public), "%s", slots_path("public"));
	ck_assert_int_eq(bodies_open(slots_path("bodies"), public, BODIES_NAMED,
			     &slots_bodies),
	    1);
	for (int n = 1; n <= 6; n++) {
		slots_add_row(n, JULIET, PAST, n <= 2 ? PAST : FUTURE);
		slots_write_file(body_path(n), 100);
	}
}

static const bool ways[] = {false, true}; /* flat out */

START_TEST(what_is_over_is_removed_from_both)
{
	struct retention job = {.store = slots_store,
	    .bodies = slots_bodies,
	    .now = NOW,
	    .longest_upload = GRACE,
	    .flat_out = ways[_i]};
	struct retention_summary sum = {0};

	slots_sql("DELETE FROM slot WHERE id IN (3, 4)");
	ck_assert_int_eq(retention_run(&job, &sum), 1);
	ck_assert_int_eq(sum.files, 4);
	ck_assert_int_eq(sum.bytes, 400);
	ck_assert_int_eq(sum.deleted, 2);
	for (int n = 1; n <= 6; n++)
		ck_assert(has_body(n) == (n >= 5));
	ck_assert_int_eq(slots_count_doomed(), 0);
}
END_TEST

START_TEST(what_is_sound_is_so_in_both)
{
	struct fsck_summary sum = {0};

	ck_assert_int_eq(slots_check(false, &sum), 1);
	ck_assert_int_eq(sum.sound, 6);
	ck_assert_int_eq(sum.files, 6);
}
END_TEST

START_TEST(what_no_row_names_is_removed_from_both)
{
	struct fsck_summary sum = {0};

	slots_sql("DELETE FROM slot WHERE id IN (5, 6)");
	slots_sql("DELETE FROM doomed");
	ck_assert_int_eq(slots_check(true, &sum), 1);
	ck_assert_int_eq(sum.orphans, 2);
	ck_assert_int_eq(sum.repaired, 2);
	for (int n = 1; n <= 6; n++)
		ck_assert(has_body(n) == (n <= 4));
}
END_TEST

START_TEST(what_is_lost_is_missed_in_both)
{
	struct fsck_summary sum = {0};

	ck_assert_int_eq(unlink(body_path(5)), 0);
	ck_assert_int_eq(unlink(body_path(6)), 0);
	ck_assert_int_eq(slots_check(false, &sum), 0);
	ck_assert_int_eq(sum.lost, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("retention of public files");
	TCase *tc = slots_case(s, "both trees", set_up);

	tcase_add_loop_test(
	    tc, what_is_over_is_removed_from_both, 0, COUNT(ways));
	tcase_add_test(tc, what_is_sound_is_so_in_both);
	tcase_add_test(tc, what_no_row_names_is_removed_from_both);
	tcase_add_test(tc, what_is_lost_is_missed_in_both);
	return suite_run(s);
}
