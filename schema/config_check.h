/*
 * What must hold between the settings of a configuration, and the secret,
 * whose files must not be for everyone to read.
 */
#ifndef SCHEMA_CONFIG_CHECK_H
#define SCHEMA_CONFIG_CHECK_H

#include <sys/stat.h>

#include "schema/config.h"

struct config_file;
struct config_mistakes;

/* Reports what is missing and what does not go together. */
void config_check_settings(const struct config *, const struct config_file *,
    enum config_reader, struct config_mistakes *);

/* Sees to the secret: refuses one in a file that others may read, reads
 * secret_file for the component, and forgets the secret for everyone else.
 * status is that of the configuration file. 1 done, with whatever mistakes;
 * -1 out of memory. */
int config_check_secret(struct config *, const struct config_file *,
    const struct stat *status, enum config_reader, struct config_mistakes *);

#endif
