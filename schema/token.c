#include "schema/token.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>

#include "schema/log.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

int
token_make(char buf[TOKEN_LEN + 1])
{
	unsigned char random[TOKEN_LEN];

	buf[0] = '\0';
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		log_error("cannot make a token: no random numbers: %s",
		    strerror(errno));
		return -1;
	}
	/* 32 divides 256: the low five bits of a byte are evenly spread. */
	for (size_t i = 0; i < TOKEN_LEN; i++)
		buf[i] = alphabet[random[i] & 31];
	buf[TOKEN_LEN] = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	return 1;
}

bool
token_valid(const char *text, size_t len)
{
	if (len != TOKEN_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\0' || strchr(alphabet, text[i]) == NULL)
			return false;
	}
	return true;
}

bool
token_equal(const char a[TOKEN_LEN + 1], const char b[TOKEN_LEN + 1])
{
	return CRYPTO_memcmp(a, b, TOKEN_LEN) == 0;
}
