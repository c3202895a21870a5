#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/*
 * DESIGN: control planes that come and go in a living cluster.
 *
 *   one more     the load balancer stands first and has the endpoint's name;
 *                then they join, one after the other
 *   one less     the highest, one a round: the load balancer forgets it, it is
 *                drained, etcd forgets it, and then its container goes
 *   one lost     etcd forgets the member that will not come back; then it is
 *                one more
 *   the last     answers to the endpoint's name itself; then the load balancer
 *   one left     goes
 *
 * Containers tell who can be a member of etcd. Who is one, and whether a
 * majority is well without another, the driver asks etcd itself, right before
 * it takes a member away.
 */

/* --- Members. --- */

static bool names_plane(const struct facet *facet)
{
    return facet->node && diff_is_field(facet, "role") &&
           strcmp(facet->value, node_role_name(NODE_CONTROL_PLANE)) == 0;
}

size_t diff_count_planes(const struct diff *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->observed->applied.count; i++)
        count += names_plane(&d->observed->applied.items[i]);
    return count;
}

bool diff_is_member(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (names_plane(facet) && strcmp(facet->node, node) == 0)
            return true;
    }
    return false;
}

static const struct facet *image_of(const struct facet_list *facets, const char *node)
{
    for (size_t i = 0; i < facets->count; i++) {
        const struct facet *facet = &facets->items[i];
        if (facet->node && strcmp(facet->node, node) == 0 && diff_is_field(facet, "image"))
            return facet;
    }
    return NULL;
}

bool diff_renews(const struct diff *d, const struct node_spec *node)
{
    if (d->refuses || node->role != NODE_CONTROL_PLANE || diff_count_planes(d) < 2)
        return false;
    const struct facet *have = image_of(&d->observed->applied, node->name);
    return node == spec_first_control_plane(d->desired) ||
           (have && strcmp(have->value, image_of(&d->facets, node->name)->value) != 0);
}

const char *diff_without_majority(const struct diff *d)
{
    size_t members = 0, alive = 0, still = 0;
    const char *first = NULL;
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (!names_plane(facet))
            continue;
        const struct node_state *node = diff_find(d, facet->node);
        bool lives = node && !diff_is_lost(node);
        members++;
        alive += lives;
        still += lives && diff_is_stopped(node);
        first = first || lives ? first : facet->node;
    }
    /* One that is there and not recorded may have joined. */
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool other = diff_is_control_plane(node) && !diff_is_member(d, node->name);
        bool late = other && node->status == CONTAINER_RUNNING;
        members += late;
        alive += late;
        still += other && diff_is_stopped(node);
    }
    bool silent = d->observed->ready == SEEN_NO && !d->observed->version;
    return silent && !still && members > 1 && alive <= members / 2 ? first : NULL;
}

static bool is_extra(const struct diff *d, const struct node_state *node)
{
    return diff_is_control_plane(node) && !diff_desires(d, node->name);
}

static const struct node_state *highest_extra(const struct diff *d)
{
    const struct node_state *highest = NULL;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (is_extra(d, node) && (!highest || diff_compare_numbers(node->name, highest->name) > 0))
            highest = node;
    }
    return highest;
}

/* --- The entrance. --- */

static const struct facet *entrance_facet(const struct facet_list *facets, const char *field)
{
    for (size_t i = 0; i < facets->count; i++) {
        if (facet_is_entrance(&facets->items[i]) && diff_is_field(&facets->items[i], field))
            return &facets->items[i];
    }
    return NULL;
}

static const char *recorded_entrance(const struct diff *d)
{
    const struct facet *facet = entrance_facet(&d->observed->applied, "apiServerPort");
    return facet ? facet->node : NULL;
}

bool diff_moves(const struct diff *d)
{
    const struct facet *want = entrance_facet(&d->facets, "apiServerPort");
    const char *have = recorded_entrance(d);
    return want && have && strcmp(want->node, have) != 0;
}

