#include "fcgi/retention.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/flat_out.h"
#include "schema/log.h"
#include "schema/monotonic.h"
#include "schema/store.h"

/* Rows in one transaction: the longest that a PUT waits for us is what these
 * take, about a millisecond. */
#define ROWS 10
/* What is only looked at, and files between two forgettings. */
#define BATCH 100

/* For each moment of work, so many of rest. */
#define REST 3
#define REST_MIN_NS 1000000L
#define REST_MAX_NS 100000000L

struct run {
	const struct retention *job;
	struct retention_summary *sum;
	const char *owner; /* whom retention_erase erases */
};

/* SQLite's waiters poll: a lock that is free for a moment between two of our
 * transactions is one they never see free. And what we write has to reach the
 * same disk as what they write. So we mostly rest. */
static void
rest_since(const struct run *run, int64_t started)
{
	int64_t rest = REST * (monotonic_ns() - started);
	struct timespec t = {0};

	if (run->job->flat_out)
		return;
	if (rest < REST_MIN_NS)
		rest = REST_MIN_NS;
	if (rest >= REST_MAX_NS)
		rest = REST_MAX_NS;
	t.tv_nsec = (long)rest;
	nanosleep(&t, NULL);
}

/* The bytes that a body takes on disk, or -1 if there is none to be seen. */
static int64_t
body_size(const struct run *run, const char *token)
{
	enum bodies_place place = BODIES_OWN;
	int64_t size = 0;

	return bodies_find(run->job->bodies, token, &place, &size) == 1 ? size
									: -1;
}

static void
count_file(struct run *run, int64_t size)
{
	run->sum->files++;
	if (size > 0)
		run->sum->bytes += size;
}

/* ---- rows ---- */

static void
tell_slot(struct run *run, const struct slot *slot, const char *reason)
{
	int64_t size = 0;

	log_debug("slot %" PRId64 " of %s, %s, %" PRId64 " bytes: %s", slot->id,
	    slot->owner, purpose_name(slot->purpose), slot->size, reason);
	if (!run->job->dry_run)
		return;
	/* What the removal of doomed bodies would meet later. */
	size = body_size(run, slot->token);
	if (size >= 0)
		count_file(run, size);
}

static void
saw_reaped(void *arg, const struct slot *slot)
{
	struct run *run = arg;

	if (slot->stored_at != 0) {
		run->sum->expired++;
		tell_slot(run, slot, "expired");
	} else {
		run->sum->unused++;
		tell_slot(run, slot, "never used");
	}
}

static int
reap(struct run *run)
{
	const struct retention *job = run->job;
	int n = 0;

	do {
		int64_t started = monotonic_ns();

		n = store_reap(
		    job->store, job->now, ROWS, job->dry_run, saw_reaped, run);
		if (n == -1)
			return -1;
		if (n > 0 && !job->dry_run)
			rest_since(run, started);
	} while (n >= ROWS && !job->dry_run);
	return 1;
}

struct walk {
	struct run *run;
	int64_t last_id;
};

static void
saw_any(void *arg, const struct slot *slot)
{
	struct walk *walk = arg;

	walk->last_id = slot->id;
	if (strcmp(slot->owner, walk->run->owner) != 0)
		return;
	if (walk->run->job->dry_run)
		walk->run->sum->erased++;
	tell_slot(walk->run, slot, "erased");
}

/* store_erase does not say what it removes: say it before. */
static int
tell_slots_of_owner(struct run *run)
{
	struct walk walk = {run, 0};
	int n = 0;

	do {
		n = store_each(
		    run->job->store, walk.last_id, BATCH, saw_any, &walk);
	} while (n > 0);
	return n == 0 ? 1 : -1;
}

static int
erase(struct run *run)
{
	int n = 0;

	if (tell_slots_of_owner(run) == -1)
		return -1;
	if (run->job->dry_run)
		return 1;
	do {
		int64_t started = monotonic_ns();

		n = store_erase(run->job->store, run->owner, ROWS);
		if (n > 0) {
			run->sum->erased += n;
			rest_since(run, started);
		}
	} while (n > 0);
	return n == 0 ? 1 : -1;
}

/* ---- bodies ---- */

typedef char token_text[TOKEN_LEN + 1];

/* Bodies whose rows this run removed itself were told of then. */
enum bodies_of { ROWS_DELETED_BEFORE, ROWS_REMOVED_NOW };

static void
count_removed(struct run *run, enum bodies_of of, int64_t size)
{
	count_file(run, size);
	if (of == ROWS_REMOVED_NOW)
		return;
	run->sum->deleted++;
	log_debug("a body of %" PRId64 " bytes: row deleted",
	    size > 0 ? size : (int64_t)0);
}

/* Whether no body has this token any more; it was logged if not. */
static bool
remove_body(struct run *run, enum bodies_of of, const token_text token)
{
	int64_t size = body_size(run, token);
	int removed = bodies_remove(run->job->bodies, token);

	if (removed == 1)
		count_removed(run, of, size);
	if (removed == -1)
		run->sum->failed++;
	return removed != -1;
}

/* Removes the bodies of count tokens that share a shard, and writes those that
 * are durably gone to *gone, which may begin before or at tokens. Also a body
 * that was not there makes the shard worth settling: a killed run may have
 * removed it and not come to that. Returns how many are gone. */
