#include "fcgi/hand_off.h"

#include <string.h>

#include "fcgi/bodies.h"
#include "fcgi/http.h"
#include "fcgi/range.h"
#include "fcgi/respond.h"
#include "schema/config.h"

/* If-Match and its kin. One with an empty value counts, too: what it means is
 * not agreed upon. */
static bool
has_condition(const struct http_request *request)
{
	for (char **p = request->params; *p; p++)
		if (strncmp(*p, "HTTP_IF_", 8) == 0)
			return true;
	return false;
}

static const char *
range_of(const struct http_request *request)
{
	return FCGX_GetParam("HTTP_RANGE", request->params);
}

bool
hand_off_possible(const struct http_request *request, int64_t size)
{
	const struct config *config = request->service->config;
	const char *range = range_of(request);

	return config->send_file != SEND_FILE_NO &&
	       size >= config->send_file_from && request->method == HTTP_GET &&
	       !has_condition(request) && (!range || range_is_plain(range));
}

bool
hand_off_agrees(
    const struct http_request *request, const struct range *ranges, int count)
{
	if (!range_of(request))
		return true;
	return count == 1 && ranges[0].last - ranges[0].first + 1 >=
				 request->service->config->send_file_from;
}

void
hand_off_headers(
    struct http_request *request, const char token[TOKEN_LEN + 1], int ranges)
{
	const struct config *config = request->service->config;
	char path[BODIES_PATH_MAX];

	bodies_path(token, path);
	/* nginx adds it to whole files, and would send it twice */
	if (config->send_file != SEND_FILE_X_ACCEL_REDIRECT || ranges > 0)
		respond_header(request, "Accept-Ranges", "bytes");
	if (config->send_file == SEND_FILE_X_ACCEL_REDIRECT)
		respond_header(request, "X-Accel-Redirect", "%s%s",
		    config->accel_url, path);
	else
		respond_header(
		    request, "X-Sendfile", "%s/%s", config->bodies, path);
}
