/*
 * Fills a database with stored slots, fast, as months of use would have:
 *
 *	fill DATABASE BODIES SLOTS FILES SIZE stored|expired
 *
 * BODIES gets a file of SIZE bytes for FILES of the slots, spread evenly. The
 * order of rows, the split of pages and the sizes are those of real use; only
 * the counters are added up at the end. Prints one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "schema/log.h"
#include "schema/store.h"

/* Uploads that are on their way at once: rows are stored this long after they
 * were issued, and grow then. */
#define IN_FLIGHT 16
#define SLOTS_PER_OWNER 50
#define DAY (24 * 3600)
#define BODY_MAX 1048576
#define SQL_MAX 4096
#define TRIGGERS_MAX 16

struct fill {
	sqlite3 *db;
	sqlite3_stmt *insert;
	sqlite3_stmt *publish;
	int64_t slots;
	int64_t files;
	int64_t size;
	bool expired;
	int bodies; /* the directory */
	int64_t begins_at;
	int64_t name_bytes; /* of all file names */
	uint64_t random;
	char tokens[IN_FLIGHT][TOKEN_LEN + 1];
};

static char *triggers[TRIGGERS_MAX];
static size_t trigger_count;

/* ---- numbers that look random, and are the same each time ---- */

/* xorshift64*, by G. Marsaglia and S. Vigna */
static uint64_t
dice(struct fill *f)
{
	f->random ^= f->random >> 12;
	f->random ^= f->random << 25;
	f->random ^= f->random >> 27;
	return f->random * UINT64_C(2685821657736338717);
}

static void
make_token(struct fill *f, char token[TOKEN_LEN + 1])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t bits = 0;

	for (int i = 0; i < TOKEN_LEN; i++) {
		if (i % 12 == 0)
			bits = dice(f);
		token[i] = alphabet[bits & 31];
		bits >>= 5;
	}
	token[TOKEN_LEN] = '\0';
}

/* Some have much and most have little. */
static uint64_t
choose_owner(struct fill *f)
{
	uint64_t owners = (uint64_t)f->slots / SLOTS_PER_OWNER + 1;
	uint64_t most = dice(f) % owners;

	return dice(f) % (most + 1);
}

static const char *
choose_purpose(struct fill *f)
{
	switch (dice(f) % 20) {
	case 0:
		return "ephemeral";
	case 1:
		return "profile";
	case 2:
	case 3:
		return "permanent";
	default:
		return "message";
	}
}

/* ---- SQL ---- */

static int
broken(struct fill *f, const char *what)
{
	fprintf(stderr, "fill: %s: %s\n", what, sqlite3_errmsg(f->db));
	return -1;
}

static int
execute(struct fill *f, const char *sql)
{
	if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return broken(f, sql);
	return 1;
}

