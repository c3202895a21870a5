#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <string.h>

/*
 * DESIGN: workers that leave a living cluster, and nodes that come back made
 * anew. First comes what is to be added: pods need a place to go to. What is
 * replaced goes one node a round: the next round finds it missing and adds
 * it, and the one after that takes the next.
 */

static bool is_extra(const struct diff *d, const struct node_state *node)
{
    return diff_is_worker(node) && !diff_desires(d, node->name);
}

/*
 * Asked a moment ago, it said that all nodes are Ready, or all that are
 * wanted: those that go may be drained already, or stand still, and would be
 * waited for in vain. Without a CNI of ours nobody need be Ready.
 */
static bool answers(const struct diff *d)
{
    if (d->observed->ready == SEEN_YES)
        return true;
    bool well = d->observed->ready == SEEN_NO && d->observed->version;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool counts = !diff_is_balancer(node) && !is_extra(d, node) && !node_state_is_aside(node) &&
                      diff_has_cni(d);
        well = well && (!counts || node->node_ready == SEEN_YES);
    }
    return well;
}

/* All that is wanted is there, stands and is known to have joined. */
static bool is_whole(const struct diff *d)
{
    const char *balancer = d->desired->balancer;
    if (balancer && (!diff_find(d, balancer) || diff_is_stopped(diff_find(d, balancer))))
        return false;
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const struct node_state *node = diff_find(d, d->desired->nodes[i].name);
        if (!node || diff_is_stopped(node) || diff_is_new(d, node->name) ||
            diff_is_forgotten(d, node->name))
            return false;
    }
    return true;
}

static size_t count_extra(const struct diff *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->observed->node_count; i++)
        count += is_extra(d, &d->observed->nodes[i]);
    return count;
}

bool diff_removes(const struct diff *d)
{
    return count_extra(d) && answers(d) && is_whole(d);
}

int diff_compare_numbers(const char *a, const char *b)
{
    size_t left = strlen(a), right = strlen(b);
    return left != right ? (left > right) - (left < right) : strcmp(a, b);
}

/* The highest of those that are lower than the last; NULL: none is left. */
static const struct node_state *next_extra(const struct diff *d, const struct node_state *last)
{
    const struct node_state *next = NULL;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (is_extra(d, node) && (!last || diff_compare_numbers(node->name, last->name) < 0) &&
            (!next || diff_compare_numbers(node->name, next->name) > 0))
            next = node;
    }
    return next;
}

void diff_plan_removals(const struct diff *d)
{
    const struct node_state *node = NULL;
    /* Room for the pair, and for the record. */
    while (d->plan->count + 3 <= PLAN_ACTIONS_MAX && (node = next_extra(d, node)))
        diff_plan_leave(d, CHANGE_REMOVE, node->name, "not in the spec");
}

void diff_refuse_removals(const struct diff *d)
{
    const struct node_state *node = NULL;
    const char *when = is_whole(d) ? "the cluster answers" : "all other nodes are there";
    while ((node = next_extra(d, node)))
        plan_refuse(d->plan, CHANGE_REMOVE, node->name, "not in the spec; is removed once %s",
                    when);
}

/* --- To be made anew. --- */

static const char *join_words(const struct diff *d, const struct differences *differences,
                              const char *node)
{
    const char *words = NULL;
    size_t count = 0;
    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];
        if (difference->change != CHANGE_REPLACE || strcmp(difference->facet->node, node) != 0)
            continue;
        words = words ? words : diff_named_words(d, difference);
        count++;
    }
    return count > 1 ? arena_format(d->arena, "%s, and %zu more", words, count - 1) : words;
}

/* A control plane without which the others are a majority. */
static bool is_of_several(const struct diff *d, const struct node_state *node)
{
    return diff_is_control_plane(node) && diff_wants_control_plane(d, node->name) &&
           d->desired->balancer && diff_count_planes(d) > 2;
}

const struct node_state *diff_odd_of_two(const struct diff *d)
{
    if (diff_count_planes(d) != 2 || spec_role_count(d->desired, NODE_CONTROL_PLANE) != 2)
        return NULL;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_is_control_plane(node) && diff_wants_control_plane(d, node->name) &&
            diff_is_recorded(d, node->name) && diff_fit(d, node) == DIFF_FIT_NEITHER)
            return node;
    }
    return NULL;
}

/* Why a node is to be made anew, or NULL. */
static const char *why_replaced(const struct diff *d, const struct differences *differences,
                                const struct node_state *node)
{
    if (diff_is_control_plane(node) && diff_is_lone(d, node->name))
        return join_words(d, differences, node->name);
    bool worker = diff_is_worker(node) && !diff_wants_control_plane(d, node->name);
    if (!(worker || is_of_several(d, node)) || !diff_desires(d, node->name) ||
        diff_is_new(d, node->name))
        return NULL;
    const char *words = join_words(d, differences, node->name);
    return words || diff_fit(d, node) != DIFF_FIT_NEITHER ? words : "made for other settings";
}

