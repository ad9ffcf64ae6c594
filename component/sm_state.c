#include "component/sm_state.h"

#include <stddef.h>

static int
refuse(xmpp_conn_t *conn, void *sock)
{
	(void)conn;
	(void)sock;
	return -1;
}

static void
ignore(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
    xmpp_stream_error_t *stream_error, void *arg)
{
	(void)conn;
	(void)event;
	(void)error;
	(void)stream_error;
	(void)arg;
}

void
sm_state_make(xmpp_conn_t *conn)
{
	xmpp_conn_set_sockopt_callback(conn, refuse);
	xmpp_connect_client(conn, "127.0.0.1", 1, ignore, NULL);
}
