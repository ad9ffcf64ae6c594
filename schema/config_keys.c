#include "schema/config_keys.h"

#include <string.h>

#include "schema/config.h"
#include "schema/limits.h"
#include "schema/units.h"

#define SECOND INT64_C(1)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)

#define IN_CONFIG(member) offsetof(struct config, member)
#define IN_LIMITS(member) offsetof(struct limits, member)
#define IN_RULE(member) offsetof(struct rule, member)

/* clang-format off */
/* Two rows that differ in nothing but their purpose are one row. */
#define EACH(text) { text, text, text, text }

static const struct config_key keys[] = {
	{ .section = CONFIG_COMPONENT, .name = "jid",
	  .type = CONFIG_TYPE_DOMAIN, .offset = IN_CONFIG(jid),
	  .help = "address of the component, a domain" },
	{ .section = CONFIG_COMPONENT, .name = "name",
	  .type = CONFIG_TYPE_TEXT, .offset = IN_CONFIG(name),
	  .initial = "HTTP File Upload",
	  .help = "name that service discovery shows" },
	{ .section = CONFIG_COMPONENT, .name = "host",
	  .type = CONFIG_TYPE_TEXT, .offset = IN_CONFIG(host),
	  .initial = "127.0.0.1",
	  .help = "address of the XMPP server" },
	{ .section = CONFIG_COMPONENT, .name = "port",
	  .type = CONFIG_TYPE_NUMBER, .offset = IN_CONFIG(port),
	  .minimum = 1, .maximum = 65535, .initial = "5347",
	  .help = "its port for components" },
	{ .section = CONFIG_COMPONENT, .name = "secret",
	  .type = CONFIG_TYPE_SECRET, .offset = IN_CONFIG(secret),
	  .help = "secret shared with the XMPP server" },
	{ .section = CONFIG_COMPONENT, .name = "secret_file",
	  .type = CONFIG_TYPE_PATH, .offset = IN_CONFIG(secret_file),
	  .help = "file whose first line is the secret" },

	{ .section = CONFIG_STORE, .name = "database",
	  .type = CONFIG_TYPE_PATH, .offset = IN_CONFIG(database),
	  .initial = "/var/lib/putslot/putslot.db",
	  .help = "the SQLite database" },
	{ .section = CONFIG_STORE, .name = "bodies",
	  .type = CONFIG_TYPE_PATH, .offset = IN_CONFIG(bodies),
	  .initial = "/var/lib/putslot/bodies",
	  .help = "directory of the uploaded files" },
	{ .section = CONFIG_STORE, .name = "public",
	  .type = CONFIG_TYPE_PATH, .offset = IN_CONFIG(public),
	  .help = "directory of those that the web server serves itself" },
	{ .section = CONFIG_STORE, .name = "busy_timeout",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_CONFIG(busy_timeout),
	  .minimum = SECOND, .maximum = HOUR, .initial = "5s",
	  .help = "how long to wait for a locked database" },
	{ .section = CONFIG_STORE, .name = "max_total",
	  .type = CONFIG_TYPE_SIZE, .offset = IN_CONFIG(max_total),
	  .minimum = 1, .maximum = UNITS_NEVER, .initial = "unlimited",
	  .help = "most bytes of all uploads together" },
	{ .section = CONFIG_STORE, .name = "min_free",
	  .type = CONFIG_TYPE_SIZE, .offset = IN_CONFIG(min_free),
	  .minimum = 0, .maximum = UNITS_NEVER - 1, .initial = "256 MiB",
	  .help = "bytes that uploads leave free on the disk" },
	{ .section = CONFIG_STORE, .name = "durable",
	  .type = CONFIG_TYPE_BOOL, .offset = IN_CONFIG(durable),
	  .initial = "yes",
	  .help = "whether an upload that was answered survives a power cut" },

	{ .section = CONFIG_WEB, .name = "put_url",
	  .type = CONFIG_TYPE_URL, .offset = IN_CONFIG(put_url),
	  .help = "where uploads go; TOKEN/SECRET/NAME is appended" },
	{ .section = CONFIG_WEB, .name = "get_url",
	  .type = CONFIG_TYPE_URL, .offset = IN_CONFIG(get_url),
	  .help = "where downloads come from; put_url unless given" },
	{ .section = CONFIG_WEB, .name = "public_url",
	  .type = CONFIG_TYPE_URL, .offset = IN_CONFIG(public_url),
	  .help = "where the web server serves what lies in public" },
	{ .section = CONFIG_WEB, .name = "allow_http",
	  .type = CONFIG_TYPE_BOOL, .offset = IN_CONFIG(allow_http),
	  .initial = "no",
	  .help = "accept URLs without TLS, for tests and onion services" },
	{ .section = CONFIG_WEB, .name = "socket",
	  .type = CONFIG_TYPE_PATH, .offset = IN_CONFIG(socket),
	  .help = "FastCGI socket to create, instead of an inherited one" },
	{ .section = CONFIG_WEB, .name = "socket_mode",
	  .type = CONFIG_TYPE_MODE, .offset = IN_CONFIG(socket_mode),
	  .minimum = 0, .maximum = 0777, .initial = "0660",
	  .help = "its permissions, octal" },
	{ .section = CONFIG_WEB, .name = "socket_group",
	  .type = CONFIG_TYPE_TEXT, .offset = IN_CONFIG(socket_group),
	  .help = "its group, usually the web server's" },
	{ .section = CONFIG_WEB, .name = "threads",
	  .type = CONFIG_TYPE_NUMBER, .offset = IN_CONFIG(threads),
	  .minimum = 1, .maximum = 256, .initial = "64",
	  .help = "requests that are served at the same time" },
	{ .section = CONFIG_WEB, .name = "read_timeout",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_CONFIG(read_timeout),
	  .minimum = SECOND, .maximum = DAY, .initial = "60s",
	  .help = "how long a client may stall in a body" },
	{ .section = CONFIG_WEB, .name = "incoming",
	  .type = CONFIG_TYPE_PATH, .offset = IN_CONFIG(incoming),
	  .help = "directory in which nginx hands whole uploads over" },
	{ .section = CONFIG_WEB, .name = "send_file",
	  .type = CONFIG_TYPE_SEND_FILE, .offset = IN_CONFIG(send_file),
	  .initial = "no",
	  .help = "whether the web server sends the bytes of files" },
	{ .section = CONFIG_WEB, .name = "send_file_from",
	  .type = CONFIG_TYPE_SIZE, .offset = IN_CONFIG(send_file_from),
	  .minimum = 0, .maximum = UNITS_NEVER, .initial = "32 KiB",
	  .help = "from which size on the web server sends them" },
	{ .section = CONFIG_WEB, .name = "accel_url",
	  .type = CONFIG_TYPE_URL_PATH, .offset = IN_CONFIG(accel_url),
	  .initial = "/_putslot/",
	  .help = "nginx's internal location of the files" },
	{ .section = CONFIG_WEB, .name = "max_cache_age",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_CONFIG(max_cache_age),
	  .minimum = 0, .maximum = YEAR, .initial = "7d",
	  .help = "longest that caches may keep a file" },
	{ .section = CONFIG_WEB, .name = "cors_origin",
	  .type = CONFIG_TYPE_HEADER, .offset = IN_CONFIG(cors_origin),
	  .initial = "*",
	  .help = "Access-Control-Allow-Origin" },
	{ .section = CONFIG_WEB, .name = "cors_methods",
	  .type = CONFIG_TYPE_HEADER, .offset = IN_CONFIG(cors_methods),
	  .initial = "GET, HEAD, PUT, OPTIONS",
	  .help = "Access-Control-Allow-Methods" },
	{ .section = CONFIG_WEB, .name = "cors_headers",
	  .type = CONFIG_TYPE_HEADER, .offset = IN_CONFIG(cors_headers),
	  .initial = "Authorization, Content-Type",
	  .help = "Access-Control-Allow-Headers" },

	{ .section = CONFIG_TIMERS, .name = "put_window",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_CONFIG(put_window),
	  .minimum = SECOND, .maximum = DAY, .initial = "5m",
	  .help = "how long after its slot an upload may begin" },
	{ .section = CONFIG_TIMERS, .name = "upload_timeout",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_CONFIG(upload_timeout),
	  .minimum = SECOND, .maximum = 7 * DAY, .initial = "1h",
	  .help = "how long an upload that began in time may last" },

	{ .section = CONFIG_LOG, .name = "syslog",
	  .type = CONFIG_TYPE_BOOL, .offset = IN_CONFIG(syslog),
	  .initial = "no",
	  .help = "log to syslog instead of standard error" },

	{ .section = CONFIG_WALLS, .name = "landlock",
	  .type = CONFIG_TYPE_BOOL, .offset = IN_CONFIG(landlock),
	  .initial = "yes",
	  .help = "keep away from files that are not the program's" },
	{ .section = CONFIG_WALLS, .name = "seccomp",
	  .type = CONFIG_TYPE_BOOL, .offset = IN_CONFIG(seccomp),
	  .initial = "yes",
	  .help = "refuse system calls that it does not make" },

	{ .section = CONFIG_PURPOSE, .name = "enabled",
	  .type = CONFIG_TYPE_BOOL, .offset = IN_LIMITS(enabled),
	  .by_purpose = { "yes", "yes", "yes", "no" },
	  .help = "whether slots are given out" },
	{ .section = CONFIG_PURPOSE, .name = "max_file_size",
	  .type = CONFIG_TYPE_SIZE, .offset = IN_LIMITS(max_file_size),
	  .minimum = 1, .maximum = UNITS_NEVER,
	  /* 16: the tag of an encrypted file (OMEMO media sharing) */
	  .by_purpose = { "100 MiB + 16", "2 MiB + 16", "100 MiB + 16",
	      "100 MiB + 16" },
	  .help = "largest file" },
	{ .section = CONFIG_PURPOSE, .name = "retention",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_LIMITS(retention),
	  .minimum = SECOND, .maximum = UNITS_NEVER,
	  .by_purpose = { "30d", "never", "7d", "never" },
	  .help = "how long after its slot a file is kept" },
	{ .section = CONFIG_PURPOSE, .name = "bytes_per_user",
	  .type = CONFIG_TYPE_SIZE, .offset = IN_LIMITS(bytes_per_user),
	  .minimum = 1, .maximum = UNITS_NEVER,
	  .by_purpose = { "unlimited", "20 MiB", "unlimited", "1 GiB" },
	  .help = "most bytes that one user keeps" },
	{ .section = CONFIG_PURPOSE, .name = "files_per_user",
	  .type = CONFIG_TYPE_COUNT, .offset = IN_LIMITS(files_per_user),
	  .minimum = 1, .maximum = UNITS_NEVER,
	  .by_purpose = { "unlimited", "40", "unlimited", "unlimited" },
	  .help = "most files that one user keeps" },
	{ .section = CONFIG_PURPOSE, .name = "window",
	  .type = CONFIG_TYPE_DURATION, .offset = IN_LIMITS(window),
	  .minimum = SECOND, .maximum = YEAR, .by_purpose = EACH("1h"),
	  .help = "the time over which the next two are counted" },
	{ .section = CONFIG_PURPOSE, .name = "slots_per_window",
	  .type = CONFIG_TYPE_COUNT, .offset = IN_LIMITS(slots_per_window),
	  .minimum = 1, .maximum = UNITS_NEVER,
	  .by_purpose = { "200", "20", "200", "50" },
	  .help = "most slots for one user within the window" },
	{ .section = CONFIG_PURPOSE, .name = "bytes_per_window",
	  .type = CONFIG_TYPE_SIZE, .offset = IN_LIMITS(bytes_per_window),
	  .minimum = 1, .maximum = UNITS_NEVER,
	  .by_purpose = EACH("unlimited"),
	  .help = "most bytes for one user within the window" },
	{ .section = CONFIG_PURPOSE, .name = "when_full",
	  .type = CONFIG_TYPE_WHEN_FULL, .offset = IN_LIMITS(when_full),
	  .by_purpose = { "refuse", "make room", "refuse", "refuse" },
	  .help = "what happens when a per-user limit is reached" },

	{ .section = CONFIG_RULE, .name = "match",
	  .type = CONFIG_TYPE_PATTERNS, .offset = IN_RULE(patterns),
	  .help = "whom the rule is about" },
	{ .section = CONFIG_RULE, .name = "deny",
	  .type = CONFIG_TYPE_TEXT, .offset = IN_RULE(deny),
	  .help = "refuse them with this text" },

	{ .name = NULL }
};
/* clang-format on */

