/*
 * null_strophe PORT JID SECRET DATABASE: null_component with putslot's row, for
 * which libstrophe reads and writes, as it does for putslot: no component on
 * libstrophe that records such a row can be quicker. Says <handshake/> on
 * stderr when it is connected, and ends with the stream.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <strophe.h>
#include <sys/socket.h>

#include "component/expat_deferral.h"
#include "component/sm_state.h"
#include "schema/units.h"
#include "tests/bench/null_slots.h"

#define LOGIN_MS 50 /* libstrophe's own timers run */

static int stream_socket = -1;
static bool online;
static bool over;

static int
set_socket_options(xmpp_conn_t *conn, void *sock)
{
	const int on = 1;

	(void)conn;
	stream_socket = *(int *)sock;
	return setsockopt(
	    stream_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
on_event(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
    xmpp_stream_error_t *stream_error, void *arg)
{
	(void)conn;
	(void)error;
	(void)stream_error;
	(void)arg;
	online = event == XMPP_CONN_CONNECT;
	over = !online;
	if (online)
		fputs("<handshake/>\n", stderr);
}

static int
on_iq(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
	(void)conn;
	if (null_slots_answer(arg, xmpp_stanza_get_from(stanza),
		xmpp_stanza_get_id(stanza)) != 1)
		over = true;
	return 1; /* stay registered */
}

/* Answers what was read; true as long as there was something. */
static bool
answer(xmpp_ctx_t *ctx, xmpp_conn_t *conn, struct null_slots *slots)
{
	const char *text = NULL;
	size_t len = 0;

	if (over || null_slots_take(slots, &text, &len) != 1)
		over = true;
	if (over || len == 0)
		return false;
	xmpp_send_raw(conn, text, len);
	while (!over && xmpp_conn_send_queue_len(conn) > 0)
		xmpp_run_once(ctx, 0); /* may also read */
	return true;
}

/* Waits for more, reads it in steps of libstrophe's, and answers it. */
static void
step(xmpp_ctx_t *ctx, xmpp_conn_t *conn, struct null_slots *slots)
{
	struct pollfd p = {.fd = stream_socket, .events = POLLIN};

	poll(&p, 1, -1);
	do {
		xmpp_run_once(ctx, 0);
	} while (!over && poll(&p, 1, 0) == 1);
	while (answer(ctx, conn, slots))
		;
}

static int
run(xmpp_conn_t *conn, char **argv, uint16_t port, struct null_slots *slots)
{
	xmpp_ctx_t *ctx = xmpp_conn_get_context(conn);

	xmpp_conn_set_jid(conn, argv[2]);
	xmpp_conn_set_pass(conn, argv[3]);
	sm_state_make(conn);
	xmpp_conn_set_sockopt_callback(conn, set_socket_options);
	xmpp_handler_add(conn, on_iq, NULL, "iq", NULL, slots);
	if (xmpp_connect_component(conn, "127.0.0.1", port, on_event, NULL) !=
	    XMPP_EOK)
		return -1;
	while (!online && !over)
		xmpp_run_once(ctx, LOGIN_MS);
	while (!over)
		step(ctx, conn, slots);
	return online ? -1 : 1;
}

int
main(int argc, char **argv)
{
	int64_t port = 0;
	struct null_slots *slots;
	xmpp_ctx_t *ctx;
	xmpp_conn_t *conn;

	if (argc != 5 || units_parse_number(argv[1], &port) != 1 ||
	    port > UINT16_MAX) {
		fputs("usage: see the head of null_strophe.c\n", stderr);
		return 2;
	}
	slots = null_slots_open(argv[2], argv[4], true);
	xmpp_initialize();
	ctx = xmpp_ctx_new(NULL, NULL);
	if (slots == NULL || ctx == NULL || expat_deferral_off() != 1 ||
	    (conn = xmpp_conn_new(ctx)) == NULL ||
	    run(conn, argv, (uint16_t)port, slots) != 1) {
		fputs("null_strophe: failed\n", stderr);
		return 1;
	}
	return 0;
}
