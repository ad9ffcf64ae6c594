#include "schema/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/log.h"

/* In frames: a page of 2 KiB and its header. */
#define WRITE_EACH 512
/* What a commit then waits for is the disk, the more seldom the better: once
 * for some thousand slots, and 16 MiB. */
#define CHECKPOINT_AT 8000

struct wal {
	int fd;    /* -1: there is none, or not for us */
	int begun; /* frames that the kernel was told to write */
};

/* Failing would change nothing: a checkpoint syncs whatever is left. */
static void
begin_to_write(struct wal *wal, int frames)
{
	if (sync_file_range(wal->fd, 0, 0, SYNC_FILE_RANGE_WRITE) == -1)
		log_debug("sync_file_range: %s", strerror(errno));
	wal->begun = frames;
}

/* What SQLite calls after each commit, in place of its own checkpoints. */
static int
on_commit(void *arg, sqlite3 *db, const char *name, int frames)
{
	struct wal *wal = arg;

	if (frames < wal->begun)
		wal->begun = 0; /* it was written through, and starts anew */
	if (frames - wal->begun >= WRITE_EACH)
		begin_to_write(wal, frames);
	/* One that fails, or finds readers in its way, comes again. */
	if (frames >= CHECKPOINT_AT)
		sqlite3_wal_checkpoint_v2(
		    db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK; /* the commit has been made, whatever came of that */
}

int
wal_tend(sqlite3 *db, struct wal **out)
{
	const char *path = sqlite3_db_filename(db, "main");
	struct wal *wal = calloc(1, sizeof(*wal));

	*out = wal;
	if (wal == NULL) {
		log_error("database: out of memory");
		return -1;
	}
	/* Of this file SQLite holds no locks, which closing it would drop. */
	wal->fd = open(sqlite3_filename_wal(path), O_RDONLY | O_CLOEXEC);
	sqlite3_wal_hook(db, on_commit, wal);
	return 1;
}

void
wal_free(struct wal *wal)
{
	if (wal != NULL && wal->fd != -1)
		close(wal->fd);
	free(wal);
}
