/*
 * FastCGI: threads that each take one request at a time from a listening
 * socket, until a signal ends the program.
 */
#ifndef FCGI_SERVER_H
#define FCGI_SERVER_H

struct http_service;

/*
 * Serves until SIGTERM, SIGINT or SIGUSR1; requests in flight are finished,
 * unless a second SIGINT comes.
 * listener  a listening socket; stays open, becomes non-blocking
 * shared    what all threads work with
 * 1 ended by a signal; -1 it could not start, or a thread broke (logged).
 */
int server_run(int listener, const struct http_service *shared);

#endif
