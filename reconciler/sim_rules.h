/*
 * sim_rules.h - the rules that a life in sim_test.c must keep.
 *
 * They know nothing of diff and cycle: they say again, in their own tables,
 * what must come before what and what needs leave. Some are checked when an
 * action begins, against the plan and what was seen; others when it is
 * carried out, against the truth.
 */
#ifndef RECONCILER_SIM_RULES_H
#define RECONCILER_SIM_RULES_H

#include "reconciler/sim_life.h"

/* What must have ended well in this round before an action of the kind begins. */
static const uint64_t needs[ACTION_KINDS] = {
    [ACTION_CREATE_NODE] = BIT(NETWORK) | BIT(IMAGE),
    [ACTION_MARK_CONTROL_PLANE] = BIT(BOOTSTRAP),
    [ACTION_CHECK_VERSION] = BIT(IMAGE),
    [ACTION_SET_ASIDE] = BIT(NETWORK) | BIT(IMAGE) | BIT(CHECK_VERSION),
};

/* The same, in a set-up only: of a complete cluster all this was done once. */
static const uint64_t needs_in_setup[ACTION_KINDS] = {
    [ACTION_UPLOAD_CONFIG] = BIT(BOOTSTRAP),
    [ACTION_TOKEN] = BIT(BOOTSTRAP),
    [ACTION_PROXY] = BIT(BOOTSTRAP),
    [ACTION_DNS] = BIT(BOOTSTRAP),
    [ACTION_CNI] = BIT(BOOTSTRAP),
    [ACTION_STORAGE] = BIT(BOOTSTRAP),
    [ACTION_MANIFESTS] = BIT(BOOTSTRAP),
    [ACTION_JOIN] = BIT(BOOTSTRAP) | BIT(UPLOAD_CONFIG) | BIT(TOKEN),
    [ACTION_KUBECONFIG] = BIT(BOOTSTRAP),
    [ACTION_AWAIT_READY] = BIT(BOOTSTRAP) | BIT(CNI) | BIT(DNS) | BIT(KUBECONFIG),
    [ACTION_RECORD] = BIT(BOOTSTRAP) | BIT(UPLOAD_CONFIG) | BIT(MARK_CONTROL_PLANE) | BIT(TOKEN) |
                      BIT(DNS) | BIT(STORAGE) | BIT(KUBECONFIG),
};

/* Has everything of this kind that is planned ended well, and is there any? */
static inline bool has_ended(const struct life *life, enum action_kind kind, const char *subject)
{
    const struct plan *plan = cycle_plan(life->cycle);
    bool any = false;
    for (size_t i = 0; i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (action->kind != kind || (subject && strcmp(action->subject, subject) != 0))
            continue;
        if (!life->done[i])
            return false;
        any = true;
    }
    return any;
}

static inline bool is_planned(const struct life *life, enum action_kind kind, const char *subject)
{
    const struct plan *plan = cycle_plan(life->cycle);
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].kind == kind && strcmp(plan->actions[i].subject, subject) == 0)
            return true;
    }
    return false;
}

static inline bool is_any_planned(const struct life *life, enum action_kind kind)
{
    const struct plan *plan = cycle_plan(life->cycle);
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].kind == kind)
            return true;
    }
    return false;
}

static inline const struct node_state *seen_node(const struct life *life, const char *name)
{
    for (size_t i = 0; i < life->look.node_count; i++) {
        if (strcmp(life->look.nodes[i].name, name) == 0)
            return &life->look.nodes[i];
    }
    return NULL;
}

/* It ran when it was seen, or was made to run in this round. */
static inline bool must_run(const struct life *life, const char *name)
{
    const struct node_state *node = seen_node(life, name);
    return (node && node->status == CONTAINER_RUNNING) ||
           has_ended(life, ACTION_CREATE_NODE, name) || has_ended(life, ACTION_START_NODE, name) ||
           has_ended(life, ACTION_BALANCER, name);
}

