/* Erasing a user; tests/fcgi/retention_test.c has the usual runs. */
#include "fcgi/retention.h"

#include "tests/fcgi/retention_fixture.h"
#include "tests/suite.h"

static int
erase(const char *owner)
{
	struct retention r = job(false);

	return retention_erase(&r, owner, &sum);
}

START_TEST(erasing_a_user_leaves_the_others_alone)
{
	slots_add(1, JULIET, FUTURE);
	slots_add_row(2, JULIET, 0, FUTURE);
	slots_add(3, ROMEO, FUTURE);
	slots_add(4, "juliet@example.organ", FUTURE);
	slots_add(5, ROMEO, PAST); /* an erasure is no run of retention */
	ck_assert_int_eq(erase(JULIET), 1);
	ck_assert_int_eq(sum.erased, 2);
	ck_assert_int_eq(sum.files, 1);
	ck_assert_int_eq(sum.expired + sum.deleted, 0);
	ck_assert(!slots_has_row(1) && !slots_has_body(1));
	ck_assert(!slots_has_row(2));
	for (int n = 3; n <= 5; n++)
		ck_assert(slots_has_row(n) && slots_has_body(n));
	assert_clean();
}
END_TEST

START_TEST(erasing_a_user_forgets_all_that_is_counted)
{
	slots_add(1, JULIET, FUTURE);
	slots_add(2, ROMEO, FUTURE);
	slots_sql("INSERT INTO recent VALUES (1, '" JULIET "', 'message', 100, "
		  "0, %d, NULL), (2, '" ROMEO "', 'message', 100, 0, %d, NULL)",
	    FUTURE, FUTURE);
	ck_assert_int_eq(erase(JULIET), 1);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM recent"), 1);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM usage WHERE owner = "
				   "'" JULIET "'"),
	    0);
	ck_assert_int_eq(slots_sql("SELECT count(*) FROM usage"), 1);
}
END_TEST

START_TEST(a_user_with_more_than_a_batch_is_erased_whole)
{
	slots_add_rows(1, 250, PAST, FUTURE);
	slots_add_row(251, ROMEO, PAST, FUTURE);
	ck_assert_int_eq(erase(JULIET), 1);
	ck_assert_int_eq(sum.erased, 250);
	ck_assert_int_eq(slots_count_rows(), 1);
	assert_clean();
}
END_TEST

START_TEST(erasing_an_unknown_user_is_done_at_once)
{
	slots_add(1, JULIET, FUTURE);
	ck_assert_int_eq(erase("nobody@example.org"), 1);
	ck_assert_int_eq(sum.erased, 0);
	ck_assert(slots_has_row(1));
}
END_TEST

START_TEST(a_dry_erasure_foretells_and_changes_nothing)
{
	struct retention r;

	slots_add(1, JULIET, FUTURE);
	slots_add_row(2, JULIET, 0, FUTURE);
	slots_add(3, ROMEO, FUTURE);
	slots_reopen(STORE_READ);
	r = job(true);
	ck_assert_int_eq(retention_erase(&r, JULIET, &sum), 1);
	ck_assert_int_eq(sum.erased, 2);
	ck_assert_int_eq(sum.files, 1);
	ck_assert_int_eq(slots_count_rows(), 3);
	ck_assert(slots_has_body(1));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("erasing a user");
	TCase *tc = slots_case(s, "erasures", set_up);

	tcase_add_test(tc, erasing_a_user_leaves_the_others_alone);
	tcase_add_test(tc, erasing_a_user_forgets_all_that_is_counted);
	tcase_add_test(tc, a_user_with_more_than_a_batch_is_erased_whole);
	tcase_add_test(tc, erasing_an_unknown_user_is_done_at_once);
	tcase_add_test(tc, a_dry_erasure_foretells_and_changes_nothing);
	return suite_run(s);
}
