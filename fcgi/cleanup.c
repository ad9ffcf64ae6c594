/*
 * putslot-cleanup: removes what is over, forgets a user, or checks database
 * and bodies against each other; once, for cron or a timer.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/fsck.h"
#include "fcgi/retention.h"
#include "schema/config.h"
#include "schema/crypto.h"
#include "schema/log.h"
#include "schema/store.h"
#include "schema/walls.h"

#define PROGRAM "putslot-cleanup"

enum exit_code { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_FOUND };

struct options {
	const char *config_file;
	const char *erase; /* NULL: a run of retention */
	bool dry_run;
	bool flat_out;
	enum log_level level;
	bool fsck;
	bool repair;
	int64_t grace; /* -1: not given */
};

/* Values of the options that have no letter. */
enum { OPTION_ERASE = 256, OPTION_FSCK, OPTION_REPAIR, OPTION_GRACE };

static const struct option LONG_OPTIONS[] = {
    {"erase", required_argument, NULL, OPTION_ERASE},
    {"fsck", no_argument, NULL, OPTION_FSCK},
    {"repair", no_argument, NULL, OPTION_REPAIR},
    {"grace", required_argument, NULL, OPTION_GRACE},
    {NULL, 0, NULL, 0},
};

static int
usage(const char *mistake)
{
	if (mistake != NULL)
		fprintf(stderr, PROGRAM ": %s\n", mistake);
	fputs("usage: " PROGRAM " [-fnVv] [-c FILE] [--erase JID | --fsck "
	      "[--repair] [--grace DURATION]]\n",
	    stderr);
	return EXIT_USAGE;
}

/* ---- options ---- */

static bool
take_option(struct options *o, int option)
{
	switch (option) {
	case 'c':
		o->config_file = optarg;
		return true;
	case 'f':
		o->flat_out = true;
		return true;
	case 'n':
		o->dry_run = true;
		return true;
	case 'v':
		o->level = LOG_LEVEL_DEBUG;
		return true;
	case OPTION_ERASE:
		o->erase = optarg;
		return true;
	case OPTION_FSCK:
		o->fsck = true;
		return true;
	case OPTION_REPAIR:
		o->repair = true;
		return true;
	case OPTION_GRACE:
		return units_parse_duration(optarg, &o->grace) == 1;
	default:
		return false;
	}
}

/* An erasure cannot be undone, so what is not plainly a bare JID is not
 * guessed at: a resource is refused, not cut off. */
static bool
is_bare_jid(const char *jid)
{
	const char *at = strchr(jid, '@');
	size_t len = strlen(jid);

	return len > 0 && len <= STORE_OWNER_MAX && strchr(jid, '/') == NULL &&
	       (at == NULL || (at != jid && at[1] != '\0'));
}

static const char *
mistake_in(const struct options *o)
{
	if (o->erase != NULL && o->fsck)
		return "--erase and --fsck exclude each other";
	if (o->flat_out && (o->erase != NULL || o->fsck))
		return "-f goes with neither --erase nor --fsck";
	if (o->repair && !o->fsck)
		return "--repair goes with --fsck";
	if (o->grace != -1 && !o->fsck)
		return "--grace goes with --fsck";
	if (o->erase != NULL && !is_bare_jid(o->erase))
		return "--erase takes a bare JID, such as juliet@example.org";
	return NULL;
}

/* -1: go on; else the exit code. */
static int
parse_options(struct options *o, int argc, char **argv)
{
	const char *mistake = NULL;
	int option = 0;

	*o = (struct options){.grace = -1, .level = LOG_LEVEL_INFO};
	o->config_file = config_default_path();
	while ((option = getopt_long(
		    argc, argv, "c:fnVv", LONG_OPTIONS, NULL)) != -1) {
		if (option == 'V') {
			puts(PROGRAM " " PUTSLOT_VERSION);
			return EXIT_DONE;
		}
		if (!take_option(o, option))
			return usage(
			    option == OPTION_GRACE
				? "--grace takes a duration, such as 1h"
				: NULL);
	}
	mistake = optind < argc ? "too many arguments" : mistake_in(o);
	return mistake == NULL ? -1 : usage(mistake);
}

/* ---- the three things to do ---- */

static enum exit_code
check(const struct options *o, struct store *store, struct bodies *bodies)
{
	struct fsck job = {
	    .store = store,
	    .bodies = bodies,
	    .now = time(NULL),
	    .grace = o->grace == -1 ? FSCK_GRACE : o->grace,
	    .repair = o->repair && !o->dry_run,
	};
	struct fsck_summary sum = {0};
	int rc = fsck_run(&job, &sum);

	fsck_print(&sum, stdout);
	if (rc == -1)
		return EXIT_FAILED;
	return rc == 1 ? EXIT_DONE : EXIT_FOUND;
}

static enum exit_code
clean(const struct options *o, const struct config *config, struct store *store,
    struct bodies *bodies)
{
	struct retention job = {
	    .store = store,
	    .bodies = bodies,
	    .now = time(NULL),
	    .longest_upload = config->put_window + config->upload_timeout,
	    .dry_run = o->dry_run,
	    .flat_out = o->flat_out,
	};
	struct retention_summary sum = {0};
	int rc = o->erase != NULL ? retention_erase(&job, o->erase, &sum)
				  : retention_run(&job, &sum);

	retention_print(&sum, o->dry_run, stdout);
	return rc == 1 ? EXIT_DONE : EXIT_FAILED;
}

/* The component makes the database, and the first PUT the bodies. Made here,
 * they might belong to root, and a directory missing because its file system
 * is not mounted would pass for one from which everything has been removed. */
static bool
all_exist(const struct config *config)
{
	const char *paths[] = {
	    config->database, config->bodies, config->public};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (paths[i] != NULL && access(paths[i], F_OK) == -1) {
			log_error("%s: %s", paths[i], strerror(errno));
			return false;
		}
	}
	return true;
}

static enum exit_code
work(const struct options *o, const struct config *config)
{
	const struct walls walls = {.database = config->database,
	    .bodies = config->bodies,
	    .public = config->public};
	bool changes = !o->dry_run && (!o->fsck || o->repair);
	struct store *store = NULL;
	struct bodies *bodies = NULL;
	enum exit_code code = EXIT_FAILED;

	if ((o->repair && crypto_prepare() != 1) || !all_exist(config) ||
	    store_open(config->database, changes ? STORE_DURABLE : STORE_READ,
		config->busy_timeout, &store) != 1 ||
	    bodies_open(
		config->bodies, config->public, BODIES_NAMED, &bodies) != 1)
		goto out;
	walls_raise(config, &walls);
	code =
	    o->fsck ? check(o, store, bodies) : clean(o, config, store, bodies);
out:
	bodies_close(bodies);
	store_close(store);
	return code;
}

int
main(int argc, char **argv)
{
	struct config *config = NULL;
	struct options o;
	int code = parse_options(&o, argc, argv);

	if (code != -1)
		return code;
	log_open(PROGRAM, o.level, false);
	if (config_read(o.config_file, CONFIG_FOR_WEB, &config, stderr) != 1)
		return EXIT_USAGE;
	umask(007);               /* the group shares what SQLite makes */
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, no death */
	log_open(PROGRAM, o.level, config->syslog);
	code = work(&o, config);
	config_free(config);
	if (fflush(stdout) == EOF && code == EXIT_DONE) {
		log_error("standard output: %s", strerror(errno));
		code = EXIT_FAILED;
	}
	return code;
}
