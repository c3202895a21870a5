/*
 * pass.h - one pass over a fleet: which clusters are to be what, by sources and rails. Pure.
 *
 * Whoever makes a pass lists all clusters first, then looks at the marks of
 * those that pass_must_know names, and takes them into what was listed.
 */
#ifndef RECONCILER_PASS_H
#define RECONCILER_PASS_H

#include "reconciler/rails.h"

/* One cluster and what it should be. */
struct pass_target {
    const char *name;
    const struct cluster_spec *desired; /* NULL: must not exist */
    const char *end_reason;             /* why it must not; NULL: it is not wanted any more */
};

struct pass_plan {
    struct pass_target *targets;
    size_t count;
    struct rails_verdicts verdicts;
};

/* Clusters whose marks the rails must know, by index of what was listed, in the arena. */
struct pass_unknown {
    size_t *items;
    size_t count;
};

/*
 * observed: as listed. Its clusters are copied, so that marks can be taken
 * into them (pass_take_marks).
 */
void pass_must_know(struct arena *arena, const struct fleet_spec *desired,
                    struct fleet_state *observed, const struct rails_options *rails,
                    struct pass_unknown *unknown);

/* What a look at this cluster showed, whose strings must last as long as observed. */
void pass_take_marks(struct fleet_state *observed, size_t index,
                     const struct cluster_state *looked);

/* Desired clusters, and, by the rails, those that are to go. */
void pass_plan_targets(struct arena *arena, const struct fleet_spec *desired,
                       const struct fleet_state *observed, const struct rails_options *rails,
                       struct pass_plan *plan);

/*
 * When the next of all these clusters ends by its ttl or date, Unix time; 0:
 * none does after now. Those that no source names any more are known by their marks alone, where
 * those were taken.
 */
uint64_t pass_next_end_s(const struct fleet_spec *desired, const struct fleet_state *observed,
                         uint64_t now_s);

#endif