/* A container keeps the ports that it was made with, and no other can have them. */
static bool is_held(const struct diff *d, const char *port)
{
    long wanted = strtol(port, NULL, 10);
    const struct facet *have = entrance_facet(&d->observed->applied, "apiServerPort");
    bool held = have && wanted > 0 && strcmp(have->value, port) == 0;
    for (size_t i = 0; i < d->observed->node_count; i++)
        held = held || (wanted > 0 && diff_is_control_plane(&d->observed->nodes[i]) &&
                        d->observed->nodes[i].api_port == wanted);
    return held;
}

/* Does it publish the API elsewhere? As long as it stands still that is not known. */
static bool publishes_elsewhere(const struct node_state *node, const char *port)
{
    long wanted = strtol(port, NULL, 10);
    return node && node->api_port && wanted > 0 && node->api_port != wanted;
}

static bool listens_elsewhere(const struct node_state *node, const char *address)
{
    return node && node->api_host && strcmp(node->api_host, address) != 0;
}

const char *diff_why_stays(const struct diff *d, const struct facet *want)
{
    const struct facet *have = entrance_facet(&d->observed->applied, "apiServerAddress");
    const struct node_state *node = diff_find(d, want->node);
    const struct node_state *now = have ? diff_find(d, have->node) : NULL;
    if (now && diff_is_control_plane(now) && diff_is_adopted(now))
        return "another tool made the cluster, whose certificates do not know the load balancer";
    if (diff_is_field(want, "apiServerAddress")) {
        if (have && strcmp(have->value, want->value) != 0)
            return arena_format(d->arena, "%s -> %s", have->value, want->value);
        return !d->desired->balancer && listens_elsewhere(node, want->value)
                   ? arena_format(d->arena,
                                  "%s publishes the API at %s, and its container cannot "
                                  "do so elsewhere",
                                  want->node, node->api_host)
                   : NULL;
    }
    if (d->desired->balancer)
        return is_held(d, want->value)
                   ? arena_format(d->arena,
                                  "%s is published by the container of a control plane, which "
                                  "cannot leave it to the load balancer; another port can be had "
                                  "at once (0 picks one)",
                                  want->value)
                   : NULL;
    return publishes_elsewhere(node, want->value)
               ? arena_format(d->arena,
                              "%s publishes the API on port %u, and its container cannot "
                              "do so on another; 0 takes it as it is",
                              want->node, node->api_port)
               : NULL;
}

bool diff_may_move(const struct diff *d)
{
    if (!diff_moves(d))
        return false;
    for (size_t i = 0; i < d->facets.count; i++) {
        const struct facet *want = &d->facets.items[i];
        if (facet_is_entrance(want) && diff_why_stays(d, want))
            return false;
    }
    return true;
}

static bool is_any_planned(const struct diff *d, enum action_kind kind)
{
    for (size_t i = 0; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == kind)
            return true;
    }
    return false;
}

static const struct node_state *find_balancer(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (diff_is_balancer(&d->observed->nodes[i]))
            return &d->observed->nodes[i];
    }
    return NULL;
}

bool diff_moves_now(const struct diff *d)
{
    const struct node_state *balancer = find_balancer(d);
    return diff_may_move(d) && is_any_planned(d, ACTION_ENDPOINT) &&
           (d->desired->balancer || !balancer ||
            diff_is_planned(d, ACTION_DELETE_NODE, balancer->name));
}

/*
 * From the first day of a load balancer on nobody else has the endpoint's
 * name; without one, the only control plane has it. One that hangs between is
 * connected again.
 */
static const char *lacks_balancer(const struct diff *d)
{
    bool lacks = !d->desired->balancer && diff_moves(d) && !find_balancer(d) && highest_extra(d);
    return lacks ? recorded_entrance(d) : NULL;
}

void diff_plan_lacking_balancer(const struct diff *d)
{
    const char *balancer = lacks_balancer(d);
    if (!balancer)
        return;
    size_t network =
        plan_add(d->plan, ACTION_NETWORK, CHANGE_LIVE, d->policy->network, "a node is missing");
    size_t action =
        plan_add(d->plan, ACTION_BALANCER, CHANGE_LIVE, balancer, "missing, until others go");
    plan_after(d->plan, action, network);
}

