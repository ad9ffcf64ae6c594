/*
 * UTF-8 and percent-encoding: what file names need in URLs and in headers.
 */
#ifndef SCHEMA_TEXT_H
#define SCHEMA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point of well-formed UTF-8 (RFC 3629: no overlong form, no
 * surrogate, at most U+10FFFF) from the NUL-terminated text. Returns its
 * length in bytes, 1 to 4; 0 at the end of the text; -1 if malformed. */
int text_decode(const char *text, uint32_t *code_point);

/* Whether the whole of text is well-formed UTF-8. */
bool text_is_utf8(const char *text);

/* Whether text is well-formed UTF-8 without control characters (C0, DEL and
 * C1): fit for one line of a log, a header or a stanza. */
bool text_is_clean(const char *text);

/* Writes text with every byte outside RFC 3986's unreserved characters as %XX
 * with upper-case digits. Always NUL-terminates. Returns the length, or 0 with
 * buf "" when it does not fit. len 3 * strlen(text) + 1 always fits. */
size_t text_percent_encode(const char *text, char *buf, size_t len);

#endif
