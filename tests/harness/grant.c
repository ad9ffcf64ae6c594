/*
 * Grants one slot without an XMPP server, for the tests of the web side:
 *
 *	grant DATABASE OWNER PURPOSE NAME TYPE SIZE WINDOW TIMEOUT RETENTION
 *
 * TYPE may be ""; WINDOW, TIMEOUT and RETENTION are seconds. Prints the token
 * and the secret.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "schema/limits.h"
#include "schema/log.h"
#include "schema/store.h"

#define BUSY_TIMEOUT 30 /* seconds */

enum argument {
	ARG_DATABASE = 1,
	ARG_OWNER,
	ARG_PURPOSE,
	ARG_NAME,
	ARG_TYPE,
	ARG_SIZE,
	ARG_WINDOW,
	ARG_TIMEOUT,
	ARG_RETENTION,
	ARG_COUNT
};

/* 1 all arguments understood, 0 not. */
static int
parse(char **argv, struct grant_request *request, int64_t *retention)
{
	request->owner = argv[ARG_OWNER];
	request->file_name = argv[ARG_NAME];
	request->content_type = *argv[ARG_TYPE] ? argv[ARG_TYPE] : NULL;
	return purpose_parse(argv[ARG_PURPOSE], &request->purpose) == 1 &&
	       units_parse_number(argv[ARG_SIZE], &request->size) == 1 &&
	       units_parse_number(argv[ARG_WINDOW], &request->put_window) ==
		   1 &&
	       units_parse_number(
		   argv[ARG_TIMEOUT], &request->upload_timeout) == 1 &&
	       units_parse_number(argv[ARG_RETENTION], retention) == 1;
}

int
main(int argc, char **argv)
{
	struct limits limits = {
	    .enabled = true,
	    .max_file_size = UNITS_NEVER,
	    .bytes_per_user = UNITS_NEVER,
	    .files_per_user = UNITS_NEVER,
	    .slots_per_window = UNITS_NEVER,
	    .bytes_per_window = UNITS_NEVER,
	};
	struct grant_request request = {
	    .expire_before = UNITS_NEVER,
	    .max_total = UNITS_NEVER,
	    .room = UNITS_NEVER,
	    .limits = &limits,
	};
	struct grant_result result;
	struct store *store = NULL;
	int granted;

	/* as the programs do: SQLite makes its files by the umask first, and a
	 * process of the group that comes in that moment would only read */
	umask(007);
	log_open("grant", LOG_LEVEL_DEBUG, false);
	request.now = time(NULL);
	if (argc != ARG_COUNT ||
	    parse(argv, &request, &limits.retention) != 1) {
		fputs("usage: see the head of grant.c\n", stderr);
		return 2;
	}
	if (store_open(argv[ARG_DATABASE], STORE_GRANT, BUSY_TIMEOUT, &store) !=
	    1)
		return 1;
	granted = store_grant(store, &request, &result);
	store_close(store);
	if (granted != 1)
		return 1;
	printf("%s %s\n", result.token, result.secret);
	return 0;
}
