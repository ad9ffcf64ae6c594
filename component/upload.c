#include "component/upload.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "component/answer.h"
#include "component/datetime.h"
#include "component/disk.h"
#include "component/iq.h"
#include "component/refusal.h"
#include "component/slot_reply.h"
#include "component/slot_request.h"
#include "component/url.h"
#include "schema/config.h"
#include "schema/log.h"

/* Which limits apply to this user and purpose; 0 if none, as refused. */
static int
find_limits(const struct iq *iq, enum purpose purpose,
    const struct limits **out, struct refusal *refusal)
{
	const struct rule *rule = limits_rule(iq->service->config, iq->sender);

	if (rule == NULL)
		return refusal_make(refusal, REFUSAL_FORBIDDEN,
		    "You may not upload files here.");
	if (rule->deny != NULL)
		return refusal_make(
		    refusal, REFUSAL_FORBIDDEN, "%s", rule->deny);
	*out = &rule->limits[purpose];
	if (!(*out)->enabled)
		return refusal_make(refusal, REFUSAL_PURPOSE,
		    "Uploads for the purpose '%s' are not offered to you.",
		    purpose_name(purpose));
	return 1;
}

/* Whether the file could ever be taken. */
static int
check_size(const struct config *config, const struct limits *limits,
    int64_t size, struct refusal *refusal)
{
	int64_t max = limits_max_file_size(config, limits);

	if (size <= max)
		return 1;
	/* The words of listing 11. */
	refusal_make(refusal, REFUSAL_TOO_LARGE,
	    "File too large. The maximum file size is %" PRId64 " bytes.", max);
	refusal->max_file_size = max;
	return 0;
}

static int64_t
measure(const struct config *config, const char *directory)
{
	int64_t room = disk_room(directory, config->min_free);

	/* A disk that cannot be seen was warned about at start. */
	return room < 0 ? UNITS_NEVER : room;
}

struct upload_room
upload_room(const struct config *config)
{
	struct upload_room room = {measure(config, config->bodies), 0};

	if (config->public != NULL)
		room.public = measure(config, config->public);
	return room;
}

/* "1 hour", "90 minutes": the largest unit that divides it. */
static void
describe_window(int64_t seconds, char *buf, size_t len)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {
	    {86400, "day"},
	    {3600, "hour"},
	    {60, "minute"},
	    {1, "second"},
	};
	size_t i = 0;
	int64_t n;

	while (seconds % units[i].seconds != 0)
		i++;
	n = seconds / units[i].seconds;
	snprintf(
	    buf, len, "%" PRId64 " %s%s", n, units[i].name, n == 1 ? "" : "s");
}

static void
say_bytes(const struct grant_request *grant, const struct grant_result *result,
    const char *period, struct refusal *refusal)
{
	char used[UNITS_TEXT_MAX], allowed[UNITS_TEXT_MAX];

	units_describe_size(result->used, used, sizeof(used));
	units_describe_size(result->allowed, allowed, sizeof(allowed));
	refusal_make(refusal, REFUSAL_FULL,
	    "Quota reached. You have used %s of %s for '%s' uploads%s", used,
	    allowed, purpose_name(grant->purpose), period);
}

static void
say_number(const struct grant_request *grant, const struct grant_result *result,
    const char *period, struct refusal *refusal)
{
	refusal_make(refusal, REFUSAL_FULL,
	    "Quota reached. You have %s %" PRId64 " of %" PRId64
	    " '%s' uploads%s",
	    result->verdict == GRANT_SLOTS_PER_WINDOW ? "requested" : "stored",
	    result->used, result->allowed, purpose_name(grant->purpose),
	    period);
}

/* Ends the sentence with the time at which a new request would fit. */
static void
say_when(int64_t retry_at, struct refusal *refusal)
{
	size_t len = strlen(refusal->text);
	char stamp[DATETIME_TEXT_MAX];

	refusal->retry_at = retry_at;
	if (retry_at == UNITS_NEVER)
		snprintf(refusal->text + len, sizeof(refusal->text) - len, ".");
	else
		snprintf(refusal->text + len, sizeof(refusal->text) - len,
		    "; there is room for this file at %s.",
		    datetime_format(retry_at, stamp));
}

static void
explain(const struct grant_request *grant, const struct grant_result *result,
    struct refusal *refusal)
{
	char window[UNITS_TEXT_MAX];
	char period[UNITS_TEXT_MAX + 8];

