#include "reconciler/diff_parts.h"

/*
 * Nodes that came back with other addresses than they were set up with. That
 * is put right before anything else is done in the cluster, since most of it
 * needs the API, and a plan of its own is made for it: quorum first, then one
 * control plane after the other, then workers side by side.
 *
 *   a control plane stands still, and  start what stands still; which address it
 *   its address may change             has is seen then
 *   a running node has moved           the same, let the control planes find each
 *                                      other, give each that moved its new address
 */
static size_t count_planes(const struct diff *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->observed->node_count; i++)
        count += diff_is_control_plane(&d->observed->nodes[i]);
    return count;
}

static bool has_moved(const struct node_state *node)
{
    return node->moved == SEEN_YES && node->status == CONTAINER_RUNNING && !diff_is_balancer(node);
}

static bool any_moved(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (has_moved(&d->observed->nodes[i]))
            return true;
    }
    return false;
}

/* A worker is waited for whatever its address is; nobody waits for an API that cannot come. */
static bool may_move(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_is_control_plane(node) && diff_is_stopped(node) && node->loose)
            return true;
    }
    return false;
}

static bool any_plane_moved(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (diff_is_control_plane(&d->observed->nodes[i]) && has_moved(&d->observed->nodes[i]))
            return true;
    }
    return false;
}

/* Also those that have not moved must find those that have. */
static void plan_reroutes(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (!diff_is_control_plane(node) || node->status != CONTAINER_RUNNING)
            continue;
        size_t action = plan_add(d->plan, ACTION_REROUTE, CHANGE_LIVE, node->name,
                                 "members of etcd have moved");
        diff_wait_for(d, action, KIND(START_NODE));
    }
}

static void plan_readdress(const struct diff *d, const struct node_state *node)
{
    const char *reason =
        node->ipv4 ? arena_format(d->arena, "its address is %s now", node->ipv4) : "it has moved";
    size_t last = d->plan->count;
    size_t action = plan_add(d->plan, ACTION_READDRESS, CHANGE_LIVE, node->name, reason);
    diff_wait_for(d, action, KIND(START_NODE) | KIND(BALANCER) | KIND(REROUTE) | KIND(BOOTSTRAP));
    for (size_t i = last; i-- > 0;) {
        const struct action *earlier = &d->plan->actions[i];
        if (earlier->kind != ACTION_READDRESS)
            continue;
        const struct node_state *other = diff_find(d, earlier->subject);
        if (!diff_is_control_plane(other))
            continue;
        plan_after(d->plan, action, i);
        return;
    }
}

static void plan_readdresses(const struct diff *d, bool planes)
{
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (has_moved(node) && diff_is_control_plane(node) == planes)
            plan_readdress(d, node);
    }
}

void diff_plan_moved_workers(const struct diff *d)
{
    plan_readdresses(d, false);
}

bool diff_plan_addresses(const struct diff *d)
{
    bool unsure = may_move(d);
    if (!unsure && !any_moved(d))
        return false;
    diff_plan_standing(d);
    if (unsure)
        return true;
    if (any_plane_moved(d) && count_planes(d) > 1)
        plan_reroutes(d);
    plan_readdresses(d, true);
    plan_readdresses(d, false);
    return true;
}