static const struct difference *image_of(const struct differences *differences, const char *node)
{
    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *difference = &differences->items[i];
        if (difference->want && difference->have && difference->facet->node &&
            strcmp(difference->facet->node, node) == 0 && diff_is_field(difference->facet, "image"))
            return difference;
    }
    return NULL;
}

/* Of another image: it is there, and of a version that may be, before the old node goes. */
static void plan_image(const struct diff *d, const struct difference *image, const char *reason)
{
    const char *node = image->facet->node;
    size_t have = plan_add(d->plan, ACTION_IMAGE, CHANGE_REPLACE, image->want->value, reason);
    size_t check = plan_add(d->plan, ACTION_CHECK_VERSION, CHANGE_REPLACE, node, reason);
    plan_after(d->plan, check, have);
}

static void plan_anew(const struct diff *d, const struct differences *differences,
                      const struct node_state *node, const char *reason)
{
    const struct difference *image = image_of(differences, node->name);
    if (diff_is_lone(d, node->name)) {
        diff_plan_successor(d, reason);
        return;
    }
    if (image)
        plan_image(d, image, reason);
    if (diff_is_control_plane(node)) {
        size_t save = plan_add(d->plan, ACTION_SAVE_ETCD, CHANGE_REPLACE, node->name, reason);
        diff_wait_for(d, save, KIND(CHECK_VERSION));
    }
    diff_plan_leave(d, CHANGE_REPLACE, node->name, reason);
}

/* Is another image wanted for a control plane that is replaced, as far as that is known? */
static bool planes_are_upgraded(const struct diff *d, const struct differences *differences)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_is_control_plane(node) && image_of(differences, node->name) &&
            why_replaced(d, differences, node))
            return true;
    }
    return false;
}

/*
 * What stands in the way of replacing a node now; NULL: nothing. A control
 * plane is made by all that is said of the cluster, which must hold.
 */
static const char *what_hinders(const struct diff *d, const struct differences *differences,
                                const struct node_state *node, bool now)
{
    bool plane = diff_is_control_plane(node);
    const struct difference *image = image_of(differences, node->name);
    const char *skew = image && !plane ? diff_version_refusal(d, node->name, image->have->value,
                                                              image->want->value)
                                       : NULL;
    bool follows = skew && planes_are_upgraded(d, differences);
    if (skew && !follows)
        return arena_format(d->arena, "refused: %s", skew);
    if (!d->policy->allow_replace && plane && diff_is_lone(d, node->name))
        return "refused: needs --allow replace-nodes (its data stays; the API is away meanwhile, "
               "what the node keeps elsewhere outside of mounts goes)";
    if (!d->policy->allow_replace)
        return "refused: needs --allow replace-nodes (its pods move, what it keeps outside of "
               "mounts goes)";
    if (plane && (image || diff_is_lone(d, node->name)) && differences->recreating)
        return "is replaced once nothing else of the cluster is refused";
    if (follows)
        return "is replaced once the control planes are";
    return now ? NULL : "is replaced once all nodes are there and Ready";
}

/*
 * Control planes come first, since no worker may be newer; of those the first
 * by name, which speaks for the cluster: with it comes what its image brings
 * for all nodes, kube-proxy above all, before any other node of that image.
 */
static unsigned turn_of(const struct diff *d, const struct node_state *node)
{
    if (!diff_is_control_plane(node))
        return 2;
    return strcmp(spec_first_control_plane(d->desired)->name, node->name) != 0;
}

/* The node that is made anew now; NULL: none. */
static const struct node_state *next_replaced(const struct diff *d,
                                              const struct differences *differences, bool now)
{
    const struct node_state *next = NULL;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if ((!next || turn_of(d, node) < turn_of(d, next)) && why_replaced(d, differences, node) &&
            !what_hinders(d, differences, node, now))
            next = node;
    }
    return next;
}

void diff_plan_replacement(const struct diff *d, const struct differences *differences)
{
    bool idle = !d->plan->count;
    bool now = idle && d->observed->ready == SEEN_YES && is_whole(d);
    const struct node_state *odd = idle ? diff_odd_of_two(d) : NULL;
    if (odd)
        plan_refuse(d->plan, CHANGE_RECREATE, odd->name,
                    "made for other settings; refused: %s (all its data would go)", diff_two_words);
    const struct node_state *next = now ? next_replaced(d, differences, now) : NULL;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        const char *reason = why_replaced(d, differences, node);
        const char *hindrance = reason ? what_hinders(d, differences, node, now) : NULL;
        if (next && strcmp(next->name, node->name) == 0) {
            plan_anew(d, differences, node, reason);
            return;
        }
        if (hindrance && (idle || !d->policy->allow_replace))
            plan_refuse(d->plan, CHANGE_REPLACE, node->name, "%s; %s", reason, hindrance);
    }
}
