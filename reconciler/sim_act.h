/*
 * sim_act.h - what actions do to the world of sim_world.h.
 *
 * They need here what they need in earnest, so that a wrong order fails
 * instead of passing unseen. What a driver refuses for the sake of strangers
 * is refused here too. Each returns "" if it went well, else the kind of error
 * that a driver would tell.
 */
#ifndef RECONCILER_SIM_ACT_H
#define RECONCILER_SIM_ACT_H

#include "base/memory.h"
#include "reconciler/sim_truth.h"
#include "reconciler/sim_world.h"

static inline void sim_create(struct sim_world *world, size_t index, const char *owner, int variant,
                              const char *shape)
{
    world->nodes[index] = (struct sim_container){
        .there = true,
        .owner = owner,
        .status = CONTAINER_RUNNING,
        .id = ++world->last_id,
        .made = variant,
        .alias = sim_is_control_plane(index) && !sim_variants[variant].wants[SIM_BALANCER]};
    world->shared_name = world->shared_name || world->nodes[index].alias;
    snprintf(world->nodes[index].shape, SIM_SHAPE + 1, "%s", shape);
}

static inline const char *sim_start(struct sim_container *node)
{
    if (node->status == CONTAINER_DEAD)
        return "unavailable";
    node->status = CONTAINER_RUNNING;
    node->silent = node->broken;
    return "";
}

/* Where it is of no avail, that is written down. */
static inline const char *sim_revive(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index];
    if (!sim_runs(node) || !sim_api_answers(world))
        return "unavailable";
    node->silent = node->broken;
    node->given_up = node->broken && sim_has_joined(world, index);
    return node->broken ? "unavailable" : "";
}

static inline const char *sim_balance(struct sim_world *world, int variant)
{
    struct sim_container *node = &world->nodes[SIM_BALANCER];
    if (!node->there) {
        if (!world->network)
            return "conflict";
        /* One that went just now may come again for a spec that wants none: as the cluster has it.
         */
        int made = sim_variants[variant].wants[SIM_BALANCER] ? variant : world->built;
        sim_create(world, SIM_BALANCER, NOTATION_FLEET, made,
                   sim_variants[variant].shapes[SIM_BALANCER]);
    }
    return sim_start(node);
}

/* Stopped first, then renamed. */
static inline const char *sim_set_aside(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index], *carrier = &world->nodes[SIM_CARRIER];
    if (!carrier->there && !node->there)
        return "conflict";
    if (carrier->there) {
        carrier->status = CONTAINER_EXITED;
        return "";
    }
    node->status = CONTAINER_EXITED;
    *carrier = *node;
    *node = (struct sim_container){0};
    return "";
}

static inline const char *sim_carry(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index];
    const struct sim_container *carrier = &world->nodes[SIM_CARRIER];
    if (!carrier->there || carrier->status != CONTAINER_EXITED || !carrier->recorded)
        return "conflict";
    if (node->recorded)
        return "";
    node->data = carrier->joined;
    node->recorded = carrier->recorded;
    node->settings = carrier->settings;
    return "";
}

/* A new cluster: nobody who joined an older one is part of it; or the old one, by its data. */
static inline const char *sim_bootstrap(struct sim_world *world, size_t index, int variant)
{
    struct sim_container *node = &world->nodes[index];
    if (node->status != CONTAINER_RUNNING)
        return "timeout";
    if (node->data && node->data == world->cluster) {
        world->members[index] = node->id;
        node->joined = node->data;
    } else if (node->joined != node->id) {
        world->cluster = node->joined = node->id;
        world->addons = 0;
        memset(world->members, 0, sizeof(world->members));
        world->members[index] = node->id;
        world->built = world->manifests = node->settings = variant;
        world->unsure = false;
    }
    node->silent = node->broken;
    world->addons |= BIT(BOOTSTRAP);
    return sim_api_answers(world) ? "" : "timeout";
}

