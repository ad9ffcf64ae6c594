#include "schema/statement.h"

#include <sqlite3.h>
#include <string.h>

#include "schema/log.h"
#include "schema/units.h"

/* As enum column in slot.c has them. */
#define SLOT_COLUMNS                                                         \
	"id, token, secret, owner, purpose, file_name, content_type, size, " \
	"issued_at, put_expires_at, put_ends_at, stored_at, expires_at, "    \
	"sha256"

/* Time is over; written so that both partial indexes of slot serve it. */
#define IS_OVER \
	"(expires_at <= :now OR (stored_at IS NULL AND put_ends_at <= :now))"

/* When an entry of recent stops to count. */
#define LEAVES_WINDOW               \
	"min(issued_at + :window, " \
	"ifnull(unused_until, issued_at + :window))"

static const struct {
	const char *aim;
	const char *sql;
} table[STMT_COUNT] = {
    /* Never a deferred transaction: one that reads before it writes fails
     * at once, whatever the timeout, when another wrote in between. */
    [STMT_BEGIN] = {"begin a transaction", "BEGIN IMMEDIATE"},
    [STMT_COMMIT] = {"commit", "COMMIT"},
    [STMT_ROLLBACK] = {"roll back", "ROLLBACK"},
    [STMT_SAVEPOINT] = {"begin one of several grants", "SAVEPOINT one"},
    [STMT_ROLLBACK_TO] = {"undo one of several grants", "ROLLBACK TO one"},
    [STMT_RELEASE] = {"end one of several grants", "RELEASE one"},

    [STMT_INSERT] = {"record a slot",
	"INSERT INTO slot (id, token, secret, owner, purpose, file_name, "
	"content_type, size, issued_at, put_expires_at, put_ends_at, "
	"expires_at) VALUES ((SELECT last_id + 1 FROM total), :token, "
	":secret, :owner, :purpose, :file_name, :content_type, :size, "
	":issued_at, :put_expires_at, :put_ends_at, :expires_at)"},
    [STMT_FIND] = {"look a slot up",
	"SELECT " SLOT_COLUMNS " FROM slot WHERE token = :token"},
    [STMT_PUBLISH] = {"mark a slot stored",
	"UPDATE slot SET stored_at = :now, sha256 = :sha256 "
	"WHERE id = :id AND stored_at IS NULL AND put_ends_at > :now "
	"AND (expires_at IS NULL OR expires_at > :now)"},
    [STMT_NOTE_SHA256] = {"note a SHA-256",
	"UPDATE slot SET sha256 = :sha256 WHERE id = :id "
	"AND stored_at IS NOT NULL AND sha256 IS NULL"},
    [STMT_UNPUBLISH] = {"take back that a slot is stored",
	"UPDATE slot SET stored_at = NULL, sha256 = NULL WHERE id = :id"},
    [STMT_NEWEST] = {"find the last slot", "SELECT last_id FROM total"},

    [STMT_USAGE] = {"read an owner's usage",
	"SELECT stored_files, stored_bytes, reserved_files, reserved_bytes "
	"FROM usage WHERE owner = :owner AND purpose = :purpose"},
    [STMT_WINDOW] = {"read an owner's window",
	"SELECT count(*), ifnull(sum(size), 0) FROM recent "
	"WHERE owner = :owner AND purpose = :purpose "
	"AND " LEAVES_WINDOW " > :now"},
    [STMT_TOTAL] = {"read the total usage",
	"SELECT stored_bytes, reserved_bytes FROM total"},
    [STMT_REMEMBER] = {"count a slot in its window",
	"INSERT INTO recent (slot_id, owner, purpose, size, issued_at, "
	"leaves_at, unused_until) VALUES (:id, :owner, :purpose, :size, "
	":issued_at, :leaves_at, :unused_until)"},
    [STMT_DELETE_OVER] = {"remove what is over",
	"DELETE FROM slot WHERE owner = :owner AND " IS_OVER},
    [STMT_DELETE_OVER_ANY] = {"remove what is over",
	"DELETE FROM slot WHERE id IN (SELECT id FROM slot WHERE " IS_OVER
	" LIMIT :max)"},
    [STMT_OLDEST] = {"find an owner's oldest uploads",
	"SELECT id, size FROM slot WHERE owner = :owner "
	"AND purpose = :purpose AND stored_at IS NOT NULL ORDER BY id"},
    [STMT_EVICT] = {"make room",
	"DELETE FROM slot WHERE owner = :owner AND purpose = :purpose "
	"AND stored_at IS NOT NULL AND id <= :last"},
    [STMT_USAGE_LEAVES] = {"foresee an owner's usage",
	"SELECT iif(stored_at IS NULL, "
	"min(put_ends_at, ifnull(expires_at, put_ends_at)), expires_at) "
	"AS leaves_at, size FROM slot "
	"WHERE owner = :owner AND purpose = :purpose "
	"AND leaves_at IS NOT NULL "
	"AND (stored_at IS NULL OR :stored_too) ORDER BY leaves_at"},
    [STMT_WINDOW_LEAVES] = {"foresee an owner's window",
	"SELECT " LEAVES_WINDOW " AS leaves, size FROM recent "
	"WHERE owner = :owner AND purpose = :purpose AND leaves > :now "
	"ORDER BY leaves"},

    [STMT_OVER] = {"find what is over",
	"SELECT " SLOT_COLUMNS " FROM slot WHERE " IS_OVER},
    [STMT_OVER_SOME] = {"find what is over",
	"SELECT " SLOT_COLUMNS " FROM slot WHERE " IS_OVER " LIMIT :max"},
    [STMT_DELETE] = {"remove a slot", "DELETE FROM slot WHERE id = :id"},
    [STMT_DOOMED] = {"list the doomed",
	"SELECT token FROM doomed WHERE token > :after "
	"ORDER BY token LIMIT :max"},
    [STMT_FORGET] = {"forget a doomed token",
	"DELETE FROM doomed WHERE token = :token"},
    [STMT_ERASE] = {"erase an owner's slots",
	"DELETE FROM slot WHERE id IN (SELECT id FROM slot "
	"WHERE owner = :owner ORDER BY id LIMIT :max)"},
    [STMT_ERASE_RECENT] = {"erase an owner's window",
	"DELETE FROM recent WHERE owner = :owner"},

    [STMT_EACH] = {"go through the slots",
	"SELECT " SLOT_COLUMNS " FROM slot WHERE id > :after "
	"ORDER BY id LIMIT :max"},
    [STMT_KNOWS] = {"look a token up",
	"SELECT 1 FROM slot WHERE token = :token "
	"UNION ALL SELECT 1 FROM doomed WHERE token = :token"},
    [STMT_DROP] = {"remove a slot without a body",
	"DELETE FROM slot WHERE id = :id AND stored_at IS NOT NULL"},
    [STMT_INTEGRITY] = {"check the database", "PRAGMA integrity_check"},
    [STMT_WRONG_USAGE] = {"recount the usage",
	"SELECT DISTINCT owner, purpose FROM ("
	"SELECT * FROM (SELECT * FROM usage EXCEPT SELECT * FROM recount) "
	"UNION ALL "
	"SELECT * FROM (SELECT * FROM recount EXCEPT SELECT * FROM usage))"},
    [STMT_WRONG_TOTAL] = {"recount the total",
	"SELECT (SELECT count(*) FROM total) <> 1 "
	"OR (SELECT last_id FROM total) < (SELECT max(id) FROM slot) "
	"OR EXISTS ("
	"SELECT stored_files, stored_bytes, reserved_files, reserved_bytes "
	"FROM total EXCEPT SELECT ifnull(sum(stored_files), 0), "
	"ifnull(sum(stored_bytes), 0), ifnull(sum(reserved_files), 0), "
	"ifnull(sum(reserved_bytes), 0) FROM recount)"},
    [STMT_CLEAR_USAGE] = {"repair the usage", "DELETE FROM usage"},
    [STMT_REPAIR_USAGE] = {"repair the usage",
	"INSERT INTO usage SELECT * FROM recount"},
    [STMT_REPAIR_TOTAL] = {"repair the total",
	"REPLACE INTO total SELECT 1, ifnull(sum(stored_files), 0), "
	"ifnull(sum(stored_bytes), 0), ifnull(sum(reserved_files), 0), "
	"ifnull(sum(reserved_bytes), 0), (SELECT ifnull(max(id), 0) FROM ("
	"SELECT last_id AS id FROM total "
	"UNION ALL SELECT max(id) FROM slot "
	"UNION ALL SELECT max(slot_id) FROM recent)) FROM recount"},
    [STMT_TIDY_RECENT] = {"forget what has left its window",
	"DELETE FROM recent WHERE (owner, purpose, slot_id) IN ("
	"SELECT owner, purpose, slot_id FROM recent "
	"WHERE leaves_at <= :now LIMIT :max)"},
    /* Without a limit the first run reads all of a large database. */
    [STMT_LIMIT_ANALYSIS] = {"optimize", "PRAGMA analysis_limit = 400"},
    [STMT_OPTIMIZE] = {"optimize", "PRAGMA optimize"},
};

