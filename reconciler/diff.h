/*
 * diff.h - the pure heart: (desired, observed) to plan.
 *
 * Cannot fail, reads no clock, does no I/O; same inputs, same plan. Observe,
 * diff, execute, repeated, ends in an empty plan. A plan that has refusals
 * may have actions beside them: what is not refused is still mended. But
 * nothing at all is done to a cluster with a container that is not ours, to
 * one that cannot be read, or for a spec that asks for what is not supported or
 * not allowed by a policy;
 * and a cluster that is suspended or stopped is held: plan.held says so. A
 * spec's `allow` counts as leave, as the policy does. A protected cluster is
 * neither deleted nor made anew, whatever the leave.
 */
#ifndef RECONCILER_DIFF_H
#define RECONCILER_DIFF_H

#include "model/plan.h"
#include "model/spec.h"
#include "model/state.h"
#include <stdbool.h>

/* What is asked for by hand, of a cluster that is there; desired is NULL then. */
enum diff_wish { DIFF_CONVERGE, DIFF_STOP, DIFF_START, DIFF_SUSPEND, DIFF_RESUME };

struct diff_policy {
    const char *fleet;   /* whose containers are ours */
    const char *network; /* "kind" */
    /* What may cost data. allow_delete is also what a pass of pruning gives. */
    bool allow_replace, allow_recreate, allow_delete;
    /*
     * The imperative `delete cluster`: upstream's rule, every container with
     * the cluster's label is meant, whoever made it. Implies allow_delete, and
     * counts only where desired is NULL.
     */
    bool any_owner;
    /* Clusters that another tool made become ours, where a source names them. */
    bool adopt;
    bool unprotect; /* a cluster that must not exist goes also if it is protected */
    enum diff_wish wish;
    const char *end_reason; /* why it must not exist; NULL: it is not wanted any more */
};

/*
 * desired NULL means "must not exist". observed without nodes means "does not
 * exist". The plan is initialised here, in the arena, with copies of all
 * strings: desired and observed may go.
 */
void diff_cluster(struct arena *arena, const struct cluster_spec *desired,
                  const struct cluster_state *observed, const struct diff_policy *policy,
                  struct plan *plan);

/*
 * What a spec asks for that this version does not do yet, or that a policy
 * does not allow, each as a refusal of class CHANGE_LIVE, so that nothing is ever silently ignored.
 * The plan is initialised by the caller.
 */
void diff_refuse_unsupported(const struct cluster_spec *desired, struct plan *plan);

#endif
