#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <string.h>

static bool needs_container(const struct diff *d, const struct node_spec *node)
{
    return !diff_find(d, node->name);
}

static bool needs_start(const struct diff *d, const struct node_spec *node)
{
    const struct node_state *have = diff_find(d, node->name);
    return have && diff_is_stopped(have);
}

static bool is_first(const struct diff *d, const struct node_spec *node)
{
    return node == spec_first_control_plane(d->desired);
}

static bool is_later(const struct diff *d, const struct node_spec *node)
{
    return !is_first(d, node);
}

/* Also one that is there: its backends may be those of an earlier try. */
static bool wants_balancer(const struct diff *d, const struct node_spec *node)
{
    return is_first(d, node) && d->desired->balancer;
}

static bool needs_network(const struct diff *d, const struct node_spec *node)
{
    return needs_container(d, node) ||
           (wants_balancer(d, node) && !diff_find(d, d->desired->balancer));
}

static bool needs_first(const struct diff *d, const struct node_spec *node)
{
    return is_first(d, node) && needs_container(d, node);
}

static void find_image(const struct diff *d, const struct facet *want, const struct facet *have,
                       void *context)
{
    (void)d;
    const struct facet *facet = want ? want : have;
    *(bool *)context |= (!want || !have) && diff_is_field(facet, "preload");
}

/*
 * Which images its nodes have only the record tells. So it is told first which
 * are wanted now, and nodes come in the next round: what they were made with
 * can then be said of them even if the wish changes before they are recorded.
 */
static bool images_differ(const struct diff *d)
{
    bool differ = false;
    diff_walk(d, find_image, &differ);
    return differ;
}

static bool may_come(const struct diff *d, const struct node_spec *node)
{
    return diff_may_come(d, node) && (diff_find(d, node->name) || !images_differ(d));
}

static bool needs_comer(const struct diff *d, const struct node_spec *node)
{
    return needs_container(d, node) && may_come(d, node);
}

static bool needs_joining(const struct diff *d, const struct node_spec *node)
{
    return (needs_container(d, node) || diff_is_new(d, node->name) ||
            diff_is_forgotten(d, node->name)) &&
           may_come(d, node);
}

/* There is none as long as there is no more than one control plane; else it knows all of them. */
static bool needs_balancer(const struct diff *d, const struct node_spec *node)
{
    if (!wants_balancer(d, node))
        return false;
    const struct node_state *have = diff_find(d, d->desired->balancer);
    if (!have)
        return !diff_moves(d) || diff_may_move(d);
    if (diff_is_lost(have))
        return false; /* it goes first */
    bool comes = false;
    for (size_t i = 0; i < d->desired->node_count; i++)
        comes = comes || (d->desired->nodes[i].role == NODE_CONTROL_PLANE &&
                          needs_joining(d, &d->desired->nodes[i]));
    return comes || diff_is_stopped(have);
}

static bool balancer_needs_network(const struct diff *d, const struct node_spec *node)
{
    return needs_balancer(d, node) && !diff_find(d, d->desired->balancer);
}

static bool may_need_joining(const struct diff *d, const struct node_spec *node)
{
    const struct node_state *have = diff_find(d, node->name);
    return node->role == NODE_WORKER && have && have->joined != SEEN_YES;
}

static bool wants_images(const struct diff *d, const struct node_spec *node)
{
    (void)node;
    return d->desired->preload.count > 0;
}

static bool needs_images(const struct diff *d, const struct node_spec *node)
{
    return wants_images(d, node) && needs_joining(d, node);
}

/* It may have joined when other labels were desired: JOIN would find it done. */
static bool may_be_joined(const struct diff *d, const struct node_spec *node)
{
    return diff_find(d, node->name);
}

static bool may_need_images(const struct diff *d, const struct node_spec *node)
{
    return wants_images(d, node) && may_need_joining(d, node);
}

