#include "tests/bench/load_client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load_tally.h"

#define DISCARD (1 << 20) /* bytes of an answer thrown away at once */
#define STEPS 40          /* in which a slow body is sent */
#define CHUNKED_END "0\r\n\r\n"
#define CHUNKED_END_LENGTH 5

void
load_client_close(struct load_client *client)
{
	if (client->fd != -1)
		close(client->fd);
	client->fd = -1;
	client->busy = false;
}

static int
open_connection(struct load_client *client, const struct load_plan *plan)
{
	const int on = 1;
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	    .data.ptr = client,
	};

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client->fd == -1)
		return -1;
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if ((connect(client->fd, (const struct sockaddr *)&plan->address,
		 sizeof plan->address) == -1 &&
		errno != EINPROGRESS) ||
	    epoll_ctl(plan->poll, EPOLL_CTL_ADD, client->fd, &event) == -1) {
		load_client_close(client);
		return -1;
	}
	return 1;
}

static int
write_head(
    struct load_client *client, const struct load_plan *plan, const char *path)
{
	char length[64] = "";
	int n;

	if (plan->body != -1) {
		n = snprintf(length, sizeof length, "Content-Length: %lld\r\n",
		    (long long)plan->size);
		if (n < 0 || (size_t)n >= sizeof length)
			return -1;
	}
	n = snprintf(client->head, sizeof client->head,
	    "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s\r\n", plan->method,
	    path, plan->keep_alive ? "" : "Connection: close\r\n", length,
	    plan->headers);
	if (n < 0 || (size_t)n >= sizeof client->head)
		return -1;
	client->head_length = (size_t)n;
	return 1;
}

int
load_client_begin(struct load_client *client, struct load_plan *plan,
    struct load_tally *tally)
{
	if (plan->next_path == plan->path_count && plan->repeat)
		plan->next_path = 0;
	if (plan->next_path == plan->path_count ||
	    load_tally_now() >= plan->end)
		return 0;
	client->plan = plan;
	client->sent = 0;
	client->answer_length = 0;
	client->left = -1;
	client->status = 0;
	client->chunked = client->last = false;
	client->began = load_tally_now();
	client->reused = client->fd != -1;
	if (write_head(client, plan, plan->paths[plan->next_path++]) != 1 ||
	    (client->fd == -1 && open_connection(client, plan) != 1)) {
		tally->broken++;
		return -1;
	}
	client->busy = true;
	return 1;
}

/* ---- sending ---- */

static int64_t
whole_request(const struct load_client *client)
{
	const struct load_plan *plan = client->plan;

	return (int64_t)client->head_length +
	       (plan->body == -1 ? 0 : plan->size);
}

/* How far a slow client may have come by now. */
static int64_t
allowed(const struct load_client *client)
{
	const struct load_plan *plan = client->plan;
	int64_t whole = whole_request(client);
	double passed = load_tally_now() - client->began;

	if (plan->slow <= 0 || passed >= plan->slow)
		return whole;
	return (int64_t)client->head_length +
	       plan->size * (int64_t)(passed / plan->slow * STEPS) / STEPS;
}

/* Some bytes of the body, from where it stands: as sendfile. */
static ssize_t
send_body(const struct load_client *client, int64_t at, int64_t most)
{
	off_t offset = at % LOAD_CLIENT_PIECE;
	int64_t rest = LOAD_CLIENT_PIECE - offset;

	return sendfile(client->fd, client->plan->body, &offset,
	    (size_t)(rest < most - at ? rest : most - at));
}

