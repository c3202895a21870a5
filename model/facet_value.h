/*
 * facet_value.h - the value of a facet as text: its form, and what stands for a long one.
 *
 * For facet.c and facet_table.c alone.
 */
#ifndef MODEL_FACET_VALUE_H
#define MODEL_FACET_VALUE_H

#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

enum { FACET_HASH_DIGITS = 64 };

/* SHA-256, in lower-case hex. */
void facet_hash(const void *bytes, size_t length, char hex[FACET_HASH_DIGITS + 1]);

/* True if it fits on a line of a plan, and into a JSON string as it is. */
bool facet_value_is_plain(const char *value);

/* "sha256:" and 12 hex digits, in the arena: what stands for a value that is not plain. */
const char *facet_value_digest(struct arena *arena, const char *value);

/*
 * Appends one of several parts of a value, with ':' before each but the first.
 * Separators inside of it are escaped, so that no two lists of parts read alike.
 */
void facet_value_add_part(struct text *text, const char *part);

#endif
