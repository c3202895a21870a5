/*
 * sim_world.h - a world of one cluster, small enough to be true, for sim_test.c.
 *
 * Three containers at most, each with what kubeadm did in it; a network, an
 * image, a kubeconfig entry. Actions need here what they need in earnest, so
 * that a wrong order fails instead of passing unseen. What a driver refuses
 * for the sake of strangers is refused here too.
 */
#ifndef RECONCILER_SIM_WORLD_H
#define RECONCILER_SIM_WORLD_H

#include "base/memory.h"
#include "model/plan.h"
#include "reconciler/notation.h"
#include <stdbool.h>
#include <stdint.h>

#define BIT(kind) (1u << ACTION_##kind)

enum { SIM_NODES = 3, SIM_NOT_RECORDED = -1 };

/* Sorted, as nodes in a state are. */
static const char *const sim_names[SIM_NODES] = {"a-control-plane", "a-control-plane2", "a-worker"};

/* What may be desired, with what follows from it; filled in once by sim_prepare. */
struct sim_variant {
    const char *text; /* NULL: must not exist */
    bool unsupported;
    const struct cluster_spec *spec;
    struct facet_list facets;
    const char *shape; /* of the control plane */
};

static struct sim_variant sim_variants[] = {
    {.text = "cp"},
    {.text = "cp pod=10.8.0.0/16"},
    {.text = "cp nocni"},
    {.text = "cp proxy=none image=other"},
    {.text = "cp label=tier:db"}, /* differs from the first by what needs no new container */
    {.text = "cp w", .unsupported = true},
    {.text = NULL},
};

enum { SIM_VARIANTS = COUNT_OF(sim_variants), SIM_LABELED = 4, SIM_SUPPORTED = 5 };

struct sim_container {
    bool there, bootstrapped;
    const char *owner; /* NULL: upstream's */
    enum container_status status;
    unsigned id;     /* from 1, never used again */
    int made;        /* of which variant */
    int recorded;    /* the variant of a finished set-up, or SIM_NOT_RECORDED */
    uint32_t addons; /* bits of kinds */
};

struct sim_world {
    struct sim_container nodes[SIM_NODES];
    bool network, image;
    unsigned kubeconfig; /* the container whose API it leads to, or 0 */
    unsigned last_id;
};

static inline void sim_prepare(struct arena *arena)
{
    for (size_t i = 0; i < SIM_VARIANTS; i++) {
        struct sim_variant *variant = &sim_variants[i];
        variant->spec = notation_spec(arena, variant->text);
        if (!variant->spec)
            continue;
        spec_facets(arena, variant->spec, &variant->facets);
        variant->shape = facet_shape(arena, &variant->facets, sim_names[0]);
    }
}

static inline bool sim_is_ours(const struct sim_container *node)
{
    return node->there && node->owner && strcmp(node->owner, NOTATION_FLEET) == 0;
}

static inline bool sim_is_control_plane(size_t index)
{
    return index < 2;
}

static inline bool sim_has_strangers(const struct sim_world *world)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (world->nodes[i].there && !sim_is_ours(&world->nodes[i]))
            return true;
    }
    return false;
}

/* The control plane that speaks for the cluster, or NULL. */
static inline struct sim_container *sim_speaker(struct sim_world *world)
{
    for (size_t i = 0; i < SIM_NODES; i++) {
        if (world->nodes[i].there && sim_is_control_plane(i))
            return &world->nodes[i];
    }
    return NULL;
}

static inline bool sim_is_up(const struct sim_container *node)
{
    return node && node->there && node->status == CONTAINER_RUNNING && node->bootstrapped;
}

static inline bool sim_is_ready(const struct sim_container *node)
{
    return sim_is_up(node) && (node->addons & BIT(CNI)) && (node->addons & BIT(DNS));
}

/* What an observer tells of it. nodes: room for SIM_NODES. */
static inline struct cluster_state sim_look(struct sim_world *world, struct node_state *nodes)
{
    struct cluster_state look = {.name = "a", .nodes = nodes, .recorded = SEEN_NO};
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        if (!node->there)
            continue;
        nodes[look.node_count++] =
            (struct node_state){.name = sim_names[i],
                                .role = sim_is_control_plane(i) ? "control-plane" : "worker",
                                .owner = node->owner,
                                .shape = sim_variants[node->made].shape,
                                .status = node->status};
    }
    const struct sim_container *speaker = sim_speaker(world);
    if (!speaker)
        return look;
    if (speaker->status == CONTAINER_DEAD) {
        look.recorded = SEEN_UNKNOWN;
    } else if (speaker->recorded != SIM_NOT_RECORDED) {
        look.recorded = SEEN_YES;
        look.applied = sim_variants[speaker->recorded].facets;
        if (sim_is_up(speaker)) {
            look.kubeconfig = world->kubeconfig == speaker->id ? SEEN_YES : SEEN_NO;
            look.ready = sim_is_ready(speaker) ? SEEN_YES : SEEN_NO;
        }
    }
    return look;
}

static inline void sim_create(struct sim_world *world, size_t index, const char *owner, int variant)
{
    world->nodes[index] = (struct sim_container){.there = true,
                                                 .owner = owner,
                                                 .status = CONTAINER_RUNNING,
                                                 .id = ++world->last_id,
                                                 .made = variant,
                                                 .recorded = SIM_NOT_RECORDED};
}

/* "" if it went well, else why not, by the kind of error that a driver would tell. */
static inline const char *sim_apply_to_node(struct sim_world *world, enum action_kind kind,
                                            size_t index, int variant, bool any_owner)
{
    struct sim_container *node = &world->nodes[index];
    if (kind == ACTION_CREATE_NODE) {
        if (node->there || !world->network || !world->image)
            return "conflict";
        sim_create(world, index, NOTATION_FLEET, variant);
        return "";
    }
    if (kind == ACTION_DELETE_NODE && !node->there)
        return "";
    if (!node->there || (!sim_is_ours(node) && !any_owner))
        return "conflict";
    if (kind == ACTION_DELETE_NODE) {
        node->there = false;
    } else if (kind == ACTION_START_NODE) {
        if (node->status == CONTAINER_DEAD)
            return "unavailable";
        node->status = CONTAINER_RUNNING;
    } else {
        assert_int_equal(kind, ACTION_BOOTSTRAP);
        if (node->status != CONTAINER_RUNNING)
            return "timeout";
        node->bootstrapped = true;
    }
    return "";
}

static inline const char *sim_apply_to_cluster(struct sim_world *world, enum action_kind kind,
                                               int variant)
{
    struct sim_container *node = sim_speaker(world);
    if (kind == ACTION_FORGET) {
        world->kubeconfig = 0;
        return "";
    }
    if (!sim_is_up(node) || !sim_is_ours(node))
        return "unavailable";
    if (kind == ACTION_AWAIT_READY)
        return sim_is_ready(node) ? "" : "timeout";
    if (kind == ACTION_RECORD)
        node->recorded = variant;
    else if (kind == ACTION_KUBECONFIG)
        world->kubeconfig = node->id;
    node->addons |= 1u << kind;
    return "";
}

#endif
