#include "schema/config_mistakes.h"

#include <stdarg.h>

void
config_mistakes_add(
    struct config_mistakes *mistakes, int line, const char *fmt, ...)
{
	va_list ap;

	mistakes->count++;
	fprintf(mistakes->err, "%s:", mistakes->path);
	if (line > 0)
		fprintf(mistakes->err, "%d:", line);
	fputc(' ', mistakes->err);
	va_start(ap, fmt);
	vfprintf(mistakes->err, fmt, ap);
	va_end(ap);
	fputc('\n', mistakes->err);
}