/* --- etcd. --- */

/* Another control plane by which etcd can be asked. */
static inline bool sim_has_other(const struct sim_world *world, size_t index)
{
    for (size_t i = 0; i < SIM_PLANES; i++) {
        if (i != index && sim_is_member(world, i) && sim_runs(&world->nodes[i]))
            return true;
    }
    return false;
}

/* Only while the others are a majority, with it and without it. */
static inline bool sim_forget_member(struct sim_world *world, size_t index)
{
    const struct sim_container *node = &world->nodes[index];
    bool up = sim_is_member(world, index) && sim_runs(node) && !node->detached;
    unsigned others = sim_members_up(world) - up;
    if (!sim_has_quorum(world) || others <= (sim_members(world) - 1) / 2)
        return false;
    world->members[index] = 0;
    return true;
}

/* The subject, and all whose container is gone or made anew; keep: a subject that is one stays. */
static inline const char *sim_leave(struct sim_world *world, size_t index, bool keep)
{
    if (!sim_has_other(world, index))
        return "timeout";
    for (size_t i = 0; i < SIM_PLANES; i++) { /* those that are not well first */
        if (world->members[i] && !sim_is_member(world, i) && !sim_forget_member(world, i))
            return "timeout";
    }
    return world->members[index] && !keep && !sim_forget_member(world, index) ? "timeout" : "";
}

/* --- Nodes. --- */

static inline const char *sim_endpoint(struct sim_world *world, size_t index, int variant)
{
    struct sim_container *node = &world->nodes[index];
    if (!sim_runs(node))
        return "conflict";
    node->alias = !sim_variants[variant].wants[SIM_BALANCER];
    node->detached = false;
    world->shared_name = world->shared_name || node->alias;
    return "";
}

/*
 * With credentials of another cluster it believes that it has joined; one that
 * this cluster does not know any more comes back. A control plane that etcd
 * does not know begins anew.
 */
static inline const char *sim_join(struct sim_world *world, size_t index, int variant)
{
    struct sim_container *node = &world->nodes[index];
    uint64_t needs = BIT(UPLOAD_CONFIG) | BIT(TOKEN);
    bool plane = sim_is_control_plane(index);
    if (!sim_runs(node) || !sim_api_answers(world) || (world->addons & needs) != needs)
        return "timeout";
    if (plane && *sim_leave(world, index, true))
        return "timeout";
    bool half = plane && node->joined && !sim_is_member(world, index);
    bool back = node->joined == world->cluster && node->drained;
    if (node->broken)
        return "unavailable";
    node->silent = false;
    if (node->joined && !back && !half)
        return "";
    for (size_t i = 0; plane && i < SIM_PLANES; i++) {
        if (world->members[i] && world->nodes[i].moved && !world->nodes[i].named)
            return "timeout"; /* it is told where the others were */
    }
    if (plane && !sim_is_member(world, index)) {
        if (sim_members_up(world) < sim_members(world))
            return "unavailable"; /* etcd takes no member while another is missing */
        world->members[index] = node->id;
    }
    node->joined = world->cluster;
    node->settings = variant;
    node->drained = false;
    node->pods = plane ? 0 : 1;
    return "";
}

/* Its pods go to any other node. */
static inline const char *sim_drain(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index];
    if (!sim_api_answers(world))
        return "unavailable";
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (i == index || i == SIM_BALANCER || !sim_has_joined(world, i))
            continue;
        world->nodes[i].pods += node->pods;
        node->pods = 0;
    }
    if (!node->there)
        return "";
    node->drained = true;
    node->given_up = false;
    return node->pods ? "timeout" : "";
}

static inline const char *sim_settle(struct sim_world *world, size_t index, int variant)
{
    struct sim_container *node = &world->nodes[index];
    if (!sim_api_answers(world) || !sim_has_joined(world, index))
        return "unavailable";
    node->settings = variant;
    return "";
}

