#include "tests/bench/xmpp_client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load_tally.h"

#define STREAM                                                       \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:client' " \
	"xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='"
#define AUTH                                                                   \
	"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'" \
	"/>"
#define BIND                              \
	"<iq type='set' id='bind'><bind " \
	"xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
#define REQUEST                                                  \
	"<iq type='get' id='%u' to='%s'><request "               \
	"xmlns='urn:xmpp:http:upload:0' filename='picture.jpg' " \
	"size='1024' content-type='image/jpeg'/></iq>"
#define REQUEST_MAX 512

/* What the server must have said before a step, and what is said then. */
static const struct {
	const char *awaited;
	const char *said;
	bool to_domain; /* the domain follows, and the end of the tag */
} login[] = {
    {"", STREAM, true},
    {"</stream:features>", AUTH, false},
    {"<success", STREAM, true},
    {"</stream:features>", BIND, false},
    {"</iq>", "", false},
};
#define STEPS (sizeof(login) / sizeof(*login))

static int
fail(const char *what)
{
	fprintf(stderr, "xmpp_load: %s: %s\n", what,
	    errno != 0 ? strerror(errno) : "no");
	return -1;
}

/* Requests are small: the kernel takes all of them, or something is wrong. */
static int
say(const struct xmpp_client *client, const char *text, size_t len)
{
	errno = 0;
	if (send(client->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len)
		return 1;
	return fail("send");
}

static int
take_step(struct xmpp_client *client)
{
	const bool to_domain = login[client->step].to_domain;
	char text[REQUEST_MAX];
	int len =
	    snprintf(text, sizeof(text), "%s%s%s", login[client->step].said,
		to_domain ? client->plan->domain : "", to_domain ? "'>" : "");

	if (len < 0 || (size_t)len >= sizeof(text))
		return fail("login");
	client->step++;
	return len == 0 ? 1 : say(client, text, (size_t)len);
}

int
xmpp_client_open(struct xmpp_client *client, const struct xmpp_plan *plan)
{
	const int on = 1;

	client->plan = plan;
	client->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (client->fd == -1 ||
	    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) !=
		0 ||
	    connect(client->fd, (const struct sockaddr *)&plan->address,
		sizeof(plan->address)) != 0)
		return fail("connect");
	return take_step(client);
}

bool
xmpp_client_ready(const struct xmpp_client *client)
{
	return client->step == STEPS;
}

int
xmpp_client_ask(struct xmpp_client *client)
{
	static char text[XMPP_CLIENT_WINDOW * REQUEST_MAX];
	const struct xmpp_plan *plan = client->plan;
	const double now = load_tally_now();
	size_t len = 0;

	while (now < plan->end &&
	       client->next_id - client->oldest < plan->window) {
		int n = snprintf(text + len, REQUEST_MAX, REQUEST,
		    client->next_id, plan->service);

		if (n < 0 || n >= REQUEST_MAX)
			return fail("request");
		len += (size_t)n;
		client->began[client->next_id++ % XMPP_CLIENT_WINDOW] = now;
	}
	if (len > 0)
		return say(client, text, len);
	return client->next_id != client->oldest;
}

/* Reads one answer, which ends in a NUL. */
static int
count_answer(
    struct xmpp_client *client, const char *text, struct load_tally *tally)
{
	const char *id = strstr(text, " id=");
	unsigned long number = id != NULL ? strtoul(id + 5, NULL, 10) : 0;
	bool granted = strstr(text, "<slot") != NULL;
	double began = client->began[client->oldest % XMPP_CLIENT_WINDOW];

	if (id == NULL || number != client->oldest) {
		fprintf(stderr, "xmpp_load: no answer to %u: %s\n",
		    client->oldest, text);
		return -1;
	}
	client->oldest++;
	return load_tally_add(
	    tally, granted ? 200 : 500, load_tally_now() - began, 0);
}

/* Takes one piece of what was received from the front: 1 and 0 none is whole,
 * -1. */
static int
take_piece(struct xmpp_client *client, struct load_tally *tally, char **at)
{
	bool ready = xmpp_client_ready(client);
	const char *awaited = ready ? "</iq>" : login[client->step].awaited;
	char *end = strstr(*at, awaited);
	char saved;
	int rc;

	if (end == NULL)
		return 0;
	end += strlen(awaited);
	saved = *end;
	*end = '\0';
	rc = ready ? count_answer(client, *at, tally) : take_step(client);
	*end = saved;
	*at = end;
	return rc;
}

int
xmpp_client_read(struct xmpp_client *client, struct load_tally *tally)
{
	char *at = client->text;
	ssize_t n;
	int rc;

	errno = 0;
	n = recv(client->fd, client->text + client->len,
	    XMPP_CLIENT_READ - client->len, MSG_DONTWAIT);
	if (n == -1 && errno == EAGAIN)
		return 1;
	if (n <= 0)
		return fail("recv");
	client->len += (size_t)n;
	client->text[client->len] = '\0';
	while ((rc = take_piece(client, tally, &at)) == 1)
		;
	client->len -= (size_t)(at - client->text);
	memmove(client->text, at, client->len + 1);
	return rc == -1 ? -1 : 1;
}
