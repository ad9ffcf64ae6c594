/*
 * null_component PORT JID SECRET [DATABASE [own]]: an external component
 * (XEP-0114) of the XMPP server on 127.0.0.1:PORT that answers every request
 * with the same slot. It decides nothing and records nothing: no component can
 * be quicker. With DATABASE it records a small row for each, or, with "own",
 * the very row that putslot does, in the tables and with the triggers of
 * schema/. Expat reads, and what came together is answered in one write. Says
 * on stderr what it is told, such as <handshake/>, and ends with the stream.
 */
#include <expat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schema/token.h"
#include "schema/units.h"

#define READ 65536
#define TEXT (1 << 20) /* of the answers to one read */
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

struct component {
	sqlite3 *db; /* NULL: nothing is recorded */
	sqlite3_stmt *insert;
	bool own; /* what is recorded is putslot's row */
	int fd;
	const char *jid;
	const char *secret;
	int depth; /* 1: within the stream */
	char id[256];
	char from[3072];
	char text[TEXT];
	size_t len;
	bool broken;
};

static void add(struct component *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct component *c, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(c->text + c->len, sizeof(c->text) - c->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(c->text) - c->len)
		c->broken = true;
	else
		c->len += (size_t)n;
}

static void
copy(struct component *c, char *to, size_t size, const char *value)
{
	int n = snprintf(to, size, "%s", value);

	/* The load generator has neither long names nor odd characters. */
	if (n < 0 || (size_t)n >= size || strpbrk(value, "<&'\"") != NULL)
		c->broken = true;
}

static bool
run_sql(struct component *c, const char *sql)
{
	return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static int
open_database(struct component *c, const char *path)
{
	if (sqlite3_open(path, &c->db) == SQLITE_OK &&
	    run_sql(c, "PRAGMA page_size = 2048") &&
	    run_sql(c, "PRAGMA journal_mode = WAL") &&
	    run_sql(c, "PRAGMA synchronous = NORMAL") &&
	    run_sql(c, "PRAGMA wal_autocheckpoint = 8000") &&
	    run_sql(c, c->own ? own_tables[0] : small_table) &&
	    sqlite3_prepare_v2(c->db, c->own ? own_insert : small_insert, -1,
		&c->insert, NULL) == SQLITE_OK)
		return 1;
	fprintf(stderr, "null_component: %s\n", sqlite3_errmsg(c->db));
	return -1;
}

static void
bind_token(struct component *c, int parameter)
{
	char token[TOKEN_LEN + 1];

	if (token_make(token) != 1)
		c->broken = true;
	sqlite3_bind_text(c->insert, parameter, token, -1, SQLITE_TRANSIENT);
}

static void
bind_random(struct component *c)
{
	unsigned char random[16];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		c->broken = true;
	sqlite3_bind_blob(
	    c->insert, 1, random, sizeof(random), SQLITE_TRANSIENT);
}

/* Of the full address, which serves as well as the bare one. The transaction
 * begins with the first of those that came together. */
static void
record(struct component *c)
{
	if (c->db == NULL)
		return;
	if (sqlite3_get_autocommit(c->db) && !run_sql(c, "BEGIN IMMEDIATE"))
		c->broken = true;
	if (c->own) {
		bind_token(c, 1);
		bind_token(c, 3);
	} else {
		bind_random(c);
	}
	sqlite3_bind_text(c->insert, 2, c->from, -1, SQLITE_STATIC);
	if (sqlite3_step(c->insert) != SQLITE_DONE ||
	    sqlite3_reset(c->insert) != SQLITE_OK)
		c->broken = true;
}

static void
shake_hands(struct component *c, const char *id)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char text[512];
	int n = snprintf(text, sizeof(text), "%s%s", id, c->secret);

	if (n < 0 ||
	    EVP_Digest(text, (size_t)n, digest, &len, EVP_sha1(), NULL) != 1)
		c->broken = true;
	add(c, "<handshake>");
	for (unsigned i = 0; i < len; i++)
		add(c, "%02x", digest[i]);
	add(c, "</handshake>");
}

static void XMLCALL
begin_element(void *arg, const char *name, const char **attributes)
{
	struct component *c = arg;

	if (c->depth++ > 1)
		return;
	(void)name;
	for (const char **a = attributes; *a != NULL; a += 2) {
		if (strcmp(a[0], "id") == 0)
			copy(c, c->id, sizeof(c->id), a[1]);
		else if (strcmp(a[0], "from") == 0)
			copy(c, c->from, sizeof(c->from), a[1]);
	}
	if (c->depth == 1)
		shake_hands(c, c->id);
}

static void XMLCALL
end_element(void *arg, const char *name)
{
	struct component *c = arg;

	if (--c->depth != 1)
		return;
	if (strcmp(name, "iq") != 0) {
		fprintf(stderr, "<%s/>\n", name);
		return;
	}
	record(c);
	add(c,
	    "<iq type='result' from='%s' to='%s' id='%s'>"
	    "<slot xmlns='urn:xmpp:http:upload:0'>"
	    "<put url='" BASE TOKEN "/picture.jpg'/>"
	    "<get url='" BASE "picture.jpg'/></slot></iq>",
	    c->jid, c->from, c->id);
}

static int
flush(struct component *c)
{
	size_t sent = 0;

	if (c->db != NULL && !sqlite3_get_autocommit(c->db) &&
	    !run_sql(c, "COMMIT"))
		return -1;
	while (sent < c->len) {
		ssize_t n =
		    send(c->fd, c->text + sent, c->len - sent, MSG_NOSIGNAL);

		if (n <= 0)
			return -1;
		sent += (size_t)n;
	}
	c->len = 0;
	return c->broken ? -1 : 1;
}

static int
connect_to(uint16_t port)
{
	const int on = 1;
	const struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) !=
		0)
		return -1;
	return fd;
}

static int
run(struct component *c)
{
	static char received[READ];
	XML_Parser parser = XML_ParserCreate(NULL);
	ssize_t n = 0;

	if (parser == NULL)
		return -1;
	XML_SetUserData(parser, c);
	XML_SetElementHandler(parser, begin_element, end_element);
	add(c,
	    "<?xml version='1.0'?><stream:stream to='%s' "
	    "xmlns='jabber:component:accept' "
	    "xmlns:stream='http://etherx.jabber.org/streams'>",
	    c->jid);
	while (flush(c) == 1 &&
	       (n = recv(c->fd, received, sizeof(received), 0)) > 0 &&
	       XML_Parse(parser, received, (int)n, 0) == XML_STATUS_OK)
		;
	XML_ParserFree(parser);
	return n == 0 ? 1 : -1;
}

int
main(int argc, char **argv)
{
	static struct component c;
	int64_t port = 0;

	if (argc < 4 || argc > 6 || units_parse_number(argv[1], &port) != 1 ||
	    port > UINT16_MAX) {
		fputs("usage: see the head of null_component.c\n", stderr);
		return 2;
	}
	c.jid = argv[2];
	c.secret = argv[3];
	c.own = argc == 6 && strcmp(argv[5], "own") == 0;
	c.fd = connect_to((uint16_t)port);
	if ((argc > 4 && open_database(&c, argv[4]) != 1) || c.fd == -1 ||
	    run(&c) != 1) {
		perror("null_component");
		return 1;
	}
	return 0;
}
