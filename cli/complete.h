/*
 * complete.h - completion scripts for shells, from the tables of commands.
 *
 * The scripts hold the commands and options of this build and need nothing of
 * it at completion time, except for names of clusters, which they ask for
 * with `kind get clusters`.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/text.h"

void complete_bash(struct text *text);
void complete_zsh(struct text *text);
void complete_fish(struct text *text);

#endif
