/*
 * The store: slots, quotas and retention in a database that three programs
 * and an administrator's shell share. docs/internals.md has the states of a
 * slot, docs/database.md the tables.
 *
 * A handle belongs to one thread at a time. Results are 1 yes, 0 no, -1
 * broken (logged here). Points in time are seconds since 1970 UTC; durations
 * are seconds; sizes are bytes; UNITS_NEVER is "never" and "no limit".
 */
#ifndef SCHEMA_STORE_H
#define SCHEMA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/media_type.h"
#include "schema/purpose.h"
#include "schema/token.h"
#include "schema/units.h"

struct limits;
struct store;

/* RFC 7622 section 3.1: a bare JID is two parts of at most 1023 bytes. */
#define STORE_OWNER_MAX 2047
/* Longest file name that a slot keeps, in bytes of UTF-8. */
#define STORE_NAME_MAX 255
#define STORE_SHA256_LEN 32

struct slot {
	int64_t id; /* what logs and people call it; never used again */
	char token[TOKEN_LEN + 1];       /* in both URLs, and the file's name */
	char secret[TOKEN_LEN + 1];      /* in the PUT URL alone */
	char owner[STORE_OWNER_MAX + 1]; /* bare JID */
	enum purpose purpose;
	char file_name[STORE_NAME_MAX + 1];
	char content_type[MEDIA_TYPE_MAX + 1]; /* "": the request said none */
	int64_t size;
	int64_t issued_at;
	int64_t put_expires_at; /* a PUT begins before this, or not at all */
	int64_t put_ends_at;    /* and is over before this, or is refused */
	int64_t stored_at;      /* 0: not yet */
	int64_t expires_at;     /* not available from here on; UNITS_NEVER */
	bool digested; /* whether the next is known: once stored, or later */
	unsigned char sha256[STORE_SHA256_LEN]; /* of the body */
};

enum store_access {
	STORE_READ,  /* looks up, changes nothing; needs an existing database */
	STORE_GRANT, /* writes without waiting for the disk at each commit */
	STORE_DURABLE /* a commit survives a power cut */
};

/*
 * Opens the database, creating it (mode 0660, whatever the umask) and bringing
 * an older version up to date unless the access is STORE_READ. A newer version,
 * a file that is no putslot database, and a database on a network file system
 * (where SQLite loses commits) are refused.
 * path          the database file; its directory holds two more files beside
 *               it, and must be writable for every program's group
 * busy_timeout  seconds to wait for another program's lock
 * 1 and *out to be closed with store_close; -1 refused or broken, *out NULL.
 */
int store_open(const char *path, enum store_access, int64_t busy_timeout,
    struct store **out);
void store_close(struct store *); /* accepts NULL */

/* ---- the component ---- */

struct grant_request {
	const char *owner; /* bare JID */
	enum purpose purpose;
	const char *file_name;    /* UTF-8, at most STORE_NAME_MAX bytes */
	const char *content_type; /* a valid media type, or NULL */
	int64_t size;             /* > 0, within limits_max_file_size */
	int64_t expire_before;    /* XEP-0363 5.3, after now; UNITS_NEVER */
	int64_t now;
	int64_t put_window; /* seconds from now in which the PUT may begin */
	int64_t upload_timeout; /* seconds that a PUT may take */
	int64_t max_total;      /* bytes of all uploads together */
	int64_t room; /* bytes that the bodies' disk can take, of which those
		       * of slots that await their PUT are promised already;
		       * UNITS_NEVER where it cannot be seen */
	const struct limits *limits; /* of this owner and purpose */
};

enum grant_verdict {
	GRANT_OK,
	GRANT_FILES_PER_USER,
	GRANT_BYTES_PER_USER,
	GRANT_SLOTS_PER_WINDOW,
	GRANT_BYTES_PER_WINDOW,
	GRANT_TOTAL, /* the whole store is full */
	GRANT_DISK,  /* the disk has no room beyond what is promised */
	GRANT_VERDICT_COUNT
};

struct grant_result {
	enum grant_verdict verdict;
	/* granted: */
	int64_t id;
	char token[TOKEN_LEN + 1];
	char secret[TOKEN_LEN + 1];
	int64_t evicted_files; /* of the owner, to make room */
	int64_t evicted_bytes;
	/* refused, in the verdict's unit (files, bytes or slots): */
	int64_t used; /* what counts at present, without this request */
	int64_t allowed;
	/* When, as things are, the same request would fit: enough of what
	 * counts will have expired, timed out or left the window. UNITS_NEVER:
	 * nothing will by itself. */
	int64_t retry_at;
};

/* Decides on the limits that count what the owner has, and records the slot,
 * in one transaction. A slot that expires before a PUT could end has its PUT
 * end with it. 1 granted; 0 refused, *result says why; -1 broken. Of several
 * limits that are hit, the one that will be in the way longest is named. */
int store_grant(
    struct store *, const struct grant_request *, struct grant_result *result);

/*
 * From here to store_batch_end, and nothing else of the store in between, each
 * store_grant decides with those before it taken into account, but all of
 * them are recorded in one transaction, at the end: what they answer is true
 * only if that returns 1. One that is broken is undone alone. The database is
 * locked for others from the first grant to the end, so keep the batch short.
 */
