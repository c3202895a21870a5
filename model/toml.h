/*
 * toml.h - TOML, as containerd's configuration is written, to JSON and back.
 *
 * Dates and times become strings: JSON has none. Out goes what upstream's
 * printer writes: keys sorted, plain values before tables, two blanks a level,
 * strings in single quotes where they can be. A null member is left out, since
 * TOML has no null; a list cannot leave one out, so there it is an error.
 */
#ifndef MODEL_TOML_H
#define MODEL_TOML_H

#include "base/error.h"
#include "base/text.h"
#include <jansson.h>
#include <stddef.h>

enum { TOML_BYTES_MAX = 1024 * 1024, TOML_DEPTH_MAX = 100 };

/* A new object; NULL (ERROR_INVALID) begins with "line:column: ". */
json_t *toml_read(const char *bytes, size_t length, struct error **err);

/* Appends an object's text. Fails (ERROR_INVALID) on what TOML cannot say. */
int toml_print(const json_t *object, struct text *text, struct error **err);

#endif
