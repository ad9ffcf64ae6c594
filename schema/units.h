/*
 * Numbers as people write them: sizes with units, durations, plain decimals.
 * The one checked parser for every number that comes from outside.
 */
#ifndef SCHEMA_UNITS_H
#define SCHEMA_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* "never" and "unlimited", for durations, points in time and limits alike:
 * comparisons with it do what they should without a special case. */
#define UNITS_NEVER INT64_MAX

/* Enough for any text that units_format_* writes, its NUL included. */
#define UNITS_TEXT_MAX 40

/* All parsers: 1 parsed, 0 not of the form or out of range (*out untouched).
 * No sign, no blanks around, no exponent, no hexadecimal. */

/* Decimal digits only, 0 to INT64_MAX - 1. */
int units_parse_number(const char *text, int64_t *out);

/* Bytes: a number, optionally with B, kB, MB, GB, TB (powers of 1000) or KiB,
 * MiB, GiB, TiB (powers of 1024), upper or lower case, a blank allowed before
 * the unit; sums of such terms with '+' ("100 MiB + 16"); or "unlimited". */
int units_parse_size(const char *text, int64_t *out);

/* Seconds: a number with s, m, h, d, w or y (365 days); terms may follow
 * each other ("1h30m"); or "never". A bare number is refused, but for 0. */
int units_parse_duration(const char *text, int64_t *out);

/* The same value in the form the parsers read: exact, largest unit that
 * divides it ("104857616 B" has no exact larger unit). Returns buf. */
char *units_format_size(int64_t bytes, char *buf, size_t len);
char *units_format_duration(int64_t seconds, char *buf, size_t len);

/* Rounded for a reader: "1.5 MiB". Returns buf. */
char *units_describe_size(int64_t bytes, char *buf, size_t len);

#endif
