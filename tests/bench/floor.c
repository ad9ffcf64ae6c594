/*
 * floor [-drs] [-a HEADER] [-o DATABASE] SOCKET DIRECTORY THREADS: the least
 * that a FastCGI program can do, to measure what the web server around it
 *costs.
 *
 * PUT: counts the bytes, writes them to DIRECTORY/SHARD/NAME, where NAME is
 * what follows the last slash of the address and SHARD its first two
 * characters, and answers 201. With
 *
 *	-d  durably: under another name, fsynced, and then renamed
 *	-r  and records a row in DIRECTORY/records.db; with -d once SHARD is
 *	    fsynced, and the row is, too, before the answer
 *	-o  the same in putslot's own DATABASE, where it looks NAME up as a
 *	    slot's token first, and marks the slot as stored in the end
 *	-s  and computes the SHA-256 of the bytes
 *
 * GET: answers with -a HEADER, which hands a fixed file over to the web server.
 *
 * The threads wait at one epoll instance; connections that are kept hold none.
 * A row is committed, and what waits for it answered, by the thread that brings
 * it, or by one that is at others: no thread waits for another.
 */
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "schema/units.h"
#include "tests/bench/ledger.h"

#define BACKLOG 1024
#define BUFFER 65536
#define MAX_THREADS 256

static struct {
	const char *header;   /* of the answer to GET */
	const char *database; /* putslot's; NULL: of its own, if it records */
	bool durable;
	bool records;
	bool digests;
	struct ledger *ledger; /* if it records */
	int socket;
	int epoll;
	int directory;
} floor_program;

/* A connection, and the upload that it is at. */
struct connection {
	struct ledger_row row; /* first: the ledger gives it back */
	FCGX_Request request;
	char path[PATH_MAX];
	bool is_new;
};

static bool
wait_for(int op, int fd, void *what)
{
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLONESHOT, .data.ptr = what};

	return epoll_ctl(floor_program.epoll, op, fd, &event) == 0;
}

/* ---- bodies ---- */

static bool
write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = write(fd, bytes, count);

		if (n <= 0)
			return false;
		bytes += n;
		count -= (size_t)n;
	}
	return true;
}

/* As many bytes as have come; -1 they could not be written, or digested. */
static int64_t
copy_body(FCGX_Stream *in, int fd, EVP_MD_CTX *digest)
{
	char buffer[BUFFER];
	int64_t count = 0;
	int n;

	while ((n = FCGX_GetStr(buffer, sizeof buffer, in)) > 0) {
		if (!write_all(fd, buffer, (size_t)n) ||
		    (digest && !EVP_DigestUpdate(digest, buffer, (size_t)n)))
			return -1;
		count += n;
	}
	return count;
}

static int64_t
digest_body(FCGX_Stream *in, int fd)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	int64_t count = -1;

	if (digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL))
		count = copy_body(in, fd, digest);
	if (count >= 0 && !EVP_DigestFinal_ex(digest, sum, NULL))
		count = -1;
	EVP_MD_CTX_free(digest);
	return count;
}

static int64_t
write_body(FCGX_Stream *in, const char *path)
{
	int64_t count;
	int fd = openat(floor_program.directory, path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd == -1)
		return -1;
	count = floor_program.digests ? digest_body(in, fd)
				      : copy_body(in, fd, NULL);
	if (floor_program.durable && fsync(fd) == -1)
		count = -1;
	close(fd);
	return count;
}

