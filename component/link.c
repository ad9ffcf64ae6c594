#include "component/link.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "component/backoff.h"
#include "component/batch.h"
#include "component/expat_deferral.h"
#include "component/iq.h"
#include "component/notify.h"
#include "component/sm_state.h"
#include "component/strophe_log.h"
#include "schema/config.h"
#include "schema/log.h"
#include "schema/monotonic.h"

/* While a stream is being opened or closed, libstrophe's own timers run, which
 * only xmpp_run_once knows about; it is called this often. */
#define BUSY_MS 50
#define LOGIN_MAX_MS 30000
#define CLOSE_MAX_MS 5000
/* Most reads of libstrophe's, 4 KiB each, for one batch. */
#define READS_MAX 32
/* A stream that lived this long was a good one: its loss starts over with the
 * shortest wait. */
#define GOOD_MS 60000
/* After this long without an answer to TCP the server's machine is gone. */
#define DEAD_MS 60000

enum link_state {
	LINK_AWAY,    /* waits for the time of the next attempt */
	LINK_OPENING, /* connects, or awaits the handshake's answer */
	LINK_ONLINE,
	LINK_CLOSING /* awaits the end of the stream */
};

struct link {
	const struct config *config;
	struct service service;
	xmpp_ctx_t *ctx;
	struct batch *batch; /* what was read and not yet answered */
	xmpp_conn_t *conn;
	int signal_fd;
	bool announced; /* READY=1 was sent */
	enum link_state state;
	int64_t deadline; /* of LINK_AWAY, LINK_OPENING and LINK_CLOSING */
	int64_t online_since;
	int64_t watchdog_ms; /* -1: none */
	int64_t next_watchdog;
	struct backoff backoff;
	struct log_lines lines; /* held while answers wait to leave */
};

/* libstrophe's socket callback has no room for an argument, and nothing else
 * tells which descriptor it uses. One process has one link. */
static int stream_socket = -1;

static void
enter(struct link *link, enum link_state state, int64_t wait_ms)
{
	link->state = state;
	link->deadline = monotonic_ms() + wait_ms;
}

static void
enter_away(struct link *link)
{
	uint32_t random = 0;
	int64_t wait;

	/* Without randomness the waits are regular, and no worse than that. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		log_debug("getrandom: %s", strerror(errno));
	wait = backoff_next(&link->backoff, random);
	stream_socket = -1;
	log_info("the next attempt to connect is in %" PRId64 ".%" PRId64 " s",
	    wait / 1000, wait % 1000 / 100);
	enter(link, LINK_AWAY, wait);
}

static int
set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* Without TCP_NODELAY each burst of answers stalls for 40 ms. The keep-alive
 * finds a server that is gone without having said so. */
static int
set_socket_options(xmpp_conn_t *conn, void *sock)
{
	int fd = *(int *)sock;

	(void)conn;
	stream_socket = fd;
	if (set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0 ||
	    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1) != 0 ||
	    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, DEAD_MS / 1000) != 0 ||
	    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, DEAD_MS / 3000) != 0 ||
	    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3) != 0 ||
	    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, DEAD_MS) != 0)
		log_warn("socket options: %s", strerror(errno));
	return 0;
}

static void
on_connect(struct link *link)
{
	link->state = LINK_ONLINE;
	link->online_since = monotonic_ms();
	log_info("connected to %s port %" PRId64 " as %s", link->config->host,
	    link->config->port, link->config->jid);
	if (!link->announced)
		notify_send("READY=1");
	link->announced = true;
}

static void
log_loss(const struct link *link, int error, const xmpp_stream_error_t *e)
{
	if (e != NULL && e->type == XMPP_SE_NOT_AUTHORIZED)
		log_error("%s refuses the secret of %s: compare [component] "
			  "secret with the server's configuration",
		    link->config->host, link->config->jid);
	else if (e != NULL && e->type == XMPP_SE_CONFLICT)
		log_error("%s says that %s is already connected: is another "
			  "component running?",
		    link->config->host, link->config->jid);
	else if (e != NULL)
		log_error("%s closed the stream: stream error %d%s%s",
		    link->config->host, (int)e->type, e->text ? ": " : "",
		    e->text ? e->text : "");
	else if (link->state == LINK_ONLINE)
		log_warn("the connection to %s is lost%s%s", link->config->host,
		    error ? ": " : "", error ? strerror(error) : "");
	else
		log_warn("no connection to %s port %" PRId64 "%s%s",
		    link->config->host, link->config->port, error ? ": " : "",
		    error ? strerror(error) : "");
}

