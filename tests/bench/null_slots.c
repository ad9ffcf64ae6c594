#include "tests/bench/null_slots.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "schema/token.h"

#define TEXT (1 << 20) /* of the answers that leave together */
#define TOKEN "abcdefghijklmnopqrstuvwxyz"
#define BASE "https://upload.example.org/upload/" TOKEN "/"

/* What is recorded: the tables, and the statement. Both take a token or random
 * bytes, and the sender; putslot's also a secret. */
static const char *const own_tables[] = {
#include "migrations.inc"
};
static const char small_table[] =
    "CREATE TABLE slot (id INTEGER PRIMARY KEY, token BLOB NOT NULL UNIQUE, "
    "owner TEXT NOT NULL)";
static const char small_insert[] = "INSERT INTO slot (token, owner) "
				   "VALUES (?, ?)";
static const char own_insert[] =
    "INSERT INTO slot (token, owner, secret, purpose, file_name, content_type, "
    "size, issued_at, put_expires_at, put_ends_at, expires_at) VALUES "
    "(?, ?, ?, 'message', 'picture.jpg', 'image/jpeg', 1024, 1700000000, "
    "1700000300, 1700003900, 1702678400)";

struct null_slots {
	const char *jid;
	sqlite3 *db; /* NULL: nothing is recorded */
	sqlite3_stmt *insert;
	bool own;
	char text[TEXT];
	size_t len;
};

static bool
run_sql(struct null_slots *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* As putslot's own is. */
static bool
open_database(struct null_slots *s, const char *path)
{
	return sqlite3_open(path, &s->db) == SQLITE_OK &&
	       run_sql(s, "PRAGMA page_size = 2048") &&
	       run_sql(s, "PRAGMA journal_mode = WAL") &&
	       run_sql(s, "PRAGMA synchronous = NORMAL") &&
	       run_sql(s, "PRAGMA wal_autocheckpoint = 8000") &&
	       run_sql(s, s->own ? own_tables[0] : small_table) &&
	       sqlite3_prepare_v2(s->db, s->own ? own_insert : small_insert, -1,
		   &s->insert, NULL) == SQLITE_OK;
}

struct null_slots *
null_slots_open(const char *jid, const char *database, bool own)
{
	static struct null_slots s;

	s.jid = jid;
	s.own = own;
	if (database == NULL || open_database(&s, database))
		return &s;
	fprintf(stderr, "%s: %s\n", database, sqlite3_errmsg(s.db));
	return NULL;
}

static bool
bind_token(struct null_slots *s, int parameter)
{
	char token[TOKEN_LEN + 1];

	return token_make(token) == 1 &&
	       sqlite3_bind_text(s->insert, parameter, token, -1,
		   SQLITE_TRANSIENT) == SQLITE_OK;
}

static bool
bind_random(struct null_slots *s)
{
	unsigned char random[16];

	return getrandom(random, sizeof(random), 0) == sizeof(random) &&
	       sqlite3_bind_blob(s->insert, 1, random, sizeof(random),
		   SQLITE_TRANSIENT) == SQLITE_OK;
}

/* Of the full address, which serves as well as the bare one. The transaction
 * begins with the first of those that came together. */
static bool
record(struct null_slots *s, const char *from)
{
	if (sqlite3_get_autocommit(s->db) && !run_sql(s, "BEGIN IMMEDIATE"))
		return false;
	if (s->own ? !bind_token(s, 1) || !bind_token(s, 3) : !bind_random(s))
		return false;
	sqlite3_bind_text(s->insert, 2, from, -1, SQLITE_STATIC);
	return sqlite3_step(s->insert) == SQLITE_DONE &&
	       sqlite3_reset(s->insert) == SQLITE_OK;
}

int
null_slots_answer(struct null_slots *s, const char *from, const char *id)
{
	const size_t room = sizeof(s->text) - s->len;
	int n;

	if (strpbrk(from, "<&'\"") != NULL || strpbrk(id, "<&'\"") != NULL ||
	    (s->db != NULL && !record(s, from)))
		return -1;
	n = snprintf(s->text + s->len, room,
	    "<iq type='result' from='%s' to='%s' id='%s'>"
	    "<slot xmlns='urn:xmpp:http:upload:0'>"
	    "<put url='" BASE TOKEN "/picture.jpg'/>"
	    "<get url='" BASE "picture.jpg'/></slot></iq>",
	    s->jid, from, id);
	if (n < 0 || (size_t)n >= room)
		return -1;
	s->len += (size_t)n;
	return 1;
}

int
null_slots_take(struct null_slots *s, const char **text, size_t *len)
{
	*text = s->text;
	*len = s->len;
	s->len = 0;
	if (s->db == NULL || sqlite3_get_autocommit(s->db) ||
	    run_sql(s, "COMMIT"))
		return 1;
	fprintf(stderr, "recording: %s\n", sqlite3_errmsg(s->db));
	return -1;
}