static inline bool saw_control_plane(const struct life *life)
{
    for (size_t i = 0; i < SIM_PLANES; i++) {
        if (seen_node(life, sim_names[i]))
            return true;
    }
    return false;
}

static inline bool saw_complete(const struct life *life)
{
    return life->look.recorded == SEEN_YES;
}

/* Does the record that was seen know the node? */
static inline bool saw_recorded(const struct life *life, const char *name)
{
    for (size_t i = 0; i < life->look.applied.count; i++) {
        const char *node = life->look.applied.items[i].node;
        if (node && strcmp(node, name) == 0)
            return true;
    }
    return false;
}

/* Was this very container recorded, and not one of that name before? */
static inline bool saw_finished(const struct life *life, const struct node_state *node)
{
    if (!node->shape)
        return saw_recorded(life, node->name);
    return saw_recorded(life, node->name) &&
           facet_shape_is_like(node->shape,
                               facet_shape(life->world.arena, life->complete, node->name));
}

/* All that was seen goes in this round. */
static inline bool all_go(const struct life *life)
{
    for (size_t i = 0; i < life->look.node_count; i++) {
        if (!is_planned(life, ACTION_DELETE_NODE, life->look.nodes[i].name))
            return false;
    }
    return true;
}

/* With a CNI of ours, by which nodes become Ready. */
static inline bool records_cni(const struct life *life)
{
    const struct facet *facet =
        sim_facet(&cycle_plan(life->cycle)->record, "networking.disableDefaultCNI");
    return facet && strcmp(facet->value, "false") == 0;
}

static inline uint64_t needs_of(const struct life *life, const struct action *action)
{
    const struct cluster_spec *spec = planned_variant(life)->spec;
    bool aside = action->kind == ACTION_SET_ASIDE && seen_node(life, sim_names[SIM_CARRIER]);
    uint64_t kinds = aside ? 0 : needs[action->kind];
    if (action->kind == ACTION_DELETE_NODE && !spec)
        kinds |= BIT(FORGET);
    if (action->kind == ACTION_RECORD && records_cni(life) &&
        (!saw_complete(life) || is_any_planned(life, ACTION_JOIN)))
        kinds |= BIT(AWAIT_READY);
    if (saw_complete(life))
        return kinds;
    kinds |= needs_in_setup[action->kind];
    if (action->kind == ACTION_BOOTSTRAP && spec->balancer)
        kinds |= BIT(BALANCER);
    if (action->kind != ACTION_RECORD)
        return kinds;
    kinds |= spec->networking.disable_default_cni ? 0 : BIT(CNI);
    kinds |= spec->networking.proxy_mode == PROXY_NONE ? 0 : BIT(PROXY);
    kinds |= spec->preload.count ? BIT(PRELOAD) : 0;
    kinds |= spec->manifest_count ? BIT(MANIFESTS) : 0;
    return kinds;
}

/* Who is recorded has joined, and has what is said of it; who is wanted and there is recorded. */
static inline void check_recorded_node(struct life *life, size_t index)
{
    const char *name = sim_names[index];
    const struct facet_list *record = &cycle_plan(life->cycle)->record;
    bool recorded = sim_knows(record, name);
    bool joined = has_ended(life, ACTION_JOIN, name) || has_ended(life, ACTION_BOOTSTRAP, name);
    bool known = saw_complete(life) && seen_node(life, name) && saw_recorded(life, name);
    expect(life, !recorded || joined || known, "what is recorded has joined");
    expect(life, !recorded || !is_planned(life, ACTION_DELETE_NODE, name),
           "no record of what goes");
    bool preload = sim_facet(record, "preload[busybox:v1]");
    bool before = known && sim_facet(&life->look.applied, "preload[busybox:v1]");
    expect(life,
           !recorded || !planned_variant(life)->wants[index] || !preload || before ||
               has_ended(life, ACTION_PRELOAD, name),
           "what is recorded has its images");
    expect(life,
           recorded || !planned_variant(life)->wants[index] ||
               (saw_complete(life) && (sim_is_control_plane(index) || !seen_node(life, name) ||
                                       is_any_planned(life, ACTION_BOOTSTRAP))),
           "what is wanted and there is recorded");
    expect(life,
           recorded || !planned_variant(life)->wants[index] || sim_is_control_plane(index) ||
               is_any_planned(life, ACTION_BOOTSTRAP) ||
               (preload && !sim_facet(&life->look.applied, "preload[busybox:v1]")) ||
               (!preload && sim_facet(&life->look.applied, "preload[busybox:v1]")),
           "what is wanted comes, unless its images are to be recorded first");
}

