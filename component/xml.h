/*
 * XML, written as text that grows.
 */
#ifndef COMPONENT_XML_H
#define COMPONENT_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin with all zero. text is NULL or ends in a NUL; whoever has the struct
 * frees it. */
struct xml {
	char *text;
	size_t len;
	size_t room;
	bool broken; /* there was no memory for a part of it (not logged) */
};

/* Appends markup as it is. */
void xml_markup(struct xml *, const char *markup);

/* Appends a value, for an attribute in single quotes or for text. What XML
 * cannot carry (1.0 section 2.2) becomes U+FFFD; what an attribute's reader
 * would turn into a blank (section 3.3.3) is a reference. */
void xml_value(struct xml *, const char *value);

/* XML 1.0 section 2.2, Char. */
bool xml_is_char(uint32_t c);

#endif
