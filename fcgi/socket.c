#include "fcgi/socket.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "schema/log.h"
#include "schema/units.h"

/* A web server answers 502 when the queue is full; the kernel caps it. */
#define BACKLOG 1024

#define SYSTEMD_FIRST_FD 3

struct socket_file {
	int fd;
	struct sockaddr_un address;
	/* which file it was, to know it again; inode 0: none yet */
	dev_t device;
	ino_t inode;
};

static int
broken(const struct socket_file *s, const char *what)
{
	log_error(
	    "%s: cannot %s: %s", s->address.sun_path, what, strerror(errno));
	return -1;
}

/* Whether somebody listens at the address: 1, 0, -1. */
static int
is_live(const struct socket_file *s)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd == -1)
		return broken(s, "open a socket");
	if (connect(fd, (const struct sockaddr *)&s->address,
		sizeof(s->address)) == 0 ||
	    errno == EAGAIN) /* listens, and its queue is full */
		rc = 1;
	else if (errno == ECONNREFUSED || errno == ENOENT)
		rc = 0;
	else
		rc = broken(s, "learn whether it is in use");
	close(fd);
	return rc;
}

/* Removes what a killed instance left. 1 the path is free, -1. */
static int
clear(const struct socket_file *s)
{
	const char *path = s->address.sun_path;
	struct stat st;
	int live;

	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 1 : broken(s, "examine it");
	if (!S_ISSOCK(st.st_mode)) {
		log_error("%s: is there and is no socket", path);
		return -1;
	}
	live = is_live(s);
	if (live == 1)
		log_error("%s: another process listens on it", path);
	if (live != 0)
		return -1;
	if (unlink(path) == -1 && errno != ENOENT)
		return broken(s, "remove the old one");
	return 1;
}

static int
set_group(const struct socket_file *s, const char *group)
{
	const struct group *entry;

	if (group == NULL)
		return 1;
	errno = 0;
	entry = getgrnam(group);
	if (entry == NULL) {
		log_error(
		    "%s: there is no group %s", s->address.sun_path, group);
		return -1;
	}
	if (chown(s->address.sun_path, (uid_t)-1, entry->gr_gid) == -1)
		return broken(s, "set its group");
	return 1;
}

/* Makes the file. Nobody can connect before listen, so it may be made closed
 * to all and opened to those whom it is for afterwards. */
static int
bind_file(struct socket_file *s, mode_t mode, const char *group)
{
	struct stat st;
	mode_t mask = umask(0177);
	int rc = bind(
	    s->fd, (const struct sockaddr *)&s->address, sizeof(s->address));

	umask(mask);
	if (rc == -1)
		return broken(s, "make it");
	if (lstat(s->address.sun_path, &st) == -1)
		return broken(s, "examine it");
	s->device = st.st_dev;
	s->inode = st.st_ino;
	if (set_group(s, group) != 1)
		return -1;
	if (chmod(s->address.sun_path, mode) == -1)
		return broken(s, "set its mode");
	return 1;
}

static int
open_socket(struct socket_file *s, mode_t mode, const char *group)
{
	if (clear(s) != 1)
		return -1;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd == -1)
		return broken(s, "open a socket");
	if (bind_file(s, mode, group) != 1)
		return -1;
	if (listen(s->fd, BACKLOG) == -1)
		return broken(s, "listen");
	return 1;
}

int
socket_listen(
    const char *path, mode_t mode, const char *group, struct socket_file **out)
{
	struct socket_file *s = NULL;
	size_t len = strlen(path);

	*out = NULL;
	if (len == 0 || len >= sizeof(s->address.sun_path)) {
		log_error(
		    "'%s': no path, or too long a one, for a socket", path);
		return -1;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		log_error("%s: out of memory", path);
		return -1;
	}
	s->fd = -1;
	s->address.sun_family = AF_UNIX;
	memcpy(s->address.sun_path, path, len + 1);
	if (open_socket(s, mode, group) != 1) {
		socket_close(s);
		return -1;
	}
	*out = s;
	return 1;
}

int
socket_descriptor(const struct socket_file *s)
{
	return s->fd;
}

void
socket_close(struct socket_file *s)
{
	struct stat st;

	if (s == NULL)
		return;
	if (s->inode != 0 && lstat(s->address.sun_path, &st) == 0 &&
	    st.st_dev == s->device && st.st_ino == s->inode)
		unlink(s->address.sun_path);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

int
socket_from_systemd(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t number;

	if (pid == NULL || fds == NULL ||
	    units_parse_number(pid, &number) != 1 || number != getpid() ||
	    units_parse_number(fds, &number) != 1 || number < 1)
		return -1;
	return SYSTEMD_FIRST_FD;
}

bool
socket_listens(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 &&
	       yes != 0;
}

bool
socket_is_unix(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       domain == AF_UNIX;
}
