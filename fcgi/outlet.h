/*
 * The way out of an answer: a stream of libfcgi's kind over a descriptor, as
 * CGI has it or in FastCGI's records. Instead of libfcgi's own, whose buffer of
 * 8 KiB makes two writes of each small file and a hundred of each megabyte: a
 * small file is one read and one write, of a large one the kernel moves 64 KiB
 * at a time without a way through this program.
 */
#ifndef FCGI_OUTLET_H
#define FCGI_OUTLET_H

#include <stdint.h>
#include <fcgiapp.h>

/* The most that a record holds (FastCGI section 3.3) without padding. */
#define OUTLET_CONTENT 65528
/* A record's header and padding, and the end of the request. */
#define OUTLET_FRAME (8 + 8 + 8 + 16)

struct outlet {
	FCGX_Stream stream; /* first: its procedures get the address */
	int fd;
	int request_id; /* of FastCGI; 0: CGI, no records */
	unsigned char buffer[OUTLET_CONTENT + OUTLET_FRAME];
};

/* Begins an answer; what is written to stream goes to fd. */
void outlet_open(struct outlet *, int fd, int request_id);

/* Sends bytes of a file into an outlet's stream, or through the buffer of any
 * other. 1 sent; 0 the client is gone; -1 the file cannot be read, with errno,
 * which is 0 where it ends too soon: no more may be written then. */
int outlet_send_file(FCGX_Stream *, int file, int64_t first, int64_t count);

/* Writes what is left and, for FastCGI, that the request has ended. 0, or the
 * errno of the first write that failed: the answer was not taken. */
int outlet_close(struct outlet *);

#endif
