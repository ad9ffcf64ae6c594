/*
 * The test is the XMPP server and the service manager, and the link runs in a
 * process of its own.
 */
#ifndef TESTS_COMPONENT_LINK_FIXTURE_H
#define TESTS_COMPONENT_LINK_FIXTURE_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "component/link.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/store.h"

#define PATIENCE_MS 5000
#define JID "upload.montague.tld"
#define PING                                              \
	"<iq from='a@b' to='" JID "' id='%d' type='get'>" \
	"<ping xmlns='urn:xmpp:ping'/></iq>"

static char notify_name[64];
static int listener = -1, manager = -1;
static pid_t link_pid = -1;
static struct config config = {
    .jid = (char[]){JID},
    .host = (char[]){"127.0.0.1"},
    .secret = (char[]){"s3cret"},
};

static inline void
start_link(void)
{
	struct store *store = NULL;
	struct link *link;

	link_pid = fork();
	if (link_pid != 0)
		return;
	log_open("link", LOG_LEVEL_ERROR, false);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	if ((config.database != NULL &&
		store_open(config.database, STORE_GRANT, config.busy_timeout,
		    &store) != 1) ||
	    link_open(&config, store, &link) != 1)
		_exit(7);
	int rc = link_run(link);
	link_close(link);
	store_close(store);
	exit(rc == 1 ? 0 : 8); /* and not _exit: a sanitizer looks for leaks */
}

static inline int
bound(int domain, int type, const void *address, socklen_t len)
{
	int fd = socket(domain, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, address, len), 0);
	return fd;
}

static inline void
set_up_server(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(in);

	listener = bound(AF_INET, SOCK_STREAM, &in, sizeof(in));
	ck_assert_int_eq(listen(listener, 8), 0);
	getsockname(listener, (struct sockaddr *)&in, &len);
	config.port = ntohs(in.sin_port);
	snprintf(notify_name, sizeof(notify_name), "@putslot-link-test-%d",
	    (int)getpid());
	memcpy(un.sun_path + 1, notify_name + 1, strlen(notify_name) - 1);
	manager = bound(AF_UNIX, SOCK_DGRAM, &un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			strlen(notify_name)));
	setenv("NOTIFY_SOCKET", notify_name, 1);
	unsetenv("WATCHDOG_USEC");
}

static inline void
set_up(void)
{
	set_up_server();
	start_link();
}

static inline void
tear_down(void)
{
	if (link_pid > 0) {
		kill(link_pid, SIGKILL);
		waitpid(link_pid, NULL, 0);
	}
	close(listener);
	close(manager);
}

static inline void
await(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "nothing came");
}

/* Reads until the text has come; the part before is skipped. */
static inline void
await_text(int fd, const char *text)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;

	do {
		await(fd);
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		ck_assert_msg(n > 0, "closed, without %s", text);
		len += (size_t)n;
		buf[len] = '\0';
	} while (strstr(buf, text) == NULL);
}

static inline void
say(int fd, const char *text)
{
	ck_assert_int_eq(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static inline void
await_state(const char *state)
{
	char got[64] = "";

	await(manager);
	recv(manager, got, sizeof(got) - 1, 0);
	ck_assert_str_eq(got, state);
}

/* The server's side of XEP-0114 section 3, up to the component's proof. */
static inline int
accept_link(void)
{
	/* SHA-1 of "77s3cret". */
	const char *digest = "eb42b20466a50244b454b9397e3bdf9425103d04";
	int fd;

	await(listener);
	fd = accept(listener, NULL, NULL);
	await_text(fd, "<stream:stream");
	say(fd, "<?xml version='1.0'?><stream:stream from='" JID "' id='77' "
		"xmlns='jabber:component:accept' "
		"xmlns:stream='http://etherx.jabber.org/streams'>");
	await_text(fd, digest);
	return fd;
}

static inline int
accept_login(void)
{
	int fd = accept_link();

	say(fd, "<handshake/>");
	return fd;
}

static inline void
ping(int fd, int id)
{
	char text[256];

	snprintf(text, sizeof(text), PING, id);
	say(fd, text);
	snprintf(text, sizeof(text), "id='%d'", id);
	await_text(fd, text);
}

/* Its exit code. */
static inline int
await_exit(void)
{
	int status = -1;

	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (waitpid(link_pid, &status, WNOHANG) == link_pid) {
			link_pid = -1;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		poll(NULL, 0, 10);
	}
	ck_abort_msg("it does not exit");
	return -1;
}

#endif
