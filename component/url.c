#include "component/url.h"

#include <stdio.h>

#include "schema/log.h"
#include "schema/store.h"
#include "schema/text.h"

char *
url_put(const char *base, const char token[TOKEN_LEN + 1],
    const char secret[TOKEN_LEN + 1], const char *name)
{
	char encoded[3 * STORE_NAME_MAX + 1];
	char *url = NULL;

	text_percent_encode(name, encoded, sizeof(encoded));
	if (asprintf(&url, "%s%s/%s/%s", base, token, secret, encoded) >= 0)
		return url;
	log_error("no memory for a URL");
	return NULL;
}

char *
url_get(const char *base, const char token[TOKEN_LEN + 1], const char *name)
{
	char encoded[3 * STORE_NAME_MAX + 1];
	char *url = NULL;

	text_percent_encode(name, encoded, sizeof(encoded));
	if (asprintf(&url, "%s%s/%s", base, token, encoded) >= 0)
		return url;
	log_error("no memory for a URL");
	return NULL;
}

char *
url_public(const char *base, const char token[TOKEN_LEN + 1], const char *name)
{
	char encoded[3 * STORE_NAME_MAX + 1];
	char *url = NULL;

	text_percent_encode(name, encoded, sizeof(encoded));
	if (asprintf(&url, "%s%.*s/%s/%s", base, TOKEN_SHARD_LEN, token, token,
		encoded) >= 0)
		return url;
	log_error("no memory for a URL");
	return NULL;
}
