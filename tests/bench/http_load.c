/*
 * Load on a web server: many connections, one thread.
 *
 *	http_load [-k] [-r] [-c CONNECTIONS] [-t SECONDS] [-s SIZE] [-S SECONDS]
 *	          [-p SECONDS] [-H HEADER]... [-m METHOD] PORT PATHS
 *
 * Requests the paths in the file PATHS, one a line, from 127.0.0.1:PORT, each
 * once, and prints what came of it as JSON.
 *
 *	-c	connections at a time (1)
 *	-k	keeps connections for more than one request
 *	-r	begins again after the last path
 *	-t	begins no request after so many seconds (60)
 *	-m	GET, unless -s is given: then PUT
 *	-s	bytes of the body to send
 *	-S	sends each body slowly, over so many seconds; the connections
 *		begin one after the other over half of that
 *	-p	seconds of pause after each request of a connection
 *	-H	one more header line
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/units.h"
#include "tests/bench/load_client.h"
#include "tests/bench/load_tally.h"

#define EVENTS 256
#define TICK 5    /* ms between two looks at clients that wait for a time */
#define GRACE 120 /* seconds without any event, until the run is given up */

struct load {
	struct load_plan plan;
	struct load_client *clients;
	size_t client_count;
	size_t started;
	size_t at_work;
	double seconds;
	char headers[1024];
	char *text; /* the file of paths, cut into them */
};

/* ---- preparation ---- */

static int
read_paths(struct load *load, const char *name)
{
	struct stat st;
	FILE *file = fopen(name, "r");
	char *at, *end;
	int result = -1;

	if (!file || fstat(fileno(file), &st) == -1)
		goto out;
	load->text = malloc((size_t)st.st_size + 1);
	/* no path is shorter than "/" and its newline */
	load->plan.paths =
	    calloc((size_t)st.st_size / 2 + 1, sizeof *load->plan.paths);
	if (!load->text || !load->plan.paths ||
	    fread(load->text, 1, (size_t)st.st_size, file) !=
		(size_t)st.st_size)
		goto out;
	load->text[st.st_size] = '\0';
	for (at = load->text; (end = strchr(at, '\n')); at = end + 1) {
		*end = '\0';
		load->plan.paths[load->plan.path_count++] = at;
	}
	result = load->plan.path_count > 0 ? 1 : 0;
out:
	if (file)
		fclose(file);
	return result;
}

/* The body is a piece of memory, over and over, that sendfile can take. */
static int
make_body(struct load_plan *plan)
{
	static const char piece[LOAD_CLIENT_PIECE];

	plan->body = memfd_create("body", MFD_CLOEXEC);
	return plan->body != -1 &&
		       write(plan->body, piece, sizeof piece) == sizeof piece
		   ? 1
		   : -1;
}

static int
add_header(struct load *load, const char *line)
{
	size_t length = strlen(load->headers);
	int n = snprintf(load->headers + length, sizeof load->headers - length,
	    "%s\r\n", line);

	return n > 0 && (size_t)n < sizeof load->headers - length;
}

/* 1 understood, 0 not. */
static int
number(const char *text, int64_t *value)
{
	return units_parse_number(text, value) == 1;
}

static int
take_option(struct load *load, int option, const char *value)
{
	int64_t n;

	switch (option) {
	case 'k':
		load->plan.keep_alive = true;
		return 1;
	case 'r':
		load->plan.repeat = true;
		return 1;
	case 'm':
		load->plan.method = value;
		return 1;
	case 'H':
		return add_header(load, value);
	case 's':
		load->plan.method = "PUT";
		load->plan.body = 0;
		return number(value, &load->plan.size);
	case 'c':
		if (!number(value, &n) || n < 1)
			return 0;
		load->client_count = (size_t)n;
		return 1;
	case 't':
		load->seconds = strtod(value, NULL);
		return load->seconds > 0;
	case 'p':
		load->plan.pause = strtod(value, NULL);
		return load->plan.pause > 0;
	case 'S':
		load->plan.slow = strtod(value, NULL);
		return load->plan.slow > 0;
	default:
		return 0;
	}
}

static int
take_arguments(struct load *load, int argc, char **argv)
{
	int64_t port;
	int option;

	while ((option = getopt(argc, argv, "krc:t:m:s:S:p:H:")) != -1)
		if (take_option(load, option, optarg) != 1)
			return 0;
	if (argc - optind != 2 || !number(argv[optind], &port) || port < 1 ||
	    port > UINT16_MAX)
		return 0;
	load->plan.address.sin_family = AF_INET;
	load->plan.address.sin_port = htons((uint16_t)port);
	load->plan.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	load->plan.headers = load->headers;
	return 1;
}