/* It is there to take the name over, or is made so in this plan. */
static bool stands(const struct diff *d, const char *balancer)
{
    const struct node_state *node = diff_find(d, balancer);
    bool fits = node && (!diff_is_new(d, balancer) || diff_fit(d, node) == DIFF_FIT_DESIRED);
    return diff_is_planned(d, ACTION_BALANCER, balancer)
               ? !node || fits
               : fits && node->status == CONTAINER_RUNNING;
}

static const char *why_endpoint(const struct diff *d, const struct node_state *node)
{
    static const char moves[] = "the API is published elsewhere";
    const char *balancer = d->desired->balancer;
    bool first = strcmp(spec_first_control_plane(d->desired)->name, node->name) == 0;
    if (!diff_is_control_plane(node) || diff_is_lost(node))
        return NULL;
    if (node->detached)
        return "it is in no network";
    if (balancer)
        return diff_may_move(d) && strcmp(recorded_entrance(d), node->name) == 0 &&
                       stands(d, balancer)
                   ? moves
                   : NULL;
    const struct node_state *other = find_balancer(d);
    if (!first || (other && !diff_is_lost(other)) || lacks_balancer(d))
        return NULL;
    if (diff_may_move(d))
        return moves;
    return node->named == SEEN_NO && !diff_is_adopted(node)
               ? "it does not answer to the endpoint's name"
               : NULL;
}

bool diff_is_any_detached(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (node->detached && diff_is_control_plane(node) && !diff_is_lost(node))
            return true;
    }
    return false;
}

void diff_plan_endpoints(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        const char *reason = why_endpoint(d, node);
        if (!reason || d->plan->count == PLAN_ACTIONS_MAX)
            continue;
        size_t action = plan_add(d->plan, ACTION_ENDPOINT, CHANGE_LIVE, node->name, reason);
        diff_wait_for_own(d, action, KIND(START_NODE));
        diff_wait_for(d, action, KIND(BALANCER));
    }
}

/* --- Control planes that come. --- */

bool diff_may_come(const struct diff *d, const struct node_spec *node)
{
    if (node->role == NODE_WORKER)
        return true;
    return diff_count_planes(d) > 1 || !diff_moves(d) || diff_may_move(d);
}

bool diff_needs_leave(const struct diff *d, const struct node_spec *node)
{
    return node->role == NODE_CONTROL_PLANE && !diff_find(d, node->name) &&
           diff_is_recorded(d, node->name) && diff_may_come(d, node);
}

void diff_refuse_comers(const struct diff *d)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const struct node_spec *node = &d->desired->nodes[i];
        if (!diff_may_come(d, node) && !diff_find(d, node->name))
            plan_refuse(d->plan, CHANGE_LIVE, node->name,
                        "missing; comes once the load balancer can publish the API");
    }
}

/* --- Control planes that go. --- */

/* All that is wanted is there and well by the cluster's own word, whatever the others are. */
static bool is_well(const struct diff *d)
{
    const char *balancer = d->desired->balancer;
    if (!d->observed->version ||
        (balancer && (!diff_find(d, balancer) || diff_is_stopped(diff_find(d, balancer)))))
        return false;
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const struct node_state *node = diff_find(d, d->desired->nodes[i].name);
        if (!node || node->status != CONTAINER_RUNNING || diff_is_new(d, node->name) ||
            (diff_has_cni(d) ? node->node_ready : node->joined) != SEEN_YES)
            return false;
    }
    return true;
}

/* Without several control planes a load balancer has nothing to do, if all is well without it. */
static const struct node_state *idle_balancer(const struct diff *d)
{
    const struct node_state *balancer = find_balancer(d);
    bool idle = balancer && !diff_desires(d, balancer->name) && !highest_extra(d);
    return idle && (!diff_moves(d) || diff_may_move(d)) ? balancer : NULL;
}

