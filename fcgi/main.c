/*
 * putslot.fcgi: takes the PUT of an upload slot and serves what was uploaded,
 * behind a web server, by FastCGI or CGI.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "fcgi/cgi.h"
#include "fcgi/http.h"
#include "fcgi/incoming.h"
#include "fcgi/readers.h"
#include "fcgi/server.h"
#include "fcgi/socket.h"
#include "fcgi/takedown.h"
#include "fcgi/writer.h"
#include "schema/config.h"
#include "schema/crypto.h"
#include "schema/log.h"
#include "schema/store.h"
#include "schema/walls.h"

#define PROGRAM "putslot.fcgi"

enum exit_code { EXIT_OK, EXIT_BROKEN, EXIT_USAGE };

struct options {
	const char *config_file;
	const char *socket; /* NULL: not given */
	enum log_level level;
	bool check_only;
};

static int
usage(void)
{
	fputs("usage: " PROGRAM " [-nVv] [-c FILE] [-s SOCKET]\n", stderr);
	return EXIT_USAGE;
}

/* -1: go on; else the exit code. */
static int
parse_options(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){.level = LOG_LEVEL_INFO};
	o->config_file = config_default_path();
	while ((c = getopt(argc, argv, "c:ns:Vv")) != -1)
		switch (c) {
		case 'c':
			o->config_file = optarg;
			break;
		case 'n':
			o->check_only = true;
			break;
		case 's':
			o->socket = optarg;
			break;
		case 'V':
			puts(PROGRAM " " PUTSLOT_VERSION);
			return EXIT_OK;
		case 'v':
			o->level = LOG_LEVEL_DEBUG;
			break;
		default:
			return usage();
		}
	return optind == argc ? -1 : usage();
}

/* Everything that takes more than the walls allow has been done. own: the path
 * of the socket that is to be removed at the end, or NULL. */
static void
raise_walls(const struct config *config, const char *own, bool daemon)
{
	const struct walls walls = {
	    .database = config->database,
	    .bodies = config->bodies,
	    .public = config->public,
	    .incoming = config->incoming,
	    .socket = own,
	    .daemon = daemon,
	};

	walls_raise(config, &walls);
}

/* own: as of raise_walls. */
static int
serve_on(const struct http_service *service, int listener, const char *own)
{
	struct takedown *takedown =
	    takedown_open(service->config, service->bodies);
	int rc;

	raise_walls(service->config, own, true);
	takedown_start(takedown);
	rc = server_run(listener, service);
	takedown_close(takedown);
	return rc;
}

static int
serve_inherited(const struct http_service *service, int listener)
{
	if (socket_is_unix(listener))
		return serve_on(service, listener, NULL);
	log_error("the socket that was passed is no UNIX socket: whoever can "
		  "connect can pose as the web server");
	return -1;
}

/* Serves on the socket that we were given, or on our own. */
static int
serve(const struct http_service *service, const char *path)
{
	const struct config *config = service->config;
	int inherited = socket_from_systemd();
	struct socket_file *own = NULL;
	int rc;

	if (inherited == -1 && path == NULL && socket_listens(STDIN_FILENO))
		inherited = STDIN_FILENO;
	if (inherited != -1)
		return serve_inherited(service, inherited);
	if (path == NULL)
		path = config->socket;
	if (path == NULL) {
		log_error("no socket: give one with -s, or in the section "
			  "[web] of the configuration");
		return -1;
	}
	rc = socket_listen(
	    path, (mode_t)config->socket_mode, config->socket_group, &own);
	if (rc == 1)
		rc = serve_on(service, socket_descriptor(own), path);
	socket_close(own);
	return rc;
}

static int
answer_cgi(struct http_service *service)
{
	raise_walls(service->config, NULL, false);
	cgi_answer(service, environ, STDIN_FILENO, STDOUT_FILENO);
	return 1;
}

/* Opens the directory of files that are handed over, if there is one. */
static int
open_incoming(struct http_service *service, bool cgi)
{
	const struct config *config = service->config;
	int64_t longest = config->put_window + config->upload_timeout;

	if (config->incoming == NULL)
		return 1;
	if (incoming_open(
		config->incoming, service->bodies, &service->incoming) != 1)
		return -1;
	/* what is older than twice that no upload writes to any more */
	if (cgi)
		return 1;
	return incoming_sweep(service->incoming, time(NULL) - 2 * longest) == -1
		   ? -1
		   : 1;
}

static int
open_bodies(
    const struct config *config, enum bodies_in_flight how, struct bodies **out)
{
	if (bodies_open(config->bodies, config->public, how, out) != 1)
		return -1;
	if (!config->durable)
		bodies_forgo_syncs(*out);
	return 1;
}

static int
open_writer(const struct config *config, struct writer **out)
{
	return writer_open(config->database,
	    config->durable ? STORE_DURABLE : STORE_GRANT, config->busy_timeout,
	    out);
}

/* Opens what a request may need, and serves. A CGI process that only reads is
 * spared half of its time: it needs no digest and, unless there is no database
 * yet, no handle that writes. 1 or -1. */
static int
run(const struct config *config, const struct options *o, bool cgi)
{
	struct http_service service = {.config = config};
	bool put = !cgi || cgi_is_put(environ);
	bool writes = put || access(config->database, F_OK) == -1;
	int rc = -1;

	if ((!put || crypto_prepare() == 1) &&
	    open_bodies(config, put ? BODIES_NAMELESS : BODIES_NAMED,
		&service.bodies) == 1 &&
	    (!put || open_incoming(&service, cgi) == 1) &&
	    (!writes || open_writer(config, &service.writer) == 1) &&
	    readers_open(config->database, config->busy_timeout,
		cgi ? 1 : (size_t)config->threads, &service.readers) == 1)
		rc = cgi ? answer_cgi(&service) : serve(&service, o->socket);
	readers_close(service.readers);
	writer_close(service.writer);
	incoming_close(service.incoming);
	bodies_close(service.bodies);
	return rc;
}

static void
prepare_process(void)
{
	umask(007); /* the group shares what SQLite and we make */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file too large is an error, no death */
}

int
main(int argc, char **argv)
{
	/* a listening standard input is a server's even when it was started
	 * from within a request of another */
	bool cgi = cgi_has_request(environ) && !socket_listens(STDIN_FILENO);
	struct config *config = NULL;
	struct options o;
	/* RFC 3875 section 4.4: under CGI the client's query may come as the
	 * command line */
	int code = parse_options(cgi ? 1 : argc, argv, &o);

	if (code != -1)
		return code;
	prepare_process();
	log_open(PROGRAM, o.level, false);
	if (config_read(o.config_file, CONFIG_FOR_WEB, &config, stderr) != 1) {
		if (cgi)
			cgi_fail(environ, STDIN_FILENO, STDOUT_FILENO);
		return EXIT_USAGE;
	}
	if (o.check_only) {
		config_print(config, stdout);
		code = EXIT_OK;
	} else {
		log_open(PROGRAM, o.level, config->syslog);
		code = run(config, &o, cgi) == 1 ? EXIT_OK : EXIT_BROKEN;
		if (cgi && code != EXIT_OK)
			cgi_fail(environ, STDIN_FILENO, STDOUT_FILENO);
	}
	config_free(config);
	return code;
}
