/*
 * null_sink PORT: answers every HTTP request on 127.0.0.1:PORT with 204 once
 * its body has come, and looks at nothing else. What http_load reaches here is
 * what it could reach at most. Ends with SIGTERM.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schema/units.h"

#define EVENTS 256
#define BACKLOG 1024
#define DISCARD (1 << 20)

static const char ANSWER[] = "HTTP/1.1 204 No Content\r\n\r\n";

struct peer {
	int fd;
	char head[4096];
	size_t length;
	int64_t left; /* of the body; -1: in the head */
};

static int
listen_on(uint16_t port)
{
	const int on = 1;
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) == -1 ||
	    listen(fd, BACKLOG) == -1)
		return -1;
	return fd;
}

static int
watch(int poll, int fd, void *data)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};

	return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void
take_peer(int poll, int listener)
{
	const int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	struct peer *peer = fd == -1 ? NULL : calloc(1, sizeof *peer);

	if (!peer || watch(poll, fd, peer) == -1) {
		if (fd != -1)
			close(fd);
		free(peer);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	peer->fd = fd;
	peer->left = -1;
}

/* 1 the body begins, 0 more is to come, -1 it is no request. */
static int
read_head(struct peer *peer)
{
	const char *end, *length;
	ssize_t n = recv(peer->fd, peer->head + peer->length,
	    sizeof peer->head - 1 - peer->length, 0);

	if (n <= 0)
		return n == -1 && errno == EAGAIN ? 0 : -1;
	peer->length += (size_t)n;
	peer->head[peer->length] = '\0';
	end = strstr(peer->head, "\r\n\r\n");
	if (!end)
		return peer->length + 1 < sizeof peer->head ? 0 : -1;
	length = strstr(peer->head, "\r\nContent-Length: ");
	peer->left = length ? strtoll(length + 18, NULL, 10) : 0;
	peer->left -= peer->head + peer->length - (end + 4);
	return 1;
}

/* 1 the peer goes on, -1 it has gone. */
static int
serve(struct peer *peer)
{
	int found = peer->left == -1 ? read_head(peer) : 1;
	ssize_t n = 1;

	while (found == 1 && peer->left > 0 && n > 0) {
		n = recv(peer->fd, NULL,
		    peer->left < DISCARD ? (size_t)peer->left : DISCARD,
		    MSG_TRUNC);
		peer->left -= n > 0 ? n : 0;
	}
	if (found == -1 || n == 0 || (n == -1 && errno != EAGAIN))
		return -1;
	if (peer->left != 0)
		return 1;
	peer->left = -1;
	peer->length = 0;
	return send(peer->fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) > 0 ? 1
									   : -1;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	int64_t port = 0;
	int i, n, poll = epoll_create1(0), listener = -1;

	if (argc != 2 || units_parse_number(argv[1], &port) != 1 ||
	    port > UINT16_MAX) {
		fputs("usage: null_sink PORT\n", stderr);
		return 2;
	}
	listener = listen_on((uint16_t)port);
	if (listener == -1 || poll == -1 || watch(poll, listener, NULL) == -1) {
		perror("null_sink");
		return 1;
	}
	while (
	    (n = epoll_wait(poll, events, EVENTS, -1)) > 0 || errno == EINTR) {
		for (i = 0; i < n; i++) {
			struct peer *peer = events[i].data.ptr;

			if (!peer) {
				take_peer(poll, listener);
			} else if (serve(peer) == -1) {
				close(peer->fd);
				free(peer);
			}
		}
	}
	return 1;
}
