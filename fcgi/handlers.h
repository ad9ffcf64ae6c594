/*
 * The methods, one file each. A handler writes the whole answer of a success
 * through fcgi/respond.h and returns its status; for a failure it writes
 * nothing and returns the status alone, or respond_refuse's: http.c then writes
 * the error, in one place and in one form. One that returns HTTP_LATER has seen
 * to it that http_complete is called, or has been.
 */
#ifndef FCGI_HANDLERS_H
#define FCGI_HANDLERS_H

struct http_request;

int get_handle(struct http_request *); /* GET and HEAD */
int put_handle(struct http_request *);
int options_handle(struct http_request *);

#endif
