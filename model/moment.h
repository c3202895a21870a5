/*
 * moment.h - times of the calendar as text: "2026-01-31T18:00:00Z" and Unix seconds. No clock.
 */
#ifndef MODEL_MOMENT_H
#define MODEL_MOMENT_H

#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * RFC 3339: a date, a time of the day, maybe a fraction of a second (passed
 * over), and "Z" or an offset as "+02:00". False for anything else, and for
 * times before 1970.
 */
bool moment_parse(const char *text, uint64_t *ret_unix_s);

/* "2026-01-31T18:00:00Z" */
void moment_add(struct text *text, uint64_t unix_s);

#endif
