#include "reconciler/diff.h"

#include "base/text.h"
#include "reconciler/diff_parts.h"
#include <string.h>

/*
 * DESIGN: what is seen is first sorted into one of a few cases, worst first,
 * and each case has one function:
 *
 *   another tool made it, and it is  diff_adopt.c         it becomes ours
 *   to be adopted
 *   a container is not ours          leave_foreign        nothing, in words
 *   something is asked for by hand   diff_life.c          that, and nothing else
 *   the cluster must not exist       plan_end             forget, then delete
 *   the spec asks for too much       refuse_unsupported   nothing, in words
 *   its control plane's data is      diff_succession.c    goes on with the new one
 *   set aside
 *   no control plane is there        diff_setup.c         the whole table
 *   only other nodes are there       diff_delete_all      delete; the next round creates
 *   a container cannot be kept       start_over           the same
 *   it cannot be read                diff_existing        nothing, in words
 *   its set-up never finished        diff_setup.c         without what is there already
 *   its nodes' addresses changed     diff_address.c       the addresses, and nothing else
 *   it is recorded as complete       diff_repair.c        differences, start, wait
 *
 * Of a cluster that is held or protected diff_life.c then takes back what may not be.
 *
 * A plan never deletes and creates the same node: the second half is the next
 * round's, made from what is then seen.
 */
enum { NAMES_SHOWN_MAX = 5 };

const struct node_state *diff_find(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (strcmp(d->observed->nodes[i].name, node) == 0)
            return &d->observed->nodes[i];
    }
    return NULL;
}

static const struct node_spec *desired_node(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        if (strcmp(d->desired->nodes[i].name, node) == 0)
            return &d->desired->nodes[i];
    }
    return NULL;
}

bool diff_desires(const struct diff *d, const char *node)
{
    const char *balancer = d->desired->balancer;
    return desired_node(d, node) || (balancer && strcmp(balancer, node) == 0);
}

bool diff_wants_control_plane(const struct diff *d, const char *node)
{
    const struct node_spec *spec = desired_node(d, node);
    return spec && spec->role == NODE_CONTROL_PLANE;
}

bool diff_is_control_plane(const struct node_state *node)
{
    return strcmp(node->role, node_role_name(NODE_CONTROL_PLANE)) == 0;
}

bool diff_is_balancer(const struct node_state *node)
{
    return strcmp(node->role, ROLE_BALANCER) == 0;
}

bool diff_is_worker(const struct node_state *node)
{
    return !diff_is_control_plane(node) && !diff_is_balancer(node) && !node_state_is_aside(node);
}

bool diff_is_stopped(const struct node_state *node)
{
    return node->status == CONTAINER_CREATED || node->status == CONTAINER_EXITED ||
           node->status == CONTAINER_PAUSED;
}

bool diff_is_planned(const struct diff *d, enum action_kind kind, const char *subject)
{
    for (size_t i = 0; i < d->plan->count; i++) {
        if (d->plan->actions[i].kind == kind && strcmp(d->plan->actions[i].subject, subject) == 0)
            return true;
    }
    return false;
}

bool diff_wait_for(const struct diff *d, size_t action, kind_set kinds)
{
    bool any = false;
    for (size_t i = 0; i < action; i++) {
        if (kinds & UINT64_C(1) << d->plan->actions[i].kind) {
            plan_after(d->plan, action, i);
            any = true;
        }
    }
    return any;
}

void diff_wait_for_own(const struct diff *d, size_t action, kind_set kinds)
{
    for (size_t i = 0; i < action; i++) {
        const struct action *earlier = &d->plan->actions[i];
        if (kinds & UINT64_C(1) << earlier->kind &&
            strcmp(earlier->subject, d->plan->actions[action].subject) == 0)
            plan_after(d->plan, action, i);
    }
}

bool diff_wait_for_last(const struct diff *d, size_t action, enum action_kind kind)
{
    for (size_t i = action; i-- > 0;) {
        if (d->plan->actions[i].kind == kind) {
            plan_after(d->plan, action, i);
            return true;
        }
    }
    return false;
}

