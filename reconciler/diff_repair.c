#include "reconciler/diff_parts.h"

#include <string.h>

/*
 * Why a node of a complete cluster cannot be kept, or NULL: it is lost, or was
 * never finished. find_misfit has seen to control planes.
 */
static const char *why_lost(const struct diff *d, const struct node_state *node)
{
    if (diff_is_lost(node))
        return node->status == CONTAINER_DEAD ? "the container is dead"
                                              : "the container is being removed";
    if (diff_why_given_up(d, node))
        return diff_why_given_up(d, node);
    if (node_state_is_aside(node))
        return "was only made for a look at its version";
    if (!diff_is_worker(node) || !diff_is_new(d, node->name))
        return NULL;
    if (!diff_desires(d, node->name))
        return "not in the spec, and never finished";
    if (diff_fit(d, node) == DIFF_FIT_DESIRED)
        return NULL;
    return "made for other settings, and never finished";
}

/* What holds data, or the way to it. */
static void refuse_extra(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (!diff_desires(d, node->name) && !diff_is_worker(node) && !why_lost(d, node))
            plan_refuse(d->plan, CHANGE_REMOVE, node->name,
                        "not in the spec; removing %s from a living cluster is not supported yet",
                        diff_is_control_plane(node) ? "a control plane" : "the load balancer");
    }
}

/* A new one, or one that is gone: the others hold the data, and must agree first. */
static void refuse_missing(const struct diff *d)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const struct node_spec *node = &d->desired->nodes[i];
        bool missing = !diff_find(d, node->name);
        if (node->role == NODE_CONTROL_PLANE && (missing || diff_is_new(d, node->name)))
            plan_refuse(d->plan, CHANGE_LIVE, node->name,
                        "%s; adding a control plane to a living cluster is not supported yet",
                        missing ? "missing" : "never joined");
    }
}

/* One control plane of several, that was and stays one. */
static bool is_of_several(const struct diff *d, const struct facet *facet)
{
    size_t seen = 0;
    for (size_t i = 0; i < d->observed->node_count; i++)
        seen += diff_is_control_plane(&d->observed->nodes[i]);
    return facet->node && facet->change == CHANGE_REPLACE && !diff_is_field(facet, "role") &&
           diff_wants_control_plane(d, facet->node) && seen > 1 &&
           spec_role_count(d->desired, NODE_CONTROL_PLANE) > 1;
}

/* What can be changed in the cluster as it is, or worker by worker, is not refused here. */
static void refuse_recreation(const struct diff *d, const struct difference *difference)
{
    if (difference->change != CHANGE_RECREATE)
        return;
    const char *why = is_of_several(d, difference->facet)
                          ? "replacing a control plane is not supported yet, and all nodes anew "
                            "need --allow recreate"
                          : diff_recreate_needs(d);
    if (difference->why)
        why = difference->why;
    plan_refuse(d->plan, CHANGE_RECREATE, difference->facet->path,
                "%s; refused: %s (all its data would go)", diff_words(d, difference), why);
}

static const char *recreate_reason(const struct diff *d, const struct differences *differences)
{
    size_t i = 0;
    while (differences->items[i].change != CHANGE_RECREATE)
        i++;
    const char *words = arena_format(d->arena, "%s: %s", differences->items[i].facet->path,
                                     diff_words(d, &differences->items[i]));
    if (differences->recreating == 1)
        return words;
    return arena_format(d->arena, "%s, and %zu more", words, differences->recreating - 1);
}

static const char *ready_reason(const struct diff *d)
{
    if (d->observed->ready != SEEN_NO)
        return "something changed";
    if (!d->observed->message)
        return "not Ready";
    return arena_format(d->arena, "not Ready: %s", d->observed->message);
}

/*
 * Unknown is no reason to wait, but not to wait after a change would be to
 * hope. What is removed is not waited for: it may be what is not Ready.
 */
static bool must_wait(const struct diff *d, const struct differences *differences, bool started)
{
    bool doubtful =
        d->observed->ready == SEEN_UNKNOWN && (d->plan->count > 0 || diff_has_live(differences));
    return (started || doubtful || d->observed->ready == SEEN_NO) && diff_has_cni(d) &&
           !diff_removes(d);
}

