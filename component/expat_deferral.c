#include "component/expat_deferral.h"

#include <dlfcn.h>
#include <stddef.h>

#include "schema/log.h"

/* As expat.h has them; without it, building needs no expat of its own. */
typedef struct XML_ParserStruct *XML_Parser;
typedef void
XML_StartElementHandler(void *userData, const char *name, const char **atts);
typedef void XML_EndElementHandler(void *userData, const char *name);
void XML_SetElementHandler(
    XML_Parser, XML_StartElementHandler *, XML_EndElementHandler *);

static void (*set_element_handler)(
    XML_Parser, XML_StartElementHandler *, XML_EndElementHandler *);
static unsigned char (*set_reparse_deferral)(XML_Parser, unsigned char);

int
expat_deferral_off(void)
{
	/* POSIX' way to fetch a function, which ISO C has no cast for. */
	*(void **)&set_element_handler =
	    dlsym(RTLD_NEXT, "XML_SetElementHandler");
	*(void **)&set_reparse_deferral =
	    dlsym(RTLD_DEFAULT, "XML_SetReparseDeferralEnabled");
	if (set_element_handler != NULL)
		return 1;
	log_error("expat: %s", dlerror());
	return -1;
}

void
XML_SetElementHandler(XML_Parser parser, XML_StartElementHandler *start,
    XML_EndElementHandler *end)
{
	if (set_element_handler == NULL && expat_deferral_off() < 0)
		return;
	set_element_handler(parser, start, end);
	if (set_reparse_deferral != NULL)
		set_reparse_deferral(parser, 0);
}
