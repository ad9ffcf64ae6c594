/*
 * OpenSSL, as far as it has to be made ready.
 */
#ifndef SCHEMA_CRYPTO_H
#define SCHEMA_CRYPTO_H

/* Has OpenSSL make all that digests need; it reads a configuration only where
 * the environment names one, in OPENSSL_CONF. Call it at the start of a
 * program: where memory is short at the first use, OpenSSL 3.0 stays without
 * digests for good. 1; -1 (logged): the program cannot work, and had better be
 * started again. */
int crypto_prepare(void);

#endif