static inline const char *sim_reroute(struct sim_container *node)
{
    node->rerouted = node->rerouted || sim_runs(node);
    return sim_runs(node) ? "" : "timeout";
}

/* etcd is told the names of all its members, which needs most of them; then the node is right. */
static inline const char *sim_readdress(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index];
    if (!sim_runs(node) || !sim_has_quorum(world))
        return "timeout";
    for (size_t i = 0; sim_is_control_plane(index) && i < SIM_PLANES; i++)
        world->nodes[i].named = world->nodes[i].named || sim_is_member(world, i);
    node->moved = false;
    node->rerouted = false;
    return sim_api_answers(world) ? "" : "timeout";
}

static inline const char *sim_apply_to_node(struct sim_world *world, enum action_kind kind,
                                            size_t index, int variant,
                                            const struct facet_list *record, bool any_owner,
                                            bool goes)
{
    struct sim_container *node = &world->nodes[index];
    bool is_strange = node->there && !sim_is_ours(node) && !any_owner;
    if (is_strange || (kind == ACTION_CREATE_NODE && node->there))
        return "conflict";
    if (kind == ACTION_BALANCER)
        return sim_balance(world, variant);
    if (kind == ACTION_CREATE_NODE) {
        if (!world->network || !world->image)
            return "conflict";
        const char *shape = facet_shape(world->arena, record, sim_names[index]);
        sim_create(world, index, NOTATION_FLEET, variant, shape);
        return "";
    }
    if (kind == ACTION_DELETE_NODE) {
        if (index == SIM_CARRIER && !goes && !world->nodes[SIM_FIRST].own_record)
            return "conflict";
        /* What came with it stays, and nobody knows whose it is. */
        const char *image = sim_is_control_plane(index) ? sim_image(world, index) : NULL;
        if (image && world->proxy && strcmp(image, world->proxy) == 0 &&
            !sim_variants[variant].wants[index])
            world->proxy = NULL;
        node->there = false;
        return "";
    }
    if (kind == ACTION_CHECK_VERSION)
        return world->image ? "" : "conflict";
    if (kind == ACTION_SET_ASIDE)
        return sim_set_aside(world, index);
    if (kind == ACTION_SAVE_ETCD)
        return sim_has_other(world, index) ? "" : "timeout";
    if (kind == ACTION_LEAVE_ETCD)
        return sim_leave(world, index, false);
    if (kind == ACTION_DRAIN)
        return sim_drain(world, index);
    if (!node->there)
        return "conflict";
    if (kind == ACTION_ENDPOINT)
        return sim_endpoint(world, index, variant);
    if (kind == ACTION_START_NODE)
        return sim_start(node);
    if (kind == ACTION_REVIVE)
        return sim_revive(world, index);
    if (kind == ACTION_CARRY)
        return sim_carry(world, index);
    if (kind == ACTION_BOOTSTRAP)
        return sim_bootstrap(world, index, variant);
    if (kind == ACTION_JOIN)
        return sim_join(world, index, variant);
    if (kind == ACTION_REROUTE)
        return sim_reroute(node);
    if (kind == ACTION_READDRESS)
        return sim_readdress(world, index);
    if (kind == ACTION_NODE_SETTINGS)
        return sim_settle(world, index, variant);
    assert_int_equal(kind, ACTION_PRELOAD);
    node->preloaded =
        node->preloaded || (sim_runs(node) && sim_variants[variant].spec->preload.count);
    return sim_runs(node) ? "" : "timeout";
}