static inline void check_record(struct life *life)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (i != SIM_BALANCER)
            check_recorded_node(life, i);
    }
}

/* Was it gone for good, or never part of what was recorded? */
static inline bool is_no_loss(const struct life *life, const char *name)
{
    const struct node_state *node = seen_node(life, name);
    return !node || node->status == CONTAINER_DEAD || !saw_finished(life, node);
}

/* One after the other, when nothing is missing and the cluster answers. */
static inline void check_drain(struct life *life, const struct action *action)
{
    size_t index = sim_index(action->subject), drains = 0;
    bool wanted = planned_variant(life)->wants[index], plane = sim_is_control_plane(index);
    expect(life, index != SIM_BALANCER, "a load balancer is no node");
    if (plane && is_no_loss(life, action->subject))
        return; /* so that nobody takes what comes back for it */
    for (size_t i = 0; i < cycle_plan(life->cycle)->count; i++)
        drains += cycle_plan(life->cycle)->actions[i].kind == ACTION_DRAIN;
    for (size_t i = 0; i < life->running_count; i++)
        expect(life,
               life->running[i].kind != ACTION_DRAIN && life->running[i].kind != ACTION_DELETE_NODE,
               "no node goes beside another");
    expect(life, !plane || drains == 1, "control planes go one a round");
    expect(life, life->look.ready == SEEN_YES || (life->look.version && !wanted),
           "nothing is drained where nobody answers");
    expect(life, !is_any_planned(life, ACTION_JOIN) && !is_any_planned(life, ACTION_CREATE_NODE),
           "nothing is drained while another joins");
    for (size_t i = 0; i < SIM_NODES; i++)
        expect(life, !planned_variant(life)->wants[i] || seen_node(life, sim_names[i]),
               "nothing is drained while another is missing");
    expect(life, !wanted || (life->options.policy.allow_replace && drains == 1),
           "nodes are replaced with leave, one a round");
}

/* Those that are gone for good are forgotten before another comes. */
static inline void check_join(struct life *life, const struct action *action)
{
    bool plane = sim_is_control_plane(sim_index(action->subject));
    for (size_t i = 0; i < life->running_count; i++)
        expect(life,
               !plane || life->running[i].kind != ACTION_JOIN ||
                   !sim_is_control_plane(sim_index(life->running[i].subject)),
               "no control plane joins beside another");
    for (size_t i = 0; i < SIM_PLANES; i++)
        expect(life,
               !plane || !saw_complete(life) || seen_node(life, sim_names[i]) ||
                   !saw_recorded(life, sim_names[i]) ||
                   has_ended(life, ACTION_LEAVE_ETCD, sim_names[i]),
               "etcd forgets who is gone before another joins");
    bool balanced = seen_node(life, sim_names[SIM_BALANCER]) ||
                    is_planned(life, ACTION_BALANCER, sim_names[SIM_BALANCER]);
    expect(life, !balanced || must_run(life, sim_names[SIM_BALANCER]),
           "nobody joins by a load balancer that does not run");
}

