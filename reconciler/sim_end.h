/*
 * sim_end.h - what must be true when a life in sim_test.c has come to rest.
 */
#ifndef RECONCILER_SIM_END_H
#define RECONCILER_SIM_END_H

#include "reconciler/sim_life.h"

/* --- May something be refused? --- */

/* None of the control planes that are there is wanted, and none that is wanted is known. */
static inline bool sim_is_displaced(struct life *life)
{
    const struct sim_variant *variant = &sim_variants[life->desired];
    for (size_t i = 0; i < SIM_PLANES; i++) {
        if (life->world.nodes[i].there && variant->wants[i])
            return false;
    }
    const struct sim_container *witness = sim_witness(&life->world);
    unsigned known = 0;
    for (size_t i = 0; i < SIM_PLANES; i++)
        known += sim_knows(witness->recorded, sim_names[i]);
    return known < 2 ||
           !sim_knows(witness->recorded, spec_first_control_plane(variant->spec)->name);
}

/* Do they differ in something of the cluster that cannot be changed in place? */
static inline bool sim_differs(const struct facet_list *want, const struct facet_list *have)
{
    for (size_t i = 0; i < want->count; i++) {
        const struct facet *left = &want->items[i], *right = sim_facet(have, left->path);
        if (left->change != CHANGE_LIVE && !left->node &&
            (!right || strcmp(left->value, right->value) != 0))
            return true;
    }
    return false;
}

/* Has the node settings of its own here, that cannot change in place, which differ there? */
static inline bool sim_node_differs(const struct facet_list *here, const struct facet_list *there,
                                    size_t index)
{
    for (size_t i = 0; i < here->count; i++) {
        const struct facet *facet = &here->items[i], *other = sim_facet(there, facet->path);
        if (facet->node && sim_index(facet->node) == index && facet->change != CHANGE_LIVE &&
            !facet_is_entrance(facet) && (!other || strcmp(other->value, facet->value) != 0))
            return true;
    }
    return false;
}

/* Was it made with other settings of its own than these? */
static inline bool is_made_otherwise(const struct sim_container *node, size_t index,
                                     const struct facet_list *want)
{
    const struct facet_list *made = &sim_variants[node->made].facets;
    return sim_node_differs(want, made, index) || sim_node_differs(made, want, index);
}

static inline bool may_refuse(struct life *life)
{
    struct sim_world *world = &life->world;
    const struct sim_variant *variant = &sim_variants[life->desired];
    const struct diff_policy *policy = &life->options.policy;
    const struct sim_container *witness = sim_witness(world);
    if (sim_has_strangers(world))
        return variant->text || !policy->any_owner;
    if (!variant->text)
        return !policy->allow_delete && !policy->any_owner;
    if (variant->unsupported)
        return true;
    const struct sim_container *carrier = &world->nodes[SIM_CARRIER];
    if (carrier->there)
        return !witness || !witness->own_record;
    if (!sim_speaker(world))
        return false;
    if (!witness)
        return !policy->allow_recreate; /* all are dead */
    if (!witness->recorded)
        return false;
    const struct facet_list *want = &variant->facets, *have = witness->recorded;
    if (!sim_can_have_quorum(world))
        return !policy->allow_recreate;
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        if (node->there && variant->wants[i] && i != SIM_BALANCER && !policy->allow_replace &&
            is_made_otherwise(node, i, want))
            return true;
        /* What another tool made knows of no load balancer, and nobody can make it with its data.
         */
        if (node->there && sim_is_control_plane(i) && node->adopted && !policy->allow_recreate &&
            (variant->wants[SIM_BALANCER] || is_made_otherwise(node, i, want)))
            return true;
        /* Of two neither can be without the other. */
        if (node->there && sim_is_control_plane(i) && variant->wants[i] &&
            sim_members(world) == 2 && !policy->allow_recreate && is_made_otherwise(node, i, want))
            return true;
    }
    return !policy->allow_recreate &&
           (sim_differs(want, have) || sim_differs(have, want) || sim_is_displaced(life));
}

static inline bool sim_is_finished(const struct sim_world *world, const struct facet_list *record,
                                   size_t index)
{
    return sim_knows(record, sim_names[index]) &&
           facet_shape_is_like(world->nodes[index].shape,
                               facet_shape(world->arena, record, sim_names[index]));
}

/*
 * What cannot be mended without starting over: somebody took most members from
 * etcd; the kubelet of a node is broken that has not joined, or that nobody
 * recorded as it is; a node that goes is drained, and waits for others that an
 * adopted cluster does not get.
 */