static int64_t
number(struct fill *f, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(f->db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	else
		broken(f, sql);
	sqlite3_finalize(st);
	return value;
}

static int
keep_trigger(void *arg, int columns, char **values, char **names)
{
	(void)arg, (void)columns, (void)names;
	if (trigger_count == TRIGGERS_MAX)
		return 1;
	triggers[trigger_count] = strdup(values[0]);
	return triggers[trigger_count++] == NULL;
}

/* The triggers of slot would count each row; at the end, once is enough. */
static int
lift_triggers(struct fill *f)
{
	char sql[SQL_MAX];

	if (sqlite3_exec(f->db,
		"SELECT sql || ';' || name FROM sqlite_schema "
		"WHERE type = 'trigger'",
		keep_trigger, NULL, NULL) != SQLITE_OK)
		return broken(f, "triggers");
	for (size_t i = 0; i < trigger_count; i++) {
		char *name = strrchr(triggers[i], ';');
		int len =
		    snprintf(sql, sizeof(sql), "DROP TRIGGER %s", name + 1);

		if (len < 0 || (size_t)len >= sizeof(sql) ||
		    execute(f, sql) == -1)
			return -1;
		*name = '\0';
	}
	return 1;
}

static int
put_triggers_back(struct fill *f)
{
	int rc = 1;

	for (size_t i = 0; i < trigger_count; i++) {
		if (execute(f, triggers[i]) == -1)
			rc = -1;
		free(triggers[i]);
	}
	return rc;
}

static int
open_database(struct fill *f, const char *path)
{
	struct store *store = NULL;

	if (store_open(path, STORE_DURABLE, 30, &store) != 1)
		return -1;
	store_close(store);
	if (sqlite3_open_v2(path, &f->db, SQLITE_OPEN_READWRITE, NULL) !=
	    SQLITE_OK)
		return broken(f, path);
	if (execute(f, "PRAGMA locking_mode = EXCLUSIVE; "
		       "PRAGMA journal_mode = OFF; "
		       "PRAGMA synchronous = OFF; "
		       "PRAGMA cache_size = -1048576; "
		       "PRAGMA temp_store = MEMORY; BEGIN") == -1 ||
	    lift_triggers(f) == -1)
		return -1;
	if (sqlite3_prepare_v2(f->db,
		"INSERT INTO slot (token, secret, owner, purpose, file_name, "
		"content_type, size, issued_at, put_expires_at, put_ends_at, "
		"expires_at) VALUES (?, ?, ?, ?, ?, 'image/jpeg', ?, ?, ?, ?, "
		"?)",
		-1, &f->insert, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(f->db,
		"UPDATE slot SET stored_at = issued_at + 2, "
		"sha256 = randomblob(32) WHERE id = ?",
		-1, &f->publish, NULL) != SQLITE_OK)
		return broken(f, "statements");
	return 1;
}

static int
close_database(struct fill *f)
{
	int rc = 1;

	sqlite3_finalize(f->insert);
	sqlite3_finalize(f->publish);
	if (put_triggers_back(f) == -1 ||
	    execute(f, "DELETE FROM usage; "
		       "INSERT INTO usage SELECT * FROM recount; "
		       "REPLACE INTO total SELECT 1, sum(stored_files), "
		       "sum(stored_bytes), sum(reserved_files), "
		       "sum(reserved_bytes), (SELECT max(id) FROM slot) "
		       "FROM usage; COMMIT; "
		       "PRAGMA analysis_limit = 400; PRAGMA optimize; "
		       "PRAGMA journal_mode = DELETE; "
		       "PRAGMA locking_mode = NORMAL; "
		       "PRAGMA journal_mode = WAL") == -1)
		rc = -1;
	sqlite3_close(f->db);
	return rc;
}

/* ---- slots ---- */

static int
step(struct fill *f, sqlite3_stmt *st, const char *what)
{
	int rc = sqlite3_step(st) == SQLITE_DONE ? 1 : broken(f, what);

	sqlite3_reset(st);
	return rc;
}

static void
bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT);
}

/* Slots are issued evenly over four weeks, kept for five. */
static void
bind_times(struct fill *f, int64_t n)
{
	int64_t issued_at = f->begins_at + 28 * DAY * n / f->slots;

	sqlite3_bind_int64(f->insert, 7, issued_at);
	sqlite3_bind_int64(f->insert, 8, issued_at + 300);
	sqlite3_bind_int64(f->insert, 9, issued_at + 3900);
	sqlite3_bind_int64(f->insert, 10, issued_at + 35 * DAY);
}

static int
add_row(struct fill *f, int64_t n)
{
	char *token = f->tokens[n % IN_FLIGHT];
	char text[64], secret[TOKEN_LEN + 1];
	int len;

	make_token(f, token);
	make_token(f, secret);
	bind_text(f->insert, 1, token);
	bind_text(f->insert, 2, secret);
	snprintf(
	    text, sizeof(text), "user%" PRIu64 "@example.org", choose_owner(f));
	bind_text(f->insert, 3, text);
	bind_text(f->insert, 4, choose_purpose(f));
	len = snprintf(text, sizeof(text), "IMG_%08" PRId64 ".jpg", n);
	f->name_bytes += len;
	bind_text(f->insert, 5, text);
	sqlite3_bind_int64(f->insert, 6, f->size);
	bind_times(f, n);
	return step(f, f->insert, "insert");
}

