/*
 * duration.h - lengths of time as people write them, in Go's syntax.
 *
 * "1h15m", "500ms", "1.5s". "0" needs no unit, any other number does. Time
 * does not run backwards: a minus sign is an error.
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include "base/error.h"
#include "base/text.h"
#include <stdint.h>

/* Milliseconds, rounded down; ERROR_INVALID for anything else. */
int duration_parse(const char *string, uint64_t *ret_ms, struct error **err);

/* "72h", "1h30m", "90ms": as short as duration_parse takes it. */
void duration_add(struct text *text, uint64_t ms);

#endif