static bool wants_manifests(const struct diff *d, const struct node_spec *node)
{
    return is_first(d, node) && d->desired->manifest_count > 0;
}

static bool wants_proxy(const struct diff *d, const struct node_spec *node)
{
    return is_first(d, node) && d->desired->networking.proxy_mode != PROXY_NONE;
}

/* Without a CNI no node becomes Ready by itself: the user brings one later. */
static bool wants_cni(const struct diff *d, const struct node_spec *node)
{
    return is_first(d, node) && !d->desired->networking.disable_default_cni;
}

/* What images bring for the whole cluster. */
static bool renews(const struct diff *d, const struct node_spec *node)
{
    return diff_renews(d, node) && needs_joining(d, node);
}

static bool renews_proxy(const struct diff *d, const struct node_spec *node)
{
    return d->desired->networking.proxy_mode != PROXY_NONE && renews(d, node);
}

static bool renews_cni(const struct diff *d, const struct node_spec *node)
{
    return !d->desired->networking.disable_default_cni && renews(d, node);
}

enum subject { OF_NETWORK, OF_IMAGE, OF_NODE, OF_BALANCER, OF_CLUSTER };

static const char *subject_name(const struct diff *d, enum subject subject,
                                const struct node_spec *node)
{
    switch (subject) {
    case OF_NETWORK:
        return d->policy->network;
    case OF_IMAGE:
        return node->image ? node->image : "default";
    case OF_NODE:
        return node->name;
    case OF_BALANCER:
        return d->desired->balancer;
    case OF_CLUSTER:
        return d->desired->name;
    }
    return NULL;
}

enum { WAITS_MAX = 2 };

/* What the running API server is given; all at once. */
#define ADDONS                                                                                     \
    (KIND(UPLOAD_CONFIG) | KIND(MARK_CONTROL_PLANE) | KIND(TOKEN) | KIND(PROXY) | KIND(DNS) |      \
     KIND(CNI) | KIND(STORAGE) | KIND(MANIFESTS) | KIND(KUBECONFIG))
#define ALL (ADDONS | KIND(JOIN) | KIND(PRELOAD) | KIND(NODE_SETTINGS))
#define BOOT (KIND(CREATE_NODE) | KIND(START_NODE) | KIND(REVIVE))
/* In a complete cluster nobody looks for the images of a node that has joined. */
#define MADE (KIND(CREATE_NODE) | KIND(PRELOAD))
/* What an API is reached by, and what etcd has to know before it gets a member. */
#define WAYS (KIND(START_NODE) | KIND(BALANCER) | KIND(ENDPOINT) | KIND(LEAVE_ETCD))

/*
 * The order of a set-up. Each row is asked for each desired node; what several
 * nodes need of the same subject is planned once. An action waits for what is
 * planned of its `own` subject, and for the first of its sets of kinds of
 * which the plan has any.
 */
struct setup_row {
    enum action_kind kind;
    bool (*wanted)(const struct diff *d, const struct node_spec *node);
    enum subject subject;
    kind_set own, after[WAITS_MAX];
};