static int
prepare(struct store *store, enum statement_id id)
{
	struct statement *st = &store->statements[id];

	st->aim = table[id].aim;
	if (sqlite3_prepare_v3(store->db, table[id].sql, -1,
		SQLITE_PREPARE_PERSISTENT, &st->handle, NULL) == SQLITE_OK)
		return 1;
	log_error(
	    "cannot prepare to %s: %s", st->aim, sqlite3_errmsg(store->db));
	return -1;
}

static int
prepare_some(struct store *store, int count)
{
	for (int i = 0; i < count; i++)
		if (prepare(store, (enum statement_id)i) == -1)
			return -1;
	return 1;
}

int
statement_prepare_all(struct store *store)
{
	return prepare_some(store, STMT_COUNT);
}

int
statement_prepare_transactions(struct store *store)
{
	return prepare_some(store, STMT_TRANSACTIONS_END + 1);
}

void
statement_finalize_all(struct store *store)
{
	for (size_t i = 0; i < STMT_COUNT; i++) {
		sqlite3_finalize(store->statements[i].handle);
		store->statements[i].handle = NULL;
	}
}

struct statement *
statement_start(struct store *store, enum statement_id id)
{
	struct statement *st = &store->statements[id];

	st->broken = st->handle == NULL && prepare(store, id) == -1;
	if (!st->broken) {
		sqlite3_reset(st->handle);
		sqlite3_clear_bindings(st->handle);
	}
	return st;
}