static int
clear_shard(struct run *run, enum bodies_of of, token_text *tokens, int count,
    token_text *gone)
{
	int cleared = 0;

	for (int i = 0; i < count; i++)
		if (remove_body(run, of, tokens[i]))
			memmove(gone[cleared++], tokens[i], sizeof(token_text));
	if (cleared > 0 && bodies_settle(run->job->bodies, gone[0]) == -1) {
		run->sum->failed += cleared;
		return 0;
	}
	return cleared;
}

static bool
same_shard(const token_text a, const token_text b)
{
	return memcmp(a, b, BODIES_SHARD_LEN) == 0;
}

/* Tokens come in alphabetical order, so those of one shard are neighbours and
 * cost one fsync. Leaves the durably gone in front; returns how many. */
static int
clear_bodies(struct run *run, enum bodies_of of, token_text *tokens, int count)
{
	int gone = 0;
	int end = 0;

	for (int i = 0; i < count; i = end) {
		end = i + 1;
		while (end < count && same_shard(tokens[i], tokens[end]))
			end++;
		gone +=
		    clear_shard(run, of, &tokens[i], end - i, &tokens[gone]);
	}
	return gone;
}

static void
count_doomed(struct run *run, token_text *tokens, int count)
{
	for (int i = 0; i < count; i++) {
		int64_t size = body_size(run, tokens[i]);

		if (size >= 0)
			count_removed(run, ROWS_DELETED_BEFORE, size);
	}
}

/* Goes once through the doomed tokens. One that cannot be removed is passed,
 * and not come back to in this run. */
static int
bury(struct run *run, enum bodies_of of)
{
	token_text tokens[BATCH];
	token_text after = "";
	int n = 0;

	while ((n = store_doomed(run->job->store, after, tokens, BATCH)) > 0) {
		int64_t started = monotonic_ns();
		int gone = 0;

		memcpy(after, tokens[n - 1], sizeof(after));
		if (run->job->dry_run) {
			count_doomed(run, tokens, n);
			continue;
		}
		gone = clear_bodies(run, of, tokens, n);
		if (gone > 0 &&
		    store_forget(run->job->store, tokens, gone) == -1)
			return -1;
		rest_since(run, started);
	}
	return n == 0 ? 1 : -1;
}

static int
sweep(struct run *run)
{
	const struct retention *job = run->job;
	int n = 0;

	/* Nothing in flight is older than 1970. */
	if (job->dry_run || job->longest_upload > job->now / 2)
		return 1;
	n = bodies_sweep(job->bodies, job->now - 2 * job->longest_upload);
	if (n > 0)
		run->sum->swept = n;
	return n == -1 ? -1 : 1;
}

static int
tidy(struct run *run)
{
	const struct retention *job = run->job;
	int n = 0;

	do {
		int64_t started = monotonic_ns();

		n = store_forget_recent(job->store, job->now, BATCH);
		rest_since(run, started);
	} while (n == BATCH);
	return n == -1 ? -1 : store_tidy(job->store);
}

/* ---- a run ---- */

/* What earlier runs and other hands have left goes first, so that its lines
 * can be told from those of the rows removed now. */
static int
remove_rows_and_bodies(struct run *run, int (*remove_rows)(struct run *))
{
	if (!run->job->dry_run && store_yield(run->job->store) == -1)
		return -1;
	if (bury(run, ROWS_DELETED_BEFORE) == -1 || remove_rows(run) == -1)
		return -1;
	if (run->job->dry_run || run->job->flat_out)
		return 1; /* nothing was removed, or the bodies with their rows
			   */
	return bury(run, ROWS_REMOVED_NOW);
}

static int
run_flat_out(struct run *run)
{
	struct flat_out job = {
	    .store = run->job->store,
	    .bodies = run->job->bodies,
	    .now = run->job->now,
	    .seen = saw_reaped,
	    .arg = run,
	};
	int rc = 0;

	if (bury(run, ROWS_DELETED_BEFORE) == -1)
		return -1;
	rc = flat_out_reap(&job);
	run->sum->files += job.files;
	run->sum->bytes += job.bytes;
	run->sum->failed += job.failed;
	return rc;
}

int
retention_run(const struct retention *job, struct retention_summary *sum)
{
	struct run run = {job, sum, NULL};
	bool flat_out = job->flat_out && !job->dry_run;
	int swept = 0;

	memset(sum, 0, sizeof(*sum));
	if ((flat_out ? run_flat_out(&run)
		      : remove_rows_and_bodies(&run, reap)) == -1)
		return -1;
	swept = sweep(&run);
	if (!job->dry_run && tidy(&run) == -1)
		return -1;
	if (swept == -1)
		return -1;
	return sum->failed == 0;
}

int
retention_erase(const struct retention *job, const char *owner,
    struct retention_summary *sum)
{
	struct run run = {job, sum, owner};

	memset(sum, 0, sizeof(*sum));
	if (remove_rows_and_bodies(&run, erase) == -1)
		return -1;
	return sum->failed == 0;
}

void
retention_print(const struct retention_summary *sum, bool dry_run, FILE *out)
{
	char size[UNITS_TEXT_MAX] = "";

	fprintf(out,
	    "%s %" PRId64 " files, %s; expired %" PRId64 ", never used %" PRId64
	    ", erased %" PRId64 ", row deleted %" PRId64 ", incoming %" PRId64
	    ", failed %" PRId64 "\n",
	    dry_run ? "would remove" : "removed", sum->files,
	    units_describe_size(sum->bytes, size, sizeof(size)), sum->expired,
	    sum->unused, sum->erased, sum->deleted, sum->swept, sum->failed);
}
