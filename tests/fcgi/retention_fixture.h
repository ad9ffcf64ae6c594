/*
 * What the tests of retention share: a run of it over the slots of
 * tests/fcgi/slots.h, and what it did.
 */
#ifndef TESTS_FCGI_RETENTION_FIXTURE_H
#define TESTS_FCGI_RETENTION_FIXTURE_H

#include "fcgi/retention.h"
#include "tests/fcgi/slots.h"

static struct retention_summary sum;
static bool flat_out; /* how the runs of this test are */

static inline struct retention
job(bool dry_run)
{
	return (struct retention){
	    .store = slots_store,
	    .bodies = slots_bodies,
	    .now = NOW,
	    .longest_upload = 3600,
	    .dry_run = dry_run,
	    .flat_out = flat_out,
	};
}

static inline int
run(void)
{
	struct retention r = job(false);

	return retention_run(&r, &sum);
}

/* No trace but of the slots that are there. */
static inline void
assert_clean(void)
{
	ck_assert_int_eq(slots_count_doomed(), 0);
	ck_assert_int_eq(store_audit(slots_store, false), 0);
}

static inline void
set_up(void)
{
	slots_set_up();
	flat_out = false;
}

static inline void
set_up_flat_out(void)
{
	slots_set_up();
	flat_out = true;
}

#endif