/* Quorum first, then one control plane after the other. */
static inline void check_readdress(struct life *life, const struct action *action)
{
    const struct node_state *node = seen_node(life, action->subject);
    size_t planes = 0;
    for (size_t i = 0; i < life->look.node_count; i++)
        planes += sim_is_control_plane(sim_index(life->look.nodes[i].name));
    bool plane = sim_is_control_plane(sim_index(action->subject));
    expect(life, node && node->moved == SEEN_YES, "only what has moved is given its address");
    expect(life, !plane || planes == 1 || has_ended(life, ACTION_REROUTE, NULL),
           "members of etcd find each other first");
    for (size_t i = 0; i < life->running_count; i++)
        expect(life,
               !sim_is_control_plane(sim_index(life->running[i].subject)) ||
                   (life->running[i].kind != ACTION_READDRESS &&
                    life->running[i].kind != ACTION_REROUTE),
               "one control plane is given its address at a time");
}

/* The name of the endpoint is never without anybody who answers to it. */
static inline void check_endpoint(struct life *life, const struct action *action)
{
    expect(life, must_run(life, action->subject), "nothing is done in a node that does not run");
    expect(life,
           !planned_variant(life)->wants[SIM_BALANCER] || must_run(life, sim_names[SIM_BALANCER]) ||
               seen_node(life, action->subject)->detached,
           "a control plane keeps the name until the load balancer has it");
}

static inline void check_order(struct life *life, const struct action *action)
{
    uint64_t kinds = needs_of(life, action);
    bool inside = action->kind == ACTION_BOOTSTRAP || action->kind == ACTION_JOIN ||
                  action->kind == ACTION_PRELOAD || action->kind == ACTION_REVIVE ||
                  action->kind == ACTION_REROUTE || action->kind == ACTION_READDRESS;
    bool asks = action->kind == ACTION_KUBECONFIG || action->kind == ACTION_AWAIT_READY;
    bool up = false;
    for (unsigned kind = 0; kind < ACTION_KINDS; kind++)
        expect(life,
               !(kinds & UINT64_C(1) << kind) || has_ended(life, (enum action_kind)kind, NULL),
               "nothing begins before what it needs");
    for (size_t i = 0; i < SIM_PLANES; i++)
        up = up || must_run(life, sim_names[i]);
    expect(life, !inside || must_run(life, action->subject),
           "nothing is done in a node that does not run");
    expect(life, !asks || up, "nothing is asked of a cluster that does not run");
    if (action->kind == ACTION_JOIN)
        check_join(life, action);
    if (action->kind == ACTION_RECORD)
        check_record(life);
    if (action->kind == ACTION_DRAIN)
        check_drain(life, action);
    if (action->kind == ACTION_READDRESS)
        check_readdress(life, action);
    if (action->kind == ACTION_ENDPOINT)
        check_endpoint(life, action);
}

/* What a complete cluster is given anew comes with a control plane, and only with one. */
static inline void check_renewal(struct life *life, const struct action *action)
{
    const uint64_t renewal =
        BIT(UPLOAD_CONFIG) | BIT(TOKEN) | BIT(PROXY) | BIT(DNS) | BIT(CNI) | BIT(STORAGE);
    bool joined = false;
    for (size_t i = 0; i < SIM_PLANES; i++)
        joined = joined || has_ended(life, ACTION_JOIN, sim_names[i]);
    expect(life,
           !(renewal & UINT64_C(1) << action->kind) || !saw_complete(life) ||
               has_ended(life, ACTION_BOOTSTRAP, NULL) || joined,
           "what an image brings comes with a control plane");
    expect(life,
           action->kind != ACTION_LEAVE_ETCD || action->change != CHANGE_REPLACE ||
               has_ended(life, ACTION_SAVE_ETCD, action->subject),
           "what etcd holds is saved before a control plane is replaced");
    expect(life,
           action->change != CHANGE_REPLACE || action->kind != ACTION_DRAIN ||
               !sim_is_control_plane(sim_index(action->subject)) ||
               has_ended(life, ACTION_SAVE_ETCD, action->subject),
           "it is saved before anything is touched");
}