bool diff_sheds(const struct diff *d)
{
    return is_well(d) && (highest_extra(d) || idle_balancer(d));
}

/* Before anything is touched. */
#define FIRST (KIND(CHECK_VERSION) | KIND(SAVE_ETCD))

void diff_plan_leave(const struct diff *d, enum change_class change, const char *node,
                     const char *reason)
{
    const struct node_state *balancer = find_balancer(d), *have = diff_find(d, node);
    bool plane = have && diff_is_control_plane(have);
    size_t before = d->plan->count;
    if (plane && balancer && !diff_is_planned(d, ACTION_BALANCER, balancer->name))
        diff_wait_for(d,
                      plan_add(d->plan, ACTION_BALANCER, CHANGE_LIVE, balancer->name,
                               arena_format(d->arena, "%s goes", node)),
                      FIRST);
    size_t drain = plan_add(d->plan, ACTION_DRAIN, change, node, reason);
    if (drain > before)
        plan_after(d->plan, drain, before);
    else if (!diff_wait_for_last(d, drain, ACTION_DELETE_NODE))
        diff_wait_for(d, drain, KIND(START_NODE) | KIND(BALANCER) | KIND(LEAVE_ETCD));
    diff_wait_for(d, drain, FIRST);
    size_t last = drain;
    if (plane) {
        last = plan_add(d->plan, ACTION_LEAVE_ETCD, change, node, reason);
        plan_after(d->plan, last, drain);
    }
    size_t delete = plan_add(d->plan, ACTION_DELETE_NODE, change, node, reason);
    plan_after(d->plan, delete, last);
}

/* The name first, so that there is no moment without anybody who answers to it. */
static void plan_retreat(const struct diff *d, const struct node_state *balancer)
{
    const char *plane = spec_first_control_plane(d->desired)->name;
    const char *reason = arena_format(d->arena, "%s goes", balancer->name);
    size_t endpoint = plan_add(d->plan, ACTION_ENDPOINT, CHANGE_LIVE, plane, reason);
    size_t delete =
        plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_REMOVE, balancer->name, "not in the spec");
    plan_after(d->plan, delete, endpoint);
    size_t kubeconfig = plan_add(d->plan, ACTION_KUBECONFIG, CHANGE_LIVE, d->desired->name, reason);
    plan_after(d->plan, kubeconfig, delete);
    if (!diff_has_cni(d))
        return;
    size_t ready = plan_add(d->plan, ACTION_AWAIT_READY, CHANGE_LIVE, d->desired->name, reason);
    plan_after(d->plan, ready, kubeconfig);
}

bool diff_plan_shedding(const struct diff *d)
{
    const struct node_state *plane = highest_extra(d), *balancer = idle_balancer(d);
    if (d->plan->count || !diff_sheds(d))
        return false;
    if (plane)
        diff_plan_leave(d, CHANGE_REMOVE, plane->name, "not in the spec");
    else
        plan_retreat(d, balancer);
    return true;
}

void diff_refuse_shedding(const struct diff *d)
{
    const struct node_state *idle = idle_balancer(d);
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool goes = is_extra(d, node) || (idle && strcmp(idle->name, node->name) == 0);
        if (goes)
            plan_refuse(d->plan, CHANGE_REMOVE, node->name,
                        "not in the spec; is removed once all other nodes are there and Ready");
    }
}

/* Gone already, but not from etcd and not from the API. */
void diff_plan_departed(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (!names_plane(facet) || diff_desires(d, facet->node) || diff_find(d, facet->node) ||
            d->plan->count + 3 > PLAN_ACTIONS_MAX)
            continue;
        size_t drain =
            plan_add(d->plan, ACTION_DRAIN, CHANGE_REMOVE, facet->node, "its container is gone");
        diff_wait_for(d, drain, KIND(START_NODE) | KIND(BALANCER));
        size_t leave = plan_add(d->plan, ACTION_LEAVE_ETCD, CHANGE_REMOVE, facet->node,
                                "its container is gone");
        plan_after(d->plan, leave, drain);
    }
}
