/*
 * Telling the service manager, sd_notify(3): a line to the datagram socket
 * that NOTIFY_SOCKET names. Spoken here in a few lines rather than through
 * libsystemd, which would be the largest dependency of all.
 */
#ifndef COMPONENT_NOTIFY_H
#define COMPONENT_NOTIFY_H

#include <stdint.h>

/* Sends a state such as "READY=1". 1 sent; 0 nobody listens (NOTIFY_SOCKET is
 * not set); -1 it could not be sent (logged). */
int notify_send(const char *state);

/* How often to send "WATCHDOG=1", in milliseconds: half of what the manager
 * allows (WATCHDOG_USEC). -1: it does not watch this process. */
int64_t notify_watchdog_ms(void);

#endif
