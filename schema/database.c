#include "schema/database.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "schema/log.h"
#include "schema/network_fs.h"

#define PAUSE_MS 20    /* between two attempts */
#define FILE_MODE 0660 /* the programs are users of one group */

/* A slot changes a little of each of a dozen pages, and a commit copies them to
 * the WAL: half of SQLite's usual 4 KiB is a fifth less time for a slot, and
 * the database becomes no larger. */
#define PAGE_SIZE "2048"

/* migrations[n] brings version n to n + 1: the files schema/NNN-*.sql. */
static const char *const migrations[] = {
#include "migrations.inc"
};
#define VERSION ((int64_t)(sizeof(migrations) / sizeof(migrations[0])))

/* Who made the file, as far as its header and its contents tell. */
struct identity {
	int64_t application;
	int64_t version;
	int64_t objects; /* tables, indexes, views, triggers */
};

/* ---- the file ---- */

/* The directory of path, to be freed; NULL: out of memory. */
static char *
directory_of(const char *path)
{
	char *copy = strdup(path); /* dirname writes into it */
	char *dir = copy != NULL ? strdup(dirname(copy)) : NULL;

	free(copy);
	return dir;
}

static int
refuse_network_fs(const char *path)
{
	struct statfs fs;
	const char *name;
	char *dir = directory_of(path);
	int rc = -1;

	if (dir == NULL) {
		log_error("database %s: out of memory", path);
		return -1;
	}
	/* The file may be a link to elsewhere, or may not be there yet. */
	if (statfs(path, &fs) == -1 &&
	    (errno != ENOENT || statfs(dir, &fs) == -1)) {
		log_error("database %s: %s", path, strerror(errno));
		goto out;
	}
	switch (network_fs_judge((uint32_t)fs.f_type, &name)) {
	case 1:
		log_error("database %s lies on a network file system (%s), "
			  "where SQLite loses commits: move it to a local disk",
		    path, name);
		break;
	case -1:
		log_warn("database %s lies on %s: if that is a network file "
			 "system, SQLite WILL LOSE COMMITS there",
		    path, name);
		rc = 1;
		break;
	default:
		rc = 1;
	}
out:
	free(dir);
	return rc;
}

/*
 * Makes the file, if there is none, before SQLite can: SQLite would give it
 * the umask's mode, and the -wal and -shm beside it copy the file's, so that
 * the other user of the group could not write. It appears under its name only
 * with its mode set. It is never opened here once it has its name: closing any
 * descriptor of it would drop the locks that SQLite holds in this process.
 */
static int
make_file(const char *path)
{
	char temporary[PATH_MAX];
	int len, fd;
	int rc = -1;

	if (access(path, F_OK) == 0)
		return 1;
	len = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
	if (len < 0 || (size_t)len >= sizeof(temporary)) {
		log_error("database %s: %s", path, strerror(ENAMETOOLONG));
		return -1;
	}
	fd = mkstemp(temporary);
	if (fd == -1) {
		log_error("cannot make database %s: %s", path, strerror(errno));
		return -1;
	}
	if (fchmod(fd, FILE_MODE) == -1)
		log_error("cannot make database %s: %s", path, strerror(errno));
	else
		rc = 1;
	close(fd);
	/* EEXIST: another program was quicker, just as well. */
	if (rc == 1 && link(temporary, path) == -1 && errno != EEXIST) {
		log_error("cannot make database %s: %s", path, strerror(errno));
		rc = -1;
	}
	unlink(temporary);
	return rc;
}

/* ---- the connection ---- */

static int
broken(sqlite3 *db, const char *path)
{
	log_error("database %s: %s", path, sqlite3_errmsg(db));
	return -1;
}

/* In one statement: between two, another program may make the database. */
static int
identify(sqlite3 *db, const char *path, struct identity *id)
{
	static const char sql[] =
	    "SELECT application_id, user_version, "
	    "(SELECT count(*) FROM sqlite_schema) "
	    "FROM pragma_application_id, pragma_user_version";
	sqlite3_stmt *handle = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &handle, NULL) == SQLITE_OK &&
	    sqlite3_step(handle) == SQLITE_ROW) {
		id->application = sqlite3_column_int64(handle, 0);
		id->version = sqlite3_column_int64(handle, 1);
		id->objects = sqlite3_column_int64(handle, 2);
		rc = 1;
	} else {
		broken(db, path);
	}
	sqlite3_finalize(handle);
	return rc;
}

