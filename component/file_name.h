/*
 * The name that a slot gets: as close to what was asked for as is safe in a
 * URL, in a header and on the disks of those who download it.
 */
#ifndef COMPONENT_FILE_NAME_H
#define COMPONENT_FILE_NAME_H

#include "schema/store.h"

/* Makes a name of any text. Control characters, slashes of both kinds, line
 * separators and the characters that turn the direction of writing around
 * ("cod.exe" shown as "exe.doc") become '_', and so does each dot of a name
 * that is only dots, which every client would resolve away. A name over
 * STORE_NAME_MAX bytes loses the end of its stem and keeps its ending: XEP-0363
 * section 4 asks for "especially the file ending".
 * 1 done; 0 empty, or not UTF-8; -1 no memory (logged). */
int file_name_make(const char *asked, char buf[STORE_NAME_MAX + 1]);

#endif
