#include "reconciler/diff_parts.h"

#include <assert.h>
#include <string.h>

/*
 * Why a node of a complete cluster cannot be kept, or NULL: it is lost, or was
 * never finished. find_misfit has seen to control planes.
 */
static const char *why_lost(const struct diff *d, const struct facet_list *facets,
                            const struct node_state *node)
{
    if (diff_is_lost(node))
        return node->status == CONTAINER_DEAD ? "the container is dead"
                                              : "the container is being removed";
    if (diff_is_control_plane(node) || diff_is_balancer(node) || !diff_is_new(d, node->name))
        return NULL;
    if (!diff_desires(d, node->name))
        return "not in the spec, and never finished";
    const char *shape = facet_shape(d->arena, facets, node->name);
    if (d->plan->refused_count || (node->shape && strcmp(node->shape, shape) == 0))
        return NULL;
    return "made for other settings, and never finished";
}

static void refuse_extra(const struct diff *d, const struct node_state *node)
{
    plan_refuse(d->plan, CHANGE_REMOVE, node->name,
                "not in the spec; removing %s from a living cluster is not supported yet",
                diff_is_control_plane(node) ? "a control plane"
                : diff_is_balancer(node)    ? "the load balancer"
                                            : "a worker");
}

/* Of a set-up that never finished no node holds anything. */
void diff_remove_extra(const struct diff *d, const struct facet_list *facets)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_desires(d, node->name))
            continue;
        if (d->observed->recorded == SEEN_YES) {
            if (!why_lost(d, facets, node))
                refuse_extra(d, node);
        } else if (d->plan->count < PLAN_ACTIONS_MAX) {
            plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_REMOVE, node->name, "not in the spec");
        }
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
    for (size_t i = 0; d->plan->refused_count && i < d->desired->node_count; i++) {
        const struct node_spec *node = &d->desired->nodes[i];
        if (node->role == NODE_WORKER && !diff_find(d, node->name))
            plan_refuse(d->plan, CHANGE_LIVE, node->name,
                        "missing; is added once nothing else is refused");
    }
}

struct difference {
    const struct facet *want, *have; /* one may be NULL */
    enum change_class change;
};

struct differences {
    struct difference *items;
    size_t count, recreating;
};

/* With one node there is no other to hold its data: what replaces it loses the cluster. */
static enum change_class cost_of(const struct facet *facet)
{
    return facet->change == CHANGE_REPLACE ? CHANGE_RECREATE : facet->change;
}

/* A node that is only wanted, or only there, differs as a whole: not told facet by facet. */
static bool is_of_one_side(const struct diff *d, const struct facet *facet)
{
    return facet->node && (!diff_desires(d, facet->node) || !diff_find(d, facet->node) ||
                           diff_is_new(d, facet->node));
}

static void add_difference(const struct diff *d, struct differences *differences,
                           const struct facet *want, const struct facet *have)
{
    const struct facet *facet = want ? want : have;
    assert(facet);
    if (is_of_one_side(d, facet))
        return;
    size_t count = differences->count++;
    differences->items =
        arena_grow(d->arena, differences->items, count, sizeof(*differences->items));
    differences->items[count] = (struct difference){want, have, cost_of(facet)};
    differences->recreating += cost_of(facet) == CHANGE_RECREATE;
}

/* Walks both sorted lists once, side by side. */
static void compare(const struct diff *d, const struct facet_list *want,
                    const struct facet_list *have, struct differences *differences)
{
    size_t i = 0, j = 0;
    while (i < want->count || j < have->count) {
        const struct facet *left = i < want->count ? &want->items[i] : NULL;
        const struct facet *right = j < have->count ? &have->items[j] : NULL;
        int order = !left ? 1 : !right ? -1 : strcmp(left->path, right->path);
        if (order != 0 || strcmp(left->value, right->value) != 0)
            add_difference(d, differences, order <= 0 ? left : NULL, order >= 0 ? right : NULL);
        i += order <= 0;
        j += order >= 0;
    }
}

static const char *difference_words(const struct diff *d, const struct difference *difference)
{
    return arena_format(d->arena, "%s -> %s", difference->have ? difference->have->value : "none",
                        difference->want ? difference->want->value : "none");
}

static const char *difference_path(const struct difference *difference)
{
    return difference->want ? difference->want->path : difference->have->path;
}

