/*
 * watch_schedule.h - when a watcher looks, and what wakes it. Pure.
 */
#ifndef RECONCILER_WATCH_SCHEDULE_H
#define RECONCILER_WATCH_SCHEDULE_H

#include "base/prng.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WATCH_LIST_MS = 60 * 1000,          /* from one full list to the next, with jitter */
    WATCH_RECONNECT_MS_MAX = 30 * 1000, /* until an engine that is away is asked again */
    WATCH_RESYNC_MS = 600 * 1000, /* from one look at a cluster to the next, whatever happens */
};

/* Jitter of a tenth either way, so that watchers of one engine do not beat in time. */
uint64_t watch_jitter_ms(uint64_t ms, struct prng *prng);

/* After the nth failure in a row to reach the engine: as backoff.h has it, but at most half a
 * minute, since one that comes back should not wait. */
uint64_t watch_reconnect_ms(unsigned failures, struct prng *prng);

/*
 * How long until the next pass: list_ms, or sooner if a cluster's time is over before that (end_s,
 * Unix time; 0: none is). A clock that is set while we wait costs list_ms at most.
 */
uint64_t watch_pass_ms(uint64_t list_ms, uint64_t end_s, uint64_t now_s);

/* Does what happened to a container ("die", "start") ask for a look at its cluster? */
bool watch_is_hint(const char *action);

/* All such actions, ended by NULL: nothing else need be told. */
extern const char *const watch_hints[];

#endif
