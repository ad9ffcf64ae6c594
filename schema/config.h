/*
 * The configuration: one INI file, one table of keys (config_keys), from
 * which reading, checking, printing (-n), the manual page's test and the
 * example file all follow. putslot.conf(5) describes it for people.
 */
#ifndef SCHEMA_CONFIG_H
#define SCHEMA_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "schema/limits.h"

#define CONFIG_DEFAULT_FILE "/etc/putslot/putslot.conf"

/* Who sends the bytes of a file, once the program has decided what to send. */
enum send_file {
	SEND_FILE_NO,               /* the program itself */
	SEND_FILE_X_ACCEL_REDIRECT, /* nginx */
	SEND_FILE_X_SENDFILE        /* lighttpd, Apache's mod_xsendfile */
};

struct config {
	/* [component] */
	char *jid;  /* of the component: "upload.example.org" */
	char *name; /* shown in service discovery */
	char *host; /* of the XMPP server, an address rather than a name */
	int64_t port;
	char *secret; /* shared with the XMPP server; NULL until needed */
	char *secret_file;

	/* [store] */
	char *database;       /* path of the SQLite file */
	char *bodies;         /* path of the directory of uploaded files */
	char *public;         /* of those the web server serves; NULL: none */
	int64_t busy_timeout; /* seconds to wait for a locked database */
	int64_t max_total;    /* bytes of all uploads together */
	int64_t min_free;     /* bytes that stay free on the bodies' disk */
	bool durable; /* wait for the disk before an upload is answered */

	/* [web] */
	char *put_url;       /* base of PUT URLs, ends in '/' */
	char *get_url;       /* base of GET URLs, ends in '/' */
	char *public_url;    /* the same for what lies in public; NULL: none */
	bool allow_http;     /* for tests and onion services */
	char *socket;        /* path; NULL: of -s, or inherited */
	int64_t socket_mode; /* permission bits, octal in the file */
	char *socket_group;  /* NULL: as created */
	/* requests under way at a time, at most */
	int64_t threads;
	int64_t read_timeout; /* seconds a client may stall in a body */
	char *incoming; /* directory of whole bodies from nginx, or NULL */
	enum send_file send_file;
	int64_t send_file_from; /* bytes; fewer the program sends itself */
	char *accel_url; /* path at nginx where the bodies lie, ends in '/' */
	int64_t max_cache_age; /* seconds, cap of Cache-Control's max-age */
	char *cors_origin;
	char *cors_methods;
	char *cors_headers;

	/* [timers], seconds */
	int64_t put_window;     /* after its slot, for a PUT to begin */
	int64_t upload_timeout; /* after that, for it to end */

	/* [log] */
	bool syslog;

	/* [walls] */
	bool landlock; /* keep away from files that are not ours */
	bool seccomp;  /* refuse system calls that are not ours */

	/* [purpose NAME] */
	struct limits limits[PURPOSE_COUNT];

	/* [rule NAME], [rule NAME PURPOSE], in the order of the file. Without
	 * any such section there is one, named "default", that lets the
	 * accounts of jid's parent domain upload and nobody else. */
	struct rule *rules;
	size_t rule_count;
};

/* Who reads the file: only the component needs, and may see, the secret. */
enum config_reader { CONFIG_FOR_COMPONENT, CONFIG_FOR_WEB };

/* The file to read where no option names one: $PUTSLOT_CONFIG, which CGI and
 * mod_fcgid can pass, or else CONFIG_DEFAULT_FILE. Empty counts as unset. */
const char *config_default_path(void);

/* Reads and checks the file. Every mistake is written to err as
 * "FILE:LINE: what is wrong" (without :LINE when it is about no one line);
 * all mistakes of a file are reported, not the first alone.
 * 1 read; 0 mistakes (*out is NULL); -1 the file could not be read or memory
 * ran out (said on err). The caller frees with config_free. */
int config_read(
    const char *path, enum config_reader, struct config **out, FILE *err);

/* Whether a new upload for that purpose goes to where the web server serves it
 * by itself. Ephemeral ones never do: their end is kept to the second, and a
 * web server does not look at the clock. */
bool config_is_public(const struct config *, enum purpose);

/* Frees everything; accepts NULL. */
void config_free(struct config *);

/* Prints the effective values in the file's own form, section by section, so
 * that the output read again gives the same configuration, but for a secret,
 * which is left out (secret_file is not). For -n. */
void config_print(const struct config *, FILE *out);

/* Prints one line for each key: section, key, type, default, help, separated
 * by tabs. For the tests of the manual page and the example file. */
void config_print_keys(FILE *out);

#endif