/* 1 ready, -1 not, and errno says why. */
static int
prepare(struct load *load, const char *paths)
{
	size_t i;

	if (read_paths(load, paths) != 1 ||
	    (load->plan.body != -1 && make_body(&load->plan) != 1))
		return -1;
	load->plan.poll = epoll_create1(EPOLL_CLOEXEC);
	load->clients = calloc(load->client_count, sizeof *load->clients);
	if (load->plan.poll == -1 || !load->clients)
		return -1;
	for (i = 0; i < load->client_count; i++)
		load->clients[i].fd = -1;
	return 1;
}

/* ---- the run ---- */

/* Whether clients wait for a time, of which no event tells. */
static bool
is_timed(const struct load *load)
{
	return load->plan.slow > 0 || load->plan.pause > 0;
}

static bool
pauses(const struct load *load, const struct load_client *client)
{
	return client->ended > 0 &&
	       load_tally_now() < client->ended + load->plan.pause;
}

/* Lets a client do what it can, with as many requests as that takes.
 * 1 done, -1 no memory. */
static int
work(struct load *load, struct load_client *client, struct load_tally *tally)
{
	int result = 1;

	for (;;) {
		if (client->busy)
			result = load_client_go_on(client, tally);
		if (result == -1)
			return -1;
		if (client->busy || pauses(load, client))
			return 1;
		if (load_client_begin(client, &load->plan, tally) == 0) {
			load->at_work--;
			client->done = true;
			load_client_close(client);
			return 1;
		}
	}
}

/* Starts the clients whose turn it is. */
static int
start_clients(struct load *load, double passed, struct load_tally *tally)
{
	double until = load->plan.slow <= 0 ? (double)load->client_count
					    : passed / (load->plan.slow / 2) *
						  (double)load->client_count;

	while (load->started < load->client_count &&
	       (double)load->started <= until) {
		load->at_work++;
		if (work(load, &load->clients[load->started++], tally) != 1)
			return -1;
	}
	return 1;
}

/* What no event tells: it is time to send more. */
static int
work_by_time(struct load *load, struct load_tally *tally)
{
	size_t i;

	for (i = 0; is_timed(load) && i < load->started; i++)
		if (!load->clients[i].done &&
		    work(load, &load->clients[i], tally) != 1)
			return -1;
	return 1;
}

static int
wait_and_work(struct load *load, struct load_tally *tally)
{
	struct epoll_event events[EVENTS];
	int i, n = epoll_wait(load->plan.poll, events, EVENTS,
		   is_timed(load) ? TICK : GRACE * 1000);

	if (n == -1)
		return errno == EINTR ? 1 : -1;
	if (n == 0 && !is_timed(load)) {
		errno = ETIMEDOUT;
		return -1;
	}
	for (i = 0; i < n; i++) {
		struct load_client *client = events[i].data.ptr;

		if (client->busy && work(load, client, tally) != 1)
			return -1;
	}
	return work_by_time(load, tally);
}

static int
run(struct load *load, struct load_tally *tally)
{
	double began = load_tally_now();

	load->plan.end = began + load->seconds;
	do {
		if (start_clients(load, load_tally_now() - began, tally) != 1 ||
		    (load->at_work > 0 && wait_and_work(load, tally) != 1))
			return -1;
	} while (load->at_work > 0 || load->started < load->client_count);
	load_tally_print(tally, load_tally_now() - began, stdout);
	return 1;
}

int
main(int argc, char **argv)
{
	struct load load = {
	    .plan = {.method = "GET", .body = -1, .poll = -1},
	    .client_count = 1,
	    .seconds = 60,
	};
	struct load_tally tally = {0};
	int status = 1;

	if (take_arguments(&load, argc, argv) != 1) {
		fputs("usage: see the head of http_load.c\n", stderr);
		return 2;
	}
	if (prepare(&load, argv[argc - 1]) != 1) {
		perror("http_load: cannot begin");
		goto out;
	}
	if (run(&load, &tally) != 1) {
		perror("http_load");
		goto out;
	}
	status = 0;
out:
	load_tally_free(&tally);
	free(load.clients);
	free(load.plan.paths);
	free(load.text);
	return status;
}
