#include "component/slot_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "component/answer.h"
#include "component/datetime.h"
#include "component/namespaces.h"
#include "component/refusal.h"
#include "component/slot_request.h"
#include "schema/units.h"

struct condition {
	const char *type;
	const char *name;
};

static const struct condition conditions[REFUSAL_COUNT] = {
    [REFUSAL_MALFORMED] = {"modify", "bad-request"},
    [REFUSAL_FORBIDDEN] = {"auth", "forbidden"},
    [REFUSAL_PURPOSE] = {"cancel", "feature-not-implemented"},
    [REFUSAL_TOO_LARGE] = {"modify", "not-acceptable"},
    [REFUSAL_FULL] = {"wait", "resource-constraint"},
    [REFUSAL_BROKEN] = {"wait", "internal-server-error"},
};

static const struct condition legacy_forbidden = {"cancel", "not-allowed"};

static bool
is_legacy(xmpp_stanza_t *request)
{
	return strcmp(xmpp_stanza_get_ns(request), NS_UPLOAD) != 0;
}

static void
add_url(struct answer *answer, int slot, const char *name, const char *url,
    bool legacy)
{
	answer_add(answer, slot, name, NULL);
	if (legacy)
		answer_text(answer, url);
	else
		answer_set(answer, "url", url);
}

void
slot_reply_granted(struct answer *answer, xmpp_stanza_t *request,
    const char *put_url, const char *get_url)
{
	int slot =
	    answer_add(answer, ANSWER_IQ, "slot", xmpp_stanza_get_ns(request));

	add_url(answer, slot, "put", put_url, is_legacy(request));
	add_url(answer, slot, "get", get_url, is_legacy(request));
}

static const char *const keys[] = {"filename", "size", "content-type"};
#define KEYS (sizeof(keys) / sizeof(*keys))

/* Rebuilt from what is known, so that nothing else of the stanza, and nothing
 * that is not XML, is sent back. */
static void
echo_request(struct answer *answer, xmpp_stanza_t *request)
{
	int echo = answer_add(
	    answer, ANSWER_IQ, "request", xmpp_stanza_get_ns(request));

	for (size_t i = 0; i < KEYS; i++) {
		const char *value = xmpp_stanza_get_attribute(request, keys[i]);

		if (value != NULL)
			answer_set(answer, keys[i], value);
	}
	for (size_t i = 0; i < KEYS; i++) {
		const char *value = slot_request_field(request, keys[i]);

		if (value == NULL ||
		    xmpp_stanza_get_attribute(request, keys[i]) != NULL)
			continue;
		answer_add(answer, echo, keys[i], NULL);
		answer_text(answer, value);
	}
}

static void
add_max_file_size(
    struct answer *answer, int error, const char *ns, int64_t bytes)
{
	int large = answer_add(answer, error, "file-too-large", ns);
	char number[UNITS_TEXT_MAX];

	snprintf(number, sizeof(number), "%" PRId64, bytes);
	answer_add(answer, large, "max-file-size", NULL);
	answer_text(answer, number);
}

static void
add_retry(struct answer *answer, int error, int64_t at)
{
	char stamp[DATETIME_TEXT_MAX];

	answer_add(answer, error, "retry", NS_UPLOAD);
	answer_set(answer, "stamp", datetime_format(at, stamp));
}

void
slot_reply_refused(struct answer *answer, xmpp_stanza_t *request,
    const struct refusal *refusal)
{
	bool legacy = is_legacy(request);
	const struct condition *condition = &conditions[refusal->kind];
	int error;

	if (legacy && refusal->kind == REFUSAL_FORBIDDEN)
		condition = &legacy_forbidden;
	echo_request(answer, request);
	error = answer_error(
	    answer, condition->type, condition->name, refusal->text);
	if (refusal->kind == REFUSAL_TOO_LARGE)
		add_max_file_size(answer, error, xmpp_stanza_get_ns(request),
		    refusal->max_file_size);
	if (!legacy && refusal->retry_at != UNITS_NEVER)
		add_retry(answer, error, refusal->retry_at);
}
