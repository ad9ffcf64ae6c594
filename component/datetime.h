/*
 * The DateTime of XMPP Date and Time Profiles, XEP-0082 section 3.2, in whole
 * seconds since 1970 UTC. Independent of TZ.
 */
#ifndef COMPONENT_DATETIME_H
#define COMPONENT_DATETIME_H

#include <stddef.h>
#include <stdint.h>

/* "9999-12-31T23:59:59Z" and its NUL. */
#define DATETIME_TEXT_MAX 21

/* Reads CCYY-MM-DDThh:mm:ss[.f…](Z|+hh:mm|-hh:mm), years 0001 to 9999. A
 * fraction is cut off and a leap second is the second before it: whoever says
 * "not after" then never gets more time than asked for.
 * 1 read; 0 not of the form, *out untouched. */
int datetime_parse(const char *text, int64_t *out);

/* Writes CCYY-MM-DDThh:mm:ssZ; what is out of the years 1970 to 9999 as the
 * nearest that is not. Returns buf. */
char *datetime_format(int64_t seconds, char buf[DATETIME_TEXT_MAX]);

#endif
