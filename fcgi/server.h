/*
 * FastCGI: threads that each take one request at a time, from new connections
 * and from those that were kept, until a signal ends the program.
 *
 * The modules that they share, gate, exchange, readers, writer and its crew,
 * have one mutex each. It is held for a few lines, which take no other and wait
 * for no disk and no client: so there is no order in which to take them.
 */
#ifndef FCGI_SERVER_H
#define FCGI_SERVER_H

struct http_service;

/*
 * Serves until SIGTERM, SIGINT or SIGUSR1; requests in flight are finished,
 * unless a second SIGINT comes.
 * listener  a listening socket; stays open, becomes non-blocking
 * shared    what all threads work with; its config says how many there are
 * 1 ended by a signal; -1 it could not start, or broke (logged). What was
 * submitted to the writer has been published in either case.
 */
int server_run(int listener, const struct http_service *shared);

#endif
