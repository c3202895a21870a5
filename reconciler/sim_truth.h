/*
 * sim_truth.h - what is true of the world of sim_world.h, setting by setting.
 */
#ifndef RECONCILER_SIM_TRUTH_H
#define RECONCILER_SIM_TRUTH_H

#include "reconciler/sim_world.h"

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

static inline bool sim_is_worker(size_t index)
{
    return index > SIM_BALANCER;
}

/* The variant by which this setting came about. */
static inline int sim_origin(const struct sim_world *world, const struct facet *facet)
{
    if (!facet->node)
        return facet->change == CHANGE_LIVE ? world->manifests : world->built;
    const struct sim_container *node = &world->nodes[sim_index(facet->node)];
    return facet->change == CHANGE_LIVE ? node->settings : node->made;
}

/*
 * Is it so? Of images, which nobody takes away, the nodes know by themselves;
 * of labels an observer tells, so that the next round sees what this one did not.
 */
static inline bool sim_is_true(const struct sim_world *world, const struct facet *facet)
{
    bool manifest = strncmp(facet->path, "manifests[", 10) == 0;
    if (strncmp(facet->path, "preload[", 8) == 0 || (manifest && world->unsure))
        return true;
    if (facet_is_entrance(facet)) /* a control plane that publishes the API goes on doing so */
        return world->nodes[sim_index(facet->node)].there;
    const struct sim_variant *origin = &sim_variants[sim_origin(world, facet)];
    const struct facet *truth = sim_facet(&origin->facets, facet->path);
    return truth && strcmp(truth->value, facet->value) == 0;
}

/*
 * The wish has changed between a change of manifests and its record: should
 * the old wish come back, the record would say that all is as it was, and
 * nobody looks. So nothing is expected until they are applied again.
 */
static inline void sim_doubt(struct sim_world *world)
{
    static const char path[] = "manifests[app.yaml]";
    const struct sim_container *witness = sim_witness(world);
    if (!witness || !witness->recorded)
        return;
    const struct facet *told = sim_facet(witness->recorded, path);
    const struct facet *truth = sim_facet(&sim_variants[world->manifests].facets, path);
    world->unsure = world->unsure || !told != !truth;
}

#endif
