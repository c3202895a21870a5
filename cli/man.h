/*
 * man.h - manual pages in troff, from the tables of commands and options.
 *
 * The pages in docs/man/ are checked in; help_test compares them with what
 * this makes, and writes them with UPDATE=1.
 */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include "base/text.h"
#include "cli/command.h"

/* The page of a command, or of the whole program (NULL). */
void man_page(struct text *text, const struct command *command);

/* "kind-get-clusters": the page's name, to be freed. */
char *man_name(const struct command *command);

#endif