/* A set-up that is complete is only added to, and mended where it is broken. */
static inline void check_gentle(struct life *life, const struct action *action)
{
    const struct node_state *node = seen_node(life, action->subject);
    bool deletes = action->kind == ACTION_DELETE_NODE;
    bool plane = sim_is_control_plane(sim_index(action->subject));
    bool is_copy =
        deletes && plane && seen_node(life, sim_names[SIM_CARRIER]) && !life->look.succeeded;
    const struct cluster_spec *spec = planned_variant(life)->spec;
    const char *first = spec ? spec_first_control_plane(spec)->name : "";
    expect(life,
           !deletes || !plane || !saw_complete(life) || all_go(life) || is_copy ||
               has_ended(life, ACTION_LEAVE_ETCD, action->subject),
           "a control plane leaves etcd before it goes, unless all go or it is a copy");
    expect(life,
           !deletes || sim_index(action->subject) != SIM_BALANCER || !saw_complete(life) ||
               all_go(life) || node->status == CONTAINER_DEAD || !saw_finished(life, node) ||
               is_any_planned(life, ACTION_ENDPOINT),
           "a load balancer goes when another has its name");
    expect(life, action->kind != ACTION_START_NODE || (node && node->status != CONTAINER_RUNNING),
           "what runs is not started");
    expect(life, action->kind != ACTION_REVIVE || (node && node->node_ready == SEEN_NO),
           "what is well is not revived");
    bool aside = has_ended(life, ACTION_SET_ASIDE, action->subject);
    expect(life, action->kind != ACTION_CREATE_NODE || !node || aside, "what is there is not made");
    expect(life,
           action->kind != ACTION_SET_ASIDE || life->options.policy.allow_replace ||
               seen_node(life, sim_names[SIM_CARRIER]),
           "a control plane is set aside with leave");
    expect(life,
           action->kind != ACTION_CREATE_NODE || saw_complete(life) ||
               strcmp(action->subject, first) == 0 || must_run(life, first) ||
               seen_node(life, first),
           "the first control plane is made before all others");
    if (!deletes || !saw_complete(life) || all_go(life) || is_copy)
        return;
    if (sim_index(action->subject) == SIM_CARRIER) {
        expect(life, life->look.succeeded || has_ended(life, ACTION_RECORD, NULL),
               "a carrier goes when its successor is recorded");
        return;
    }
    expect(life,
           node->status == CONTAINER_DEAD || !saw_finished(life, node) ||
               (node->given_up && !plane) || has_ended(life, ACTION_DRAIN, action->subject) ||
               has_ended(life, ACTION_ENDPOINT, NULL),
           "of a complete cluster only what is dead, given up, drained or was never finished goes");
}

static inline bool saw_strangers(const struct life *life)
{
    return !cluster_state_owned(&life->look, NOTATION_FLEET);
}

/* It was asked for, of a cluster that is wholly nobody's, and of nothing that is not wanted. */
static inline bool may_adopt(const struct life *life)
{
    bool strange = true;
    for (size_t i = 0; i < life->look.node_count; i++)
        strange = strange && !life->look.nodes[i].owner &&
                  planned_variant(life)->wants[sim_index(life->look.nodes[i].name)];
    return strange && life->options.policy.adopt && cycle_plan(life->cycle)->count == 1;
}

static inline void check_leave(struct life *life, const struct action *action)
{
    const struct diff_policy *policy = &life->options.policy;
    const struct sim_variant *variant = planned_variant(life);
    bool deletes = action->kind == ACTION_DELETE_NODE;
    expect(life,
           !saw_strangers(life) || (!variant->text && policy->any_owner) ||
               (action->kind == ACTION_ADOPT && may_adopt(life)),
           "nothing is done to a cluster that is not ours");
    expect(life, !variant->unsupported, "nothing is done for what is not supported");
    expect(life, variant->text || policy->allow_delete || policy->any_owner,
           "nothing is deleted without leave");
    expect(life,
           !variant->text || life->look.recorded != SEEN_UNKNOWN || !saw_control_plane(life) ||
               (deletes && policy->allow_recreate) || action->kind == ACTION_ADOPT,
           "nothing is done to what cannot be read");
}