static const struct setup_row setup[] = {
    {ACTION_NETWORK, needs_network, OF_NETWORK, 0, {0}},
    {ACTION_IMAGE, needs_container, OF_IMAGE, 0, {0}},
    {ACTION_BALANCER, wants_balancer, OF_BALANCER, 0, {KIND(NETWORK)}},
    {ACTION_CREATE_NODE, needs_first, OF_NODE, 0, {KIND(NETWORK) | KIND(IMAGE)}},
    {ACTION_CREATE_NODE, needs_container, OF_NODE, 0, {KIND(NETWORK) | KIND(IMAGE)}},
    {ACTION_START_NODE, needs_start, OF_NODE, 0, {0}},
    {ACTION_PRELOAD, wants_images, OF_NODE, BOOT, {0}},
    {ACTION_BOOTSTRAP, is_first, OF_NODE, KIND(CREATE_NODE), {KIND(BALANCER) | KIND(START_NODE)}},
    {ACTION_UPLOAD_CONFIG, is_first, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_MARK_CONTROL_PLANE, is_first, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_TOKEN, is_first, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_PROXY, wants_proxy, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_DNS, is_first, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_CNI, wants_cni, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_STORAGE, is_first, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_JOIN, is_later, OF_NODE, BOOT, {KIND(UPLOAD_CONFIG) | KIND(TOKEN)}},
    {ACTION_NODE_SETTINGS, may_be_joined, OF_NODE, KIND(JOIN), {KIND(BOOTSTRAP)}},
    {ACTION_MANIFESTS, wants_manifests, OF_CLUSTER, 0, {KIND(CNI), KIND(BOOTSTRAP)}},
    {ACTION_KUBECONFIG, is_first, OF_CLUSTER, 0, {KIND(BOOTSTRAP)}},
    {ACTION_AWAIT_READY, wants_cni, OF_CLUSTER, 0, {ALL}},
    {ACTION_RECORD, is_first, OF_CLUSTER, 0, {KIND(AWAIT_READY), ALL}},
};

/* What a complete cluster lacks, once those that have the endpoint's name are those that should. */
static const struct setup_row comers[] = {
    {ACTION_NETWORK, needs_comer, OF_NETWORK, 0, {0}},
    {ACTION_IMAGE, needs_comer, OF_IMAGE, 0, {0}},
    /* Nobody takes a container made anew for the Node or the member that it is not. */
    {ACTION_DRAIN, diff_needs_leave, OF_NODE, 0, {WAYS}},
    {ACTION_LEAVE_ETCD, diff_needs_leave, OF_NODE, KIND(DRAIN), {WAYS}},
    {ACTION_CREATE_NODE, needs_comer, OF_NODE, KIND(DRAIN), {KIND(NETWORK) | KIND(IMAGE)}},
    {ACTION_PRELOAD, needs_images, OF_NODE, BOOT, {0}},
    {ACTION_JOIN, needs_joining, OF_NODE, MADE | KIND(REVIVE), {WAYS}},
    {ACTION_UPLOAD_CONFIG, renews, OF_CLUSTER, 0, {KIND(JOIN)}},
    {ACTION_TOKEN, renews, OF_CLUSTER, 0, {KIND(JOIN)}},
    {ACTION_PROXY, renews_proxy, OF_CLUSTER, 0, {KIND(JOIN)}},
    {ACTION_DNS, renews, OF_CLUSTER, 0, {KIND(JOIN)}},
    {ACTION_CNI, renews_cni, OF_CLUSTER, 0, {KIND(JOIN)}},
    {ACTION_STORAGE, renews, OF_CLUSTER, 0, {KIND(JOIN)}},
};

/* What stands still in it, and the way to it. */
static const struct setup_row standing[] = {
    {ACTION_START_NODE, needs_start, OF_NODE, 0, {0}},
    {ACTION_NETWORK, balancer_needs_network, OF_NETWORK, 0, {0}},
    {ACTION_BALANCER, needs_balancer, OF_BALANCER, 0, {KIND(NETWORK)}},
};

static const struct setup_row joins[] = {
    {ACTION_PRELOAD, may_need_images, OF_NODE, BOOT, {0}},
    {ACTION_JOIN, may_need_joining, OF_NODE, MADE, {WAYS}},
};