static void refuse_difference(const struct diff *d, const struct difference *difference)
{
    const char *path = difference_path(difference);
    const char *words = difference_words(d, difference);
    switch (difference->change) {
    case CHANGE_LIVE:
        plan_refuse(d->plan, CHANGE_LIVE, path,
                    "%s; changing it in a living cluster is not supported yet", words);
        return;
    case CHANGE_REMOVE:
    case CHANGE_REPLACE:
    case CHANGE_RECREATE:
    case CHANGE_DELETE:
        plan_refuse(d->plan, difference->change, path,
                    "%s; refused: needs --allow recreate (all its data would go)", words);
        return;
    }
}

static const char *recreate_reason(const struct diff *d, const struct differences *differences)
{
    size_t i = 0;
    while (differences->items[i].change != CHANGE_RECREATE)
        i++;
    const char *words = arena_format(d->arena, "%s: %s", difference_path(&differences->items[i]),
                                     difference_words(d, &differences->items[i]));
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
 * Without a CNI of ours no node becomes Ready by itself. What it was made with
 * counts: a wish for the other is refused, or makes another cluster.
 */
static bool has_cni(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (strcmp(facet->path, "networking.disableDefaultCNI") == 0)
            return strcmp(facet->value, "true") != 0;
    }
    return true;
}

/* Unknown is no reason to wait, but not to wait after a change would be to hope. */
static void plan_ready(const struct diff *d, bool started)
{
    bool doubtful = d->observed->ready == SEEN_UNKNOWN && d->plan->count > 0;
    if (!started && !doubtful && d->observed->ready != SEEN_NO)
        return;
    if (!has_cni(d))
        return;
    if (d->observed->ready != SEEN_YES)
        diff_plan_joins(d);
    size_t action =
        plan_add(d->plan, ACTION_AWAIT_READY, CHANGE_LIVE, d->desired->name, ready_reason(d));
    diff_wait_for(d, action,
                  KIND(START_NODE) | KIND(BALANCER) | KIND(JOIN) | KIND(PRELOAD) |
                      KIND(KUBECONFIG));
}

static bool has_joins(const struct diff *d)
{
    for (size_t i = 0; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == ACTION_JOIN)
            return true;
    }
    return false;
}

/* With a node more the record tells less than there is. */
static void plan_record(const struct diff *d)
{
    size_t action =
        plan_add(d->plan, ACTION_RECORD, CHANGE_LIVE, d->desired->name, "a node is missing");
    if (!diff_wait_for(d, action, KIND(AWAIT_READY)))
        diff_wait_for(d, action, KIND(JOIN) | KIND(PRELOAD));
}

/* Starts what stands still, mends the user's entry, waits until it is well again. */
static void mend(const struct diff *d)
{
    diff_plan_restart(d);
    bool started = d->plan->count > 0, grows = has_joins(d);
    if (d->observed->kubeconfig == SEEN_NO) {
        size_t action = plan_add(d->plan, ACTION_KUBECONFIG, CHANGE_LIVE, d->desired->name,
                                 "entry is missing or out of date");
        diff_wait_for(d, action, KIND(START_NODE) | KIND(BALANCER));
    }
    /* A message and no knowledge: the file is there, but cannot be read. */
    if (!started && d->observed->kubeconfig == SEEN_UNKNOWN && d->observed->message)
        plan_refuse(d->plan, CHANGE_LIVE, "kubeconfig",
                    "cannot be checked, so nothing is written to it: %s", d->observed->message);
    plan_ready(d, started);
    if (grows)
        plan_record(d);
}

/* What is lost goes first, and the rest waits for the next round: it may depend on it. */
static bool delete_lost(const struct diff *d, const struct facet_list *facets)
{
    bool any = false;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        const char *reason = why_lost(d, facets, node);
        if (!reason)
            continue;
        plan_add(d->plan, ACTION_DELETE_NODE,
                 diff_desires(d, node->name) ? CHANGE_LIVE : CHANGE_REMOVE, node->name, reason);
        any = true;
    }
    return any;
}

void diff_plan_repair(const struct diff *d, const struct facet_list *facets)
{
    struct differences differences = {0};
    compare(d, facets, &d->observed->applied, &differences);
    if (differences.recreating && d->policy->allow_recreate) {
        diff_delete_all(d, CHANGE_RECREATE, recreate_reason(d, &differences));
        return;
    }
    for (size_t i = 0; i < differences.count; i++)
        refuse_difference(d, &differences.items[i]);
    refuse_missing(d);
    if (!delete_lost(d, facets))
        mend(d);
    diff_remove_extra(d, facets);
}
