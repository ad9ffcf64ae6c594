#include "schema/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "schema/log.h"

int
crypto_prepare(void)
{
	unsigned char random[1], digest[EVP_MAX_MD_SIZE];

	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1 &&
	    RAND_bytes(random, sizeof(random)) == 1 &&
	    EVP_Digest("", 0, digest, NULL, EVP_sha256(), NULL) == 1)
		return 1;
	log_error("OpenSSL cannot be made ready");
	return -1;
}
