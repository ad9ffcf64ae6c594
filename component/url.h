/*
 * The two URLs of a slot, XEP-0363 section 4: ASCII alone, by RFC 3986.
 */
#ifndef COMPONENT_URL_H
#define COMPONENT_URL_H

#include "schema/token.h"

/* Writes base TOKEN/SECRET/NAME, where a PUT goes. base is put_url of the
 * configuration, which ends in a slash; the name is that of the slot. The
 * caller frees the result; NULL: no memory (logged). */
char *url_put(const char *base, const char token[TOKEN_LEN + 1],
    const char secret[TOKEN_LEN + 1], const char *name);

/* Writes base TOKEN/NAME, which everybody may know; base is get_url. */
char *
url_get(const char *base, const char token[TOKEN_LEN + 1], const char *name);

/* Writes base SHARD/TOKEN/NAME, the GET URL of a file that the web server
 * serves by itself: SHARD/TOKEN is its path; base is public_url. */
char *
url_public(const char *base, const char token[TOKEN_LEN + 1], const char *name);

#endif
