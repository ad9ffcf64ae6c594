/*
 * Media types, RFC 9110 section 8.3.1: what the Content-Type of a slot, of a
 * PUT and of a GET may look like.
 */
#ifndef SCHEMA_MEDIA_TYPE_H
#define SCHEMA_MEDIA_TYPE_H

#include <stdbool.h>

/* Longest type, with its parameters, that a slot keeps; bytes without NUL. */
#define MEDIA_TYPE_MAX 255

/* Whether text is type "/" subtype with well-formed parameters, of printable
 * ASCII and at most MEDIA_TYPE_MAX bytes: safe to send in a header. */
bool media_type_valid(const char *text);

/* Whether both name the same type/subtype; case and parameters do not count.
 * Leading and trailing blanks are ignored. */
bool media_type_same(const char *a, const char *b);

/* Whether a browser may show it in its own window: images but SVG, audio, video
 * and text/plain. See "Downloads in a browser" in docs/security.md. */
bool media_type_inline(const char *text);

#endif