/* 1 up to date; 0 empty or old, to be migrated; -1 not for us. */
static int
judge(const struct identity *id, const char *path)
{
	if (id->application == 0 && id->version == 0 && id->objects == 0)
		return 0;
	if (id->application != DATABASE_APPLICATION_ID) {
		log_error("database %s is not a putslot database", path);
		return -1;
	}
	if (id->version > VERSION) {
		log_error("database %s is of version %lld, made by a newer "
			  "putslot: this one knows versions up to %lld",
		    path, (long long)id->version, (long long)VERSION);
		return -1;
	}
	return id->version == VERSION ? 1 : 0;
}

static int
execute(sqlite3 *db, const char *path, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return broken(db, path);
	return 1;
}

/* All within one transaction; another program may have been quicker. */
static int
migrate_locked(sqlite3 *db, const char *path)
{
	struct identity id;
	char mark[96];
	int rc;

	if (identify(db, path, &id) == -1)
		return -1;
	rc = judge(&id, path);
	if (rc != 0)
		return rc;
	for (int64_t n = id.version; n < VERSION; n++) {
		if (execute(db, path, migrations[n]) == -1)
			return -1;
	}
	rc = snprintf(mark, sizeof(mark),
	    "PRAGMA application_id = %d; PRAGMA user_version = %lld",
	    DATABASE_APPLICATION_ID, (long long)VERSION);
	if (rc < 0 || (size_t)rc >= sizeof(mark))
		return -1;
	if (execute(db, path, mark) == -1)
		return -1;
	log_info("database %s brought from schema version %lld to %lld", path,
	    (long long)id.version, (long long)VERSION);
	return 1;
}

static int
migrate(sqlite3 *db, const char *path)
{
	if (execute(db, path, "BEGIN IMMEDIATE") == -1)
		return -1;
	if (migrate_locked(db, path) == 1 && execute(db, path, "COMMIT") == 1)
		return 1;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Steps again while the database is locked: the switch to WAL is the one thing
 * for which SQLite does not wait by itself, and fails when two make it. */
static int
step_patiently(sqlite3_stmt *handle, int64_t patience_ms)
{
	static const struct timespec pause = {0, PAUSE_MS * 1000000L};
	int code = sqlite3_step(handle);

	for (int64_t ms = 0; code == SQLITE_BUSY && ms < patience_ms;
	     ms += PAUSE_MS) {
		nanosleep(&pause, NULL);
		sqlite3_reset(handle);
		code = sqlite3_step(handle);
	}
	return code;
}

/* Whether a WAL could be had: without, commits are slower but as safe. */
static int
use_wal(sqlite3 *db, const char *path, int64_t patience_ms)
{
	sqlite3_stmt *handle = NULL;
	const char *mode;
	int rc = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &handle,
		NULL) != SQLITE_OK ||
	    step_patiently(handle, patience_ms) != SQLITE_ROW) {
		broken(db, path);
		goto out;
	}
	mode = (const char *)sqlite3_column_text(handle, 0);
	rc = mode != NULL && strcmp(mode, "wal") == 0;
	if (rc == 0)
		log_warn("database %s uses the journal mode %s: readers and "
			 "writers will wait for each other",
		    path, mode != NULL ? mode : "(unknown)");
out:
	sqlite3_finalize(handle);
	return rc;
}

static int
set_up_writer(sqlite3 *db, const char *path, enum store_access access,
    int64_t patience_ms)
{
	int wal;

	/* Nothing happens to a database that has pages already. */
	if (execute(db, path, "PRAGMA page_size = " PAGE_SIZE) == -1)
		return -1;
	wal = use_wal(db, path, patience_ms);
	if (wal == -1)
		return -1;
	/* In a WAL, NORMAL may lose the last commits in a power cut, but never
	 * harms the database. Without one it might. */
	if (access != STORE_GRANT || !wal)
		return execute(db, path,
		    "PRAGMA synchronous = FULL; "
		    "PRAGMA wal_autocheckpoint = 2000");
	return execute(db, path, "PRAGMA synchronous = NORMAL");
}

