#include "reconciler/diff.h"

#include "base/text.h"
#include "reconciler/diff_parts.h"
#include <string.h>

/*
 * DESIGN: what is seen is first sorted into one of a few cases, worst first,
 * and each case has one function:
 *
 *   a container is not ours          leave_foreign        nothing, in words
 *   the cluster must not exist       plan_end             forget, then delete
 *   the spec asks for too much       refuse_unsupported   nothing, in words
 *   no control plane is there        diff_setup.c         the whole table
 *   a container cannot be kept       start_over           delete; the next round creates
 *   it cannot be read                diff_existing        nothing, in words
 *   its set-up never finished        diff_setup.c         without what is there already
 *   it is recorded as complete       diff_repair.c        differences, start, wait
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

bool diff_desires(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        if (strcmp(d->desired->nodes[i].name, node) == 0)
            return true;
    }
    return false;
}

bool diff_is_control_plane(const struct node_state *node)
{
    return node->role && strcmp(node->role, node_role_name(NODE_CONTROL_PLANE)) == 0;
}

bool diff_wait_for(const struct diff *d, size_t action, uint32_t kinds)
{
    bool any = false;
    for (size_t i = 0; i < action; i++) {
        if (kinds & 1u << d->plan->actions[i].kind) {
            plan_after(d->plan, action, i);
            any = true;
        }
    }
    return any;
}

/* Not to be saved: the engine is taking it apart, or tried to and failed. */
static bool is_lost(const struct node_state *node)
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
    if (one_maker && foreign == d->observed->node_count)
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
        for (size_t earlier = 0; earlier < before; earlier++)
            plan_after(d->plan, action, earlier);
    }
}

/* Forgets first: while a container is left, a crash in between can be seen and finished. */
static void plan_end(const struct diff *d)
{
    static const char reason[] = "not wanted any more";
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

static void refuse_patches(struct plan *plan, const char *node, const char *field, size_t count)
{
    if (!count)
        return;
    const char *path = node ? arena_format(plan->arena, "nodes[%s].%s", node, field) : field;
    plan_refuse(plan, CHANGE_LIVE, path, "is not supported yet");
}

void diff_refuse_unsupported(const struct cluster_spec *desired, struct plan *plan)
{
    if (desired->node_count > 1)
        plan_refuse(plan, CHANGE_LIVE, "nodes", "%zu nodes: more than one is not supported yet",
                    desired->node_count);
    if (desired->networking.family != IP_FAMILY_IPV4)
        plan_refuse(plan, CHANGE_LIVE, "networking.ipFamily", "%s is not supported yet",
                    ip_family_name(desired->networking.family));
    refuse_patches(plan, NULL, "kubeadmConfigPatches", desired->kubeadm_patches.count);
    refuse_patches(plan, NULL, "kubeadmConfigPatchesJSON6902", desired->kubeadm_patches_6902.count);
    refuse_patches(plan, NULL, "containerdConfigPatches", desired->containerd_patches.count);
    refuse_patches(plan, NULL, "containerdConfigPatchesJSON6902",
                   desired->containerd_patches_6902.count);
    for (size_t i = 0; i < desired->node_count; i++) {
        const struct node_spec *node = &desired->nodes[i];
        refuse_patches(plan, node->name, "kubeadmConfigPatches", node->kubeadm_patches.count);
        refuse_patches(plan, node->name, "kubeadmConfigPatchesJSON6902",
                       node->kubeadm_patches_6902.count);
    }
}

/* --- Containers that cannot be kept. --- */

struct misfit {
    const char *subject, *reason; /* NULL: all can be kept */
};

/* Of another shape than the spec asks for: only told apart while nothing is recorded. */
static bool is_misshapen(const struct diff *d, const struct facet_list *facets,
                         const struct node_state *node)
{
    if (d->observed->recorded != SEEN_NO || !diff_desires(d, node->name))
        return false;
    return !node->shape || strcmp(node->shape, facet_shape(d->arena, facets, node->name)) != 0;
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
    return true;
}

static struct misfit find_misfit(const struct diff *d, const struct facet_list *facets)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        bool displaced = is_displaced(d, node);
        if (is_lost(node) && (displaced || diff_desires(d, node->name)))
            return (struct misfit){node->name, node->status == CONTAINER_DEAD
                                                   ? "the container is dead"
                                                   : "the container is being removed"};
        if (displaced && d->observed->recorded != SEEN_UNKNOWN)
            return (struct misfit){node->name,
                                   "is the only control plane, but has another name in the spec"};
        if (is_misshapen(d, facets, node))
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
                    "%s; refused: needs --allow recreate (all its data would go)", misfit->reason);
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

static void set_up(const struct diff *d, const struct facet_list *facets)
{
    diff_plan_setup(d, facets);
    diff_remove_extra(d);
}

static void diff_existing(const struct diff *d, const struct facet_list *facets)
{
    struct misfit misfit = find_misfit(d, facets);
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
        set_up(d, facets);
        return;
    case SEEN_YES:
        diff_plan_repair(d, facets);
        return;
    }
}

void diff_cluster(struct arena *arena, const struct cluster_spec *desired,
                  const struct cluster_state *observed, const struct diff_policy *policy,
                  struct plan *plan)
{
    const struct diff d = {arena, desired, observed, policy, plan};
    plan_init(plan, arena, desired ? desired->name : observed->name);
    if (leave_foreign(&d))
        return;
    if (!desired) {
        plan_end(&d);
        return;
    }
    diff_refuse_unsupported(desired, plan);
    if (plan->refused_count)
        return;
    struct facet_list facets;
    spec_facets(arena, desired, &facets);
    if (has_control_plane(&d))
        diff_existing(&d, &facets);
    else
        set_up(&d, &facets);
}
