#include "schema/quota.h"

#include <stdbool.h>

#include "schema/limits.h"
#include "schema/statement.h"
#include "schema/store.h"

/* Most slots of others that one request removes: each takes time under the
 * lock, and cleanup comes for the rest. */
#define REMOVE_MAX 100

/* One limit: what counts, what the request adds, what is allowed. */
struct count {
	int64_t used;
	int64_t asked;
	int64_t allowed;
};

/* The limits by the verdict of hitting them; that of GRANT_OK is not used. */
struct counts {
	struct count of[GRANT_VERDICT_COUNT];
	int64_t stored_files; /* of the per-user counts, those evictable */
	int64_t stored_bytes;
};

static bool
fits(const struct count *count)
{
	return count->asked <= count->allowed &&
	       count->used <= count->allowed - count->asked;
}

static bool
all_fit(const struct counts *counts)
{
	for (int i = GRANT_FILES_PER_USER; i < GRANT_VERDICT_COUNT; i++) {
		if (!fits(&counts->of[i]))
			return false;
	}
	return true;
}

static bool
user_fits(const struct counts *counts)
{
	return fits(&counts->of[GRANT_FILES_PER_USER]) &&
	       fits(&counts->of[GRANT_BYTES_PER_USER]);
}

static bool
everyone_fits(const struct counts *counts)
{
	return fits(&counts->of[GRANT_TOTAL]) && fits(&counts->of[GRANT_DISK]);
}

static bool
has_window(const struct grant_request *request)
{
	return request->limits->slots_per_window != UNITS_NEVER ||
	       request->limits->bytes_per_window != UNITS_NEVER;
}

static struct statement *
start_for_owner(struct store *store, enum statement_id id,
    const struct grant_request *request)
{
	struct statement *st = statement_start(store, id);

	statement_bind_text(st, ":owner", request->owner);
	statement_bind_text(st, ":purpose", purpose_name(request->purpose));
	return st;
}

/* ---- what counts ---- */

static int
count_user(struct store *store, const struct grant_request *request,
    struct counts *counts)
{
	struct statement *st = start_for_owner(store, STMT_USAGE, request);
	int rc = statement_step(st);

	if (rc == 1) {
		counts->stored_files = statement_int(st, 0);
		counts->stored_bytes = statement_int(st, 1);
		counts->of[GRANT_FILES_PER_USER].used =
		    counts->stored_files + statement_int(st, 2);
		counts->of[GRANT_BYTES_PER_USER].used =
		    counts->stored_bytes + statement_int(st, 3);
	}
	statement_end(st);
	return rc == -1 ? -1 : 1;
}

static int
count_window(struct store *store, const struct grant_request *request,
    struct counts *counts)
{
	struct statement *st;
	int rc;

	if (!has_window(request))
		return 1;
	st = start_for_owner(store, STMT_WINDOW, request);
	statement_bind_int(st, ":window", request->limits->window);
	statement_bind_int(st, ":now", request->now);
	rc = statement_step(st);
	if (rc == 1) {
		counts->of[GRANT_SLOTS_PER_WINDOW].used = statement_int(st, 0);
		counts->of[GRANT_BYTES_PER_WINDOW].used = statement_int(st, 1);
	}
	statement_end(st);
	return rc == -1 ? -1 : 1;
}

static int
count_total(struct store *store, struct counts *counts)
{
	struct statement *st = statement_start(store, STMT_TOTAL);
	int rc = statement_step(st);

	if (rc == 1) {
		int64_t reserved = statement_int(st, 1);

		counts->of[GRANT_TOTAL].used = statement_int(st, 0) + reserved;
		/* What is stored has left the room of the disk. */
		counts->of[GRANT_DISK].used = reserved;
	}
	statement_end(st);
	return rc == -1 ? -1 : 1;
}

static int
count_all(struct store *store, const struct grant_request *request,
    struct counts *counts)
{
	const struct limits *limits = request->limits;
	const int64_t size = request->size;