/* Not to be saved: the engine is taking it apart, or tried to and failed. */
bool diff_is_lost(const struct node_state *node)
{
    return node->status == CONTAINER_DEAD || node->status == CONTAINER_REMOVING;
}

/* --- Containers that are not ours. --- */

static bool is_foreign(const struct diff *d, const struct node_state *node)
{
    return !node->owner || strcmp(node->owner, d->policy->fleet) != 0;
}

static const char *maker_words(const struct diff *d, const struct node_state *node)
{
    return node->owner ? arena_format(d->arena, "by fleet '%s'", node->owner)
                       : "by upstream's kind";
}

static void refuse_mixed(const struct diff *d, enum change_class change, size_t foreign)
{
    cleanup_text struct text names;
    text_init(&names, 0);
    size_t shown = 0;
    for (size_t i = 0; i < d->observed->node_count && shown < NAMES_SHOWN_MAX; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (is_foreign(d, node))
            text_add_format(&names, "%s%s (made %s)", shown++ ? ", " : "", node->name,
                            maker_words(d, node));
    }
    if (foreign > shown)
        text_add_format(&names, " and %zu more", foreign - shown);
    plan_refuse(d->plan, change, d->plan->cluster,
                "has containers that were not made by this fleet: %s; left alone (rename the "
                "cluster here, or delete the other one)",
                names.data);
}

/*
 * One strange container and the whole cluster is left alone: what the others
 * are to it cannot be known.
 */
static bool leave_foreign(const struct diff *d)
{
    size_t foreign = 0;
    const char *maker = NULL;
    bool one_maker = true;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (!is_foreign(d, &d->observed->nodes[i]))
            continue;
        const char *words = maker_words(d, &d->observed->nodes[i]);
        one_maker = one_maker && (!maker || strcmp(maker, words) == 0);
        maker = words;
        foreign++;
    }
    if (!foreign || (!d->desired && d->policy->any_owner))
        return false;
    enum change_class change = d->desired ? CHANGE_LIVE : CHANGE_DELETE;
    bool adoptable = d->desired && one_maker && diff_is_strange(&d->observed->nodes[0]);
    if (adoptable && foreign == d->observed->node_count)
        plan_refuse(d->plan, change, d->plan->cluster,
                    "cluster exists and was not made by this fleet (made %s); left alone (adopt it "
                    "with --adopt, rename the cluster here, or delete the other one)",
                    maker);
    else if (one_maker && foreign == d->observed->node_count)
        plan_refuse(d->plan, change, d->plan->cluster,
                    "cluster exists and was not made by this fleet (made %s); left alone (rename "
                    "the cluster here, or delete the other one)",
                    maker);
    else
        refuse_mixed(d, change, foreign);
    return true;
}

/* --- Deletion. --- */

/* Bounded like every plan; what is beyond goes in the next round. */
void diff_delete_all(const struct diff *d, enum change_class change, const char *reason)
{
    size_t before = d->plan->count;
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX; i++) {
        size_t action =
            plan_add(d->plan, ACTION_DELETE_NODE, change, d->observed->nodes[i].name, reason);
        /* Cut short, the data is where it was set aside, not in what only has a copy of it. */
        bool last = node_state_is_carrier(&d->observed->nodes[i]);
        for (size_t earlier = 0; earlier < (last ? action : before); earlier++)
            plan_after(d->plan, action, earlier);
    }
}

/* Forgets first: while a container is left, a crash in between can be seen and finished. */
static void plan_end(const struct diff *d)
{
    const char *reason = d->policy->end_reason ? d->policy->end_reason : "not wanted any more";
    if (!d->observed->node_count)
        return;
    if (!d->policy->allow_delete && !d->policy->any_owner) {
        plan_refuse(d->plan, CHANGE_DELETE, d->plan->cluster,
                    "%s; refused: needs --allow delete (all its data would go)", reason);
        return;
    }
    plan_add(d->plan, ACTION_FORGET, CHANGE_DELETE, d->plan->cluster, reason);
    diff_delete_all(d, CHANGE_DELETE, reason);
}

/* --- What this version does not do. --- */

