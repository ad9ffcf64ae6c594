/*
 * The values of configuration keys, by type: from text, into the struct that
 * the key belongs to, and back to text.
 */
#ifndef SCHEMA_CONFIG_VALUE_H
#define SCHEMA_CONFIG_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config_key;

/* Longest value, and longest name of a rule, in bytes: with all that
 * config_print writes around them they still fit into a line, and can be read
 * again. */
#define CONFIG_VALUE_MAX 3900

struct config_value {
	int64_t number; /* of all that is no text; bool and enum too */
	char *text;
	char **list;
};

/* Reads a value of the key's type and range. 1 read, *out to be stored or
 * freed; 0 not acceptable: why says what it "must be"; -1 out of memory. */
int config_value_parse(const struct config_key *, const char *text,
    struct config_value *out, char *why, size_t len);

/* Frees what the value holds and empties it. */
void config_value_free(struct config_value *);

/* Moves the value into the struct at base, freeing what was there. */
void config_value_store(
    const struct config_key *, void *base, struct config_value *);

/* Frees what the struct at base holds for the key. */
void config_value_clear(const struct config_key *, void *base);

/* Prints "key = value"; a comment in its place where there is no value, or
 * where it is nobody's business. */
void config_value_print(const struct config_key *, const void *base, FILE *);

/* "yes or no", "size", …: the type's name for people. */
const char *config_value_type_name(const struct config_key *);

/* Frees a NULL-terminated list of strings; accepts NULL. */
void config_value_free_list(char **);

#endif
