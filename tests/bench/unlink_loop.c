/*
 * The floor of a cleanup: removes all files in the directories of DIRECTORY,
 * one after the other as rm -r would, and nothing else:
 *
 *	unlink_loop DIRECTORY
 *
 * Prints one JSON object.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
broken(const char *path)
{
	fprintf(stderr, "unlink_loop: %s: %s\n", path, strerror(errno));
	return -1;
}

/* Takes the descriptor. The number of files removed, or -1. */
static int64_t
empty(int fd, const char *path)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int64_t files = 0;

	if (dir == NULL)
		return broken(path);
	while (files != -1 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		files++;
		if (unlinkat(fd, entry->d_name, 0) == -1)
			files = broken(entry->d_name);
	}
	closedir(dir);
	return files;
}

static int64_t
empty_all(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int64_t sum = 0;

	if (dir == NULL)
		return broken(path);
	while (sum != -1 && (entry = readdir(dir)) != NULL) {
		int64_t files = -1;
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY);
		if (fd == -1)
			broken(entry->d_name);
		else
			files = empty(fd, entry->d_name);
		sum = files == -1 ? -1 : sum + files;
	}
	closedir(dir);
	return sum;
}

static double
seconds_running(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	double began = seconds_running();
	int64_t files = argc == 2 ? empty_all(argv[1]) : -1;

	if (files == -1) {
		fputs("usage: unlink_loop DIRECTORY\n", stderr);
		return 1;
	}
	printf("{\"files\": %" PRId64 ", \"seconds\": %.3f}\n", files,
	    seconds_running() - began);
	return 0;
}
