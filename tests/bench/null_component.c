/*
 * null_component PORT JID SECRET [DATABASE [own]]: an external component
 * (XEP-0114) of the XMPP server on 127.0.0.1:PORT that answers every request
 * with the same slot. It decides nothing, and records nothing or, with
 * DATABASE, what null_slots.h says: no component can be quicker. Expat reads,
 * and what came together is answered in one write. Says on stderr what it is
 * told, such as <handshake/>, and ends with the stream.
 */
#include <expat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "schema/units.h"
#include "tests/bench/null_slots.h"

#define READ 65536

struct component {
	struct null_slots *slots;
	int fd;
	const char *jid;
	const char *secret;
	int depth; /* 1: within the stream */
	char id[256];
	char from[3072];
	bool broken;
};

static void
copy(struct component *c, char *to, size_t size, const char *value)
{
	int n = snprintf(to, size, "%s", value);

	if (n < 0 || (size_t)n >= size)
		c->broken = true;
}

static void
send_text(struct component *c, const char *text, size_t len)
{
	while (len > 0 && !c->broken) {
		ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);

		if (n <= 0) {
			c->broken = true;
		} else {
			text += n;
			len -= (size_t)n;
		}
	}
}

/* XEP-0114 section 3: the SHA-1 of the stream's id and the secret. */
static void
shake_hands(struct component *c)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char text[512];
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	int n = snprintf(text, sizeof(text), "%s%s", c->id, c->secret);

	if (n < 0 || (size_t)n >= sizeof(text) ||
	    EVP_Digest(text, (size_t)n, digest, &len, EVP_sha1(), NULL) != 1)
		c->broken = true;
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	n = snprintf(text, sizeof(text), "<handshake>%s</handshake>", hex);
	send_text(c, text, (size_t)n);
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
		shake_hands(c);
}

static void XMLCALL
end_element(void *arg, const char *name)
{
	struct component *c = arg;

	if (--c->depth != 1)
		return;
	if (strcmp(name, "iq") != 0)
		fprintf(stderr, "<%s/>\n", name);
	else if (null_slots_answer(c->slots, c->from, c->id) != 1)
		c->broken = true;
}

static int
answer(struct component *c)
{
	const char *text;
	size_t len;

	if (null_slots_take(c->slots, &text, &len) != 1)
		return -1;
	send_text(c, text, len);
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

static void
open_stream(struct component *c)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	    "<?xml version='1.0'?><stream:stream to='%s' "
	    "xmlns='jabber:component:accept' "
	    "xmlns:stream='http://etherx.jabber.org/streams'>",
	    c->jid);

	if (n < 0 || (size_t)n >= sizeof(text))
		c->broken = true;
	else
		send_text(c, text, (size_t)n);
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
	open_stream(c);
	while (answer(c) == 1 &&
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
	c.slots = null_slots_open(c.jid, argc > 4 ? argv[4] : NULL,
	    argc == 6 && strcmp(argv[5], "own") == 0);
	c.fd = connect_to((uint16_t)port);
	if (c.slots == NULL || c.fd == -1 || run(&c) != 1) {
		perror("null_component");
		return 1;
	}
	return 0;
}