static int
set_up(sqlite3 *db, const char *path, enum store_access access,
    int64_t patience_ms)
{
	struct identity id;
	int current;

	if (identify(db, path, &id) == -1)
		return -1;
	/* Judged before the journal mode is touched: what is not ours stays as
	 * it is. */
	current = judge(&id, path);
	if (current == -1)
		return -1;
	/* Not in files in some other directory: the walls stand before them. */
	if (execute(db, path, "PRAGMA temp_store = MEMORY") == -1)
		return -1;
	if (access != STORE_READ) {
		if (set_up_writer(db, path, access, patience_ms) == -1)
			return -1;
		return current == 1 ? 1 : migrate(db, path);
	}
	if (current == 0) {
		log_error("database %s is empty or of an older version: start "
			  "a program that may write to it first",
		    path);
		return -1;
	}
	return execute(db, path, "PRAGMA query_only = ON");
}

int
database_open(const char *path, enum store_access access, int64_t busy_timeout,
    sqlite3 **out)
{
	/* A reader opens for writing, too: in a WAL that nobody else has open,
	 * it must make the shared memory and may have to recover. */
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_PRIVATECACHE;
	int64_t ms =
	    busy_timeout > INT_MAX / 1000 ? INT_MAX : busy_timeout * 1000;
	sqlite3 *db = NULL;

	*out = NULL;
	/* Pages of the cache one by one as they are needed: of the twenty that
	 * SQLite takes at once, an idle reader would use three. Only the first
	 * call has an effect. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	/* Nobody asks how much memory SQLite has, and to count it takes a mutex
	 * that all threads share, for each allocation. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (refuse_network_fs(path) == -1)
		return -1;
	if (access != STORE_READ && make_file(path) == -1)
		return -1;
	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		log_error("cannot open database %s: %s", path,
		    db != NULL ? sqlite3_errmsg(db) : "out of memory");
		sqlite3_close(db);
		return -1;
	}
	/* SQLite opens what it may only read without a word. */
	if (access != STORE_READ && sqlite3_db_readonly(db, "main") == 1) {
		log_error("database %s cannot be written to", path);
		sqlite3_close(db);
		return -1;
	}
	sqlite3_busy_timeout(db, (int)ms);
	if (set_up(db, path, access, ms) == -1) {
		sqlite3_close(db);
		return -1;
	}
	*out = db;
	return 1;
}

int
database_check_place(sqlite3 *db)
{
	int moved = 0;
	int rc = sqlite3_file_control(db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);

	if (rc == SQLITE_OK && !moved)
		return 1;
	log_error("database %s was removed or replaced: start the programs "
		  "anew",
	    sqlite3_db_filename(db, "main"));
	return -1;
}

/* A rollback journal has nothing to sync: its commits always wait. */
int
database_sync(sqlite3 *db)
{
	sqlite3_file *journal = NULL;
	int rc = sqlite3_file_control(
	    db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &journal);

	if (rc == SQLITE_OK && journal != NULL && journal->pMethods != NULL)
		rc = journal->pMethods->xSync(journal, SQLITE_SYNC_NORMAL);
	if (rc == SQLITE_OK)
		return 1;
	log_error("database: cannot sync the WAL: %s", sqlite3_errstr(rc));
	return -1;
}

/* What is removed is not felt by those who add, if its checkpoints are not
 * left to them: they would come upon a full WAL as often as we do. */
int
database_yield(sqlite3 *db)
{
	const char *path = sqlite3_db_filename(db, "main");
	int wal = use_wal(db, path, 0);

	if (wal != 1)
		return wal == -1 ? -1 : 1;
	return execute(db, path,
	    "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 800");
}

int
database_bulk_begin(sqlite3 *db)
{
	return execute(db, sqlite3_db_filename(db, "main"),
	    "PRAGMA cache_size = -6144; PRAGMA wal_autocheckpoint = 64000");
}

/* Most of it while nobody is held up, the rest when nobody reads. */
int
database_bulk_end(sqlite3 *db)
{
	sqlite3_wal_checkpoint_v2(
	    db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	sqlite3_wal_checkpoint_v2(
	    db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return execute(db, sqlite3_db_filename(db, "main"),
	    "PRAGMA cache_size = -2000; PRAGMA wal_autocheckpoint = 2000");
}
