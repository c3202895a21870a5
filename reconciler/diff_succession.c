#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <string.h>

/*
 * DESIGN: a lone control plane holds the cluster's data, so it is not deleted
 * but set aside: stopped, and kept under another name, as the carrier of the
 * data. A new container takes its place and gets a copy; the carrier goes when
 * the new one is Ready and recorded. Each round sees how far that has come:
 *
 *   the carrier alone                        make the new one, carry, start
 *   and a new one without the record         carry (the record comes last), start
 *   and a new one with the carrier's record  start it as a cluster is started
 *   and one whose own record is written      the carrier goes
 *
 * A new one of other settings than those wanted now goes again if it does not
 * answer: what it holds is a copy. So a wish that cannot work is taken back by
 * taking it back in the spec.
 */

const struct node_state *diff_carrier(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        if (node_state_is_carrier(&d->observed->nodes[i]))
            return &d->observed->nodes[i];
    }
    return NULL;
}

static size_t count_control_planes(const struct diff *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->observed->node_count; i++)
        count += diff_is_control_plane(&d->observed->nodes[i]);
    return count;
}

/* Where others are recorded beside it, etcd waits for them. */
static bool is_recorded_alone(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (facet->node && diff_is_field(facet, "role") && strcmp(facet->node, node) != 0 &&
            strcmp(facet->value, node_role_name(NODE_CONTROL_PLANE)) == 0)
            return false;
    }
    return true;
}

bool diff_is_lone(const struct diff *d, const char *node)
{
    return count_control_planes(d) == 1 && is_recorded_alone(d, node) &&
           spec_role_count(d->desired, NODE_CONTROL_PLANE) == 1 && !d->desired->balancer &&
           strcmp(spec_first_control_plane(d->desired)->name, node) == 0;
}

/* --- The plan. --- */

/* What is planned for the successor, as far as it is not done. */
struct succession {
    const struct node_spec *spec;
    const struct node_state *node;    /* NULL: not there; the old one, before it is set aside */
    const struct node_state *carrier; /* NULL: not yet */
    enum change_class change;
    const char *reason;
};

static bool is_old(const struct succession *s)
{
    return s->node && !s->carrier;
}

static bool needs_container(const struct diff *d, const struct succession *s)
{
    (void)d;
    return is_old(s) || !s->node;
}

static bool needs_aside(const struct diff *d, const struct succession *s)
{
    return is_old(s) || (s->carrier->status != CONTAINER_EXITED && !d->observed->carried);
}

static bool needs_start(const struct diff *d, const struct succession *s)
{
    (void)d;
    return !needs_container(d, s) && diff_is_stopped(s->node);
}

static bool needs_images(const struct diff *d, const struct succession *s)
{
    (void)s;
    return d->desired->preload.count > 0;
}

static bool needs_data(const struct diff *d, const struct succession *s)
{
    return needs_container(d, s) || !d->observed->carried;
}

static bool always(const struct diff *d, const struct succession *s)
{
    (void)d, (void)s;
    return true;
}

static bool has_proxy(const struct diff *d, const struct succession *s)
{
    (void)s;
    return d->desired->networking.proxy_mode != PROXY_NONE;
}

static bool has_cni(const struct diff *d, const struct succession *s)
{
    (void)s;
    return diff_has_cni(d);
}

enum { OF_NODE, OF_CLUSTER, OF_NETWORK, OF_IMAGE, OF_CARRIER };
#define UP (KIND(CREATE_NODE) | KIND(START_NODE))
#define ADDONS                                                                                     \
    (KIND(UPLOAD_CONFIG) | KIND(MARK_CONTROL_PLANE) | KIND(TOKEN) | KIND(PROXY) | KIND(DNS) |      \
     KIND(CNI) | KIND(STORAGE) | KIND(KUBECONFIG) | KIND(PRELOAD))