	*counts = (struct counts){
	    .of =
		{
		    [GRANT_FILES_PER_USER] = {0, 1, limits->files_per_user},
		    [GRANT_BYTES_PER_USER] = {0, size, limits->bytes_per_user},
		    [GRANT_SLOTS_PER_WINDOW] = {0, 1, limits->slots_per_window},
		    [GRANT_BYTES_PER_WINDOW] = {0, size,
			limits->bytes_per_window},
		    [GRANT_TOTAL] = {0, size, request->max_total},
		    [GRANT_DISK] = {0, size, request->room},
		},
	};
	if (count_user(store, request, counts) == -1 ||
	    count_window(store, request, counts) == -1 ||
	    count_total(store, counts) == -1)
		return -1;
	return 1;
}

/* ---- making room ---- */

static int
remove_over_of_owner(struct store *store, const struct grant_request *request)
{
	struct statement *st = statement_start(store, STMT_DELETE_OVER);

	statement_bind_text(st, ":owner", request->owner);
	statement_bind_int(st, ":now", request->now);
	return statement_run(st);
}

static int
remove_over_of_anyone(struct store *store, int64_t now)
{
	struct statement *st = statement_start(store, STMT_DELETE_OVER_ANY);

	statement_bind_int(st, ":now", now);
	statement_bind_int(st, ":max", REMOVE_MAX);
	return statement_run(st);
}

/* Removes what is over and counts against a limit that was hit. The number of
 * slots removed, or -1. */
static int
remove_over(struct store *store, const struct grant_request *request,
    const struct counts *counts)
{
	int own = remove_over_of_owner(store, request);
	int others = 0;

	if (own != -1 && !everyone_fits(counts))
		others = remove_over_of_anyone(store, request->now);
	return own == -1 || others == -1 ? -1 : own + others;
}

/* Walks the owner's oldest uploads until the request would fit without them.
 * 1 with what must go in *result and the last of it in *last; 0; -1. */
static int
choose_victims(struct store *store, const struct grant_request *request,
    struct counts *counts, struct grant_result *result, int64_t *last)
{
	struct statement *st = start_for_owner(store, STMT_OLDEST, request);
	int rc = 1;

	while (!user_fits(counts) && (rc = statement_step(st)) == 1) {
		int64_t size = statement_int(st, 1);

		*last = statement_int(st, 0);
		result->evicted_files += 1;
		result->evicted_bytes += size;
		counts->of[GRANT_FILES_PER_USER].used -= 1;
		counts->of[GRANT_BYTES_PER_USER].used -= size;
		counts->of[GRANT_TOTAL].used -= size;
	}
	statement_end(st);
	if (rc == -1)
		return -1;
	return all_fit(counts);
}

/* 1 room was made; 0 evicting could not help, nothing was evicted; -1. */
static int
make_room(struct store *store, const struct grant_request *request,
    struct counts counts, struct grant_result *result)
{
	struct statement *st;
	int64_t last = 0;
	int rc;

	if (request->limits->when_full != WHEN_FULL_MAKE_ROOM ||
	    user_fits(&counts))
		return 0;
	rc = choose_victims(store, request, &counts, result, &last);
	if (rc != 1) {
		result->evicted_files = 0;
		result->evicted_bytes = 0;
		return rc;
	}
	st = start_for_owner(store, STMT_EVICT, request);
	statement_bind_int(st, ":last", last);
	return statement_run(st) == -1 ? -1 : 1;
}

/* ---- when it will fit ---- */

/* In both pairs of limits, of files and of bytes, the latter follows. */

/* Lets the rows of st, (when, bytes), leave one by one, and notes in
 * retry_at[i] when count[i], of files and of bytes, comes to fit. */
static int
walk(struct statement *st, struct count count[2], int64_t retry_at[2])
{
	int rc = 1;

	for (int i = 0; i < 2; i++)
		retry_at[i] = fits(&count[i]) ? 0 : UNITS_NEVER;
	while ((retry_at[0] == UNITS_NEVER || retry_at[1] == UNITS_NEVER) &&
	       (rc = statement_step(st)) == 1) {
		count[0].used -= 1;
		count[1].used -= statement_int(st, 1);
		for (int i = 0; i < 2; i++) {
			if (retry_at[i] == UNITS_NEVER && fits(&count[i]))
				retry_at[i] = statement_int(st, 0);
		}
	}
	statement_end(st);
	return rc == -1 ? -1 : 1;
}

