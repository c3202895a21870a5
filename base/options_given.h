/*
 * options_given.h - options as they were given, to be given again: the way back from a filled
 * struct to a command line.
 */
#ifndef BASE_OPTIONS_GIVEN_H
#define BASE_OPTIONS_GIVEN_H

#include "base/options.h"
#include "base/text.h"

/*
 * Adds " --option value" for each row whose field is not as nothing leaves it (zeros), in the
 * order of the table, and quoted for a shell. Options named in without, which NULL ends, are left
 * out.
 */
void options_add_given(struct text *text, const struct option_table *table,
                       const char *const *without);

#endif
