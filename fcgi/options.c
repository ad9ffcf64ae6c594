#include "fcgi/handlers.h"

#include "fcgi/http.h"
#include "fcgi/respond.h"
#include "schema/config.h"

#define PREFLIGHT_MAX_AGE 86400 /* seconds; browsers cap it lower */

/* A preflight (Fetch standard, "CORS-preflight request") is answered for any
 * URL alike: it says what the service takes, and nothing about the slot. */
int
options_handle(struct http_request *request)
{
	const struct config *config = request->service->config;

	respond_begin(request, 204);
	respond_header(request, "Allow", "%s", respond_allow(request));
	if (config->cors_methods && *config->cors_methods)
		respond_header(request, "Access-Control-Allow-Methods", "%s",
		    config->cors_methods);
	if (config->cors_headers && *config->cors_headers)
		respond_header(request, "Access-Control-Allow-Headers", "%s",
		    config->cors_headers);
	respond_header(
	    request, "Access-Control-Max-Age", "%d", PREFLIGHT_MAX_AGE);
	respond_end_headers(request);
	return 204;
}
