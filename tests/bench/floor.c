/*
 * floor [-a HEADER] SOCKET DIRECTORY THREADS: the least that a FastCGI program
 * can do, to measure what the web server around it costs.
 *
 * PUT: counts the bytes, writes them to DIRECTORY/SHARD/NAME, where NAME is
 * what follows the last slash of the address and SHARD its first two
 * characters, and answers 201. GET: answers with -a HEADER, which hands a fixed
 * file over to the web server.
 */
#include <fcgiapp.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schema/units.h"

#define BACKLOG 1024
#define BUFFER 65536
#define MAX_THREADS 256

static struct {
	const char *header; /* of the answer to GET */
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

/* As many bytes as have come; -1 they could not be written. */
static int64_t
copy_body(FCGX_Stream *in, int fd)
{
	char buffer[BUFFER];
	int64_t count = 0;
	int n;

	while ((n = FCGX_GetStr(buffer, sizeof buffer, in)) > 0) {
		if (!write_all(fd, buffer, (size_t)n))
			return -1;
		count += n;
	}
	return count;
}

static void
put(FCGX_Request *request, const char *uri)
{
	const char *name = strrchr(uri, '/');
	char path[128];
	int64_t count = -1;
	int fd = -1;
	int n = name
		    ? snprintf(path, sizeof path, "%.2s/%s", name + 1, name + 1)
		    : -1;

	if (n > 0 && (size_t)n < sizeof path)
		fd = openat(floor_program.directory, path,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd != -1) {
		count = copy_body(request->in, fd);
		close(fd);
	}
	FCGX_FPrintF(request->out,
	    "Status: %s\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 0\r\n\r\n",
	    count >= 0 ? "201 Created" : "500 Internal Server Error");
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

int
main(int argc, char **argv)
{
	pthread_t thread;
	int64_t threads = 0, i;
	int option;

	floor_program.header = "X-Nothing: here";
	while ((option = getopt(argc, argv, "a:")) == 'a')
		floor_program.header = optarg;
	if (option != -1 || argc - optind != 3 ||
	    units_parse_number(argv[optind + 2], &threads) != 1 ||
	    threads < 1 || threads > MAX_THREADS) {
		fputs("usage: see the head of floor.c\n", stderr);
		return 2;
	}
	floor_program.directory =
	    open(argv[optind + 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (floor_program.directory == -1 || FCGX_Init() != 0 ||
	    (floor_program.socket = FCGX_OpenSocket(argv[optind], BACKLOG)) ==
		-1) {
		perror("floor");
		return 1;
	}
	for (i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return 1;
	serve(NULL);
	return 1;
}