/* Longer than any name; longer ones are not misspellings of any. */
#define GUESS_MAX 32

const struct config_key *
config_keys_all(void)
{
	return keys;
}

static int
belongs(const struct config_key *key, enum config_section section)
{
	return key->section == section ||
	       (key->section == CONFIG_PURPOSE && section == CONFIG_RULE);
}

const struct config_key *
config_keys_find(enum config_section section, const char *name)
{
	for (const struct config_key *k = keys; k->name != NULL; k++)
		if (belongs(k, section) && strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, row by row; b is shorter than GUESS_MAX. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[GUESS_MAX + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			size_t above = row[j + 1];
			size_t replaced = diagonal + (a[i] != b[j]);

			row[j + 1] = least(replaced, least(above, row[j]) + 1);
			diagonal = above;
		}
	}
	return row[len];
}

const char *
config_keys_guess(enum config_section section, const char *name)
{
	const char *best = NULL;
	size_t best_distance = 3;

	if (strlen(name) >= GUESS_MAX)
		return NULL;
	for (const struct config_key *k = keys; k->name != NULL; k++) {
		size_t d = distance(k->name, name);

		/* "x" is not what became of "jid" */
		if (belongs(k, section) && d < best_distance &&
		    d < strlen(name)) {
			best = k->name;
			best_distance = d;
		}
	}
	return best;
}

const char *
config_keys_section_name(enum config_section section)
{
	static const char *const names[CONFIG_SECTION_COUNT] = {
	    [CONFIG_COMPONENT] = "component",
	    [CONFIG_STORE] = "store",
	    [CONFIG_WEB] = "web",
	    [CONFIG_TIMERS] = "timers",
	    [CONFIG_LOG] = "log",
	    [CONFIG_WALLS] = "walls",
	    [CONFIG_PURPOSE] = "purpose",
	    [CONFIG_RULE] = "rule",
	};

	return names[section];
}