static int
foresee_user(struct store *store, const struct grant_request *request,
    const struct counts *counts, int64_t retry_at[2])
{
	struct statement *st =
	    start_for_owner(store, STMT_USAGE_LEAVES, request);
	struct count count[2] = {
	    counts->of[GRANT_FILES_PER_USER], counts->of[GRANT_BYTES_PER_USER]};
	bool evictable = request->limits->when_full == WHEN_FULL_MAKE_ROOM;

	/* What may be evicted at any time is not in the way. */
	if (evictable) {
		count[0].used -= counts->stored_files;
		count[1].used -= counts->stored_bytes;
	}
	statement_bind_int(st, ":stored_too", !evictable);
	return walk(st, count, retry_at);
}

static int
foresee_window(struct store *store, const struct grant_request *request,
    const struct counts *counts, int64_t retry_at[2])
{
	struct statement *st =
	    start_for_owner(store, STMT_WINDOW_LEAVES, request);
	struct count count[2] = {counts->of[GRANT_SLOTS_PER_WINDOW],
	    counts->of[GRANT_BYTES_PER_WINDOW]};

	statement_bind_int(st, ":window", request->limits->window);
	statement_bind_int(st, ":now", request->now);
	return walk(st, count, retry_at);
}

/* Reports the limit that will be in the way longest: only then the stamp that
 * the client is told is true. */
static int
refuse(struct store *store, const struct grant_request *request,
    const struct counts *counts, struct grant_result *result)
{
	int64_t retry_at[GRANT_VERDICT_COUNT];

	if (foresee_user(store, request, counts,
		&retry_at[GRANT_FILES_PER_USER]) == -1 ||
	    foresee_window(store, request, counts,
		&retry_at[GRANT_SLOTS_PER_WINDOW]) == -1)
		return -1;
	/* Other people's uploads decide on these, and they are many. */
	retry_at[GRANT_TOTAL] = UNITS_NEVER;
	retry_at[GRANT_DISK] = UNITS_NEVER;

	result->retry_at = -1;
	for (int i = GRANT_FILES_PER_USER; i < GRANT_VERDICT_COUNT; i++) {
		if (fits(&counts->of[i]) || retry_at[i] <= result->retry_at)
			continue;
		result->verdict = (enum grant_verdict)i;
		result->used = counts->of[i].used;
		result->allowed = counts->of[i].allowed;
		result->retry_at = retry_at[i];
	}
	return 0;
}

int
quota_fit(struct store *store, const struct grant_request *request,
    struct grant_result *result)
{
	struct counts counts;
	int removed, rc;

	if (count_all(store, request, &counts) == -1)
		return -1;
	if (all_fit(&counts))
		return 1;
	removed = remove_over(store, request, &counts);
	if (removed == -1 ||
	    (removed > 0 && count_all(store, request, &counts) == -1))
		return -1;
	if (all_fit(&counts))
		return 1;
	rc = make_room(store, request, counts, result);
	return rc != 0 ? rc : refuse(store, request, &counts, result);
}

int
quota_remember(struct store *store, const struct grant_request *request,
    int64_t slot_id, int64_t unused_until)
{
	const int64_t window = request->limits->window;
	struct statement *st;

	if (!has_window(request))
		return 1;
	st = start_for_owner(store, STMT_REMEMBER, request);
	statement_bind_int(st, ":id", slot_id);
	statement_bind_int(st, ":size", request->size);
	statement_bind_int(st, ":issued_at", request->now);
	statement_bind_int(st, ":leaves_at",
	    window > UNITS_NEVER - request->now ? UNITS_NEVER
						: request->now + window);
	statement_bind_int(st, ":unused_until", unused_until);
	return statement_run(st) == -1 ? -1 : 1;
}
