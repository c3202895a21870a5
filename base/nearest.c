#include "base/nearest.h"

#include <string.h>

/* Longer words are not compared: what kind calls things is short. */
enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, remove, replace, swap neighbours; each costs 1. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1] = {0};
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        last[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            row[j] = least(least(last[j], row[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[length];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t length = strlen(nearest->word);
    if (length == 0 || length > WORD_MAX || strlen(candidate) > WORD_MAX)
        return;
    size_t found = distance(nearest->word, candidate);
    /* A third of the letters may be wrong; the beginning of a word counts as one mistake. */
    if (length >= 2 && strncmp(candidate, nearest->word, length) == 0)
        found = least(found, 1);
    if (found > 1 + strlen(candidate) / 4 || found >= length)
        return;
    if (!nearest->best || found < nearest->distance) {
        nearest->best = candidate;
        nearest->distance = found;
    }
}
