#include "component/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "schema/units.h"

int
refusal_make(struct refusal *r, enum refusal_kind kind, const char *fmt, ...)
{
	va_list args;

	r->kind = kind;
	r->max_file_size = 0;
	r->retry_at = UNITS_NEVER;
	va_start(args, fmt);
	if (vsnprintf(r->text, sizeof(r->text), fmt, args) < 0)
		r->text[0] = '\0';
	va_end(args);
	return 0;
}
