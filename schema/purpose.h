/*
 * Upload purposes, XEP-0363 section 5: the buckets into which an upload
 * service sorts its files, each with limits and a retention of its own.
 */
#ifndef SCHEMA_PURPOSE_H
#define SCHEMA_PURPOSE_H

#include <stddef.h>

enum purpose {
	PURPOSE_MESSAGE,   /* 5.1, the default when a request names none */
	PURPOSE_PROFILE,   /* 5.2 */
	PURPOSE_EPHEMERAL, /* 5.3, comes with an expire-before */
	PURPOSE_PERMANENT, /* 5.4 */
	PURPOSE_COUNT
};

/* The purpose's element name, which is also its name in the database and
 * the configuration. Never NULL for a member of the enum. */
const char *purpose_name(enum purpose);

/* Finds the purpose of exactly that name. 1 found, 0 no such purpose. */
int purpose_parse(const char *name, enum purpose *);

#endif