static void
fail(struct statement *st, const char *why)
{
	if (!st->broken)
		log_error("cannot %s: %s", st->aim, why);
	st->broken = true;
}

static void
check(struct statement *st, int code)
{
	if (code != SQLITE_OK)
		fail(st, sqlite3_errstr(code));
}

static int
parameter(struct statement *st, const char *name)
{
	return sqlite3_bind_parameter_index(st->handle, name);
}

void
statement_bind_int(struct statement *st, const char *name, int64_t value)
{
	check(st, sqlite3_bind_int64(st->handle, parameter(st, name), value));
}

void
statement_bind_time(struct statement *st, const char *name, int64_t value)
{
	if (value == UNITS_NEVER)
		check(st, sqlite3_bind_null(st->handle, parameter(st, name)));
	else
		statement_bind_int(st, name, value);
}

void
statement_bind_text(struct statement *st, const char *name, const char *value)
{
	check(st, sqlite3_bind_text(st->handle, parameter(st, name), value, -1,
		      SQLITE_STATIC));
}

void
statement_bind_blob(
    struct statement *st, const char *name, const void *value, size_t len)
{
	check(st, sqlite3_bind_blob64(st->handle, parameter(st, name), value,
		      len, SQLITE_STATIC));
}

int
statement_step(struct statement *st)
{
	int code;

	if (st->broken) {
		sqlite3_reset(st->handle);
		return -1;
	}
	code = sqlite3_step(st->handle);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		fail(st, sqlite3_errmsg(sqlite3_db_handle(st->handle)));
	sqlite3_reset(st->handle);
	return st->broken ? -1 : 0;
}

int
statement_run(struct statement *st)
{
	int rc;

	while ((rc = statement_step(st)) == 1)
		;
	return rc == 0 ? sqlite3_changes(sqlite3_db_handle(st->handle)) : -1;
}

void
statement_end(struct statement *st)
{
	sqlite3_reset(st->handle);
}

int64_t
statement_int(const struct statement *st, int column)
{
	return sqlite3_column_int64(st->handle, column);
}

int64_t
statement_time(const struct statement *st, int column)
{
	if (sqlite3_column_type(st->handle, column) == SQLITE_NULL)
		return UNITS_NEVER;
	return sqlite3_column_int64(st->handle, column);
}

int
statement_text(struct statement *st, int column, char *buf, size_t len)
{
	const unsigned char *text = sqlite3_column_text(st->handle, column);
	size_t size = (size_t)sqlite3_column_bytes(st->handle, column);

	buf[0] = '\0';
	if (text == NULL)
		return 1;
	if (size >= len) {
		fail(st, "a text in the database is too long");
		return -1;
	}
	memcpy(buf, text, size);
	buf[size] = '\0';
	return 1;
}

int
statement_blob(struct statement *st, int column, void *buf, size_t len)
{
	const void *blob = sqlite3_column_blob(st->handle, column);
	size_t size = (size_t)sqlite3_column_bytes(st->handle, column);

	memset(buf, 0, len);
	if (blob == NULL)
		return 0;
	if (size != len) {
		fail(st, "a blob in the database has the wrong length");
		return -1;
	}
	memcpy(buf, blob, len);
	return 1;
}