static bool has_joins(const struct diff *d)
{
    for (size_t i = 0; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == ACTION_JOIN)
            return true;
    }
    return false;
}

enum {
    CHANGES = KIND(START_NODE) | KIND(REVIVE) | KIND(BALANCER) | KIND(JOIN) | KIND(PRELOAD) |
              KIND(KUBECONFIG) | KIND(NODE_SETTINGS) | KIND(MANIFESTS),
};

/* Why the record says something else than what holds after this plan; NULL: it does not. */
static const char *why_record(const struct diff *d, const struct differences *differences,
                              bool grows)
{
    size_t dropped = diff_count_dropped(d);
    if (grows)
        return "a node is missing";
    if (diff_has_live(differences))
        return diff_live_reason(d, differences);
    if (diff_removes(d))
        return "not in the spec";
    return dropped ? arena_format(d->arena, "%zu %s less", dropped, dropped == 1 ? "node" : "nodes")
                   : NULL;
}

static void plan_record(const struct diff *d, const char *reason)
{
    if (!reason)
        return;
    size_t action = plan_add(d->plan, ACTION_RECORD, CHANGE_LIVE, d->desired->name, reason);
    if (!diff_wait_for(d, action, KIND(AWAIT_READY)))
        diff_wait_for(d, action, CHANGES & ~KIND(KUBECONFIG));
    diff_wait_for_last(d, action, ACTION_DELETE_NODE);
    diff_fill_record(d);
}

static void plan_kubeconfig(const struct diff *d, bool started)
{
    if (d->observed->kubeconfig == SEEN_NO) {
        size_t action = plan_add(d->plan, ACTION_KUBECONFIG, CHANGE_LIVE, d->desired->name,
                                 "entry is missing or out of date");
        diff_wait_for(d, action, KIND(START_NODE) | KIND(BALANCER));
    }
    /* A message and no knowledge: the file is there, but cannot be read. */
    if (!started && d->observed->kubeconfig == SEEN_UNKNOWN && d->observed->message)
        plan_refuse(d->plan, CHANGE_LIVE, "kubeconfig",
                    "cannot be checked, so nothing is written to it: %s", d->observed->message);
}

/*
 * Starts what stands still, revives what is silent, adds workers, changes what can be changed in
 * place, waits until all is well again; then workers go, if none comes.
 */
static void mend(const struct diff *d, const struct differences *differences)
{
    diff_plan_restart(d);
    diff_plan_revival(d);
    bool started = d->plan->count > 0, grows = has_joins(d);
    plan_kubeconfig(d, started);
    bool waits = must_wait(d, differences, started);
    if (waits && d->observed->ready != SEEN_YES)
        diff_plan_joins(d);
    diff_plan_live(d, differences);
    if (waits) {
        size_t action =
            plan_add(d->plan, ACTION_AWAIT_READY, CHANGE_LIVE, d->desired->name, ready_reason(d));
        diff_wait_for(d, action, CHANGES);
    }
    if (diff_removes(d))
        diff_plan_removals(d);
    plan_record(d, why_record(d, differences, grows));
    if (!d->plan->count)
        diff_refuse_removals(d);
    diff_plan_replacement(d, differences);
}

/* What is lost goes first, and the rest waits for the next round: it may depend on it. */
static bool delete_lost(const struct diff *d)
{
    bool any = false;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        const char *reason = why_lost(d, node);
        if (!reason || d->plan->count == PLAN_ACTIONS_MAX)
            continue;
        plan_add(d->plan, ACTION_DELETE_NODE,
                 diff_desires(d, node->name) ? CHANGE_LIVE : CHANGE_REMOVE, node->name, reason);
        any = true;
    }
    return any;
}

void diff_plan_repair(const struct diff *d)
{
    struct differences differences;
    diff_compare(d, &differences);
    if (differences.recreating && d->policy->allow_recreate) {
        diff_delete_all(d, CHANGE_RECREATE, recreate_reason(d, &differences));
        return;
    }
    for (size_t i = 0; i < differences.count; i++)
        refuse_recreation(d, &differences.items[i]);
    refuse_missing(d);
    if (diff_refuse_unrecordable(d))
        return;
    if (!delete_lost(d) && !diff_plan_addresses(d))
        mend(d, &differences);
    refuse_extra(d);
}
