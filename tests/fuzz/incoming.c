/*
 * Paths of files that a web server hands over. Input: a path, in which "$" is
 * the directory of such files. What is taken is one of those that nginx could
 * have written, by its one right name.
 */
#include "fcgi/incoming.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/bodies.h"
#include "schema/log.h"
#include "tests/fuzz/directory.h"
#include "tests/fuzz/fuzz.h"

/* What is taken, and of how many bytes. */
static const struct {
	const char *rest;
	int size;
} files[] = {{"0", 1}, {"0000000001", 2}, {"5/0", 3}, {"5/0000000001", 4},
    {"5/01234567890123456789012345", 5}};
#define FILES (sizeof(files) / sizeof(*files))

/* What is not. */
static const char *const others[] = {"passwd", "5/passwd", "0x", "5/-1", "55/1",
    "5/5/1", "5/012345678901234567890123456", "../outside"};

static char inside[250];
static struct incoming *incoming;
static FILE *log_file;

static char *
join(const char *rest)
{
	char *path;

	FUZZ_CLAIM(asprintf(&path, "%s/%s", inside, rest) > 0);
	return path;
}

static void
make_file(const char *rest, int size)
{
	char *path = join(rest);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	FUZZ_CLAIM(fd >= 0 && ftruncate(fd, size) == 0 && close(fd) == 0);
	free(path);
}

static void
make_directory(const char *rest)
{
	char *path = join(rest);

	FUZZ_CLAIM(mkdir(path, 0700) == 0);
	free(path);
}

/* At a name that nginx could have given it. */
static void
make_link(const char *to, const char *rest)
{
	char *path = join(rest);

	FUZZ_CLAIM(symlink(to, path) == 0);
	free(path);
}

static void
set_up(void)
{
	char path[250];
	struct bodies *bodies;

	directory_make();
	log_open("fuzz", LOG_LEVEL_ERROR, false);
	FUZZ_CLAIM((log_file = fopen("/dev/null", "w")) != NULL);
	snprintf(path, sizeof(path), "%s/bodies", directory_path);
	FUZZ_CLAIM(bodies_open(path, NULL, BODIES_NAMELESS, &bodies) == 1);
	snprintf(inside, sizeof(inside), "%s/in", directory_path);
	FUZZ_CLAIM(incoming_open(inside, bodies, &incoming) == 1);
	bodies_close(bodies);
	make_directory("5");
	make_directory("5/5");
	make_directory("5/7");
	make_directory("55");
	for (size_t i = 0; i < FILES; i++)
		make_file(files[i].rest, files[i].size);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		make_file(others[i], 1);
	make_link("0", "2");
	make_link("../../outside", "5/2");
	make_link("5", "6");
}

/* Writes the path that the text stands for. */
static void
expand(const char *text, char **path)
{
	size_t len;
	FILE *out = open_memstream(path, &len);

	FUZZ_CLAIM(out != NULL);
	for (; *text; text++)
		fputs(*text == '$' ? inside : (char[]){*text, '\0'}, out);
	FUZZ_CLAIM(fclose(out) == 0);
}

/* Its size; 0: it must not be taken. */
static int
size_of(const char *path)
{
	size_t len = strlen(inside);

	if (strncmp(path, inside, len) != 0 || path[len] != '/')
		return 0;
	for (size_t i = 0; i < FILES; i++)
		if (strcmp(path + len + 1, files[i].rest) == 0)
			return files[i].size;
	return 0;
}

static int
lowest_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	FUZZ_CLAIM(fd >= 0 && close(fd) == 0);
	return fd;
}

static int
take(const char *path, struct incoming_file *file)
{
	FILE *before = stderr;
	int rc;

	stderr = log_file; /* each refusal is a line of the log */
	rc = incoming_take(incoming, path, file);
	stderr = before;
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct incoming_file file;
	char *text = fuzz_string(data, size), *path = NULL;

	if (incoming == NULL)
		set_up();
	expand(text, &path);
	int right = size_of(path);
	int lowest = lowest_descriptor();

	FUZZ_CLAIM(take(path, &file) == (right > 0));
	if (right > 0) {
		FUZZ_CLAIM(file.size == right);
		FUZZ_CLAIM(strcmp(strrchr(path, '/') + 1, file.name) == 0);
		FUZZ_CLAIM(faccessat(file.dir, file.name, F_OK, 0) == 0);
		FUZZ_CLAIM(lseek(file.fd, 0, SEEK_END) == right);
		incoming_end(&file);
	}
	FUZZ_CLAIM(file.dir == -1 && file.fd == -1);
	FUZZ_CLAIM(lowest_descriptor() == lowest);
	free(path);
	free(text);
	return 0;
}
