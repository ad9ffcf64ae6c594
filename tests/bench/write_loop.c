/*
 * write_loop [-s] THREADS COUNT SIZE DIRECTORY: the least that a durable upload
 * can cost. Writes COUNT files of SIZE bytes, each under a temporary name,
 * fsynced (unless -s: sloppily) and renamed, and prints what http_load prints.
 * The files are spread over directories as putslot's are.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/units.h"
#include "tests/bench/load_tally.h"

#define SHARDS 1024
#define PIECE (1 << 20)

static struct {
	int64_t threads, count, size;
	int directory;
	bool sync;
	atomic_llong next;
	atomic_bool broken;
} work;

static const char piece[PIECE];

static int
write_body(int fd)
{
	int64_t left;
	ssize_t n;

	for (left = work.size; left > 0; left -= n) {
		n = write(fd, piece, left < PIECE ? (size_t)left : PIECE);
		if (n <= 0)
			return -1;
	}
	return work.sync && fsync(fd) == -1 ? -1 : 1;
}

static int
write_file(long long number)
{
	char temporary[64], final[64];
	int fd, n, m, written;

	n = snprintf(temporary, sizeof temporary, "%03lld/%lld.tmp",
	    number % SHARDS, number);
	m = snprintf(
	    final, sizeof final, "%03lld/%lld", number % SHARDS, number);
	if (n < 0 || m < 0)
		return -1;
	fd = openat(work.directory, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1)
		return -1;
	written = write_body(fd);
	if (close(fd) == -1 || written != 1)
		return -1;
	return renameat(work.directory, temporary, work.directory, final) == -1
		   ? -1
		   : 1;
}

static void *
write_files(void *argument)
{
	struct load_tally *tally = argument;
	long long number;

	while ((number = atomic_fetch_add(&work.next, 1)) < work.count) {
		double began = load_tally_now();

		if (write_file(number) != 1 ||
		    load_tally_add(tally, 201, load_tally_now() - began,
			(uint64_t)work.size) != 1) {
			perror("write_loop");
			atomic_store(&work.broken, true);
			return NULL;
		}
	}
	return NULL;
}

static int
make_shards(void)
{
	char name[16];
	int i;

	for (i = 0; i < SHARDS; i++) {
		if (snprintf(name, sizeof name, "%03d", i) < 0 ||
		    mkdirat(work.directory, name, 0750) == -1)
			return -1;
	}
	return 1;
}

/* 1 all is written and counted, -1 not. */
static int
run(struct load_tally *tallies, pthread_t *threads)
{
	double began = load_tally_now();
	int64_t i, started = 0;

	for (i = 0; i < work.threads; i++, started++)
		if (pthread_create(
			&threads[i], NULL, write_files, &tallies[i]) != 0)
			break;
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (started < work.threads || atomic_load(&work.broken))
		return -1;
	for (i = 1; i < work.threads; i++)
		if (load_tally_merge(&tallies[0], &tallies[i]) != 1)
			return -1;
	load_tally_print(&tallies[0], load_tally_now() - began, stdout);
	return 1;
}

static int
take_arguments(int argc, char **argv)
{
	int option;

	work.sync = true;
	while ((option = getopt(argc, argv, "s")) != -1) {
		if (option != 's')
			return 0;
		work.sync = false;
	}
	if (argc - optind != 4 ||
	    units_parse_number(argv[optind], &work.threads) != 1 ||
	    units_parse_number(argv[optind + 1], &work.count) != 1 ||
	    units_parse_number(argv[optind + 2], &work.size) != 1)
		return 0;
	work.directory = open(argv[optind + 3], O_RDONLY | O_DIRECTORY);
	return work.directory != -1 && work.threads > 0;
}

int
main(int argc, char **argv)
{
	struct load_tally *tallies = NULL;
	pthread_t *threads = NULL;
	int64_t i;
	int status = 1;

	if (take_arguments(argc, argv) != 1) {
		fputs("usage: see the head of write_loop.c\n", stderr);
		return 2;
	}
	tallies = calloc((size_t)work.threads, sizeof *tallies);
	threads = calloc((size_t)work.threads, sizeof *threads);
	if (tallies && threads && make_shards() == 1 &&
	    run(tallies, threads) == 1)
		status = 0;
	for (i = 0; tallies && i < work.threads; i++)
		load_tally_free(&tallies[i]);
	free(tallies);
	free(threads);
	return status;
}
