/*
 * putslot-component: asks for slots come in over XMPP, and go into the store.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "component/disk.h"
#include "component/link.h"
#include "schema/config.h"
#include "schema/crypto.h"
#include "schema/log.h"
#include "schema/store.h"
#include "schema/walls.h"

enum { EXIT_BROKEN = 1, EXIT_MISTAKE = 2 };

struct options {
	const char *file;
	bool check_only;
	enum log_level level;
};

static int
usage(void)
{
	fputs("usage: putslot-component [-nVv] [-c FILE]\n", stderr);
	return EXIT_MISTAKE;
}

/* -1: go on; else the process is over with that exit code. */
static int
read_options(int argc, char **argv, struct options *options)
{
	int c;

	options->file = config_default_path();
	options->check_only = false;
	options->level = LOG_LEVEL_INFO;
	while ((c = getopt(argc, argv, "c:nVv")) != -1) {
		switch (c) {
		case 'c':
			options->file = optarg;
			break;
		case 'n':
			options->check_only = true;
			break;
		case 'V':
			puts("putslot-component " PUTSLOT_VERSION);
			return 0;
		case 'v':
			options->level = LOG_LEVEL_DEBUG;
			break;
		default:
			return usage();
		}
	}
	return optind < argc ? usage() : -1;
}

static void
warn_about_disk(const struct config *config, const char *path)
{
	if (path != NULL && disk_room(path, config->min_free) < 0)
		log_warn("%s: %s: min_free is left to the web side", path,
		    strerror(errno));
}

static bool
is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

/* Of the bodies it asks for the room alone, which no wall hides. */
static void
raise_walls(const struct config *config)
{
	const struct walls walls = {
	    .database = config->database,
	    .port = config->port,
	    .resolves = !is_address(config->host),
	    .daemon = true,
	};

	walls_raise(config, &walls);
}

static int
serve(const struct config *config)
{
	struct store *store = NULL;
	struct link *link = NULL;
	int rc = EXIT_BROKEN;

	if (crypto_prepare() < 0 || store_open(config->database, STORE_GRANT,
					config->busy_timeout, &store) < 0)
		goto out;
	warn_about_disk(config, config->bodies);
	warn_about_disk(config, config->public);
	if (link_open(config, store, &link) < 0)
		goto out;
	raise_walls(config);
	if (link_run(link) == 1)
		rc = 0;
out:
	link_close(link);
	store_close(store);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct config *config = NULL;
	int rc = read_options(argc, argv, &options);

	if (rc >= 0)
		return rc;
	if (config_read(options.file, CONFIG_FOR_COMPONENT, &config, stderr) !=
	    1)
		return EXIT_MISTAKE;
	if (options.check_only) {
		config_print(config, stdout);
		rc = 0;
	} else {
		umask(007); /* the group shares what SQLite makes */
		signal(SIGXFSZ, SIG_IGN); /* an error, no death */
		log_open("putslot-component", options.level, config->syslog);
		rc = serve(config);
	}
	config_free(config);
	return rc;
}
