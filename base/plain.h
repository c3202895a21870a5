/*
 * plain.h - text from outside, made fit for a terminal.
 *
 * Names, messages and logs of other programs may hold anything; what is
 * printed for people goes through here. Text is UTF-8. Widths are counted in
 * terminal cells, by a short table: no locale is needed.
 */
#ifndef BASE_PLAIN_H
#define BASE_PLAIN_H

#include "base/text.h"
#include <stddef.h>

/*
 * Adds the string as one line: newlines and tabs become spaces; control
 * characters, those that turn the direction of writing, and bytes that are
 * not UTF-8 become '?'.
 */
void plain_add(struct text *text, const char *string);

/* The same, cut to at most `width` cells; what is cut ends in an ellipsis. */
void plain_add_cut(struct text *text, const char *string, size_t width);

/* The same, cut and then padded with spaces to exactly `width` cells. */
void plain_add_padded(struct text *text, const char *string, size_t width);

/* How many cells the string takes when printed so. */
size_t plain_width(const char *string);

#endif
