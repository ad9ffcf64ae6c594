#include "component/disco.h"

#include <inttypes.h>
#include <stdio.h>

#include "component/answer.h"
#include "component/iq.h"
#include "component/namespaces.h"
#include "schema/config.h"

static const char *const features[] = {
    XMPP_NS_DISCO_INFO,
    XMPP_NS_DISCO_ITEMS,
    NS_PING,
    NS_VERSION,
    NS_UPLOAD,
    NS_UPLOAD_LEGACY,
    NS_UPLOAD_SIACS,
};

static void
add_feature(struct answer *answer, int query, const char *var)
{
	answer_add(answer, query, "feature", NULL);
	answer_set(answer, "var", var);
}

/* field: its var, type and value. */
static void
add_field(struct answer *answer, int form, const char *const *field)
{
	int element = answer_add(answer, form, "field", NULL);

	answer_set(answer, "var", field[0]);
	answer_set(answer, "type", field[1]);
	answer_add(answer, element, "value", NULL);
	answer_text(answer, field[2]);
}

static void
add_form(struct answer *answer, int query, const char *form_type,
    int64_t max_file_size)
{
	int form = answer_add(answer, query, "x", NS_DATA_FORM);
	char number[UNITS_TEXT_MAX];
	const char *const type[] = {"FORM_TYPE", "hidden", form_type};
	const char *const max[] = {"max-file-size", "text-single", number};

	snprintf(number, sizeof(number), "%" PRId64, max_file_size);
	answer_set(answer, "type", "result");
	add_field(answer, form, type);
	add_field(answer, form, max);
}

/* XEP-0363 section 5: one feature for each purpose. */
static void
add_purposes(struct answer *answer, int query, const struct limits *limits)
{
	for (int p = 0; p < PURPOSE_COUNT; p++) {
		char var[sizeof(NS_UPLOAD_PURPOSE) + 32];

		if (!limits[p].enabled)
			continue;
		snprintf(var, sizeof(var), "%s#%s", NS_UPLOAD_PURPOSE,
		    purpose_name((enum purpose)p));
		add_feature(answer, query, var);
	}
}

/* The form has one number for all purposes: that of messages, which nearly
 * every upload is; without them, of the first purpose that there is. */
static int64_t
announced_size(const struct config *config, const struct limits *limits)
{
	for (int p = 0; p < PURPOSE_COUNT; p++) {
		if (limits[p].enabled)
			return limits_max_file_size(config, &limits[p]);
	}
	return UNITS_NEVER;
}

/* Begins the answer. XEP-0030 section 3.2: a node is mirrored, and there is
 * nothing at any; servers take an empty one for none. ANSWER_NONE if refused.
 */
static int
add_query(const struct iq *iq, struct answer *answer, const char *ns)
{
	const char *node = xmpp_stanza_get_attribute(iq->child, "node");
	int query;

	if (node != NULL && *node != '\0') {
		answer_error(answer, "cancel", "item-not-found", NULL);
		return ANSWER_NONE;
	}
	query = answer_add(answer, ANSWER_IQ, "query", ns);
	if (node != NULL)
		answer_set(answer, "node", node);
	return query;
}

void
disco_info(const struct iq *iq, struct answer *answer)
{
	const struct config *config = iq->service->config;
	const struct rule *rule = limits_rule(config, iq->sender);
	bool admitted = rule != NULL && rule->deny == NULL;
	const struct limits *limits = admitted ? rule->limits : config->limits;
	int64_t max = announced_size(config, limits);
	int query = add_query(iq, answer, XMPP_NS_DISCO_INFO);

	if (query == ANSWER_NONE)
		return;
	answer_add(answer, query, "identity", NULL);
	answer_set(answer, "category", "store");
	answer_set(answer, "type", "file");
	answer_set(answer, "name", config->name);
	for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++)
		add_feature(answer, query, features[i]);
	if (admitted)
		add_purposes(answer, query, limits);
	if (max != UNITS_NEVER) {
		add_form(answer, query, NS_UPLOAD, max);
		add_form(answer, query, NS_UPLOAD_LEGACY, max);
	}
}

void
disco_items(const struct iq *iq, struct answer *answer)
{
	add_query(iq, answer, XMPP_NS_DISCO_ITEMS);
}
