/*
 * What the tests of the quotas share, beyond the store's fixture.
 */
#ifndef TESTS_SCHEMA_QUOTA_FIXTURE_H
#define TESTS_SCHEMA_QUOTA_FIXTURE_H

#include "tests/schema/store_fixture.h"

#define PUT_ENDS (NOW + PUT_WINDOW + UPLOAD_TIMEOUT)

/* Asks, and expects a refusal. */
static inline struct grant_result
refused(const struct grant_request *request, enum grant_verdict verdict)
{
	struct grant_result result;

	ck_assert_int_eq(store_grant(fixture_store, request, &result), 0);
	ck_assert_int_eq(result.verdict, verdict);
	ck_assert_int_eq(result.id, 0);
	ck_assert_str_eq(result.token, "");
	ck_assert_int_eq(result.evicted_files, 0);
	ck_assert_int_eq(result.evicted_bytes, 0);
	return result;
}

static inline struct grant_result
refused_size(int64_t size, enum grant_verdict verdict)
{
	struct grant_request request = request_of(size);

	return refused(&request, verdict);
}

/* Asks again a second before retry_at and at retry_at: the stamp is true. */
static inline void
assert_true_stamp(
    struct grant_request request, enum grant_verdict verdict, int64_t retry_at)
{
	ck_assert_int_eq(refused(&request, verdict).retry_at, retry_at);
	request.now = retry_at - 1;
	ck_assert_int_eq(refused(&request, verdict).retry_at, retry_at);
	request.now = retry_at;
	granted(&request);
}

static inline struct grant_result
stored_at(int64_t size, int64_t now)
{
	struct grant_request request = request_of(size);
	struct grant_result result;

	request.now = now;
	result = granted(&request);
	publish(result.id, now);
	return result;
}

#endif
