/*
 * rails.h - what a whole pass may delete. Pure: the time of day is an argument.
 *
 * A cluster is to go when it left the sources (prune, or `allow: [delete]` as
 * it was applied last) or when its time is over (ttl, expiresAt), in the
 * sources or not. It stays all the same, and the verdict says why:
 * - pruning needs sources that parsed whole, and that did not turn empty
 *   without allow_empty;
 * - what is protected or suspended stays, and what cannot be read;
 * - at most max_deletions clusters go in one pass, for whatever reason (0:
 *   one, or a fifth of the fleet if that is more);
 * - a clock that cannot be right ends nothing: one that is before the cluster
 *   was made, or more than 30 days past its end.
 * What a policy refuses does not end by what it says: it is left alone.
 * Only clusters whose every container carries our fleet's label are candidates.
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
    uint64_t now_s; /* Unix time; 0: not known, so that no time is over */
};

struct rails_verdict {
    const char *cluster;
    bool remove;        /* false: it stays, because: */
    bool asked;         /* somebody or its time wants it gone; false: --prune would */
    bool unmade;        /* it is not there, and not to be made: its time is over */
    const char *reason; /* in words: "not in the sources any more; --prune would delete it" */
};

struct rails_verdicts {
    const struct rails_verdict *items; /* sorted by name */
    size_t count;
};

/*
 * Must its marks be known before it is judged? observed: as listed. Those that
 * can be judged without are not looked at.
 */
bool rails_must_know(const struct fleet_spec *desired, const struct cluster_state *state,
                     const struct rails_options *options);

/*
 * Of clusters that no source names, and of those whose time is over. Their
 * states must have their marks (state.marked), if they could be read.
 */
void rails_judge(struct arena *arena, const struct fleet_spec *desired,
                 const struct fleet_state *observed, const struct rails_options *options,
                 struct rails_verdicts *verdicts);

/* The verdict of this cluster, or NULL. */
const struct rails_verdict *rails_find(const struct rails_verdicts *verdicts, const char *cluster);

/* When it ends, Unix time, by the earlier of the two; 0: never. created_at_s 0: not made yet. */
uint64_t rails_end_s(uint64_t created_at_s, uint64_t ttl_s, uint64_t expires_at_s);

/* When its first container was made, of those that are there; 0: none is. */
uint64_t rails_created_s(const struct cluster_state *state);

#endif
