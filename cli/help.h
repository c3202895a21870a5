/*
 * help.h - the screens of --help, from the tables alone.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/text.h"
#include "cli/command.h"
#include <stdio.h>

/* The whole program's screen (group NULL), or that of one group of commands. */
void help_print_group(FILE *out, const char *group);
void help_print_command(FILE *out, const struct command *command);

/* "kind apply -f SOURCE... [OPTIONS]": also the head of the manual page. */
void help_synopsis(struct text *text, const struct command *command);

/* "-o, --output json|wide", with what the option takes. */
void help_option_name(struct text *text, const struct option_spec *spec);

#endif
