#include "fcgi/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "schema/log.h"

#define CHUNK 65536
#define PIECE (8 << 20) /* that the disk is told to write */

/* OpenSSL's context, under a name of ours. */
struct digest;

static EVP_MD_CTX *
context(struct digest *digest)
{
	return (EVP_MD_CTX *)(void *)digest;
}

static int
broken(void)
{
	log_error("digest: OpenSSL cannot compute a SHA-256");
	return -1;
}

struct digest *
digest_begin(void)
{
	EVP_MD_CTX *made = EVP_MD_CTX_new();

	if (made && EVP_DigestInit_ex(made, EVP_sha256(), NULL) == 1)
		return (struct digest *)(void *)made;
	EVP_MD_CTX_free(made);
	broken();
	return NULL;
}

int
digest_add(struct digest *digest, const void *data, size_t len)
{
	return EVP_DigestUpdate(context(digest), data, len) == 1 ? 1 : broken();
}

int
digest_end(struct digest *digest, unsigned char sha256[STORE_SHA256_LEN])
{
	return EVP_DigestFinal_ex(context(digest), sha256, NULL) == 1
		   ? 1
		   : broken();
}

void
digest_free(struct digest *digest)
{
	EVP_MD_CTX_free(context(digest));
}

/* 1 something was added, 0 there is no more, -1. */
static int
add_chunk(struct digest *digest, int fd, off_t *at)
{
	char buffer[CHUNK];
	ssize_t n;

	/* a hint: what it cannot do, the sync will */
	if (*at % PIECE == 0)
		sync_file_range(fd, *at, PIECE, SYNC_FILE_RANGE_WRITE);
	do
		n = pread(fd, buffer, sizeof(buffer), *at);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		log_error("digest: cannot read a file: %s", strerror(errno));
		return -1;
	}
	*at += n;
	return n == 0 ? 0 : digest_add(digest, buffer, (size_t)n);
}

int
digest_file(int fd, unsigned char sha256[STORE_SHA256_LEN])
{
	struct digest *digest = digest_begin();
	int rc = digest ? 1 : -1;
	off_t at = 0;

	while (rc == 1)
		rc = add_chunk(digest, fd, &at);
	if (rc == 0)
		rc = digest_end(digest, sha256);
	digest_free(digest);
	return rc;
}