void diff_refuse_unsupported(const struct cluster_spec *desired, struct plan *plan)
{
    for (size_t i = 0; i < desired->unsupported.count; i++)
        plan_refuse(plan, CHANGE_LIVE, desired->unsupported.items[i], "is not supported yet");
    for (size_t i = 0; i < desired->refusal_count; i++)
        plan_refuse(plan, CHANGE_LIVE, desired->refusals[i].subject, "%s",
                    desired->refusals[i].reason);
}

/* --- Containers that cannot be kept. --- */

struct misfit {
    const char *subject, *reason; /* NULL: all can be kept */
};

/* Of another shape than the spec asks for: tells nothing once there is a record. */
static bool is_misshapen(const struct diff *d, const struct node_state *node)
{
    if (!diff_desires(d, node->name))
        return false;
    return !node->shape || strcmp(node->shape, facet_shape(d->arena, &d->facets, node->name)) != 0;
}

/* It holds nothing that the others do not: it may go, and is made anew in the next round. */
static bool is_spare(const struct diff *d, const struct node_state *node)
{
    return d->observed->recorded == SEEN_YES
               ? !diff_is_control_plane(node) || diff_count_planes(d) > 1 ||
                     !diff_is_recorded(d, node->name)
               : d->observed->recorded == SEEN_UNKNOWN && !diff_is_control_plane(node);
}

/* An etcd that may know it as a member would wait for it for ever. */
static bool is_member_too_many(const struct diff *d, const struct node_state *node)
{
    return d->observed->recorded == SEEN_NO && diff_is_control_plane(node) &&
           !diff_desires(d, node->name);
}

/*
 * Nodes without the first control plane: it is made before all others, so they
 * may have joined one that is gone, and would never join another.
 */
static bool is_headless(const struct diff *d)
{
    if (diff_find(d, spec_first_control_plane(d->desired)->name))
        return false;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (!diff_is_balancer(node) && diff_desires(d, node->name))
            return true;
    }
    return false;
}

/* The last control plane under a name that the spec does not have. */
static bool is_displaced(const struct diff *d, const struct node_state *node)
{
    if (!diff_is_control_plane(node) || diff_desires(d, node->name))
        return false;
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *other = &d->observed->nodes[i];
        if (diff_is_control_plane(other) && diff_desires(d, other->name))
            return false;
    }
    /* One that is gone comes back, as long as others have its data. */
    return diff_count_planes(d) < 2 ||
           !diff_is_recorded(d, spec_first_control_plane(d->desired)->name);
}

/* Its set-up began at another address, in which certificates and etcd's members believe. */
static bool has_moved_early(const struct diff *d, const struct node_state *node)
{
    return d->observed->recorded == SEEN_NO && node->moved == SEEN_YES;
}

static const char headless_reason[] = "the first control plane is gone";

static struct misfit find_misfit(const struct diff *d)
{
    if (d->observed->recorded == SEEN_NO && is_headless(d))
        return (struct misfit){d->desired->name, headless_reason};
    const char *lost = d->observed->recorded == SEEN_YES ? diff_without_majority(d) : NULL;
    if (lost)
        return (struct misfit){lost, "gone, and with it the majority of etcd's members, which "
                                     "nothing can be changed without"};
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool displaced = is_displaced(d, node);
        if (diff_is_lost(node) && !is_spare(d, node) &&
            (diff_is_control_plane(node) || diff_desires(d, node->name)))
            return (struct misfit){node->name, node->status == CONTAINER_DEAD
                                                   ? "the container is dead"
                                                   : "the container is being removed"};
        if (displaced && d->observed->recorded != SEEN_UNKNOWN)
            return (struct misfit){node->name,
                                   "is the only control plane, but has another name in the spec"};
        if (is_member_too_many(d, node))
            return (struct misfit){node->name,
                                   "a control plane too many, in a set-up that never finished"};
        if (has_moved_early(d, node))
            return (struct misfit){
                node->name, "has another address than it was set up with, and never finished"};
        if (d->observed->recorded == SEEN_NO && is_misshapen(d, node))
            return (struct misfit){node->name, "made for other settings, and never finished"};
    }
    return (struct misfit){NULL, NULL};
}

