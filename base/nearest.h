/*
 * nearest.h - "did you mean ...?": the candidate most like a mistyped word.
 *
 *     struct nearest nearest = {.word = typed};
 *     for (...)
 *         nearest_offer(&nearest, name);
 *     if (nearest.best) ...
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word;
    const char *best; /* NULL while nothing offered is near enough to have been meant */
    size_t distance;
};

/* The candidate is borrowed. The first of equals wins. */
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
