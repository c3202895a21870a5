#include "reconciler/diff_parts.h"

#include <string.h>

/*
 * Why a node of a complete cluster cannot be kept, or NULL: it is lost, or was
 * never finished. What find_misfit has passed the others can do without.
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
    if (!diff_is_new(d, node->name) || (diff_is_balancer(node) && !diff_desires(d, node->name)))
        return NULL;
    if (!diff_desires(d, node->name))
        return "not in the spec, and never finished";
    if (diff_fit(d, node) == DIFF_FIT_DESIRED)
        return NULL;
    return "made for other settings, and never finished";
}

/* What can be changed in the cluster as it is, or node by node, is not refused here. */
static void refuse_recreation(const struct diff *d, const struct difference *difference)
{
    if (difference->change == CHANGE_RECREATE)
        plan_refuse(d->plan, CHANGE_RECREATE, difference->facet->path,
                    "%s; refused: %s (all its data would go)", diff_words(d, difference),
                    difference->why ? difference->why : diff_recreate_needs(d));
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
           !diff_removes(d) && !(diff_sheds(d) && !d->plan->count);
}

static bool has_joins(const struct diff *d)
{
    for (size_t i = 0; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == ACTION_JOIN)
            return true;
    }
    return false;
}

#define RENEWAL                                                                                    \
    (KIND(UPLOAD_CONFIG) | KIND(TOKEN) | KIND(PROXY) | KIND(DNS) | KIND(CNI) | KIND(STORAGE))
#define CHANGES                                                                                    \
    (RENEWAL | KIND(START_NODE) | KIND(REVIVE) | KIND(BALANCER) | KIND(ENDPOINT) |                 \
     KIND(LEAVE_ETCD) | KIND(JOIN) | KIND(PRELOAD) | KIND(KUBECONFIG) | KIND(NODE_SETTINGS) |      \
     KIND(MANIFESTS))

/* Why the record says something else than what holds after this plan; NULL: it does not. */
static const char *why_record(const struct diff *d, const struct differences *differences,
                              bool grows)
{
    size_t dropped = diff_count_dropped(d);
    if (grows)
        return "a node is missing";
    if (diff_moves_now(d))
        return "the API is published elsewhere";
    if (diff_has_live(differences))
        return diff_live_reason(d, differences);
    if (diff_removes(d))
        return "not in the spec";
    if (d->observed->record_partial)
        return "not on all control planes";
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

static void plan_kubeconfig(const struct diff *d)
{
    bool moves = diff_moves_now(d);
    if (d->observed->kubeconfig != SEEN_NO && !moves)
        return;
    size_t action =
        plan_add(d->plan, ACTION_KUBECONFIG, CHANGE_LIVE, d->desired->name,
                 moves ? "the API is published elsewhere" : "entry is missing or out of date");
    diff_wait_for(d, action, KIND(START_NODE) | KIND(BALANCER) | KIND(ENDPOINT));
}

/* A message and no knowledge: the file is there, but cannot be read. */
static void refuse_kubeconfig(const struct diff *d, bool started)
{
    if (!started && d->observed->kubeconfig == SEEN_UNKNOWN && d->observed->message)
        plan_refuse(d->plan, CHANGE_LIVE, "kubeconfig",
                    "cannot be checked, so nothing is written to it: %s", d->observed->message);
}

/*
 * Starts what stands still, revives what is silent, adds nodes, changes what can be changed in
 * place, waits until all is well again; then nodes go, if none comes.
 *
 * By the kubeconfig's entry the cluster is asked how its nodes are, and reviving tells which of
 * them cannot be helped. Both come before joins: one that fails for ever ends each round.
 */
static void mend(const struct diff *d, const struct differences *differences)
{
    diff_plan_standing(d);
    diff_plan_endpoints(d);
    bool started = d->plan->count > 0;
    plan_kubeconfig(d);
    size_t before = d->plan->count;
    diff_plan_revival(d);
    diff_plan_comers(d);
    started = started || d->plan->count > before;
    bool grows = has_joins(d);
    refuse_kubeconfig(d, started);
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
    const char *reason = why_record(d, differences, grows);
    bool sheds = !reason && diff_plan_shedding(d);
    plan_record(d, sheds ? "not in the spec" : reason);
    if (!d->plan->count) {
        diff_refuse_removals(d);
        diff_refuse_shedding(d);
    }
    diff_plan_replacement(d, differences);
}

/*
 * A control plane may be a Node and a member of etcd still, and one of the same
 * name that comes later must not be taken for it. What is asked for that must
 * run.
 */
static void delete_one(const struct diff *d, const struct node_state *node, const char *reason)
{
    bool plane = diff_is_control_plane(node), wanted = diff_desires(d, node->name);
    enum change_class change = wanted ? CHANGE_LIVE : CHANGE_REMOVE;
    size_t before = d->plan->count;
    if (plane)
        plan_add(d->plan, ACTION_DRAIN, change, node->name, reason);
    if (plane)
        plan_add(d->plan, ACTION_LEAVE_ETCD, change, node->name, reason);
    plan_add(d->plan, ACTION_DELETE_NODE, change, node->name, reason);
    for (size_t i = before + 1; i < d->plan->count; i++)
        plan_after(d->plan, i, i - 1);
    if (!plane)
        diff_wait_for_own(d, before, KIND(START_NODE) | KIND(BALANCER));
    else if (!diff_wait_for_last(d, before, ACTION_DELETE_NODE))
        diff_wait_for(d, before, KIND(START_NODE) | KIND(BALANCER) | KIND(ENDPOINT));
}

static bool loses_plane(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_is_control_plane(node) && why_lost(d, node))
            return true;
    }
    return false;
}

