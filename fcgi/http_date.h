/*
 * HTTP dates, RFC 9110 section 5.6.7.
 */
#ifndef FCGI_HTTP_DATE_H
#define FCGI_HTTP_DATE_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_DATE_LEN 29 /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes the IMF-fixdate of a point in time. Returns buf. */
char *http_date_format(int64_t when, char buf[HTTP_DATE_LEN + 1]);

/* Reads any of the three forms (IMF-fixdate, RFC 850, asctime). 1 read, 0 not
 * a date. now decides the century of RFC 850's two-digit year. */
int http_date_parse(const char *text, int64_t now, int64_t *when);

#endif
