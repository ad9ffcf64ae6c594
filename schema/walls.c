#include "schema/walls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "schema/config.h"
#include "schema/landlock.h"
#include "schema/log.h"
#include "schema/seccomp.h"

#define TEXT_MAX 160

/* Takes errno into the text. What does not fit is cut off: it is for people. */
static void
explain(char text[TEXT_MAX], const char *wall, const char *why)
{
	int error = errno;
	int len = snprintf(text, TEXT_MAX, "no %s: %s%s%s", wall, why,
	    error ? ": " : "", error ? strerror(error) : "");

	if (len < 0)
		text[0] = '\0';
}

static void
raise_landlock(
    const struct config *config, const struct walls *walls, char text[TEXT_MAX])
{
	const char *why = "switched off";
	int abi = 0;

	errno = 0;
	if (config->landlock)
		abi = landlock_raise(walls, &why);
	if (abi == 0)
		explain(text, "Landlock", why);
	else if (snprintf(text, TEXT_MAX, "Landlock ABI %d", abi) < 0)
		text[0] = '\0';
}

static void
raise_seccomp(
    const struct config *config, const struct walls *walls, char text[TEXT_MAX])
{
	const char *why = "switched off";
	int rc = 0;

	errno = 0;
	if (config->seccomp)
		rc = seccomp_raise(walls->port > 0, &why);
	if (rc == 0)
		explain(text, "seccomp", why);
	else if (snprintf(text, TEXT_MAX, "seccomp") < 0)
		text[0] = '\0';
}

void
walls_raise(const struct config *config, const struct walls *walls)
{
	char landlock[TEXT_MAX], seccomp[TEXT_MAX];

	/* What the C library reads when it is first used, it reads now: local
	 * time, for the stamps of syslog(3). */
	tzset();
	/* Nobody else of the same user looks into this process, and no core
	 * file has the secret and what people send. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		log_warn("walls: prctl: %s", strerror(errno));
	raise_landlock(config, walls, landlock);
	/* last, since it may refuse what the other is made of */
	raise_seccomp(config, walls, seccomp);
	(walls->daemon ? log_info : log_debug)(
	    "walls: %s; %s", landlock, seccomp);
}