void store_batch_begin(struct store *);

/* 1 all that was granted is recorded; -1 broken, and nothing is. */
int store_batch_end(struct store *);

/* ---- the web side ---- */

/* Looks a token up. 1 found, whatever its state; 0 no such slot; -1. */
int store_find(struct store *, const char token[TOKEN_LEN + 1], struct slot *);

/* A slot whose body has come whole, and what became of it. */
struct publication {
	int64_t id;
	int64_t now;
	const unsigned char *sha256; /* of the body, STORE_SHA256_LEN bytes;
				      * NULL: it will be computed later */
	/* 1 stored; 0 too late: gone, timed out, or stored by another; -1
	 * broken; STORE_FULL broken because a disk has no room. */
	int result;
};
#define STORE_FULL (-2)

/* Makes the bodies of those whose result is 1 durable under their tokens. Where
 * that fails the result becomes STORE_FULL or -1 (logged there); no other is
 * touched. The order of the list is that of store_publish_all's. */
typedef void
store_name_fn(void *arg, struct publication *const *list, size_t count);

/*
 * Makes slots stored, all in one transaction, each with its own result:
 * those that still await their PUT, when neither put_ends_at nor expires_at has
 * come at its now. The bodies are named within the transaction: name_all is
 * called once, unless none needs a name, and with STORE_DURABLE when the grants
 * of all of them are durable. One that could not be named, or was too late,
 * spoils none of the others; a transaction that cannot be begun or committed
 * spoils all. No slot may be twice in a list.
 */
void store_publish_all(struct store *, struct publication *const *list,
    size_t count, store_name_fn *name_all, void *arg);

/* ---- retention ---- */

/* Takes one slot. It may use the store, but for the dry run of store_reap. */
typedef void store_slot_fn(void *arg, const struct slot *);

/*
 * Removes the rows of at most max slots whose time is over at now: expires_at
 * has come, or put_ends_at has and nothing was stored. Each leaves its token
 * among the doomed. One short transaction; seen (may be NULL) is called for
 * each after the commit. With dry_run nothing changes, and max does not count.
 * The number of slots, or -1.
 */
int store_reap(struct store *, int64_t now, int max, bool dry_run,
    store_slot_fn *seen, void *arg);

/* The same for thousands at once, in the order of their tokens. seen is called
 * for each within the transaction, must not use the store, and has seen them
 * in vain if the result is -1. Takes 40 bytes of memory for each. */
int store_reap_many(
    struct store *, int64_t now, int max, store_slot_fn *seen, void *arg);

/* Fetches up to max tokens of removed rows, whose files may still be there, in
 * alphabetical order, beginning after the token `after` ("" at first). With
 * STORE_DURABLE the removals of those rows are durable on return, whoever
 * committed them, so that the files may go. The number fetched, or -1. */
int store_doomed(
    struct store *, const char *after, char (*tokens)[TOKEN_LEN + 1], int max);

/* Forgets count doomed tokens, whose files are durably gone. 1 or -1. */
int store_forget(struct store *, char (*tokens)[TOKEN_LEN + 1], int count);

/* Removes up to max slots of one owner, stored or not, for store_doomed to
 * name, and, with the last of them, all that is counted about the owner.
 * The number removed, or -1; call until 0. */
int store_erase(struct store *, const char *owner, int max);

/* ---- checks ---- */

/* Calls seen for every slot with an id above after, ascending, at most max.
 * The number of calls, or -1. */
int store_each(
    struct store *, int64_t after, int max, store_slot_fn *seen, void *arg);

/* Notes the SHA-256 of a stored slot that has none. 1, 0 no such, -1. */
int store_note_sha256(
    struct store *, int64_t id, const unsigned char sha256[STORE_SHA256_LEN]);

/* Whether any row, of a slot or of the doomed, names this token: 1, 0, -1. */
int store_knows(struct store *, const char token[TOKEN_LEN + 1]);

/* Removes the row of a stored slot whose body is lost. 1, 0 no such, -1. */
int store_drop(struct store *, int64_t id);

/* Checks the database's own structure, and every usage counter against the
 * slots; with repair, counters are put right. The number of mistakes found
 * (each logged), or -1. */
int store_audit(struct store *, bool repair);

/* Forgets up to max of what has left every window at now. How many, or -1. */
int store_forget_recent(struct store *, int64_t now, int max);

/* Housekeeping after a run of retention: refreshes the query planner's
 * figures. 1 or -1. */
int store_tidy(struct store *);

/* Before many removals beside others who write: lets commits not wait for the
 * disk, so that the lock is held for a shorter time (store_doomed still does),
 * and does the checkpoints that would fall to the others. 1 or -1. */
int store_yield(struct store *);

/* Before a large part of the database is changed, in large transactions: has
 * less written, for 6 MiB of memory and a WAL of a hundred and more. And after
 * it: gives both back, as far as readers let go of the WAL. 1 or -1. */
int store_bulk_begin(struct store *);
int store_bulk_end(struct store *);

#endif
