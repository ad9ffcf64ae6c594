/*
 * Configuration values that are texts of a certain form. Every function
 * checks the text and puts a copy into the value, in normal form. 1 done,
 * 0 not of the form, -1 out of memory. The value must be empty.
 */
#ifndef SCHEMA_CONFIG_VALUE_TEXT_H
#define SCHEMA_CONFIG_VALUE_TEXT_H

struct config_value;

/* UTF-8 without control characters: fit for a log line or a stanza. */
int config_value_text_clean(const char *, struct config_value *);

/* Printable ASCII: fit for a header of HTTP. */
int config_value_text_header(const char *, struct config_value *);

/* Absolute: the programs have no common working directory. */
int config_value_text_path(const char *, struct config_value *);

/* A domain as in a JID, so of any script; ASCII is put into lower case. */
int config_value_text_domain(const char *, struct config_value *);

/* http or https, RFC 3986 characters; a missing '/' at the end is added. */
int config_value_text_url(const char *, struct config_value *);

/* The path of one, of unreserved characters, so that no server reads it
 * differently; a missing '/' at the end is added. */
int config_value_text_url_path(const char *, struct config_value *);

/* Patterns of a rule, separated by blanks or commas; fills the list. */
int config_value_text_patterns(const char *, struct config_value *);

#endif
