/*
 * CGI, RFC 3875: one request from the environment and standard input,
 * answered on standard output. The same handlers as for FastCGI, on two
 * streams of ours.
 */
#ifndef FCGI_CGI_H
#define FCGI_CGI_H

#include <stdbool.h>

struct http_service;

/* Whether the environment describes a request (4.1): all its servers set
 * GATEWAY_INTERFACE and REQUEST_METHOD. params is an environ. */
bool cgi_has_request(char **params);

/* Whether it is one that changes something. */
bool cgi_is_put(char **params);

/* Answers the request in params, whose body is read from the descriptor in,
 * and writes to the descriptor out. What the answer left of the body is read
 * away: a web server that cannot deliver it loses the answer, too. */
void cgi_answer(const struct http_service *, char **params, int in, int out);

/* The answer where there is no service to give a better one: a status of 500
 * with a plain sentence. */
void cgi_fail(char **params, int in, int out);

#endif
