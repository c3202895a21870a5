#include "patience.h"

#include <stdio.h>
#include <string.h>

enum {
    FAILED_MS_FIRST = 1000,
    FAILED_MS_MAX = 60 * 1000,
    FAILED_SHIFT_MAX = 6, /* 64 s, so above the maximum */
};

/* Its place, or PATIENCE_MAX. */
static size_t place_of(const struct patience *patience, const char *name)
{
    size_t i = 0;
    while (i < PATIENCE_MAX && strcmp(patience->items[i].name, name) != 0)
        i++;
    return i;
}

static size_t place_for(struct patience *patience, const char *name)
{
    size_t place = place_of(patience, name);
    if (place < PATIENCE_MAX)
        return place;
    place = 0;
    for (size_t i = 1; i < PATIENCE_MAX; i++)
        if (patience->items[i].until_ms < patience->items[place].until_ms)
            place = i;
    snprintf(patience->items[place].name, VOLUME_NAME_SIZE, "%s", name);
    patience->items[place].failures = 0;
    return place;
}

bool patience_over(const struct patience *patience, const char *name, uint64_t now_ms,
                   uint64_t *next_ms)
{
    size_t place = place_of(patience, name);
    if (place == PATIENCE_MAX || patience->items[place].until_ms <= now_ms)
        return true;
    if (patience->items[place].until_ms < *next_ms)
        *next_ms = patience->items[place].until_ms;
    return false;
}

void patience_wait(struct patience *patience, const char *name, uint64_t now_ms, uint64_t wait_ms)
{
    size_t place = place_for(patience, name);
    patience->items[place].failures = 0;
    patience->items[place].until_ms = now_ms + wait_ms;
}

unsigned patience_fail(struct patience *patience, const char *name, uint64_t now_ms)
{
    size_t place = place_for(patience, name);
    unsigned failures = patience->items[place].failures++;
    unsigned shift = failures < FAILED_SHIFT_MAX ? failures : FAILED_SHIFT_MAX;
    uint64_t wait_ms = (uint64_t)FAILED_MS_FIRST << shift;
    patience->items[place].until_ms =
        now_ms + (wait_ms < FAILED_MS_MAX ? wait_ms : (uint64_t)FAILED_MS_MAX);
    return failures + 1;
}
