#include "reconciler/diff_parts.h"

/*
 * DESIGN: a node whose container runs, that has joined, and of which the
 * cluster says that it is not Ready. The cluster waits 40 s for a kubelet
 * before it says so, which is all the patience that is needed here: the action
 * looks first, starts only what does not run, and waits for the rest, so it
 * does not disturb a node that is about to boot.
 *
 * When it cannot help it writes so on the Node, and a worker, which holds
 * nothing that the cluster needs, is made anew. Never a control plane.
 */

/*
 * Without a CNI of ours a node whose kubelet speaks need not be Ready; and one
 * that has moved gets its new address first (diff_address.c).
 */
static bool is_ill(const struct diff *d, const struct node_state *node)
{
    return node->status == CONTAINER_RUNNING && node->joined == SEEN_YES &&
           node->node_ready == SEEN_NO && node->moved != SEEN_YES &&
           (node->silent || diff_has_cni(d));
}

static const char *why(const struct diff *d, const struct node_state *node)
{
    if (node->silent)
        return "kubelet does not report";
    return node->trouble ? arena_format(d->arena, "not Ready: %s", node->trouble) : "not Ready";
}

void diff_plan_revival(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        /* One that is given up goes now, and a successor is set up instead. */
        if (!is_ill(d, node) || diff_is_planned(d, ACTION_DELETE_NODE, node->name) ||
            diff_is_planned(d, ACTION_BOOTSTRAP, node->name))
            continue;
        size_t action = plan_add(d->plan, ACTION_REVIVE, CHANGE_LIVE, node->name, why(d, node));
        diff_wait_for(d, action, KIND(START_NODE) | KIND(BALANCER) | KIND(BOOTSTRAP));
    }
}

const char *diff_why_given_up(const struct diff *d, const struct node_state *node)
{
    if (!node->given_up || !is_ill(d, node) || !diff_is_worker(node))
        return NULL;
    return arena_format(d->arena, "does not come back: %s", node->given_up);
}
