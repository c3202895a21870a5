/*
 * client_config.h - the files of the docker client: its folder, and config.json in it.
 */
#ifndef DRIVERS_CLIENT_CONFIG_H
#define DRIVERS_CLIENT_CONFIG_H

#include "base/error.h"

/* $DOCKER_CONFIG, else .docker at home; NULL if there is no home. The caller frees. */
char *client_config_folder(void);

/*
 * A file of up to a megabyte, as text. *content is NULL if there is no such
 * file; that is not a failure. The caller frees.
 */
int client_config_file(const char *path, char **content, struct error **err);

/*
 * The text of config.json, or NULL: there is none, or none that can be read.
 * For settings that a client goes without.
 */
char *client_config_text(void);

#endif
