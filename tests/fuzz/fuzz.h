/*
 * What every fuzz target begins with: an input taken apart, and claims that
 * end the process when they do not hold, which is what a fuzzer looks for.
 *
 * A target is one file with an LLVMFuzzerTestOneInput. It asserts what must
 * hold for any input whatever, so most of its claims are about two functions
 * that undo each other, about the form of a result, or about two inputs that
 * must be treated alike. Inputs are text where possible, so that seeds can be
 * written and finds be read: one field a line.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's, AFL++'s and replay.c's main call it with each input. 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CLAIM(claim)                                             \
	do {                                                          \
		if (!(claim)) {                                       \
			fprintf(stderr, "%s:%d: does not hold: %s\n", \
			    __FILE__, __LINE__, #claim);              \
			abort();                                      \
		}                                                     \
	} while (0)

#define FUZZ_FIELDS 40

/* The lines of an input. Each is a block of memory of its own and of exactly
 * its size, so that a sanitizer sees what reads past the end of one. */
struct fuzz_input {
	char *fields[FUZZ_FIELDS];
	int count;
};

/* A string of the bytes up to the first NUL, at most len, to be freed. */
static inline char *
fuzz_string(const void *data, size_t len)
{
	char *copy = len > 0 ? strndup(data, len) : calloc(1, 1);

	FUZZ_CLAIM(copy != NULL);
	return copy;
}

/* Takes lines up to the end, to an empty line or to FUZZ_FIELDS. Returns how
 * many bytes that were; what follows is for the target. */
static inline size_t
fuzz_open(struct fuzz_input *input, const uint8_t *data, size_t size)
{
	size_t at = 0;

	input->count = 0;
	while (at < size && input->count < FUZZ_FIELDS) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;
		size_t begin = at;

		at += len + (end != NULL);
		if (len == 0)
			break;
		input->fields[input->count++] = fuzz_string(data + begin, len);
	}
	return at;
}

/* The field, or "". */
static inline const char *
fuzz_field(const struct fuzz_input *input, int index)
{
	return index < input->count ? input->fields[index] : "";
}

static inline void
fuzz_close(struct fuzz_input *input)
{
	while (input->count > 0)
		free(input->fields[--input->count]);
}

#endif