static const struct succession_row {
    enum action_kind kind;
    bool (*wanted)(const struct diff *d, const struct succession *s);
    int subject;
    kind_set after;
} rows[] = {
    {ACTION_NETWORK, needs_container, OF_NETWORK, 0},
    {ACTION_IMAGE, needs_container, OF_IMAGE, 0},
    {ACTION_CHECK_VERSION, needs_container, OF_NODE, KIND(IMAGE)},
    /* Nothing is touched before all that can be known is known. */
    {ACTION_SET_ASIDE, needs_aside, OF_NODE, KIND(NETWORK) | KIND(CHECK_VERSION)},
    {ACTION_CREATE_NODE, needs_container, OF_NODE,
     KIND(NETWORK) | KIND(CHECK_VERSION) | KIND(SET_ASIDE)},
    {ACTION_START_NODE, needs_start, OF_NODE, KIND(SET_ASIDE)},
    {ACTION_PRELOAD, needs_images, OF_NODE, UP},
    {ACTION_CARRY, needs_data, OF_NODE, KIND(SET_ASIDE) | UP},
    {ACTION_BOOTSTRAP, always, OF_NODE, KIND(CARRY) | KIND(SET_ASIDE) | UP},
    {ACTION_UPLOAD_CONFIG, always, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_MARK_CONTROL_PLANE, always, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_TOKEN, always, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_PROXY, has_proxy, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_DNS, always, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_CNI, has_cni, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_STORAGE, always, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_KUBECONFIG, always, OF_CLUSTER, KIND(BOOTSTRAP)},
    {ACTION_AWAIT_READY, has_cni, OF_CLUSTER, ADDONS | UP | KIND(READDRESS) | KIND(REVIVE)},
    {ACTION_RECORD, always, OF_CLUSTER, ADDONS | KIND(AWAIT_READY)},
    {ACTION_DELETE_NODE, always, OF_CARRIER, KIND(RECORD)},
};

static const char *subject_of(const struct diff *d, const struct succession *s, int subject)
{
    switch (subject) {
    case OF_CLUSTER:
        return d->desired->name;
    case OF_NETWORK:
        return d->policy->network;
    case OF_IMAGE:
        return s->spec->image ? s->spec->image : "default";
    case OF_CARRIER:
        return arena_format(d->arena, "%s" STATE_CARRIER_SUFFIX, s->spec->name);
    }
    return s->spec->name;
}

static void plan_rows(const struct diff *d, const struct succession *s)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!rows[i].wanted(d, s))
            continue;
        if (rows[i].kind == ACTION_AWAIT_READY) { /* the others would not be Ready by themselves */
            diff_plan_moved_workers(d);
            diff_plan_revival(d);
        }
        size_t action = plan_add(d->plan, rows[i].kind, s->change,
                                 subject_of(d, s, rows[i].subject), s->reason);
        diff_wait_for(d, action, rows[i].after);
    }
    diff_fill_record(d);
}

void diff_plan_successor(const struct diff *d, const char *reason)
{
    const struct node_spec *spec = spec_first_control_plane(d->desired);
    const struct succession succession = {
        .spec = spec, .node = diff_find(d, spec->name), .change = CHANGE_REPLACE, .reason = reason};
    plan_rows(d, &succession);
}

/* --- A succession under way. --- */

/* Whose place is the carrier's name. */
static bool is_carrier_of(const struct node_state *carrier, const struct node_spec *spec)
{
    size_t length = strlen(spec->name);
    return strncmp(carrier->name, spec->name, length) == 0 &&
           strcmp(carrier->name + length, STATE_CARRIER_SUFFIX) == 0;
}

/* What the successor is to be cannot be had without the data. */
static bool refuse_other_wishes(const struct diff *d, const struct differences *differences,
                                const struct node_state *carrier)
{
    const struct node_spec *spec = spec_first_control_plane(d->desired);
    if (diff_is_lost(carrier) && !d->observed->carried) {
        plan_refuse(d->plan, CHANGE_RECREATE, carrier->name,
                    "the container is dead; refused: needs --allow recreate (all its data would "
                    "go)");
        return true;
    }
    if (d->observed->recorded != SEEN_YES) {
        plan_refuse(d->plan, CHANGE_LIVE, d->plan->cluster, "cannot be read now: %s",
                    d->observed->message ? d->observed->message
                                         : "its set-aside control plane has no record");
        return true;
    }
    if (!is_carrier_of(carrier, spec) || d->desired->balancer) {
        plan_refuse(d->plan, CHANGE_LIVE, carrier->name,
                    "holds the data of a control plane that is being replaced; go back to that one "
                    "control plane until this is done");
        return true;
    }
    for (size_t i = 0; i < differences->count; i++) {
        if (differences->items[i].change == CHANGE_RECREATE)
            plan_refuse(d->plan, CHANGE_RECREATE, differences->items[i].facet->path,
                        "%s; refused while %s is being replaced: %s",
                        diff_words(d, &differences->items[i]), spec->name,
                        differences->items[i].why ? differences->items[i].why
                                                  : "set it back until this is done");
    }
    return differences->recreating > 0;
}

