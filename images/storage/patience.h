/*
 * patience.h - what is to be left alone for a while, by name.
 *
 * Made a moment ago and not yet seen, failed, or refused: each has a time before
 * which it is not touched again. Only a help: what is forgotten is tried again,
 * and all that we do may be done twice.
 */
#ifndef STORAGE_PATIENCE_H
#define STORAGE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "volume.h"

enum { PATIENCE_MAX = 256 }; /* the one that ends first makes room */

struct patience {
    struct {
        char name[VOLUME_NAME_SIZE];
        unsigned failures;
        uint64_t until_ms;
    } items[PATIENCE_MAX];
};

/* May it be touched? If not, *next_ms comes down to when it may. */
bool patience_over(const struct patience *patience, const char *name, uint64_t now_ms,
                   uint64_t *next_ms);

/* Leaves it alone for so long. Its failures are forgotten. */
void patience_wait(struct patience *patience, const char *name, uint64_t now_ms, uint64_t wait_ms);

/* It failed: longer every time. Returns how often it has failed now. */
unsigned patience_fail(struct patience *patience, const char *name, uint64_t now_ms);

#endif
