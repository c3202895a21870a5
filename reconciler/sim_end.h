/*
 * sim_end.h - what must be true when a life in sim_test.c has come to rest.
 */
#ifndef RECONCILER_SIM_END_H
#define RECONCILER_SIM_END_H

#include "reconciler/sim_life.h"

/* --- May something be refused? --- */

/* Do they differ in something of the cluster that cannot be changed in place? */
static inline bool sim_differs(const struct facet_list *want, const struct facet_list *have)
{
    for (size_t i = 0; i < want->count; i++) {
        const struct facet *left = &want->items[i], *right = sim_facet(have, left->path);
        bool plane = left->node && !sim_is_worker(sim_index(left->node));
        if (left->change != CHANGE_LIVE && (!left->node || plane) &&
            (!left->node || sim_knows(have, left->node)) &&
            (!right || strcmp(left->value, right->value) != 0))
            return true;
    }
    return false;
}

/* Was it made with other settings of its own than these? */
static inline bool is_made_otherwise(const struct sim_container *node, size_t index,
                                     const struct facet_list *want)
{
    const struct facet_list *made = &sim_variants[node->made].facets;
    for (size_t i = 0; i < want->count; i++) {
        const struct facet *facet = &want->items[i], *own = sim_facet(made, facet->path);
        if (facet->node && sim_index(facet->node) == index && facet->change != CHANGE_LIVE &&
            (!own || strcmp(own->value, facet->value) != 0))
            return true;
    }
    return false;
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
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        bool plane = sim_is_control_plane(i);
        if ((node->there && !variant->wants[i] && !sim_is_worker(i)) ||
            (node->there && variant->wants[i] && i != SIM_BALANCER && !policy->allow_replace &&
             is_made_otherwise(node, i, want)) ||
            (plane && variant->wants[i] && (!node->there || !sim_knows(have, sim_names[i]))) ||
            (plane && node->there && node->status == CONTAINER_DEAD && !policy->allow_recreate))
            return true;
    }
    return !policy->allow_recreate && (sim_differs(want, have) || sim_differs(have, want));
}

/*
 * What cannot be mended yet without starting over: somebody took a member
 * from etcd; the load balancer is gone, but it is not wanted either; what may
 * not be removed never joined; the kubelet of a node that has
 * not joined is broken.
 */
static inline bool is_beyond_help(struct life *life)
{
    struct sim_world *world = &life->world;
    const struct sim_variant *variant = &sim_variants[life->desired];
    const struct sim_container *witness = sim_witness(world);
    bool stray = false;
    for (size_t i = 0; i < SIM_NODES; i++)
        stray = stray || (world->nodes[i].broken &&
                          (!witness || !witness->recorded || !sim_has_joined(world, i)));
    for (size_t i = 0; i < SIM_NODES; i++)
        stray = stray || (world->nodes[i].there && i != SIM_BALANCER && !variant->wants[i] &&
                          !sim_has_joined(world, i));
    return stray || sim_lacks_member(world) ||
           (sim_is_balanced(world) && !variant->wants[SIM_BALANCER] &&
            !world->nodes[SIM_BALANCER].there);
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
    expect(life, strcmp(node->shape, variant->shapes[index]) == 0, "each node is made as desired");
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
    for (size_t i = 0; i < variant->facets.count; i++)
        expect(life, sim_is_true(world, &variant->facets.items[i]), "the record is true");
    expect(life, sim_api_answers(world), "the API answers");
    expect(life, sim_is_ready(world) || variant->spec->networking.disable_default_cni,
           "it is Ready");
    expect(life, entrance && world->kubeconfig == entrance->id, "the kubeconfig leads there");
}

#endif
