#include "component/strophe_log.h"

#include <string.h>

#include "schema/log.h"

static void
pass_on(void *arg, xmpp_log_level_t level, const char *area, const char *text)
{
	(void)arg;
	if (strchr(text, '<') != NULL ||
	    (level < XMPP_LEVEL_WARN && strcmp(area, "auth") == 0))
		return;
	/* Its errors are lost connections, and those are ours to judge. */
	if (level >= XMPP_LEVEL_WARN)
		log_warn("libstrophe: %s: %s", area, text);
	else
		log_debug("libstrophe: %s: %s", area, text);
}

const xmpp_log_t *
strophe_log(void)
{
	static const xmpp_log_t log = {.handler = pass_on};

	return &log;
}