static int
write_body(struct fill *f, const char *token)
{
	static const char bytes[BODY_MAX];
	char path[3 + TOKEN_LEN + 1];
	int fd, rc = -1;

	snprintf(path, sizeof(path), "%.2s/%s", token, token);
	fd = openat(f->bodies, path, O_WRONLY | O_CREAT | O_EXCL, 0640);
	if (fd >= 0 && write(fd, bytes, (size_t)f->size) == f->size)
		rc = 1;
	if (rc == -1)
		fprintf(stderr, "fill: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Stores the slots from first to before end, which are not too many. */
static int
store_some(struct fill *f, int64_t first, int64_t end)
{
	for (int64_t n = first; n < end; n++) {
		sqlite3_bind_int64(f->publish, 1, n + 1);
		if (step(f, f->publish, "publish") == -1)
			return -1;
		if (f->files * (n + 1) / f->slots != f->files * n / f->slots &&
		    write_body(f, f->tokens[n % IN_FLIGHT]) == -1)
			return -1;
	}
	return 1;
}

static int
add_slots(struct fill *f)
{
	for (int64_t n = 0; n < f->slots; n++) {
		int64_t batch = n % IN_FLIGHT + 1;

		if (add_row(f, n) == -1)
			return -1;
		if ((batch == IN_FLIGHT || n + 1 == f->slots) &&
		    store_some(f, n + 1 - batch, n + 1) == -1)
			return -1;
	}
	return 1;
}

static int
make_shards(struct fill *f, const char *path)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

	mkdir(path, 02770);
	f->bodies = open(path, O_RDONLY | O_DIRECTORY);
	if (f->bodies == -1) {
		fprintf(stderr, "fill: %s: %s\n", path, strerror(errno));
		return -1;
	}
	for (int i = 0; i < 32 * 32 && f->files > 0; i++) {
		const char name[] = {alphabet[i / 32], alphabet[i % 32], '\0'};

		mkdirat(f->bodies, name, 02770);
	}
	return 1;
}

/* ---- a run ---- */

static double
seconds_running(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
print_result(struct fill *f, double seconds)
{
	int64_t bytes = number(f,
	    "SELECT page_size * (page_count - freelist_count) FROM "
	    "pragma_page_size, pragma_page_count, pragma_freelist_count");

	printf("{\"slots\": %" PRId64 ", \"files\": %" PRId64
	       ", \"seconds\": %.2f, \"database_bytes\": %" PRId64
	       ", \"bytes_per_slot\": %.1f}\n",
	    f->slots, f->files, seconds, bytes,
	    (double)(bytes - f->name_bytes) / (double)f->slots);
}

static int
parse(struct fill *f, char **argv)
{
	f->expired = strcmp(argv[6], "expired") == 0;
	return units_parse_number(argv[3], &f->slots) == 1 &&
	       units_parse_number(argv[4], &f->files) == 1 &&
	       units_parse_number(argv[5], &f->size) == 1 && f->slots > 0 &&
	       f->files <= f->slots && f->size > 0 && f->size <= BODY_MAX;
}

int
main(int argc, char **argv)
{
	struct fill f = {.random = 88172645463325252, .bodies = -1};
	double began = seconds_running();

	umask(007);
	log_open("fill", LOG_LEVEL_WARN, false);
	if (argc != 7 || !parse(&f, argv)) {
		fputs("usage: see the head of fill.c\n", stderr);
		return 2;
	}
	f.begins_at = time(NULL) - (f.expired ? 64 : 28) * DAY;
	if (make_shards(&f, argv[2]) == -1 ||
	    open_database(&f, argv[1]) == -1 || add_slots(&f) == -1)
		return 1;
	print_result(&f, seconds_running() - began);
	return close_database(&f) == 1 ? 0 : 1;
}
