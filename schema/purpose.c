#include "schema/purpose.h"

#include <string.h>

static const char *const names[PURPOSE_COUNT] = {
    [PURPOSE_MESSAGE] = "message",
    [PURPOSE_PROFILE] = "profile",
    [PURPOSE_EPHEMERAL] = "ephemeral",
    [PURPOSE_PERMANENT] = "permanent",
};

const char *
purpose_name(enum purpose purpose)
{
	return names[purpose];
}

int
purpose_parse(const char *name, enum purpose *purpose)
{
	for (size_t i = 0; i < PURPOSE_COUNT; i++) {
		if (strcmp(name, names[i]) == 0) {
			*purpose = (enum purpose)i;
			return 1;
		}
	}
	return 0;
}