static const char *setup_reason(const struct diff *d, enum action_kind kind, const char *subject)
{
    const struct node_state *have = diff_find(d, subject);
    if (kind == ACTION_CREATE_NODE || (kind == ACTION_BALANCER && !have))
        return "missing";
    if (kind == ACTION_LEAVE_ETCD || kind == ACTION_DRAIN)
        return "its container is gone";
    if (kind == ACTION_BALANCER && !diff_is_stopped(have) && d->observed->recorded == SEEN_YES)
        return "control planes come";
    if (kind == ACTION_START_NODE || (kind == ACTION_BALANCER && diff_is_stopped(have)))
        return container_status_name(have->status);
    if (d->observed->recorded == SEEN_YES && strcmp(subject, d->desired->name) == 0)
        return "comes with the image";
    if (d->observed->recorded == SEEN_YES)
        return !have                           ? "a node is missing"
               : diff_is_forgotten(d, subject) ? "the cluster does not know it"
                                               : "not known to have joined";
    return d->observed->node_count ? "set-up is not finished" : "new cluster";
}

/*
 * etcd takes one new member at a time: a control plane waits for the one
 * before it. Workers come side by side.
 */
static void wait_for_member(const struct diff *d, size_t action, const struct node_spec *node)
{
    if (node->role != NODE_CONTROL_PLANE)
        return;
    for (size_t i = action; i-- > 0;) {
        const struct action *earlier = &d->plan->actions[i];
        if (earlier->kind == ACTION_JOIN && diff_wants_control_plane(d, earlier->subject)) {
            plan_after(d->plan, action, i);
            return;
        }
    }
}

/* Without it no other may be there, see is_headless; it is also the one that all wait for. */
static void wait_for_first(const struct diff *d, size_t action)
{
    const char *first = spec_first_control_plane(d->desired)->name;
    for (size_t i = 0; i < action; i++) {
        if (d->plan->actions[i].kind == ACTION_CREATE_NODE &&
            strcmp(d->plan->actions[i].subject, first) == 0)
            plan_after(d->plan, action, i);
    }
}

static void plan_row(const struct diff *d, const struct setup_row *row)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const struct node_spec *node = &d->desired->nodes[i];
        if (!row->wanted(d, node))
            continue;
        const char *subject = subject_name(d, row->subject, node);
        if (diff_is_planned(d, row->kind, subject))
            continue;
        size_t action =
            plan_add(d->plan, row->kind, CHANGE_LIVE, subject, setup_reason(d, row->kind, subject));
        diff_wait_for_own(d, action, row->own);
        for (size_t set = 0; set < WAITS_MAX; set++) {
            if (diff_wait_for(d, action, row->after[set]))
                break;
        }
        if (row->kind == ACTION_CREATE_NODE)
            wait_for_first(d, action);
        if (row->kind == ACTION_JOIN)
            wait_for_member(d, action, node);
    }
}

/* What is not removed now is part of the cluster still: etcd and readiness count it. */
static void start_extra(const struct diff *d)
{
    bool removes = diff_removes(d);
    diff_plan_lacking_balancer(d);
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if ((diff_is_worker(node) && removes) || node_state_is_aside(node))
            continue;
        if (diff_is_stopped(node) && !diff_desires(d, node->name))
            plan_add(d->plan, diff_is_balancer(node) ? ACTION_BALANCER : ACTION_START_NODE,
                     CHANGE_LIVE, node->name, container_status_name(node->status));
    }
}

void diff_plan_comers(const struct diff *d)
{
    diff_plan_departed(d);
    for (size_t i = 0; i < COUNT_OF(comers); i++)
        plan_row(d, &comers[i]);
}

void diff_plan_standing(const struct diff *d)
{
    start_extra(d);
    for (size_t i = 0; i < COUNT_OF(standing); i++)
        plan_row(d, &standing[i]);
}

void diff_plan_joins(const struct diff *d)
{
    for (size_t i = 0; i < COUNT_OF(joins); i++)
        plan_row(d, &joins[i]);
}

/* All of it can be run again: what is done already is found done. */
void diff_plan_setup(const struct diff *d)
{
    if (diff_refuse_unrecordable(d))
        return;
    for (size_t i = 0; i < COUNT_OF(setup); i++)
        plan_row(d, &setup[i]);
    diff_fill_record(d);
}
