/*
 * Stanzas of every shape, to the component that answers them. Input: one
 * stanza, as XML.
 */
#include "component/iq.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "component/jid.h"
#include "component/namespaces.h"
#include "fcgi/http.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/text.h"
#include "tests/fuzz/directory.h"
#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1790000000) /* 2026-09-21 14:13:20 UTC */
#define JID "upload.montague.tld"

/* Users who have reached a limit, for every purpose. */
static const struct {
	const char *rule, *limit;
} full[] = {
    {"files", "files_per_user = 1"},
    {"bytes", "bytes_per_user = 10"},
    {"slots", "slots_per_window = 1"},
    {"window", "bytes_per_window = 10"},
};
#define FULL (sizeof(full) / sizeof(*full))

static struct service service;
static xmpp_ctx_t *context;

/* ---- the service ---- */

/* Rules of every kind, so that there are all kinds of answers. */
static void
write_config(const char *path)
{
	FILE *file = fopen(path, "we");

	FUZZ_CLAIM(file != NULL && fchmod(fileno(file), 0600) == 0);
	fprintf(file,
	    "[component]\njid = " JID "\nsecret = s\n"
	    "[web]\nput_url = https://up.montague.tld/put/\n"
	    "get_url = https://down.montague.tld/\n"
	    "[store]\ndatabase = %s/db\nbodies = %s\n"
	    "[purpose profile]\nmax_file_size = 1000\n"
	    "[rule denied]\nmatch = @denied.tld\ndeny = \"No\" & <never>\n"
	    "[rule all]\nmatch = @montague.tld montague.tld\n",
	    directory_path, directory_path);
	for (size_t i = 0; i < FULL; i++)
		fprintf(file,
		    "[rule %s]\nmatch = %s@full.tld\n%s\n"
		    "enabled = yes\nwhen_full = refuse\n",
		    full[i].rule, full[i].rule, full[i].limit);
	FUZZ_CLAIM(fclose(file) == 0);
}

/* The answer to a stanza, to be released, or NULL. */
static xmpp_stanza_t *
reply_to(xmpp_stanza_t *stanza)
{
	static struct iq iq; /* large */

	if (iq_read(&iq, &service, NOW, stanza) != 1)
		return NULL;
	iq.upload.room = upload_room(service.config);
	iq_decide(&iq);
	char *text = iq_answer(&iq);
	xmpp_stanza_t *reply =
	    text != NULL ? xmpp_stanza_new_from_string(context, text) : NULL;
	FUZZ_CLAIM(text != NULL && text_is_utf8(text) && reply != NULL);
	free(text);
	return reply;
}

/* The answer to one stanza in text, to be released, or NULL. */
static xmpp_stanza_t *
ask(const char *text)
{
	xmpp_stanza_t *stanza = xmpp_stanza_new_from_string(context, text);

	FUZZ_CLAIM(stanza != NULL);
	xmpp_stanza_t *answer = reply_to(stanza);
	xmpp_stanza_release(stanza);
	return answer;
}

static void
fill_quota(const char *user, enum purpose purpose)
{
	char text[500];
	xmpp_stanza_t *answer;

	snprintf(text, sizeof(text),
	    "<iq from='%s@full.tld' type='get' id='a'>"
	    "<request xmlns='" NS_UPLOAD "' filename='a' size='10'>"
	    "<%s xmlns='" NS_UPLOAD_PURPOSE
	    "' expire-before='2030-01-01T00:00:00Z'/></request></iq>",
	    user, purpose_name(purpose));
	answer = ask(text);
	FUZZ_CLAIM(strcmp(xmpp_stanza_get_type(answer), "result") == 0);
	xmpp_stanza_release(answer);
}

static void
release_context(void)
{
	xmpp_ctx_free(context);
}

static void
set_up(void)
{
	static struct config *config; /* stays */
	char path[250];

	directory_make();
	log_open("fuzz", LOG_LEVEL_ERROR, false);
	snprintf(path, sizeof(path), "%s/conf", directory_path);
	write_config(path);
	FUZZ_CLAIM(
	    config_read(path, CONFIG_FOR_COMPONENT, &config, stderr) == 1);
	context = xmpp_ctx_new(NULL, NULL);
	FUZZ_CLAIM(context != NULL && atexit(release_context) == 0);
	service.config = config;
	FUZZ_CLAIM(store_open(config->database, STORE_GRANT,
		       config->busy_timeout, &service.store) == 1);
	for (size_t i = 0; i < FULL; i++)
		for (int p = 0; p < PURPOSE_COUNT; p++)
			fill_quota(full[i].rule, (enum purpose)p);
}

