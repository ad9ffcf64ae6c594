#include "component/slot_request.h"

#include <stdbool.h>
#include <string.h>

#include "component/datetime.h"
#include "component/file_name.h"
#include "component/namespaces.h"
#include "component/refusal.h"
#include "schema/units.h"

/* The text of an element that holds nothing else; the parser joins pieces. */
static const char *
only_text(xmpp_stanza_t *element)
{
	xmpp_stanza_t *child = xmpp_stanza_get_children(element);

	if (child == NULL)
		return "";
	if (!xmpp_stanza_is_text(child) || xmpp_stanza_get_next(child) != NULL)
		return NULL;
	return xmpp_stanza_get_text_ptr(child);
}

const char *
slot_request_field(xmpp_stanza_t *element, const char *key)
{
	const char *value = xmpp_stanza_get_attribute(element, key);
	const char *ns = xmpp_stanza_get_ns(element);
	xmpp_stanza_t *child;

	if (value != NULL || ns == NULL)
		return value;
	child = xmpp_stanza_get_child_by_name_and_ns(element, key, ns);
	return child != NULL ? only_text(child) : NULL;
}

static int
read_file(xmpp_stanza_t *element, struct slot_request *request,
    struct refusal *refusal)
{
	const char *name = slot_request_field(element, "filename");
	const char *size = slot_request_field(element, "size");
	const char *type = slot_request_field(element, "content-type");
	int rc = name != NULL ? file_name_make(name, request->file_name) : 0;

	if (rc < 0)
		return refusal_make(refusal, REFUSAL_BROKEN,
		    "The service is out of memory. Please try again later.");
	if (rc == 0)
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "The request needs a filename, in UTF-8.");
	if (size == NULL || !units_parse_number(size, &request->size) ||
	    request->size == 0)
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "The request needs a size: a positive decimal number of "
		    "bytes.");
	request->content_type = type != NULL && *type != '\0' ? type : NULL;
	if (request->content_type != NULL && !media_type_valid(type))
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "The content-type is not a media type.");
	return 1;
}

/* Section 5.3: the file MUST NOT be available after that time. */
static int
read_expire_before(xmpp_stanza_t *element, int64_t now, int64_t *expire_before,
    struct refusal *refusal)
{
	const char *stamp = xmpp_stanza_get_attribute(element, "expire-before");

	if (stamp == NULL)
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "An ephemeral upload needs an expire-before.");
	if (!datetime_parse(stamp, expire_before))
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "The expire-before is not a DateTime of XEP-0082, such as "
		    "2030-01-31T23:59:59Z.");
	if (*expire_before <= now)
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "The expire-before is not in the future.");
	return 1;
}

static bool
is_purpose(xmpp_stanza_t *child)
{
	const char *ns =
	    xmpp_stanza_is_tag(child) ? xmpp_stanza_get_ns(child) : NULL;

	return ns != NULL && strcmp(ns, NS_UPLOAD_PURPOSE) == 0;
}

/* Finds the one purpose element: NULL if there is none, or if there is
 * another, which *more then says. */
static xmpp_stanza_t *
find_purpose(xmpp_stanza_t *element, bool *more)
{
	xmpp_stanza_t *found = NULL;
	xmpp_stanza_t *child = xmpp_stanza_get_children(element);

	*more = false;
	for (; child != NULL; child = xmpp_stanza_get_next(child)) {
		if (!is_purpose(child))
			continue;
		*more = found != NULL;
		if (*more)
			return NULL;
		found = child;
	}
	return found;
}

static int
read_purpose(xmpp_stanza_t *element, int64_t now, struct slot_request *request,
    struct refusal *refusal)
{
	bool more;
	xmpp_stanza_t *purpose = find_purpose(element, &more);

	if (more)
		return refusal_make(refusal, REFUSAL_MALFORMED,
		    "A request has one purpose at most.");
	request->purpose = PURPOSE_MESSAGE; /* section 5: MUST assume */
	request->expire_before = UNITS_NEVER;
	if (purpose == NULL)
		return 1;
	if (!purpose_parse(xmpp_stanza_get_name(purpose), &request->purpose))
		return refusal_make(refusal, REFUSAL_PURPOSE,
		    "The purpose '%.64s' is not known here.",
		    xmpp_stanza_get_name(purpose));
	if (request->purpose != PURPOSE_EPHEMERAL)
		return 1;
	return read_expire_before(
	    purpose, now, &request->expire_before, refusal);
}

int
slot_request_parse(xmpp_stanza_t *element, int64_t now,
    struct slot_request *request, struct refusal *refusal)
{
	int rc = read_file(element, request, refusal);

	return rc == 1 ? read_purpose(element, now, request, refusal) : rc;
}