/* Nothing is lost with a set-up that never finished; a finished one needs leave. */
static void start_over(const struct diff *d, const struct misfit *misfit)
{
    if (d->observed->recorded == SEEN_NO)
        diff_delete_all(d, CHANGE_LIVE, misfit->reason);
    else if (d->policy->allow_recreate)
        diff_delete_all(d, CHANGE_RECREATE, misfit->reason);
    else
        plan_refuse(d->plan, CHANGE_RECREATE, misfit->subject,
                    "%s; refused: %s (all its data would go)", misfit->reason,
                    diff_recreate_needs(d));
}

/* The data of a cluster lives and dies with its control planes. */
static bool has_control_plane(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (diff_is_control_plane(&d->observed->nodes[i]))
            return true;
    }
    return false;
}

/* Where no control plane is left, nothing else is worth keeping that does not fit. */
static bool has_useless(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (diff_is_lost(&d->observed->nodes[i]) || is_misshapen(d, &d->observed->nodes[i]))
            return true;
    }
    return false;
}

/* What is too many goes first, and the rest waits for the next round: it would be waited for. */
static void set_up(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count && d->plan->count < PLAN_ACTIONS_MAX; i++) {
        if (!diff_desires(d, d->observed->nodes[i].name))
            plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_REMOVE, d->observed->nodes[i].name,
                     "not in the spec");
    }
    if (!d->plan->count)
        diff_plan_setup(d);
}

static void diff_existing(const struct diff *d)
{
    struct misfit misfit = find_misfit(d);
    if (misfit.reason) {
        start_over(d, &misfit);
        return;
    }
    switch (d->observed->recorded) {
    case SEEN_UNKNOWN:
        plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster, "cannot be read now: %s",
                    d->observed->message ? d->observed->message : "no reason is known");
        return;
    case SEEN_NO:
        set_up(d);
        return;
    case SEEN_YES:
        diff_plan_repair(d);
        return;
    }
}

/* A spec's own leave beside the policy's; of what is protected nothing is made anew. */
static struct diff_policy leave_of(const struct diff *d)
{
    struct diff_policy leave = *d->policy;
    if (d->desired) {
        leave.allow_replace |= d->desired->allow_replace;
        leave.allow_recreate |= d->desired->allow_recreate;
        leave.allow_recreate = leave.allow_recreate && !diff_is_protected(d);
    }
    return leave;
}

static void plan_desired(struct diff *d)
{
    spec_facets(d->arena, d->desired, &d->facets);
    d->fits = arena_array(d->arena, d->observed->node_count, sizeof(*d->fits));
    if (diff_carrier(d))
        diff_plan_succession(d);
    else if (has_control_plane(d))
        diff_existing(d);
    else if (is_headless(d) || has_useless(d))
        diff_delete_all(d, CHANGE_LIVE, headless_reason);
    else
        set_up(d);
}

void diff_cluster(struct arena *arena, const struct cluster_spec *desired,
                  const struct cluster_state *observed, const struct diff_policy *policy,
                  struct plan *plan)
{
    struct diff d = {arena, desired, observed, policy, plan, {NULL, 0}, false, NULL};
    plan_init(plan, arena, desired ? desired->name : observed->name);
    plan->marks = observed->marks;
    plan->marks.unknown = arena_string(arena, observed->marks.unknown);
    plan->marks.owner = arena_string(arena, observed->marks.owner);
    if (desired)
        marks_take(&plan->marks, desired);
    const struct diff_policy leave = leave_of(&d);
    d.policy = &leave;
    if (diff_plan_adoption(&d) || leave_foreign(&d) || diff_refuse_unknown_marks(&d))
        return;
    if (policy->wish) {
        diff_plan_wish(&d);
        return;
    }
    if (desired)
        diff_refuse_unsupported(desired, plan);
    if (plan->refused_count)
        return;
    if (desired)
        plan_desired(&d);
    else
        plan_end(&d);
    diff_plan_life(&d);
}