/* ---- the answer ---- */

static bool
same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether read is what an XML parser makes of the attribute's value written.
 * libstrophe writes the end of a line as it is, and who reads it takes it for
 * a blank (XML 1.0 sections 2.11 and 3.3.3). */
static bool
reads_as(const char *written, const char *read)
{
	if (!written || !read)
		return written == read;
	for (; *written && *read; written++, read++) {
		if (strncmp(written, "\r\n", 2) == 0)
			written++;
		if (*written != *read &&
		    (!strchr("\t\r\n", *written) || *read != ' '))
			return false;
	}
	return *written == *read;
}

/* RFC 6120 section 8.2.3, and jid_bare's word on who can be answered. */
static bool
must_be_answered(xmpp_stanza_t *stanza)
{
	const char *type = xmpp_stanza_get_type(stanza);
	const char *from = xmpp_stanza_get_from(stanza);
	char bare[STORE_OWNER_MAX + 1];

	return same(xmpp_stanza_get_name(stanza), "iq") &&
	       !same(type, "result") && !same(type, "error") && from &&
	       jid_bare(from, bare) == 1;
}

/* Section 8.3.2: an error has a type and a condition. */
static void
check_error(xmpp_stanza_t *answer)
{
	static const char *const types[] = {"cancel", "modify", "auth", "wait"};
	xmpp_stanza_t *error = xmpp_stanza_get_child_by_name(answer, "error");
	bool known = false;

	FUZZ_CLAIM(error != NULL);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		known = known || same(xmpp_stanza_get_attribute(error, "type"),
				     types[i]);
	FUZZ_CLAIM(known);
	FUZZ_CLAIM(same(xmpp_stanza_get_ns(xmpp_stanza_get_children(error)),
	    XMPP_NS_STANZAS_IETF));
}

/* What is sent is XML, and whoever reads it reads what was meant. */
static void
check_text(xmpp_stanza_t *answer)
{
	static const char *const keys[] = {"type", "from", "to", "id"};
	char *text = NULL;
	size_t len;

	FUZZ_CLAIM(xmpp_stanza_to_text(answer, &text, &len) == XMPP_EOK);
	FUZZ_CLAIM(text_is_utf8(text));
	xmpp_stanza_t *again = xmpp_stanza_new_from_string(context, text);
	FUZZ_CLAIM(again != NULL);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		FUZZ_CLAIM(reads_as(xmpp_stanza_get_attribute(answer, keys[i]),
		    xmpp_stanza_get_attribute(again, keys[i])));
	xmpp_stanza_release(again);
	xmpp_free(context, text);
}

/* ---- a slot ---- */

/* The URL in <put/> or <get/>, in either form, to be freed. */
static char *
read_url(xmpp_stanza_t *slot, const char *name)
{
	xmpp_stanza_t *element = xmpp_stanza_get_child_by_name(slot, name);

	FUZZ_CLAIM(element != NULL);
	const char *url = xmpp_stanza_get_attribute(element, "url");
	if (url == NULL)
		url =
		    xmpp_stanza_get_text_ptr(xmpp_stanza_get_children(element));
	FUZZ_CLAIM(url != NULL);
	return fuzz_string(url, strlen(url));
}

/* The web side reads the URL as the one it is. */
static void
parse_url(xmpp_stanza_t *slot, const char *name, struct http_request *request)
{
	char *url = read_url(slot, name);
	char *params[] = {NULL, NULL};

	FUZZ_CLAIM(strncmp(url, "https://", 8) == 0);
	FUZZ_CLAIM(asprintf(&params[0], "REQUEST_URI=%s", url) >= 0);
	request->params = params;
	http_parse(request);
	request->params = NULL;
	free(params[0]);
	free(url);
}

