/*
 * A fuzz target's main where there is no fuzzer: runs the target once for
 * each file named, or else for each of its seeds, which lie in
 * tests/fuzz/seeds/TARGET. Says "ok NAME" after each; of one that fails the
 * last line says which it was.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

/* The whole file, to be freed; ends the process if it cannot be read. */
static uint8_t *
read_file(const char *path, size_t *size)
{
	FILE *stream = fopen(path, "re");
	char *data = NULL;
	FILE *copy = open_memstream(&data, size);
	int c;

	if (stream == NULL || copy == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	while ((c = getc(stream)) != EOF)
		putc(c, copy);
	if (ferror(stream) || fclose(copy) != 0)
		exit(1);
	fclose(stream);
	return (uint8_t *)data;
}

static void
replay(const char *path)
{
	size_t size;
	uint8_t *data = read_file(path, &size);
	/* of exactly its size, unlike the stream's */
	uint8_t *exact = malloc(size);

	printf("# %s\n", path);
	fflush(stdout);
	if (exact != NULL && size > 0)
		memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	printf("ok %s\n", path);
	free(exact);
	free(data);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In alphabetical order, so that a failure repeats itself. */
static int
replay_seeds(const char *target)
{
	struct dirent **names = NULL;
	char *directory = NULL, *path = NULL;
	int count;

	if (asprintf(&directory, "tests/fuzz/seeds/%s", target) < 0)
		return 1;
	count = scandir(directory, &names, is_visible, alphasort);
	if (count <= 0)
		fprintf(stderr, "%s: no seeds\n", directory);
	for (int i = 0; i < count; i++) {
		if (asprintf(&path, "%s/%s", directory, names[i]->d_name) < 0)
			return 1;
		replay(path);
		free(path);
		free(names[i]);
	}
	free(names);
	free(directory);
	return count > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');

	if (argc == 1)
		return replay_seeds(slash != NULL ? slash + 1 : argv[0]);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	return 0;
}
