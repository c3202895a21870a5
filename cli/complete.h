/*
 * complete.h - what may come next on a command line, for the shells.
 *
 * The scripts of `kind completion` are short: they hand the words to
 * `kind __complete WORDS...` and offer what it prints, from the same tables as
 * the parser's. Nothing but `:clusters` asks an engine.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/text.h"
#include <stddef.h>

/*
 * words: what stands after "kind" up to the cursor; the last one, perhaps
 * empty, is being written. Adds one line a candidate, "word\tdescription\n",
 * whether it fits the last word or not. The lines ":files" and ":clusters"
 * stand for names only the shell or an engine knows.
 */
void complete_words(struct text *text, const char *const *words, size_t count);

void complete_bash(struct text *text);
void complete_zsh(struct text *text);
void complete_fish(struct text *text);

#endif
