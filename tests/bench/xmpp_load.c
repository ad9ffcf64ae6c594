/*
 * xmpp_load PORT DOMAIN SERVICE CLIENTS WINDOW MILLISECONDS: clients of the
 * XMPP server on 127.0.0.1:PORT, anonymous ones of DOMAIN, ask SERVICE for
 * slots, each with WINDOW requests under way. Prints what http_load prints; a
 * slot counts as 200, an error as 500.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "schema/units.h"
#include "tests/bench/load_tally.h"
#include "tests/bench/xmpp_client.h"

#define EVENTS 64

struct run {
	struct xmpp_plan plan;
	struct xmpp_client *clients;
	int64_t count;
	int64_t milliseconds;
	int poll;
	struct load_tally tally;
};

static int
take_arguments(int argc, char **argv, struct run *run)
{
	int64_t port, window;

	if (argc != 7 || units_parse_number(argv[1], &port) != 1 ||
	    units_parse_number(argv[4], &run->count) != 1 ||
	    units_parse_number(argv[5], &window) != 1 ||
	    units_parse_number(argv[6], &run->milliseconds) != 1 ||
	    port > UINT16_MAX || window < 1 || window > XMPP_CLIENT_WINDOW)
		return 0;
	run->plan.address = (struct sockaddr_in){
	    .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	run->plan.domain = argv[2];
	run->plan.service = argv[3];
	run->plan.window = (size_t)window;
	return 1;
}

static int
open_clients(struct run *run)
{
	run->poll = epoll_create1(EPOLL_CLOEXEC);
	run->clients = calloc((size_t)run->count, sizeof(*run->clients));
	if (run->poll == -1 || run->clients == NULL)
		return -1;
	for (int64_t i = 0; i < run->count; i++) {
		struct epoll_event event = {
		    .events = EPOLLIN, .data.ptr = &run->clients[i]};

		if (xmpp_client_open(&run->clients[i], &run->plan) != 1 ||
		    epoll_ctl(run->poll, EPOLL_CTL_ADD, run->clients[i].fd,
			&event) != 0)
			return -1;
	}
	return 1;
}

/* Calls act for each client that has something to read, until it has returned
 * 0 for all. */
static int
serve(struct run *run, int (*act)(struct xmpp_client *))
{
	struct epoll_event events[EVENTS];
	int64_t left = run->count;

	while (left > 0) {
		int n = epoll_wait(run->poll, events, EVENTS, 10000);

		if (n <= 0) {
			fputs("xmpp_load: no answer for 10 s\n", stderr);
			return -1;
		}
		for (int i = 0; i < n; i++) {
			struct xmpp_client *client = events[i].data.ptr;
			int rc = xmpp_client_read(client, &run->tally);

			if (rc == 1)
				rc = act(client);
			if (rc == -1)
				return -1;
			left -= rc == 0;
		}
	}
	return 1;
}

static int
wait_for_login(struct xmpp_client *client)
{
	return !xmpp_client_ready(client);
}

static int
run_all(struct run *run)
{
	double began;

	if (open_clients(run) != 1 || serve(run, wait_for_login) != 1)
		return -1;
	began = load_tally_now();
	run->plan.end = began + (double)run->milliseconds / 1e3;
	for (int64_t i = 0; i < run->count; i++) {
		if (xmpp_client_ask(&run->clients[i]) != 1)
			return -1;
	}
	if (serve(run, xmpp_client_ask) != 1)
		return -1;
	load_tally_print(&run->tally, load_tally_now() - began, stdout);
	return 1;
}

int
main(int argc, char **argv)
{
	static struct run run;
	int rc;

	if (take_arguments(argc, argv, &run) != 1) {
		fputs("usage: see the head of xmpp_load.c\n", stderr);
		return 2;
	}
	rc = run_all(&run);
	load_tally_free(&run.tally);
	free(run.clients);
	return rc == 1 ? 0 : 1;
}