static bool
sync_directory(const char *name)
{
	const char shard[] = {name[0], name[1], '\0'};
	int fd = openat(
	    floor_program.directory, shard, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd != -1 && fsync(fd) == 0;

	if (fd != -1)
		close(fd);
	return synced;
}

/* -1, or as many bytes as are there. */
static int64_t
store(FCGX_Stream *in, const char *path)
{
	char first[PATH_MAX];
	int64_t size;

	if (!floor_program.durable)
		return write_body(in, path);
	if (snprintf(first, PATH_MAX, "%s.tmp", path) >= PATH_MAX)
		return -1;
	size = write_body(in, first);
	if (size >= 0 && renameat(floor_program.directory, first,
			     floor_program.directory, path) == -1)
		return -1;
	return size;
}

/* ---- requests ---- */

static void
finish(struct connection *c)
{
	int op = c->is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
	FCGX_Request *request = &c->request;

	FCGX_Finish_r(request);
	c->is_new = false;
	if (request->ipcFd < 0 || !wait_for(op, request->ipcFd, c)) {
		FCGX_Free(request, 1);
		free(c);
	}
}

static void
answer_put(struct connection *c, bool stored)
{
	FCGX_FPrintF(c->request.out,
	    "Status: %s\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 0\r\n\r\n",
	    stored ? "201 Created" : "500 Internal Server Error");
	finish(c);
}

static void
recorded(struct ledger_row *row, int result)
{
	answer_put((struct connection *)(void *)row, result == 1);
}

/* Whether it goes on: what is looked up is there. */
static bool
begin_put(struct connection *c, const char *uri, struct ledger_reader *reader)
{
	const char *slash = strrchr(uri, '/');
	const char *name = slash ? slash + 1 : "";

	if (snprintf(c->path, PATH_MAX, "%.2s/%s", name, name) >= PATH_MAX)
		return false;
	c->row.name = c->path + 3;
	if (!reader)
		return true;
	c->row.number = ledger_reader_find(reader, name);
	return c->row.number != -1;
}

static void
put(struct connection *c, const char *uri, struct ledger_reader *reader)
{
	int64_t size = -1;

	if (begin_put(c, uri, reader))
		size = store(c->request.in, c->path);
	if (size == -1 || !floor_program.records) {
		answer_put(c, size != -1);
		return;
	}
	if (floor_program.durable && !sync_directory(c->row.name)) {
		answer_put(c, false);
		return;
	}
	if (!reader)
		c->row.number = size;
	c->row.done = recorded;
	ledger_add(floor_program.ledger, &c->row);
}

static void
serve(struct connection *c, struct ledger_reader *reader)
{
	FCGX_Request *request = &c->request;
	const char *method, *uri;

	/* as kept, and without a listener to which libfcgi would turn */
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) != 0) {
		FCGX_Free(request, 1);
		free(c);
		return;
	}
	method = FCGX_GetParam("REQUEST_METHOD", request->envp);
	uri = FCGX_GetParam("REQUEST_URI", request->envp);
	if (method && uri && strcmp(method, "PUT") == 0) {
		put(c, uri, reader);
		return;
	}
	FCGX_FPrintF(request->out, "Content-Type: image/jpeg\r\n%s\r\n\r\n",
	    floor_program.header);
	finish(c);
}

/* ---- threads ---- */

/* NULL: there is none after all, or no more memory. */
static struct connection *
accept_next(void)
{
	int fd = accept4(floor_program.socket, NULL, NULL, SOCK_CLOEXEC);
	struct connection *c = fd != -1 ? calloc(1, sizeof(*c)) : NULL;

	wait_for(EPOLL_CTL_MOD, floor_program.socket, NULL);
	if (c) {
		FCGX_InitRequest(&c->request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
		c->request.ipcFd = fd;
		c->is_new = true;
	} else if (fd != -1) {
		close(fd);
	}
	return c;
}

static void *
work(void *unused)
{
	struct ledger_reader *reader = NULL;
	struct epoll_event event;

	if (floor_program.database) {
		reader = ledger_reader_open(floor_program.database);
		if (!reader)
			exit(1);
	}
	while (epoll_wait(floor_program.epoll, &event, 1, -1) == 1) {
		struct connection *c = event.data.ptr;

		if (!c)
			c = accept_next();
		if (c)
			serve(c, reader);
	}
	return unused;
}

static bool
take_options(int argc, char **argv)
{
	int option;

	floor_program.header = "X-Nothing: here";
	while ((option = getopt(argc, argv, "a:dro:s")) != -1) {
		floor_program.durable |= option == 'd';
		floor_program.records |= option == 'r' || option == 'o';
		floor_program.digests |= option == 's';
		if (option == 'a')
			floor_program.header = optarg;
		else if (option == 'o')
			floor_program.database = optarg;
		else if (option == '?')
			return false;
	}
	return true;
}

static bool
open_ledger(const char *directory)
{
	const char *own = floor_program.database;
	char path[PATH_MAX];

	if (snprintf(path, PATH_MAX, "%s/records.db", directory) >= PATH_MAX)
		return false;
	floor_program.ledger =
	    ledger_open(own ? own : path, own != NULL, floor_program.durable);
	return floor_program.ledger != NULL;
}

static bool
open_all(const char *socket, const char *directory)
{
	floor_program.directory =
	    open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	floor_program.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (floor_program.directory == -1 || floor_program.epoll == -1 ||
	    FCGX_Init() != 0 ||
	    (floor_program.records && !open_ledger(directory)))
		return false;
	floor_program.socket = FCGX_OpenSocket(socket, BACKLOG);
	return floor_program.socket != -1 &&
	       wait_for(EPOLL_CTL_ADD, floor_program.socket, NULL);
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	int64_t threads = 0, i;

	if (!take_options(argc, argv) || argc - optind != 3 ||
	    units_parse_number(argv[optind + 2], &threads) != 1 ||
	    threads < 1 || threads > MAX_THREADS) {
		fputs("usage: see the head of floor.c\n", stderr);
		return 2;
	}
	if (!open_all(argv[optind], argv[optind + 1])) {
		perror("floor");
		return 1;
	}
	for (i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, work, NULL) != 0)
			return 1;
	work(NULL);
	return 1;
}
