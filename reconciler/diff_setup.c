#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <string.h>

static bool is_stopped(const struct node_state *node)
{
    return node->status == CONTAINER_CREATED || node->status == CONTAINER_EXITED ||
           node->status == CONTAINER_PAUSED;
}

static bool needs_container(const struct diff *d, const struct node_spec *node)
{
    return !diff_find(d, node->name);
}

static bool needs_start(const struct diff *d, const struct node_spec *node)
{
    const struct node_state *have = diff_find(d, node->name);
    return have && is_stopped(have);
}

static bool is_first(const struct diff *d, const struct node_spec *node)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        if (d->desired->nodes[i].role == NODE_CONTROL_PLANE)
            return &d->desired->nodes[i] == node;
    }
    return false;
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

enum subject { OF_NETWORK, OF_IMAGE, OF_NODE, OF_CLUSTER };

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
    case OF_CLUSTER:
        return d->desired->name;
    }
    return NULL;
}

enum {
    WAITS_MAX = 2,
    /* What the running API server is given; all at once. */
    ADDONS = KIND(UPLOAD_CONFIG) | KIND(MARK_CONTROL_PLANE) | KIND(TOKEN) | KIND(PROXY) |
             KIND(DNS) | KIND(CNI) | KIND(STORAGE) | KIND(KUBECONFIG),
};

/*
 * The order of a set-up. Each row is asked for each desired node; what several
 * nodes need of the same subject is planned once. An action waits for the
 * first of its sets of kinds of which the plan has any.
 */
static const struct setup_row {
    enum action_kind kind;
    bool (*wanted)(const struct diff *d, const struct node_spec *node);
    enum subject subject;
    uint32_t after[WAITS_MAX];
} setup[] = {
    {ACTION_NETWORK, needs_container, OF_NETWORK, {0}},
    {ACTION_IMAGE, needs_container, OF_IMAGE, {0}},
    {ACTION_CREATE_NODE, needs_container, OF_NODE, {KIND(NETWORK) | KIND(IMAGE)}},
    {ACTION_START_NODE, needs_start, OF_NODE, {0}},
    {ACTION_BOOTSTRAP, is_first, OF_NODE, {KIND(CREATE_NODE) | KIND(START_NODE)}},
    {ACTION_UPLOAD_CONFIG, is_first, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_MARK_CONTROL_PLANE, is_first, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_TOKEN, is_first, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_PROXY, wants_proxy, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_DNS, is_first, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_CNI, wants_cni, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_STORAGE, is_first, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_KUBECONFIG, is_first, OF_CLUSTER, {KIND(BOOTSTRAP)}},
    {ACTION_AWAIT_READY, wants_cni, OF_CLUSTER, {ADDONS}},
    {ACTION_RECORD, is_first, OF_CLUSTER, {KIND(AWAIT_READY), ADDONS}},
};

static bool is_planned(const struct plan *plan, enum action_kind kind, const char *subject)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].kind == kind && strcmp(plan->actions[i].subject, subject) == 0)
            return true;
    }
    return false;
}

static const char *setup_reason(const struct diff *d, enum action_kind kind, const char *subject)
{
    if (kind == ACTION_CREATE_NODE)
        return "missing";
    if (kind == ACTION_START_NODE)
        return container_status_name(diff_find(d, subject)->status);
    return d->observed->node_count ? "set-up is not finished" : "new cluster";
}

static void plan_row(const struct diff *d, const struct setup_row *row)
{
    for (size_t i = 0; i < d->desired->node_count; i++) {
        const struct node_spec *node = &d->desired->nodes[i];
        if (!row->wanted(d, node))
            continue;
        const char *subject = subject_name(d, row->subject, node);
        if (is_planned(d->plan, row->kind, subject))
            continue;
        size_t action =
            plan_add(d->plan, row->kind, CHANGE_LIVE, subject, setup_reason(d, row->kind, subject));
        for (size_t set = 0; set < WAITS_MAX; set++) {
            if (diff_wait_for(d, action, row->after[set]))
                break;
        }
    }
}

void diff_plan_start(const struct diff *d)
{
    static const struct setup_row start = {ACTION_START_NODE, needs_start, OF_NODE, {0}};
    plan_row(d, &start);
}

/* All of it can be run again: what is done already is found done. */
void diff_plan_setup(const struct diff *d, const struct facet_list *facets)
{
    if (!facet_record_fits(d->desired->name, facets)) {
        plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster,
                    "asks for more settings than can be recorded (%d KiB)",
                    FACET_RECORD_BYTES_MAX / 1024);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(setup); i++)
        plan_row(d, &setup[i]);
}
