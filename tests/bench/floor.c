/*
 * floor [-drs] [-a HEADER] SOCKET DIRECTORY THREADS: the least that a FastCGI
 * program can do, to measure what the web server around it costs.
 *
 * PUT: counts the bytes, writes them to DIRECTORY/SHARD/NAME, where NAME is
 * what follows the last slash of the address and SHARD its first two
 * characters, and answers 201. With
 *
 *	-d  durably: under another name, fsynced, and then renamed
 *	-r  and records a row in DIRECTORY/records.db; with -d once SHARD is
 *	    fsynced, and the row is, too, before the answer
 *	-s  and computes the SHA-256 of the bytes
 *
 * GET: answers with -a HEADER, which hands a fixed file over to the web server.
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
#include <unistd.h>

#include "schema/units.h"
#include "tests/bench/ledger.h"

#define BACKLOG 1024
#define BUFFER 65536
#define MAX_THREADS 256

static struct {
	const char *header; /* of the answer to GET */
	bool durable;
	bool records;
	bool digests;
	struct ledger *ledger; /* if it records */
	int socket;
	int directory;
} floor_program;

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
sync_directory(const char *path)
{
	int fd = openat(
	    floor_program.directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd != -1 && fsync(fd) == 0;

	if (fd != -1)
		close(fd);
	return synced;
}

static bool
give_name(const char *first, const char *path)
{
	return renameat(floor_program.directory, first, floor_program.directory,
		   path) == 0;
}

static bool
record(const char *shard, const char *name, int64_t size)
{
	if (floor_program.durable && !sync_directory(shard))
		return false;
	return ledger_add(floor_program.ledger, name, size) == 1;
}

static bool
store(FCGX_Stream *in, const char *name)
{
	const char *suffix = floor_program.durable ? ".tmp" : "";
	char shard[3], path[PATH_MAX], first[PATH_MAX];
	int64_t size;

	snprintf(shard, sizeof shard, "%.2s", name);
	if (snprintf(path, PATH_MAX, "%s/%s", shard, name) >= PATH_MAX ||
	    snprintf(first, PATH_MAX, "%s%s", path, suffix) >= PATH_MAX)
		return false;
	size = write_body(in, first);
	return size >= 0 &&
	       (!floor_program.durable || give_name(first, path)) &&
	       (!floor_program.records || record(shard, name, size));
}

static void
put(FCGX_Request *request, const char *uri)
{
	const char *slash = strrchr(uri, '/');
	bool stored = slash && store(request->in, slash + 1);

	FCGX_FPrintF(request->out,
	    "Status: %s\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 0\r\n\r\n",
	    stored ? "201 Created" : "500 Internal Server Error");
}

static void *
serve(void *unused)
{
	FCGX_Request request;

	FCGX_InitRequest(&request, floor_program.socket, 0);
	while (FCGX_Accept_r(&request) == 0) {
		const char *method =
		    FCGX_GetParam("REQUEST_METHOD", request.envp);
		const char *uri = FCGX_GetParam("REQUEST_URI", request.envp);

		if (method && uri && strcmp(method, "PUT") == 0)
			put(&request, uri);
		else
			FCGX_FPrintF(request.out,
			    "Content-Type: image/jpeg\r\n%s\r\n\r\n",
			    floor_program.header);
		FCGX_Finish_r(&request);
	}
	return unused;
}

static bool
take_options(int argc, char **argv)
{
	int option;

	floor_program.header = "X-Nothing: here";
	while ((option = getopt(argc, argv, "a:drs")) != -1) {
		floor_program.durable |= option == 'd';
		floor_program.records |= option == 'r';
		floor_program.digests |= option == 's';
		if (option == 'a')
			floor_program.header = optarg;
		else if (option == '?')
			return false;
	}
	return true;
}

static bool
open_all(const char *socket, const char *directory)
{
	char path[PATH_MAX];

	floor_program.directory =
	    open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (floor_program.directory == -1 || FCGX_Init() != 0)
		return false;
	floor_program.socket = FCGX_OpenSocket(socket, BACKLOG);
	if (floor_program.socket == -1 || !floor_program.records)
		return floor_program.socket != -1;
	if (snprintf(path, PATH_MAX, "%s/records.db", directory) >= PATH_MAX)
		return false;
	floor_program.ledger = ledger_open(path, floor_program.durable);
	return floor_program.ledger != NULL;
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
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return 1;
	serve(NULL);
	return 1;
}