static void
on_loss(struct link *link, int error, const xmpp_stream_error_t *e)
{
	if (link->state == LINK_CLOSING)
		return;
	log_loss(link, error, e);
	if (link->state == LINK_ONLINE &&
	    monotonic_ms() - link->online_since >= GOOD_MS)
		backoff_reset(&link->backoff);
	if (e != NULL && e->type == XMPP_SE_NOT_AUTHORIZED)
		backoff_slow(&link->backoff);
	enter_away(link);
}

static void
on_event(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
    xmpp_stream_error_t *stream_error, void *arg)
{
	struct link *link = arg;

	(void)conn;
	if (event == XMPP_CONN_CONNECT)
		on_connect(link);
	else
		on_loss(link, error, stream_error);
}

static void
feed_watchdog(struct link *link)
{
	int64_t now = monotonic_ms();

	if (link->watchdog_ms < 0 || now < link->next_watchdog)
		return;
	notify_send("WATCHDOG=1");
	link->next_watchdog = now + link->watchdog_ms;
}

static void
send_text(void *arg, const char *text, size_t len)
{
	struct link *link = arg;

	xmpp_send_raw(link->conn, text, len);
}

/* Each call may wait for the database as long as busy_timeout allows. What it
 * logs is held until the answers have left: nobody should wait for that. */
static void
answer_all(struct link *link)
{
	log_hold(&link->lines);
	while (!batch_empty(link->batch)) {
		batch_answer(link->batch, send_text, link);
		feed_watchdog(link);
	}
}

/* Nobody would get an answer once the stream is being closed. */
static int
on_iq(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
	struct link *link = arg;

	(void)conn;
	if (link->state == LINK_ONLINE)
		batch_add(link->batch, time(NULL), stanza);
	if (batch_full(link->batch))
		answer_all(link);
	return 1; /* stay registered */
}

static void
try_connect(struct link *link)
{
	enter(link, LINK_OPENING, LOGIN_MAX_MS);
	if (xmpp_connect_component(link->conn, link->config->host,
		(unsigned short)link->config->port, on_event,
		link) != XMPP_EOK &&
	    link->state == LINK_OPENING)
		on_loss(link, 0, NULL);
}

/* Lets libstrophe write, read and run its timers, waiting wait_ms at most. */
static void
run(struct link *link, unsigned long wait_ms)
{
	xmpp_run_once(link->ctx, wait_ms);
	log_release();
}

