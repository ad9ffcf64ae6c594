/*
 * The clock that nobody sets: for what lasts and for deadlines, where a change
 * of the time must change nothing. Its zero means nothing.
 */
#ifndef SCHEMA_MONOTONIC_H
#define SCHEMA_MONOTONIC_H

#include <stdint.h>

int64_t monotonic_ns(void); /* nanoseconds */
int64_t monotonic_ms(void); /* whole milliseconds of the same clock */

#endif
