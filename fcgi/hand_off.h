/*
 * Handing off: once it is decided what to send, the web server sends the bytes
 * of the file that a header names, without their coming through here.
 */
#ifndef FCGI_HAND_OFF_H
#define FCGI_HAND_OFF_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/token.h"

struct http_request;
struct range;

/*
 * Whether the web server would send what is decided here, if that is the whole
 * body without, or one range with a Range header. For a GET alone, and it looks
 * at the request once more:
 *	- a condition it would hold against validators of its own;
 *	- a Range that is ignored it might honour, and only one plain range is
 *	  read alike by all servers.
 * Other requests the program answers by itself, and those for less than
 * send_file_from bytes of a body of that size, which is faster: a web server
 * that is sent to a file gives up its connection to the program.
 */
bool hand_off_possible(const struct http_request *, int64_t size);

/* Whether the ranges that were decided on are what it would send then, and
 * worth it. */
bool hand_off_agrees(
    const struct http_request *, const struct range *ranges, int count);

/* Writes the header that names the body, and Accept-Ranges where the web server
 * adds none. The answer has status 200, neither length nor Content-Range (the
 * server cuts the range), and no body. */
void hand_off_headers(
    struct http_request *, const char token[TOKEN_LEN + 1], int ranges);

#endif
