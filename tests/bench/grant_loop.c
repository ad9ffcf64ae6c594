/*
 * grant_loop DATABASE OWNERS COUNT SECONDS PAUSE: what a grant costs without
 * XMPP. Grants up to COUNT slots, for up to SECONDS, to users that fill.c made
 * OWNERS of, with PAUSE milliseconds in between, and prints what http_load
 * prints.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "schema/limits.h"
#include "schema/log.h"
#include "schema/store.h"
#include "tests/bench/load_tally.h"

#define BUSY_TIMEOUT 30 /* seconds */
#define DAY (24 * 3600)

enum argument {
	ARG_DATABASE = 1,
	ARG_OWNERS,
	ARG_COUNT,
	ARG_SECONDS,
	ARG_PAUSE,
	ARG_END
};

struct loop {
	struct store *store;
	int64_t owners, count, seconds, pause;
};

/* As by default, but that nobody comes to an end within his window. */
static const struct limits limits = {
    .enabled = true,
    .max_file_size = 100 << 20,
    .retention = 31 * DAY,
    .bytes_per_user = UNITS_NEVER,
    .files_per_user = UNITS_NEVER,
    .window = DAY,
    .slots_per_window = 1000000,
    .bytes_per_window = UNITS_NEVER,
};

static int
grant(struct loop *loop, int64_t n)
{
	struct grant_request request = {
	    .purpose = PURPOSE_MESSAGE,
	    .file_name = "IMG_20261120_101112.jpg",
	    .content_type = "image/jpeg",
	    .size = 1,
	    .expire_before = UNITS_NEVER,
	    .now = time(NULL),
	    .put_window = 300,
	    .upload_timeout = 3600,
	    .max_total = UNITS_NEVER,
	    .room = UNITS_NEVER,
	    .limits = &limits,
	};
	struct grant_result result;
	char owner[64];
	/* a step that has no divisor in common with most numbers */
	long long user = n * 7919 % loop->owners;

	if (snprintf(owner, sizeof(owner), "user%lld@example.org", user) < 0)
		return -1;
	request.owner = owner;
	return store_grant(loop->store, &request, &result);
}

static int
run(struct loop *loop, struct load_tally *tally)
{
	const struct timespec pause = {.tv_sec = (time_t)(loop->pause / 1000),
	    .tv_nsec = (long)(loop->pause % 1000) * 1000000};
	double first = load_tally_now();
	double began = first;

	for (int64_t n = 0;
	     n < loop->count && began - first < (double)loop->seconds; n++) {
		if (grant(loop, n) != 1 ||
		    load_tally_add(tally, 200, load_tally_now() - began, 0) ==
			-1)
			return -1;
		if (loop->pause > 0)
			nanosleep(&pause, NULL);
		began = load_tally_now();
	}
	load_tally_print(tally, load_tally_now() - first, stdout);
	return 1;
}

static bool
parse(struct loop *loop, char **argv)
{
	return units_parse_number(argv[ARG_OWNERS], &loop->owners) == 1 &&
	       units_parse_number(argv[ARG_COUNT], &loop->count) == 1 &&
	       units_parse_number(argv[ARG_SECONDS], &loop->seconds) == 1 &&
	       units_parse_number(argv[ARG_PAUSE], &loop->pause) == 1 &&
	       loop->owners > 0;
}

int
main(int argc, char **argv)
{
	struct load_tally tally = {0};
	struct loop loop = {0};
	int rc = -1;

	umask(007);
	log_open("grant_loop", LOG_LEVEL_WARN, false);
	if (argc != ARG_END || !parse(&loop, argv)) {
		fputs("usage: see the head of grant_loop.c\n", stderr);
		return 2;
	}
	if (store_open(argv[ARG_DATABASE], STORE_GRANT, BUSY_TIMEOUT,
		&loop.store) == 1)
		rc = run(&loop, &tally);
	store_close(loop.store);
	load_tally_free(&tally);
	return rc == 1 ? 0 : 1;
}
