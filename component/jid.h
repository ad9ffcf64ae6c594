/*
 * Addresses, RFC 7622, as far as the component needs them: the server has
 * already prepared them, so they are only taken apart.
 */
#ifndef COMPONENT_JID_H
#define COMPONENT_JID_H

#include <stdbool.h>

#include "schema/store.h"

/* Writes the bare JID (local@domain, or the domain alone, as for gateways and
 * servers) with the domain's ASCII letters in lower case.
 * 1 done; 0 unusable: a part that must be there is empty, too long, no UTF-8,
 * or with blanks or control characters. buf is "" then. */
int jid_bare(const char *jid, char buf[STORE_OWNER_MAX + 1]);

/* Whether the JID belongs to the domain (which is in lower case). */
bool jid_is_at(const char *jid, const char *domain);

#endif
