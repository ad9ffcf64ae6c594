#include "component/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "schema/log.h"
#include "schema/units.h"

static int
fail(const char *what)
{
	log_warn("NOTIFY_SOCKET: %s: %s", what, strerror(errno));
	return -1;
}

int
notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	socklen_t address_len;
	ssize_t sent;
	int fd;

	if (len == 0)
		return 0;
	errno = EINVAL;
	if (len >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return fail("not a path");
	memcpy(address.sun_path, path, len);
	if (*path == '@') /* an abstract socket, whose name begins with NUL */
		address.sun_path[0] = '\0';
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail("socket");
	sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&address, address_len);
	if (sent < 0)
		fail("sendto");
	close(fd);
	return sent < 0 ? -1 : 1;
}

int64_t
notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	int64_t period, watched;

	if (usec == NULL || !units_parse_number(usec, &period) || period == 0)
		return -1;
	/* The variables may have been meant for a parent of ours. */
	if (pid != NULL &&
	    (!units_parse_number(pid, &watched) || watched != getpid()))
		return -1;
	return period / 2000 > 0 ? period / 2000 : 1;
}