/*
 * A successor of other settings than are wanted now. It holds a copy until it
 * serves its data; whether it does must be known before it goes.
 */
static void take_back(const struct diff *d, const struct node_state *node)
{
    if (!d->observed->carried) {
        plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_LIVE, node->name,
                 "made for other settings, and never finished");
        return;
    }
    if (diff_is_stopped(node)) {
        plan_add(d->plan, ACTION_START_NODE, CHANGE_LIVE, node->name,
                 container_status_name(node->status));
        return;
    }
    bool silent = d->observed->ready == SEEN_NO && !d->observed->version;
    if (silent && d->policy->allow_replace)
        plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_REPLACE, node->name,
                 "made for other settings, and does not answer");
    else if (silent)
        plan_refuse(d->plan, CHANGE_REPLACE, node->name,
                    "is being replaced by a container that does not answer; refused: needs --allow "
                    "replace-nodes to make it anew of the data set aside");
    else
        plan_refuse(d->plan, CHANGE_REPLACE, node->name,
                    "is being replaced by a container of other settings than these, which may hold "
                    "newer data by now; go back to those until this is done");
}

/* What is left to do is not to go on: true, and it is planned or refused. */
static bool turns(const struct diff *d, const struct node_state *node,
                  const struct node_state *carrier)
{
    bool lost = node && diff_is_lost(node);
    if (lost && d->observed->succeeded)
        plan_refuse(d->plan, CHANGE_RECREATE, node->name,
                    "the container is dead; refused: needs --allow recreate (its data would go; %s "
                    "holds what it was when this one took its place)",
                    carrier->name);
    else if (lost)
        plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_LIVE, node->name, "the container is dead");
    else if (node && d->observed->succeeded && d->observed->recorded == SEEN_YES)
        plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_LIVE, carrier->name,
                 "its data has been carried over");
    else if (node && !diff_has_desired_shape(d, node))
        take_back(d, node);
    else
        return false;
    return true;
}

/* All others must stand, or they would be waited for; the dead are made anew afterwards. */
static void raise_others(const struct diff *d, const char *node)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *other = &d->observed->nodes[i];
        if (!diff_is_worker(other) || strcmp(other->name, node) == 0)
            continue;
        if (diff_is_lost(other))
            plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_LIVE, other->name,
                     "the container is dead");
        else if (diff_why_given_up(d, other))
            plan_add(d->plan, ACTION_DELETE_NODE, CHANGE_LIVE, other->name,
                     diff_why_given_up(d, other));
        else if (diff_is_stopped(other))
            plan_add(d->plan, ACTION_START_NODE, CHANGE_LIVE, other->name,
                     container_status_name(other->status));
    }
}

/* Leave was given when it was begun, and the cluster is without its API until it is done. */
void diff_plan_succession(const struct diff *d)
{
    const struct node_state *carrier = diff_carrier(d);
    struct differences differences;
    diff_compare(d, &differences);
    bool hopeless = diff_is_lost(carrier) && !d->observed->carried;
    if ((differences.recreating || hopeless) && d->policy->allow_recreate) {
        diff_delete_all(d, CHANGE_RECREATE,
                        hopeless ? "the container is dead" : "is to be made anew");
        return;
    }
    const struct node_spec *spec = spec_first_control_plane(d->desired);
    const struct node_state *node = diff_find(d, spec->name);
    if ((!d->observed->succeeded || d->observed->recorded != SEEN_YES) &&
        refuse_other_wishes(d, &differences, carrier))
        return;
    if (turns(d, node, carrier))
        return;
    raise_others(d, spec->name);
    const struct succession succession = {.spec = spec,
                                          .node = node,
                                          .carrier = carrier,
                                          .change = CHANGE_LIVE,
                                          .reason = "is being replaced"};
    plan_rows(d, &succession);
}
