/*
 * Mistakes in a configuration file, written as "FILE:LINE: what is wrong" as
 * they are found, and counted.
 */
#ifndef SCHEMA_CONFIG_MISTAKES_H
#define SCHEMA_CONFIG_MISTAKES_H

#include <stdio.h>

struct config_mistakes {
	const char *path; /* of the file, as the user gave it */
	FILE *err;
	int count;
};

/* Writes one mistake. line 0: it is about no one line. */
void config_mistakes_add(struct config_mistakes *, int line, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
