/*
 * The socket on which the web server asks: one of our own, or one that
 * whoever started us has opened. Only UNIX sockets: whoever may connect can
 * say anything of a request and, by a flaw of libfcgi, end the process.
 */
#ifndef FCGI_SOCKET_H
#define FCGI_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

struct socket_file;

/*
 * Listens on a UNIX socket at path. A socket that nobody listens on any more
 * is replaced; one that answers, and a file of another kind, are left alone
 * and refused.
 * mode   permission bits, whatever the umask
 * group  its group; NULL: as created
 * 1 and *out to be closed with socket_close; -1 (logged), *out NULL.
 */
int socket_listen(
    const char *path, mode_t mode, const char *group, struct socket_file **out);

/* The listening descriptor; socket_close closes it. */
int socket_descriptor(const struct socket_file *);

/* Stops listening and removes the file, unless another instance has put its
 * own there meanwhile. Accepts NULL. */
void socket_close(struct socket_file *);

/* The listening descriptor that systemd passed to this very process by
 * LISTEN_PID and LISTEN_FDS (sd_listen_fds(3)); -1: none. */
int socket_from_systemd(void);

/* Whether a descriptor is a listening socket: spawn-fcgi, mod_fcgid and
 * lighttpd pass one as standard input. */
bool socket_listens(int fd);

/* Whether a descriptor is a UNIX socket, to which file permissions decide who
 * may connect. */
bool socket_is_unix(int fd);

#endif