/* Written to one after the other, the first last; it may end before. */
static inline void sim_record(struct sim_world *world, const struct facet_list *facets, size_t end)
{
    struct facet_list *record = arena_alloc(world->arena, sizeof(*record));
    struct facet *items = arena_array(world->arena, facets->count, sizeof(*items));
    for (size_t i = 0; i < facets->count; i++)
        items[i] = facet_of_path(world->arena, facets->items[i].path, facets->items[i].value);
    *record = (struct facet_list){items, facets->count};
    if (!sim_knows(record, sim_names[SIM_BALANCER]))
        world->shared_name = false;
    for (size_t i = SIM_PLANES; i-- > end;) {
        if (!sim_is_ours(&world->nodes[i]))
            continue;
        world->nodes[i].recorded = record;
        world->nodes[i].own_record = true;
    }
}

/* What can be seen of it is recorded; what is changed in place is said to be absent. */
static inline const struct facet_list *sim_portray(struct sim_world *world)
{
    enum { FACETS_MAX = 256 };
    struct facet_list *record = arena_alloc(world->arena, sizeof(*record));
    struct facet *items = arena_array(world->arena, FACETS_MAX, sizeof(*items));
    *record = (struct facet_list){items, 0};
    for (size_t owner = 0; owner <= SIM_NODES; owner++) {
        const char *name = owner < SIM_NODES ? sim_names[owner] : NULL;
        if (name && !world->nodes[owner].there)
            continue;
        const struct facet_list *made =
            &sim_variants[name ? world->nodes[owner].made : world->built].facets;
        for (size_t i = 0; i < made->count && record->count < FACETS_MAX; i++) {
            const struct facet *facet = &made->items[i];
            bool of_it = name ? facet->node && strcmp(facet->node, name) == 0 : !facet->node;
            if (of_it && facet->change != CHANGE_LIVE)
                items[record->count++] = *facet;
        }
    }
    qsort(items, record->count, sizeof(*items), facet_compare);
    return record;
}

static inline const char *sim_adopt(struct sim_world *world)
{
    struct sim_container *plane = sim_speaker(world);
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        if (node->there && node->owner && !node->adopted)
            return "conflict";
    }
    if (!plane || plane->status == CONTAINER_DEAD)
        return "conflict";
    for (size_t i = 0; i < SIM_NODES; i++) {
        world->nodes[i].adopted = world->nodes[i].there;
        world->nodes[i].owner = world->nodes[i].there ? NOTATION_FLEET : NULL;
    }
    plane->recorded = sim_portray(world);
    plane->own_record = true;
    return "";
}

static inline const char *sim_apply_to_cluster(struct sim_world *world, enum action_kind kind,
                                               int variant, const struct facet_list *record)
{
    struct sim_container *speaker = sim_speaker(world);
    const struct sim_container *entrance = sim_entrance(world);
    for (size_t i = 0; i < SIM_PLANES; i++) { /* one that never joined has no credentials */
        if (speaker && !speaker->joined && world->nodes[i].joined && sim_runs(&world->nodes[i]))
            speaker = &world->nodes[i];
    }
    if (entrance != &world->nodes[SIM_BALANCER])
        entrance = speaker;
    if (kind == ACTION_FORGET) {
        world->kubeconfig = 0;
        return "";
    }
    if (kind == ACTION_ADOPT)
        return sim_adopt(world);
    if (!speaker || !sim_runs(speaker) || !sim_is_ours(speaker))
        return "unavailable";
    if (kind == ACTION_RECORD) {
        sim_record(world, record, 0);
        return "";
    }
    if (kind == ACTION_KUBECONFIG) {
        if (!entrance || speaker->joined != world->cluster)
            return "unavailable";
        world->kubeconfig = entrance->id;
        return "";
    }
    if (!sim_api_answers(world))
        return "unavailable";
    if (kind == ACTION_AWAIT_READY)
        return sim_is_ready(world, variant) ? "" : "timeout";
    world->addons |= UINT64_C(1) << kind;
    if (kind == ACTION_PROXY)
        world->proxy = sim_image(world, (size_t)(speaker - world->nodes));
    if (kind == ACTION_MANIFESTS) {
        world->manifests = variant;
        world->unsure = false;
    }
    return "";
}

#endif
