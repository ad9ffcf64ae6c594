/*
 * Bytes from one descriptor to another without a way through this program,
 * where the kernel can: copy_file_range (which on some file systems copies
 * nothing at all) from a regular file, splice from a pipe.
 */
#ifndef FCGI_TRANSFER_H
#define FCGI_TRANSFER_H

#include <stddef.h>
#include <sys/types.h>

enum transfer {
	TRANSFER_NONE, /* a socket, a terminal: read and write */
	TRANSFER_FILE,
	TRANSFER_PIPE
};

/* What is possible from this descriptor to a regular file. */
enum transfer transfer_from(int fd);

/*
 * Moves at most max bytes, at the positions of both descriptors, which move
 * along. Waits for none: a pipe must have something to read.
 * The bytes moved; 0 at the end of from; -1 with errno, which is EOPNOTSUPP
 * when these two do not go together and reading and writing still may.
 */
ssize_t transfer_some(enum transfer, int from, int to, size_t max);

#endif
