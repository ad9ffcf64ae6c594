#include "fcgi/fsck.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/digest.h"
#include "schema/log.h"
#include "schema/store.h"

/* Rows read at once: an open read transaction keeps SQLite's log from being
 * reset, so it is closed before the files are looked at. */
#define BATCH 100

/* One pass over both sides. The first only looks; the second, if there is one,
 * repairs what it finds in silence. */
struct pass {
	const struct fsck *job;
	struct fsck_summary *sum;
	bool repair;
	bool broken;
};

/* What the check of a row needs to know of it. */
struct claim {
	int64_t id;
	int64_t size;
	bool digested;
	char token[TOKEN_LEN + 1];
};

struct claims {
	struct claim stored[BATCH];
	int count;
	int64_t slots; /* seen, stored or not */
	int64_t last_id;
};

/* The size of a body, -1 if there is none, -2 if it cannot be known. */
enum { BODY_ABSENT = -1, BODY_UNKNOWN = -2 };

static int64_t
body_size(struct bodies *bodies, const char *token)
{
	int64_t size = 0;
	int fd = -1;
	int found = bodies_read(bodies, token, &fd, &size);

	if (found != 1)
		return found == 0 ? BODY_ABSENT : BODY_UNKNOWN;
	close(fd);
	return size;
}

static void
note(struct pass *pass, int rc)
{
	if (rc == -1)
		pass->broken = true;
	else if (rc == 1)
		pass->sum->repaired++;
}

/* ---- from rows to files ---- */

static void
collect(void *arg, const struct slot *slot)
{
	struct claims *claims = arg;
	struct claim *claim = NULL;

	claims->slots++;
	claims->last_id = slot->id;
	if (slot->stored_at == 0 || claims->count == BATCH)
		return;
	claim = &claims->stored[claims->count++];
	claim->id = slot->id;
	claim->size = slot->size;
	claim->digested = slot->digested;
	memcpy(claim->token, slot->token, sizeof(claim->token));
}

static void
tell_row(const struct slot *slot, int64_t found)
{
	if (found == BODY_ABSENT)
		log_warn("slot %" PRId64 " of %s, %s, %" PRId64
			 " bytes: the body is lost",
		    slot->id, slot->owner, purpose_name(slot->purpose),
		    slot->size);
	else
		log_warn("slot %" PRId64 " of %s, %s, %" PRId64
			 " bytes: the body has %" PRId64,
		    slot->id, slot->owner, purpose_name(slot->purpose),
		    slot->size, found);
}

static void
judge_row(struct pass *pass, const struct slot *slot, int64_t found)
{
	if (pass->repair) {
		note(pass, store_drop(pass->job->store, slot->id));
		return;
	}
	if (found == BODY_ABSENT)
		pass->sum->lost++;
	else
		pass->sum->wrong_size++;
	tell_row(slot, found);
}

/* Computes what an upload that was in a hurry left out. */
static void
add_digest(struct pass *pass, const struct claim *claim)
{
	unsigned char sha256[STORE_SHA256_LEN];
	int64_t size = 0;
	int fd = -1;
	int rc = bodies_read(pass->job->bodies, claim->token, &fd, &size);

	if (rc == 1) {
		rc = digest_file(fd, sha256);
		close(fd);
	}
	if (rc == 1)
		rc = store_note_sha256(pass->job->store, claim->id, sha256);
	if (rc == 1)
		pass->sum->undigested--;
	if (rc == -1)
		pass->broken = true;
}

static void
see_sound(struct pass *pass, const struct claim *claim)
{
	if (!pass->repair) {
		pass->sum->sound++;
		pass->sum->undigested += !claim->digested;
	} else if (!claim->digested) {
		add_digest(pass, claim);
	}
}

/* Cleanup deletes a row before its file, and no row comes back: one that is
 * there after its file was missed has really lost it. */
static void
check_claim(struct pass *pass, const struct claim *claim)
{
	int64_t found = body_size(pass->job->bodies, claim->token);
	struct slot slot;
	int known = 0;

	if (found == claim->size) {
		see_sound(pass, claim);
		return;
	}
	if (found == BODY_UNKNOWN) {
		pass->broken = true;
		return;
	}
	known = store_find(pass->job->store, claim->token, &slot);
	if (known == -1)
		pass->broken = true;
	else if (known == 1)
		judge_row(pass, &slot, found);
}

