/* Prints the table of configuration keys for tests/lint/config_keys. */
#include "schema/config.h"

int
main(void)
{
	config_print_keys(stdout);
	return ferror(stdout) || fflush(stdout) != 0;
}