	describe_window(grant->limits->window, window, sizeof(window));
	snprintf(period, sizeof(period), " in %s", window);
	switch (result->verdict) {
	case GRANT_FILES_PER_USER:
		say_number(grant, result, "", refusal);
		break;
	case GRANT_SLOTS_PER_WINDOW:
		say_number(grant, result, period, refusal);
		break;
	case GRANT_BYTES_PER_USER:
		say_bytes(grant, result, "", refusal);
		break;
	case GRANT_BYTES_PER_WINDOW:
		say_bytes(grant, result, period, refusal);
		break;
	case GRANT_DISK:
		refusal_make(refusal, REFUSAL_FULL,
		    "The service is short of disk space. Please try again "
		    "later");
		break;
	default:
		refusal_make(refusal, REFUSAL_FULL,
		    "The service is full. Please try again later");
		break;
	}
	say_when(result->retry_at, refusal);
}

static struct grant_request
describe_grant(const struct iq *iq, const struct limits *limits)
{
	const struct config *config = iq->service->config;
	const struct slot_request *request = &iq->upload.request;

	return (struct grant_request){
	    .owner = iq->sender,
	    .purpose = request->purpose,
	    .file_name = request->file_name,
	    .content_type = request->content_type,
	    .size = request->size,
	    .expire_before = request->expire_before,
	    .now = iq->now,
	    .put_window = config->put_window,
	    .upload_timeout = config->upload_timeout,
	    .max_total = config->max_total,
	    .room = config_is_public(config, request->purpose)
			? iq->upload.room.public
			: iq->upload.room.bodies,
	    .limits = limits,
	};
}

static void
refuse_broken(struct upload *upload)
{
	refusal_make(&upload->refusal, REFUSAL_BROKEN,
	    "The service has a problem. Please try again later.");
}

/* Asks the store, which decides on all that is counted. */
static void
ask_store(struct iq *iq, const struct limits *limits)
{
	struct upload *upload = &iq->upload;
	const struct grant_request grant = describe_grant(iq, limits);
	int rc = store_grant(iq->service->store, &grant, &upload->result);

	upload->asked = true;
	upload->granted = rc == 1;
	if (rc == 0)
		explain(&grant, &upload->result, &upload->refusal);
	else if (rc < 0)
		refuse_broken(upload);
}

void
upload_decide(struct iq *iq)
{
	struct upload *upload = &iq->upload;
	const struct limits *limits = NULL;

	upload->asked = false;
	upload->granted = false;
	if (slot_request_parse(
		iq->child, iq->now, &upload->request, &upload->refusal) &&
	    find_limits(
		iq, upload->request.purpose, &limits, &upload->refusal) &&
	    check_size(iq->service->config, limits, upload->request.size,
		&upload->refusal))
		ask_store(iq, limits);
}

void
upload_retract(struct iq *iq)
{
	if (!iq->upload.asked)
		return;
	iq->upload.granted = false;
	refuse_broken(&iq->upload);
}

static void
log_grant(const struct iq *iq)
{
	const struct grant_result *result = &iq->upload.result;
	const char *purpose = purpose_name(iq->upload.request.purpose);

	log_info("slot %" PRId64 " granted to %s: %s, %" PRId64 " bytes",
	    result->id, iq->sender, purpose, iq->upload.request.size);
	if (result->evicted_files > 0)
		log_info("slot %" PRId64 ": %" PRId64 " older uploads (%" PRId64
			 " bytes) of %s removed, to make room within the "
			 "limits of '%s'",
		    result->id, result->evicted_files, result->evicted_bytes,
		    iq->sender, purpose);
}

static void
reply_granted(const struct iq *iq, struct answer *answer)
{
	const struct config *config = iq->service->config;
	const struct slot_request *request = &iq->upload.request;
	const struct grant_result *result = &iq->upload.result;
	char *put = url_put(
	    config->put_url, result->token, result->secret, request->file_name);
	char *get =
	    config_is_public(config, request->purpose)
		? url_public(
		      config->public_url, result->token, request->file_name)
		: url_get(config->get_url, result->token, request->file_name);

	if (put != NULL && get != NULL)
		slot_reply_granted(answer, iq->child, put, get);
	else
		answer_break(answer);
	free(put);
	free(get);
}

void
upload_answer(const struct iq *iq, struct answer *answer)
{
	const struct refusal *refusal = &iq->upload.refusal;

	if (iq->upload.granted) {
		log_grant(iq);
		reply_granted(iq, answer);
	} else {
		log_info("slot refused to %s: %s", iq->sender, refusal->text);
		slot_reply_refused(answer, iq->child, refusal);
	}
}
