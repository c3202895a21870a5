/*
 * quantity.h - amounts as Kubernetes writes them: "2Gi", "1.5", "500m".
 *
 * Whole multiples of a unit; what is finer is rounded up, as Kubernetes does.
 * Signs are not read: nothing here can be negative.
 */
#ifndef MODEL_QUANTITY_H
#define MODEL_QUANTITY_H

#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

/* What a quantity is counted in. */
enum quantity_unit { QUANTITY_ONES = 1, QUANTITY_THOUSANDTHS = 1000 };

/* False if text is no quantity, or passes int64 in this unit. */
bool quantity_parse(const char *text, enum quantity_unit unit, int64_t *amount);

/* The shortest of "2Gi", "1536Mi", "1000" for a whole amount. */
const char *quantity_bytes(struct arena *arena, int64_t bytes);

/* "2" or "500m" for an amount of thousandths. */
const char *quantity_milli(struct arena *arena, int64_t thousandths);

#endif
