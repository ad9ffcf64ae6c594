/*
 * Content-Disposition, RFC 6266, with the name by RFC 8187.
 */
#ifndef FCGI_DISPOSITION_H
#define FCGI_DISPOSITION_H

#include <stdbool.h>
#include <stddef.h>

/* Enough for any file name that a slot keeps. */
#define DISPOSITION_MAX 1100

/* Writes "inline" or "attachment" with the file name: as it is in a quoted
 * string where that is read alike by everyone, else an ASCII likeness in
 * filename= and the true name in filename*=. Returns buf; the name is left out
 * if it is "" or does not fit. */
char *disposition_format(
    bool show_inline, const char *file_name, char *buf, size_t len);

#endif
