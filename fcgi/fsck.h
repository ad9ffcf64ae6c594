/*
 * The check of the database against the disk, in both directions, and of the
 * database by itself. docs/internals.md promises that no file lacks a row that
 * names its token and that no stored row lacks its body: this finds out what
 * hands, broken disks and restored backups have made of the promise.
 *
 * May run beside all other programs: what looks wrong is looked at again
 * before it is called so.
 */
#ifndef FCGI_FSCK_H
#define FCGI_FSCK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FSCK_GRACE 3600 /* seconds; the usual grace */

/* More mistakes than this, and not one body that is right: the two do not
 * belong together (a file system not mounted, an empty database), and a repair
 * would destroy everything. */
#define FSCK_STRANGERS 10

struct bodies;
struct store;

struct fsck {
	struct store *store; /* STORE_READ is enough without repair */
	struct bodies *bodies;
	int64_t now;   /* seconds since 1970 UTC */
	int64_t grace; /* seconds; files changed since then are not judged */
	bool repair;
};

struct fsck_summary {
	int64_t slots;      /* rows seen */
	int64_t files;      /* files seen */
	int64_t sound;      /* stored rows with a body of the right size */
	int64_t lost;       /* stored rows without a body */
	int64_t wrong_size; /* stored rows with a body of another size */
	int64_t orphans;    /* bodies that no row names */
	int64_t foreign;    /* files whose names are no tokens: never touched */
	int64_t database;   /* mistakes that store_audit found */
	int64_t repaired;   /* of all these */
	int64_t undigested; /* sound, without a SHA-256, which is no mistake */
};

/* Checks, each finding being one line of the log (LOG_LEVEL_WARN). With repair
 * the rows of lost and wrong bodies are dropped (the next cleanup removes what
 * is left of the body), orphans removed, counters put right, and missing
 * SHA-256 computed; unless database and bodies are strangers.
 * 1 nothing is wrong, or is any more; 0 something is; -1 the check itself broke
 * (logged), *sum says how far it came. */
int fsck_run(const struct fsck *, struct fsck_summary *sum);

/* Writes the summary as one line. */
void fsck_print(const struct fsck_summary *, FILE *out);

#endif