static inline bool is_beyond_help(struct life *life)
{
    struct sim_world *world = &life->world;
    const struct sim_container *witness = sim_witness(world);
    bool stray = false;
    for (size_t i = 0; i < SIM_NODES; i++)
        stray = stray || (world->nodes[i].broken &&
                          (!witness || !witness->recorded || !sim_has_joined(world, i) ||
                           !sim_is_finished(world, witness->recorded, i)));
    const struct sim_variant *variant = &sim_variants[life->desired];
    for (size_t i = 0; i < SIM_NODES; i++)
        stray = stray || (world->nodes[SIM_FIRST].adopted && variant->wants[SIM_BALANCER] &&
                          world->nodes[i].there && !variant->wants[i] && !sim_has_joined(world, i));
    return stray || (world->cluster && !sim_can_have_quorum(world));
}

/* --- Is the world as desired? --- */

static inline void check_node(struct life *life, size_t index)
{
    struct sim_world *world = &life->world;
    const struct sim_variant *variant = &sim_variants[life->desired];
    const struct sim_container *node = &world->nodes[index];
    if (!variant->wants[index]) {
        expect(life, !node->there, "no node too many");
        return;
    }
    expect(life, sim_is_ours(node) && sim_runs(node), "what is wanted is there and runs");
    if (index == SIM_BALANCER)
        return;
    expect(life, sim_has_joined(world, index), "each node has joined");
    expect(life, !node->moved, "each node is known by its address");
    /* Of the only control plane nobody can tell it, if nobody wrote it down. */
    bool alone = sim_is_control_plane(index) && !variant->wants[SIM_BALANCER];
    bool fits = node->adopted ? !is_made_otherwise(node, index, &variant->facets)
                              : facet_shape_is_like(node->shape, variant->shapes[index]);
    expect(life, alone || fits, "each node is made as desired");
    expect(life, !node->detached, "each node is in the network");
    expect(life,
           !sim_is_control_plane(index) || world->shared_name ||
               node->alias == !variant->wants[SIM_BALANCER],
           "the name of the endpoint is the entrance's alone");
    expect(life, !sim_is_control_plane(index) || sim_is_member(world, index),
           "each control plane is a member of etcd");
    expect(life, node->preloaded || !variant->spec->preload.count, "each node has its images");
    expect(life, sim_is_settled(world, index, life->desired),
           "each node has its labels and taints");
}

/* As it is desired; of a load balancer that was there before its time nothing is told. */
static inline bool is_recorded(const struct facet_list *want, const struct facet_list *have)
{
    for (size_t i = 0; i < want->count; i++) {
        const struct facet *facet = sim_facet(have, want->items[i].path);
        const char *node = want->items[i].node;
        bool balancer = node && sim_index(node) == SIM_BALANCER;
        if (!balancer && (!facet || strcmp(facet->value, want->items[i].value) != 0))
            return false;
    }
    return want->count >= have->count;
}

static inline void check_world(struct life *life)
{
    struct sim_world *world = &life->world;
    const struct sim_variant *variant = &sim_variants[life->desired];
    if (!variant->text) {
        for (size_t i = 0; i < SIM_NODES; i++)
            expect(life, !world->nodes[i].there, "what must not exist is gone");
        return;
    }
    for (size_t i = 0; i < SIM_NODES; i++)
        check_node(life, i);
    const struct sim_container *witness = sim_witness(world), *entrance = sim_entrance(world);
    expect(life, witness && witness->recorded && is_recorded(&variant->facets, witness->recorded),
           "the set-up is recorded as desired");
    for (size_t i = 0; i < variant->facets.count; i++) {
        const struct facet *facet = &variant->facets.items[i];
        size_t index = facet->node ? sim_index(facet->node) : SIM_BALANCER;
        bool by_shape = sim_is_control_plane(index) &&
                        !facet_shape_is_like(world->nodes[index].shape, variant->shapes[index]);
        expect(life, by_shape || sim_is_true(world, facet), "the record is true");
    }
    expect(life, sim_api_answers(world), "the API answers");
    size_t first = sim_index(spec_first_control_plane(variant->spec)->name);
    const char *image = sim_image(world, first);
    bool alone = !variant->wants[SIM_BALANCER];
    expect(life,
           alone || variant->spec->networking.proxy_mode == PROXY_NONE || !image || !world->proxy ||
               strcmp(world->proxy, image) == 0,
           "kube-proxy is that of the first control plane's image");
    expect(life, sim_is_ready(world, -1) || variant->spec->networking.disable_default_cni,
           "it is Ready");
    expect(life, entrance && world->kubeconfig == entrance->id, "the kubeconfig leads there");
    expect(life, !sim_lacks_member(world), "etcd waits for nobody");
}

#endif
