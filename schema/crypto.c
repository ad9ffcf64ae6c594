#include "schema/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "schema/log.h"

/* The system's configuration is about certificates and TLS, of which there are
 * none here, and costs more time and memory than all that is done with OpenSSL.
 * Who wants other providers of digests says so. */
static uint64_t
configuration(void)
{
	return getenv("OPENSSL_CONF") != NULL
		   ? OPENSSL_INIT_LOAD_CONFIG
		   : OPENSSL_INIT_NO_LOAD_CONFIG |
			 OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS;
}

int
crypto_prepare(void)
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	/* Where there was no memory for it, what follows would use it anyway.
	 */
	if (OPENSSL_init_crypto(configuration(), NULL) == 1 &&
	    OSSL_LIB_CTX_get0_global_default() != NULL &&
	    EVP_Digest("", 0, digest, NULL, EVP_sha256(), NULL) == 1)
		return 1;
	log_error("OpenSSL cannot be made ready");
	return -1;
}
