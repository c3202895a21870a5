/*
 * rails.h - what a whole pass may delete. Pure.
 *
 * Pruning needs sources that parsed whole; sources that turned empty delete
 * nothing without --allow-empty; at most max_deletions clusters go in one
 * pass (0: one, or a fifth of the fleet if that is more). Only clusters whose
 * every container carries our fleet's label are candidates.
 */
#ifndef RECONCILER_RAILS_H
#define RECONCILER_RAILS_H

#include "model/spec.h"
#include "model/state.h"
#include <stdbool.h>

struct rails_options {
    const char *fleet;
    bool prune, allow_empty;
    bool sources_whole; /* every source was read and parsed */
    size_t max_deletions;
};

struct rails_verdict {
    const char *cluster;
    bool remove;        /* false: it stays, because: */
    const char *reason; /* in words: "not in the sources any more; --prune would delete it" */
};

struct rails_verdicts {
    const struct rails_verdict *items; /* owned clusters that no source names, sorted by name */
    size_t count;
};

void rails_prune(struct arena *arena, const struct fleet_spec *desired,
                 const struct fleet_state *observed, const struct rails_options *options,
                 struct rails_verdicts *verdicts);

#endif
