#include "reconciler/watch_schedule.h"

#include "reconciler/backoff.h"
#include <string.h>

/* What others do to a container, and what it does by itself. Execs are ours, and many. */
const char *const watch_hints[] = {"create", "start",   "die",    "destroy",
                                   "pause",  "unpause", "rename", NULL};

uint64_t watch_jitter_ms(uint64_t ms, struct prng *prng)
{
    return ms - ms / 10 + prng_below(prng, ms / 5 + 1);
}

uint64_t watch_reconnect_ms(unsigned failures, struct prng *prng)
{
    uint64_t delay_ms = backoff_delay_ms(failures, prng);
    return delay_ms < WATCH_RECONNECT_MS_MAX
               ? delay_ms
               : watch_jitter_ms(WATCH_RECONNECT_MS_MAX * 9 / 10, prng);
}

uint64_t watch_pass_ms(uint64_t list_ms, uint64_t end_s, uint64_t now_s)
{
    if (!end_s)
        return list_ms;
    uint64_t wait_s = end_s > now_s ? end_s - now_s : 0;
    return wait_s < list_ms / 1000 ? wait_s * 1000 : list_ms;
}

bool watch_is_hint(const char *action)
{
    for (size_t i = 0; watch_hints[i]; i++)
        if (strcmp(watch_hints[i], action) == 0)
            return true;
    return false;
}
