/*
 * diff_parts.h - what diff.c, diff_setup.c and diff_repair.c share. For them alone.
 */
#ifndef RECONCILER_DIFF_PARTS_H
#define RECONCILER_DIFF_PARTS_H

#include "reconciler/diff.h"
#include <stdint.h>

/* One diff under way. */
struct diff {
    struct arena *arena;
    const struct cluster_spec *desired; /* not NULL in setup and repair */
    const struct cluster_state *observed;
    const struct diff_policy *policy;
    struct plan *plan;
};

/* Sets of kinds of actions. */
#define KIND(kind) (1u << ACTION_##kind)

const struct node_state *diff_find(const struct diff *d, const char *node); /* NULL: not there */
bool diff_desires(const struct diff *d, const char *node); /* also the load balancer */
bool diff_wants_control_plane(const struct diff *d, const char *node);
bool diff_is_control_plane(const struct node_state *node);
bool diff_is_balancer(const struct node_state *node);
bool diff_is_lost(const struct node_state *node); /* dead, or being taken apart */

/* The record of a complete cluster does not know it: it is added now, or was never finished. */
bool diff_is_new(const struct diff *d, const char *node);

/* The action waits for all earlier ones of these kinds; false if there are none. */
bool diff_wait_for(const struct diff *d, size_t action, uint32_t kinds);

/* Deletes every node that was seen, after all that is planned already. */
void diff_delete_all(const struct diff *d, enum change_class change, const char *reason);

/* The set-up, from nothing or from where it stopped. */
void diff_plan_setup(const struct diff *d, const struct facet_list *facets);

/*
 * Starts what stands still, wanted or not, and makes what is missing beside
 * the control planes. A worker waits until nothing is refused any more: what
 * its container and the record would say of the cluster must be true.
 */
void diff_plan_restart(const struct diff *d);

/* All workers join that may not have done so: one that has is found done. */
void diff_plan_joins(const struct diff *d);

/* A cluster whose set-up was recorded as complete. */
void diff_plan_repair(const struct diff *d, const struct facet_list *facets);

/* Nodes that the spec does not have. */
void diff_remove_extra(const struct diff *d, const struct facet_list *facets);

#endif
