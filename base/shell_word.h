/*
 * shell_word.h - words as a shell reads them, for commands that people are to copy.
 */
#ifndef BASE_SHELL_WORD_H
#define BASE_SHELL_WORD_H

#include "base/text.h"

/* The word itself where a shell sees nothing special in it, else in single quotes. */
void shell_word_add(struct text *text, const char *word);

#endif