/* 1 all that is allowed by now is on its way, 0 the socket is full, -1. */
static int
send_request(struct load_client *client)
{
	int64_t head = (int64_t)client->head_length, most = allowed(client);
	ssize_t n;

	while (client->sent < most) {
		if (client->sent < head)
			/* in one segment with the body's begin */
			n = send(client->fd, client->head + client->sent,
			    (size_t)(head - client->sent),
			    MSG_NOSIGNAL | (most > head ? MSG_MORE : 0));
		else
			n = send_body(client, client->sent - head, most - head);
		if (n == -1 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -1;
		client->sent += n;
	}
	return 1;
}

/* ---- receiving ---- */

/* The value of a header, which ends with CR; NULL if there is none. */
static const char *
header(const char *head, const char *name)
{
	const char *line = strcasestr(head, name);

	return line ? line + strlen(name) : NULL;
}

/* Reads the head once it is whole. 1 it is, 0 not yet, -1 it is no answer. */
static int
parse_head(struct load_client *client)
{
	const char *end, *value;
	size_t had;

	client->answer[client->answer_length] = '\0';
	end = strstr(client->answer, "\r\n\r\n");
	if (!end)
		return client->answer_length + 1 < sizeof client->answer ? 0
									 : -1;
	had = client->answer_length - (size_t)(end + 4 - client->answer);
	if (strncmp(client->answer, "HTTP/1.", 7) != 0)
		return -1;
	client->status = (unsigned)strtoul(client->answer + 9, NULL, 10);
	client->answer[client->answer_length - had] = '\0';
	value = header(client->answer, "\r\nContent-Length: ");
	client->body_length = value ? strtoll(value, NULL, 10) : 0;
	client->chunked =
	    header(client->answer, "\r\nTransfer-Encoding: chunked") != NULL;
	client->last = header(client->answer, "\r\nConnection: close") != NULL;
	if (client->status == 204 || client->status == 304 ||
	    strcmp(client->plan->method, "HEAD") == 0)
		client->body_length = 0;
	client->left = client->body_length - (int64_t)had;
	if (client->chunked) {
		client->left = INT64_MAX;
		if (had >= CHUNKED_END_LENGTH &&
		    memcmp(end + 4 + had - CHUNKED_END_LENGTH, CHUNKED_END,
			CHUNKED_END_LENGTH) == 0)
			client->left = 0;
	}
	return 1;
}

static ssize_t
receive_head(struct load_client *client)
{
	ssize_t n = recv(client->fd, client->answer + client->answer_length,
	    sizeof client->answer - 1 - client->answer_length, 0);

	if (n > 0) {
		client->answer_length += (size_t)n;
		if (parse_head(client) == -1)
			return 0;
	}
	return n;
}

/* Throws the body away without a look at it (MSG_TRUNC, tcp(7)), except where
 * only its end tells that it is whole. */
static ssize_t
receive_body(struct load_client *client)
{
	char chunk[4096];
	ssize_t n;

	if (!client->chunked) {
		n = recv(client->fd, NULL,
		    client->left < DISCARD ? (size_t)client->left : DISCARD,
		    MSG_TRUNC);
		client->left -= n > 0 ? n : 0;
		return n;
	}
	n = recv(client->fd, chunk, sizeof chunk, 0);
	if (n >= CHUNKED_END_LENGTH &&
	    memcmp(chunk + n - CHUNKED_END_LENGTH, CHUNKED_END,
		CHUNKED_END_LENGTH) == 0)
		client->left = 0;
	return n;
}

/* 1 the answer is whole, 0 not yet, -1 it broke off. */
static int
receive_answer(struct load_client *client)
{
	ssize_t n;

	while (client->left != 0) {
		n = client->left == -1 ? receive_head(client)
				       : receive_body(client);
		if (n == -1 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return -1;
	}
	return 1;
}

/* ---- both ---- */

static int
end_request(struct load_client *client, struct load_tally *tally)
{
	int64_t bytes =
	    client->plan->body == -1 ? client->body_length : client->plan->size;
	double took;

	client->ended = load_tally_now();
	took = client->ended - client->began;
	if (!client->plan->keep_alive || client->last ||
	    client->sent < whole_request(client))
		load_client_close(client);
	client->busy = false;
	return load_tally_add(tally, client->status, took, (uint64_t)bytes) == 1
		   ? 0
		   : -1;
}

/* Begins the request anew where the server had closed a connection that was
 * kept, before the request came (RFC 9112 section 9.3.1). 1 begun, -1 not. */
static int
retry(struct load_client *client)
{
	if (!client->reused || client->answer_length > 0)
		return -1;
	load_client_close(client);
	client->reused = false;
	client->sent = 0;
	client->busy = open_connection(client, client->plan) == 1;
	return client->busy ? 1 : -1;
}

int
load_client_go_on(struct load_client *client, struct load_tally *tally)
{
	int sent, received;

	if (!client->busy)
		return 1;
	sent = send_request(client);
	/* an answer may come although the server no longer reads */
	received = receive_answer(client);
	if (received == 1)
		return end_request(client, tally);
	if (sent != -1 && received != -1)
		return 1;
	if (retry(client) == 1)
		return 1;
	load_client_close(client);
	tally->broken++;
	return 0;
}