/* Whether the rules give this owner a slot. Patterns match without regard to
 * case, and addresses come prepared from the server: a user of other letters
 * would be another one, who has reached no limit. */
static bool
is_admitted(const char *owner)
{
	for (size_t i = 0; i < FULL; i++) {
		char user[50];

		snprintf(user, sizeof(user), "%s@full.tld", full[i].rule);
		if (limits_pattern_matches(user, owner))
			return strcmp(user, owner) != 0;
	}
	return strcmp(owner, "montague.tld") == 0 ||
	       limits_pattern_matches("@montague.tld", owner);
}

/* The row that was granted is fit for what will be made of it. */
static void
check_row(const struct slot *row, const char *owner)
{
	FUZZ_CLAIM(strcmp(row->owner, owner) == 0);
	FUZZ_CLAIM(is_admitted(owner));
	FUZZ_CLAIM(row->size > 0 && row->stored_at == 0);
	FUZZ_CLAIM(*row->file_name && text_is_clean(row->file_name));
	FUZZ_CLAIM(strchr(row->file_name, '/') == NULL);
	FUZZ_CLAIM(!*row->content_type || media_type_valid(row->content_type));
	FUZZ_CLAIM(row->put_expires_at > NOW && row->expires_at > NOW);
	FUZZ_CLAIM(row->put_ends_at <= row->expires_at);
}

/* Forgets the owner, so that the next input finds the same service. */
static void
erase(const char *owner)
{
	char tokens[1][TOKEN_LEN + 1];

	FUZZ_CLAIM(store_erase(service.store, owner, 10) == 1);
	FUZZ_CLAIM(store_erase(service.store, owner, 10) == 0);
	FUZZ_CLAIM(store_doomed(service.store, "", tokens, 1) == 1);
	FUZZ_CLAIM(store_forget(service.store, tokens, 1) == 1);
}

static void
check_slot(xmpp_stanza_t *element, const char *from)
{
	struct http_request put = {0}, get = {0};
	char owner[STORE_OWNER_MAX + 1];
	struct slot row;

	parse_url(element, "put", &put);
	parse_url(element, "get", &get);
	FUZZ_CLAIM(put.target == HTTP_TARGET_PUT_URL);
	FUZZ_CLAIM(get.target == HTTP_TARGET_GET_URL);
	FUZZ_CLAIM(strcmp(put.token, get.token) == 0);
	FUZZ_CLAIM(store_find(service.store, put.token, &row) == 1);
	FUZZ_CLAIM(strcmp(row.secret, put.secret) == 0);
	FUZZ_CLAIM(jid_bare(from, owner) == 1);
	check_row(&row, owner);
	erase(owner);
}

static void
check_answer(xmpp_stanza_t *answer, xmpp_stanza_t *stanza)
{
	const char *type = xmpp_stanza_get_type(answer);
	xmpp_stanza_t *slot = xmpp_stanza_get_child_by_name(answer, "slot");

	FUZZ_CLAIM(same(xmpp_stanza_get_name(answer), "iq"));
	FUZZ_CLAIM(
	    same(xmpp_stanza_get_to(answer), xmpp_stanza_get_from(stanza)));
	FUZZ_CLAIM(
	    same(xmpp_stanza_get_id(answer), xmpp_stanza_get_id(stanza)));
	FUZZ_CLAIM(jid_is_at(xmpp_stanza_get_from(answer), JID));
	check_text(answer);
	if (same(type, "error"))
		check_error(answer);
	else
		FUZZ_CLAIM(same(type, "result"));
	FUZZ_CLAIM(slot == NULL || same(type, "result"));
	if (slot != NULL)
		check_slot(slot, xmpp_stanza_get_from(stanza));
}

static void
check(const char *text)
{
	xmpp_stanza_t *stanza = xmpp_stanza_new_from_string(context, text);

	if (stanza == NULL)
		return;
	xmpp_stanza_t *answer = reply_to(stanza);
	FUZZ_CLAIM((answer != NULL) == must_be_answered(stanza));
	if (answer != NULL) {
		check_answer(answer, stanza);
		xmpp_stanza_release(answer);
	}
	xmpp_stanza_release(stanza);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	if (service.store == NULL)
		set_up();
	check(text);
	free(text);
	return 0;
}
