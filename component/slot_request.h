/*
 * Reading a slot request, XEP-0363 sections 4 and 5, in its three namespaces
 * and both shapes (attributes; child elements), which may be mixed.
 */
#ifndef COMPONENT_SLOT_REQUEST_H
#define COMPONENT_SLOT_REQUEST_H

#include <stdint.h>

#include <strophe.h>

#include "schema/store.h"

struct refusal;

struct slot_request {
	char file_name[STORE_NAME_MAX + 1]; /* made safe by file_name_make */
	const char *content_type;           /* of the stanza; NULL: not said */
	int64_t size;                       /* bytes, > 0 */
	enum purpose purpose;
	int64_t expire_before; /* UNITS_NEVER but for PURPOSE_EPHEMERAL */
};

/* What the XEP leaves open:
 *	a size of 0, with a sign, blank, exponent or in hexadecimal: malformed
 *	an empty content type: not said; one that no header can carry: malformed
 *	several purposes: malformed, as none can be preferred
 *	an unknown purpose: refused, as the default may keep the file too long
 *	an expire-before that is no DateTime or is not after now: malformed
 * 1 read; 0 refused, and why; borrowed strings live as long as the stanza. */
int slot_request_parse(xmpp_stanza_t *element, int64_t now,
    struct slot_request *, struct refusal *);

/* The value of a field ("filename", "size", "content-type") in either shape,
 * borrowed from the stanza; NULL if it is not there. */
const char *slot_request_field(xmpp_stanza_t *element, const char *key);

#endif