/*
 * Without a majority of etcd, and a name for the API, no member can go; those
 * that go count as well.
 */
static void raise_members(const struct diff *d)
{
    if (!loses_plane(d))
        return;
    diff_plan_standing(d);
    diff_plan_endpoints(d);
}

enum { TURNS = 3 };

/*
 * What is no control plane first: a dead load balancer is in the way. Then the
 * members that are gone: without them the others are a majority.
 */
static unsigned turn_of(const struct node_state *node)
{
    if (!diff_is_control_plane(node))
        return 0;
    return diff_is_lost(node) ? 1 : 2;
}

static bool delete_lost_of(const struct diff *d, unsigned turn)
{
    bool any = false;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        const char *reason = turn_of(node) == turn ? why_lost(d, node) : NULL;
        if (reason && d->plan->count + 3 <= PLAN_ACTIONS_MAX)
            delete_one(d, node, reason);
        any = any || reason;
    }
    return any;
}

/* What is lost goes first, and the rest waits for the next round: it may depend on it. */
static bool delete_lost(const struct diff *d)
{
    bool any = false;
    raise_members(d);
    for (unsigned turn = 0; turn < TURNS; turn++)
        any |= delete_lost_of(d, turn);
    return any;
}

/* Nothing else can be done in what hangs between networks. */
static void connect_again(const struct diff *d)
{
    diff_plan_standing(d);
    diff_plan_endpoints(d);
    (void)delete_lost_of(d, 0);
}

void diff_plan_repair(const struct diff *known)
{
    struct differences differences;
    diff_compare(known, &differences);
    struct diff judged = *known;
    const struct diff *d = &judged;
    judged.refuses = differences.recreating > 0;
    const struct node_state *odd = diff_odd_of_two(d);
    if ((differences.recreating || odd) && d->policy->allow_recreate) {
        diff_delete_all(d, CHANGE_RECREATE,
                        differences.recreating
                            ? recreate_reason(d, &differences)
                            : arena_format(d->arena, "%s was made for other settings", odd->name));
        return;
    }
    for (size_t i = 0; i < differences.count; i++)
        refuse_recreation(d, &differences.items[i]);
    diff_refuse_comers(d);
    if (diff_refuse_unrecordable(d))
        return;
    if (diff_is_any_detached(d)) {
        connect_again(d);
        return;
    }
    /* etcd forgets a member only when the others have found each other. */
    bool found = !loses_plane(d) || !diff_plan_addresses(d);
    if (found && !delete_lost(d) && !diff_plan_addresses(d))
        mend(d, &differences);
}
