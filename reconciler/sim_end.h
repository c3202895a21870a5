/*
 * sim_end.h - what must be true when a life in sim_test.c has come to rest.
 */
#ifndef RECONCILER_SIM_END_H
#define RECONCILER_SIM_END_H

#include "reconciler/sim_life.h"

/* --- May something be refused? --- */

static inline const struct facet *sim_facet(const struct facet_list *facets, const char *path)
{
    for (size_t i = 0; i < facets->count; i++) {
        if (strcmp(facets->items[i].path, path) == 0)
            return &facets->items[i];
    }
    return NULL;
}

static inline bool sim_knows(const struct facet_list *facets, const char *node)
{
    for (size_t i = 0; i < facets->count; i++) {
        if (facets->items[i].node && strcmp(facets->items[i].node, node) == 0)
            return true;
    }
    return false;
}

/* Does `have` say otherwise of the cluster, or of a node that both know, than `want`? */
static inline bool sim_differs(const struct facet_list *want, const struct facet_list *have,
                               bool live)
{
    for (size_t i = 0; i < want->count; i++) {
        const struct facet *left = &want->items[i], *right = sim_facet(have, left->path);
        if ((left->change == CHANGE_LIVE) == live && (!left->node || sim_knows(have, left->node)) &&
            (!right || strcmp(left->value, right->value) != 0))
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
    if (!sim_speaker(world))
        return false;
    if (!witness)
        return !policy->allow_recreate; /* all are dead */
    if (witness->recorded == SIM_NOT_RECORDED)
        return false;
    const struct facet_list *want = &variant->facets,
                            *have = &sim_variants[witness->recorded].facets;
    for (size_t i = 0; i < SIM_NODES; i++) {
        const struct sim_container *node = &world->nodes[i];
        bool plane = sim_is_control_plane(i);
        if ((node->there && !variant->wants[i]) ||
            (plane && variant->wants[i] && (!node->there || !sim_knows(have, sim_names[i]))) ||
            (plane && node->there && node->status == CONTAINER_DEAD && !policy->allow_recreate))
            return true;
    }
    return sim_differs(want, have, true) || sim_differs(have, want, true) ||
           (!policy->allow_recreate &&
            (sim_differs(want, have, false) || sim_differs(have, want, false)));
}

/*
 * What cannot be mended yet without starting over: somebody took a member
 * from etcd; the load balancer is gone, but it is not wanted either; what may
 * not be removed never joined.
 */
static inline bool is_beyond_help(struct life *life)
{
    struct sim_world *world = &life->world;
    const struct sim_variant *variant = &sim_variants[life->desired];
    bool stray = false;
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
    expect(life, strcmp(sim_variants[node->made].shapes[index], variant->shapes[index]) == 0,
           "each node is made as desired");
    expect(life, !sim_is_control_plane(index) || sim_is_member(world, index),
           "each control plane is a member of etcd");
}

/* As it is desired, but for nodes that went. */
static inline bool is_recorded(const struct facet_list *want, const struct facet_list *have)
{
    for (size_t i = 0; i < want->count; i++) {
        if (!sim_facet(have, want->items[i].path))
            return false;
    }
    return !sim_differs(want, have, false) && !sim_differs(want, have, true);
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
    expect(life,
           witness && witness->recorded != SIM_NOT_RECORDED &&
               is_recorded(&variant->facets, &sim_variants[witness->recorded].facets),
           "the set-up is recorded as desired");
    expect(life, sim_api_answers(world), "the API answers");
    expect(life, sim_is_ready(world) || variant->spec->networking.disable_default_cni,
           "it is Ready");
    expect(life, entrance && world->kubeconfig == entrance->id, "the kubeconfig leads there");
}

#endif
