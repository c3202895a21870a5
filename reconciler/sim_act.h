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
#include "reconciler/sim_world.h"

static inline void sim_create(struct sim_world *world, size_t index, const char *owner, int variant)
{
    world->nodes[index] = (struct sim_container){.there = true,
                                                 .owner = owner,
                                                 .status = CONTAINER_RUNNING,
                                                 .id = ++world->last_id,
                                                 .made = variant,
                                                 .recorded = SIM_NOT_RECORDED};
}

static inline const char *sim_start(struct sim_container *node)
{
    if (node->status == CONTAINER_DEAD)
        return "unavailable";
    node->status = CONTAINER_RUNNING;
    return "";
}

static inline const char *sim_balance(struct sim_world *world, int variant)
{
    struct sim_container *node = &world->nodes[SIM_BALANCER];
    if (!node->there) {
        if (!world->network)
            return "conflict";
        sim_create(world, SIM_BALANCER, NOTATION_FLEET, variant);
    }
    return sim_start(node);
}

/* A new cluster: nobody who joined an older one is part of it. */
static inline const char *sim_bootstrap(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index];
    if (node->status != CONTAINER_RUNNING)
        return "timeout";
    if (node->joined != node->id) {
        world->cluster = node->joined = node->id;
        world->addons = 0;
        memset(world->members, 0, sizeof(world->members));
        world->members[index] = node->id;
    }
    world->addons |= BIT(BOOTSTRAP);
    return sim_api_answers(world) ? "" : "timeout";
}

/* With credentials of another cluster it believes that it has joined. */
static inline const char *sim_join(struct sim_world *world, size_t index)
{
    struct sim_container *node = &world->nodes[index];
    uint32_t needs = BIT(UPLOAD_CONFIG) | BIT(TOKEN);
    if (!sim_runs(node) || !sim_api_answers(world) || (world->addons & needs) != needs)
        return "timeout";
    if (node->joined)
        return "";
    if (sim_is_control_plane(index) && sim_members_up(world) < sim_members(world))
        return "unavailable"; /* etcd takes no member while another is missing */
    if (sim_is_control_plane(index))
        world->members[index] = node->id;
    node->joined = world->cluster;
    return "";
}

static inline const char *sim_apply_to_node(struct sim_world *world, enum action_kind kind,
                                            size_t index, int variant, bool any_owner)
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
        sim_create(world, index, NOTATION_FLEET, variant);
        return "";
    }
    if (kind == ACTION_DELETE_NODE) {
        node->there = false;
        return "";
    }
    if (!node->there)
        return "conflict";
    if (kind == ACTION_START_NODE)
        return sim_start(node);
    if (kind == ACTION_BOOTSTRAP)
        return sim_bootstrap(world, index);
    if (kind == ACTION_JOIN)
        return sim_join(world, index);
    assert_int_equal(kind, ACTION_PRELOAD);
    node->preloaded = sim_runs(node);
    return node->preloaded ? "" : "timeout";
}

/* Written to one after the other, the first last; it may end before. */
static inline void sim_record(struct sim_world *world, int variant, size_t end)
{
    for (size_t i = SIM_PLANES; i-- > end;) {
        if (sim_has_joined(world, i))
            world->nodes[i].recorded = variant;
    }
}

static inline const char *sim_apply_to_cluster(struct sim_world *world, enum action_kind kind,
                                               int variant)
{
    struct sim_container *speaker = sim_speaker(world);
    const struct sim_container *entrance = sim_entrance(world);
    if (kind == ACTION_FORGET) {
        world->kubeconfig = 0;
        return "";
    }
    if (!speaker || !sim_runs(speaker) || !sim_is_ours(speaker))
        return "unavailable";
    if (kind == ACTION_RECORD) {
        sim_record(world, variant, 0);
        return "";
    }
    if (kind == ACTION_KUBECONFIG) {
        if (!entrance || !sim_has_joined(world, (size_t)(speaker - world->nodes)))
            return "unavailable";
        world->kubeconfig = entrance->id;
        return "";
    }
    if (!sim_api_answers(world))
        return "unavailable";
    if (kind == ACTION_AWAIT_READY)
        return sim_is_ready(world) ? "" : "timeout";
    world->addons |= 1u << kind;
    return "";
}

#endif