static inline void check_start(struct life *life, const struct action *action)
{
    expect(life, !life->stops, "nothing begins after a stop");
    expect(life, !life->draining, "nothing begins while draining");
    expect(life, !life->observing, "nothing begins before it is seen");
    for (size_t i = 0; i < life->running_count; i++)
        expect(life,
               life->running[i].kind != action->kind ||
                   strcmp(life->running[i].subject, action->subject) != 0,
               "no two of one kind on one subject");
    check_leave(life, action);
    check_order(life, action);
    check_renewal(life, action);
    check_gentle(life, action);
}

/* --- The truth behind all looks. --- */

/* No node of a finished set-up that lives is thrown away without leave. */
static inline void check_loss(struct life *life, size_t index)
{
    const struct sim_container *node = &life->world.nodes[index];
    if (!sim_is_ours(node) || !planned_variant(life)->text || life->options.policy.allow_recreate ||
        !life->complete)
        return;
    bool finished = sim_knows(life->complete, sim_names[index]) &&
                    facet_shape_is_like(node->shape, facet_shape(life->world.arena, life->complete,
                                                                 sim_names[index]));
    bool lost = node->status == CONTAINER_DEAD || node->broken;
    bool is_copy = index == SIM_FIRST && life->world.nodes[SIM_CARRIER].there && !node->own_record;
    expect(life,
           !sim_is_control_plane(index) || life->meddled || is_copy ||
               !sim_is_member(&life->world, index),
           "no member of etcd is lost without leave");
    expect(life,
           lost || !finished || life->options.policy.allow_replace ||
               !planned_variant(life)->wants[index],
           "no living node of a finished cluster is lost without leave");
    expect(life,
           lost || !finished || !sim_is_worker(index) || life->meddled ||
               !sim_has_joined(&life->world, index),
           "no living worker goes before it was drained");
    expect(life, lost || !finished || !node->pods || life->meddled, "no pods go with a node");
}

/* The data that was set aside is in a control plane that serves it, before it goes. */
static inline void check_carrier(struct life *life)
{
    const struct sim_container *carrier = &life->world.nodes[SIM_CARRIER];
    bool wanted = planned_variant(life)->text && !life->options.policy.allow_recreate;
    expect(life,
           !sim_is_ours(carrier) || !wanted || life->meddled ||
               (sim_is_member(&life->world, SIM_FIRST) &&
                life->world.nodes[SIM_FIRST].joined == carrier->joined),
           "what is set aside stays until its data is served by another");
}

static inline void check_quorum(struct life *life, bool had_quorum)
{
    expect(life, !had_quorum || all_go(life) || sim_has_quorum(&life->world),
           "quorum is not lost by what we do");
}

/* Unless somebody took a node away since it was seen. */
static inline void check_truth(struct life *life)
{
    const struct facet_list *record = &cycle_plan(life->cycle)->record;
    for (size_t i = 0; i < record->count && !life->meddled; i++) {
        const struct facet *facet = &record->items[i];
        size_t index = facet->node ? sim_index(facet->node) : SIM_FIRST;
        /*
         * By which settings a worker was made its shape says, which labels it
         * has the next look at a cluster that is Ready and wants it, and whether
         * it has joined the next look at all; the record tells them in words.
         */
        bool seen = facet->node && facet->change == CHANGE_LIVE &&
                    (life->look.ready != SEEN_YES || !planned_variant(life)->wants[index]);
        bool by_shape = facet->node && index != SIM_BALANCER &&
                        !facet_shape_is_like(life->world.nodes[index].shape,
                                             facet_shape(life->world.arena, record, facet->node));
        if (!by_shape && !seen && !sim_is_true(&life->world, facet))
            say(life, "    recorded: %s is %s", facet->path, facet->value);
        expect(life, index == SIM_BALANCER || by_shape || seen || sim_is_true(&life->world, facet),
               "the record is true");
        expect(life,
               !facet->node || index == SIM_BALANCER || !records_cni(life) ||
                   !planned_variant(life)->wants[index] || life->world.nodes[index].drained ||
                   !life->look.version || sim_has_joined(&life->world, index),
               "in truth, too, every node has joined when it is recorded");
    }
}

#endif