static int64_t
min_wait(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static bool
has_answers(const struct link *link)
{
	return xmpp_conn_send_queue_len(link->conn) > 0;
}

/* Whether there is more to read at once. */
static bool
is_readable(void)
{
	struct pollfd p = {.fd = stream_socket, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* Reads all requests that are at hand, a few kilobytes at a time, and answers
 * them. Answers go first: a server that takes none gets no more of our memory
 * for new ones. */
static void
run_online(struct link *link)
{
	int reads = 0;

	do {
		run(link, 0);
	} while (++reads < READS_MAX && link->state == LINK_ONLINE &&
		 !has_answers(link) && is_readable());
	if (link->state != LINK_ONLINE) {
		batch_drop(link->batch);
		return;
	}
	answer_all(link);
	/* Without asking whether the server takes them, as it nearly always
	 * does. What is read beside that is answered in the next step. */
	if (has_answers(link))
		run(link, 0);
	if (link->state != LINK_ONLINE)
		batch_drop(link->batch);
}

/* How long nothing needs to be done unless a descriptor stirs; -1: for ever. */
static int
wait_ms(const struct link *link)
{
	int64_t now = monotonic_ms();
	int64_t wait = -1;

	if (link->state == LINK_AWAY)
		wait = link->deadline > now ? link->deadline - now : 0;
	else if (link->state != LINK_ONLINE)
		wait = 0; /* run() waits */
	else if (!batch_empty(link->batch) && !has_answers(link))
		wait = 0; /* came while answers left */
	if (link->watchdog_ms > 0)
		wait = min_wait(wait,
		    link->next_watchdog > now ? link->next_watchdog - now : 0);
	return (int)wait;
}

/* Sleeps until there is something to do. 1 go on; 0 a signal says stop; -1. */
static int
sleep_until_stirred(struct link *link)
{
	struct pollfd fds[] = {
	    {.fd = link->signal_fd, .events = POLLIN},
	    {.fd = -1, .events = POLLIN},
	};
	struct signalfd_siginfo info;

	if (link->state == LINK_ONLINE) {
		fds[1].fd = stream_socket;
		if (has_answers(link))
			fds[1].events = POLLOUT;
	}
	if (poll(fds, 2, wait_ms(link)) < 0 && errno != EINTR) {
		log_error("poll: %s", strerror(errno));
		return -1;
	}
	if (fds[0].revents == 0 ||
	    read(link->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 1;
	log_info("%s: stopping", strsignal((int)info.ssi_signo));
	return 0;
}

static void
step(struct link *link)
{
	switch (link->state) {
	case LINK_AWAY:
		if (monotonic_ms() >= link->deadline)
			try_connect(link);
		break;
	case LINK_OPENING:
		run(link, BUSY_MS);
		if (link->state == LINK_OPENING &&
		    monotonic_ms() >= link->deadline) {
			/* It ends in on_event. */
			log_warn("%s does not finish the handshake",
			    link->config->host);
			xmpp_disconnect(link->conn);
			link->deadline += LOGIN_MAX_MS;
		}
		break;
	case LINK_ONLINE:
		run_online(link);
		break;
	case LINK_CLOSING:
		run(link, BUSY_MS);
		break;
	}
	feed_watchdog(link);
}

/* Says </stream:stream> and waits for the server's, while answers that are
 * still queued leave before it. */
static void
close_stream(struct link *link)
{
	bool streaming = link->state == LINK_ONLINE;

	log_release();
	notify_send("STOPPING=1");
	enter(link, LINK_CLOSING, CLOSE_MAX_MS);
	if (streaming)
		xmpp_disconnect(link->conn);
	while (streaming && !xmpp_conn_is_disconnected(link->conn) &&
	       monotonic_ms() < link->deadline)
		step(link);
}

int
link_run(struct link *link)
{
	int rc;

	enter(link, LINK_AWAY, 0);
	link->watchdog_ms = notify_watchdog_ms();
	link->next_watchdog = monotonic_ms();
	while ((rc = sleep_until_stirred(link)) == 1)
		step(link);
	close_stream(link);
	return rc < 0 ? -1 : 1;
}

static int
take_signals(struct link *link)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &stop, NULL) == 0)
		link->signal_fd = signalfd(-1, &stop, SFD_CLOEXEC);
	if (link->signal_fd >= 0)
		return 1;
	log_error("signalfd: %s", strerror(errno));
	return -1;
}

int
link_open(const struct config *config, struct store *store, struct link **out)
{
	struct link *link = calloc(1, sizeof(*link));

	*out = NULL;
	if (link == NULL)
		goto out;
	link->config = config;
	link->signal_fd = -1;
	xmpp_initialize();
	link->service = (struct service){.config = config, .store = store};
	link->ctx = xmpp_ctx_new(NULL, strophe_log());
	link->batch = batch_new(&link->service);
	if (link->batch != NULL && link->ctx != NULL &&
	    expat_deferral_off() == 1)
		link->conn = xmpp_conn_new(link->ctx);
	if (link->conn == NULL || take_signals(link) < 0)
		goto out;
	xmpp_conn_set_jid(link->conn, config->jid);
	xmpp_conn_set_pass(link->conn, config->secret);
	sm_state_make(link->conn);
	xmpp_conn_set_sockopt_callback(link->conn, set_socket_options);
	xmpp_handler_add(link->conn, on_iq, NULL, "iq", NULL, link);
	*out = link;
	return 1;
out:
	log_error("the connection cannot be prepared");
	link_close(link);
	return -1;
}

void
link_close(struct link *link)
{
	if (link == NULL)
		return;
	log_release();
	batch_free(link->batch);
	if (link->conn != NULL)
		xmpp_conn_release(link->conn);
	if (link->ctx != NULL)
		xmpp_ctx_free(link->ctx);
	xmpp_shutdown();
	if (link->signal_fd >= 0)
		close(link->signal_fd);
	free(link);
}