static int
check_rows(struct pass *pass)
{
	struct claims claims = {.last_id = 0};
	int n = 0;

	do {
		claims.count = 0;
		n = store_each(
		    pass->job->store, claims.last_id, BATCH, collect, &claims);
		for (int i = 0; n != -1 && i < claims.count; i++)
			check_claim(pass, &claims.stored[i]);
	} while (n > 0);
	if (!pass->repair)
		pass->sum->slots = claims.slots;
	return n == -1 ? -1 : 1;
}

/* ---- from files to rows ---- */

static void
judge_orphan(struct pass *pass, const char *path, const char *token)
{
	if (pass->repair) {
		note(pass, bodies_remove(pass->job->bodies, token));
		return;
	}
	pass->sum->orphans++;
	/* The path has the token in it, which opens nothing any more. */
	log_warn("%s: no slot has this body", path);
}

static void
check_token(struct pass *pass, const char *path, const char *token)
{
	int known = store_knows(pass->job->store, token);

	if (known == -1)
		pass->broken = true;
	/* A cleanup may have removed and forgotten it since it was listed. */
	if (known == 0 && body_size(pass->job->bodies, token) != BODY_ABSENT)
		judge_orphan(pass, path, token);
}

static void
check_file(void *arg, const char *path, const char *token, int64_t size,
    int64_t changed_at)
{
	struct pass *pass = arg;

	(void)size;
	/* A negative grace would judge files of the future. */
	if (changed_at > pass->job->now - pass->job->grace)
		return;
	if (token != NULL) {
		check_token(pass, path, token);
	} else if (!pass->repair) {
		pass->sum->foreign++;
		log_warn("%s: a foreign file", path);
	}
}

static int
check_files(struct pass *pass)
{
	int64_t files = bodies_each(pass->job->bodies, check_file, pass);

	if (files == -1)
		return -1;
	if (!pass->repair)
		pass->sum->files = files;
	return 1;
}

/* ---- the whole ---- */

static int
check_both(struct pass *pass)
{
	if (check_rows(pass) == -1 || check_files(pass) == -1)
		return -1;
	return pass->broken ? -1 : 1;
}

static bool
strangers(const struct fsck_summary *sum)
{
	return sum->sound == 0 &&
	       sum->lost + sum->wrong_size + sum->orphans > FSCK_STRANGERS;
}

/* store_audit does not say what it could put right: the difference does. */
static int
repair_database(const struct fsck *job, struct fsck_summary *sum)
{
	int before = store_audit(job->store, true);
	int after = before > 0 ? store_audit(job->store, false) : before;

	if (before == -1 || after == -1)
		return -1;
	if (before > after)
		sum->repaired += before - after;
	return 1;
}

static int
repair(const struct fsck *job, struct fsck_summary *sum)
{
	struct pass pass = {.job = job, .sum = sum, .repair = true};

	if (strangers(sum)) {
		log_error("not one body is right: database and bodies do not "
			  "belong together; is the file system mounted? "
			  "Nothing was repaired");
		return 1;
	}
	if (check_both(&pass) == -1)
		return -1;
	return sum->database == 0 ? 1 : repair_database(job, sum);
}

static int64_t
mistakes(const struct fsck_summary *sum)
{
	return sum->lost + sum->wrong_size + sum->orphans + sum->foreign +
	       sum->database;
}

int
fsck_run(const struct fsck *job, struct fsck_summary *sum)
{
	struct pass pass = {.job = job, .sum = sum};
	int audited = 0;

	memset(sum, 0, sizeof(*sum));
	audited = store_audit(job->store, false);
	if (audited > 0)
		sum->database = audited;
	if (check_both(&pass) == -1 || audited == -1)
		return -1;
	if (job->repair && mistakes(sum) + sum->undigested > 0 &&
	    repair(job, sum) == -1)
		return -1;
	return sum->repaired >= mistakes(sum);
}

void
fsck_print(const struct fsck_summary *sum, FILE *out)
{
	fprintf(out,
	    "checked %" PRId64 " slots, %" PRId64 " files; lost %" PRId64
	    ", wrong size %" PRId64 ", orphans %" PRId64 ", foreign %" PRId64
	    ", database %" PRId64 ", repaired %" PRId64
	    "; without SHA-256 %" PRId64 "\n",
	    sum->slots, sum->files, sum->lost, sum->wrong_size, sum->orphans,
	    sum->foreign, sum->database, sum->repaired, sum->undigested);
}
