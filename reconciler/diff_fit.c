#include "reconciler/diff_parts.h"

#include "base/memory.h"
#include <string.h>

/*
 * DESIGN: the shape on a container says by which settings it was made, but
 * not in words. So it is compared with the shapes that it may have: what is
 * recorded or desired of the node, each beside what is recorded or desired of
 * the cluster, for a worker may have been made beside a refused difference.
 */

static bool is_of(const struct facet *facet, const char *node)
{
    return facet->node && strcmp(facet->node, node) == 0;
}

bool diff_is_recorded(const struct diff *d, const char *node)
{
    return facet_list_has_node(&d->observed->applied, node);
}

/* The shape of a node with these settings, in a cluster with those. */
static const char *shape_of(const struct diff *d, const struct facet_list *cluster,
                            const struct facet_list *nodes, const char *node)
{
    if (cluster == nodes)
        return facet_shape(d->arena, cluster, node);
    struct facet *items = arena_array(d->arena, cluster->count + nodes->count, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < cluster->count; i++) {
        if (!cluster->items[i].node)
            items[count++] = cluster->items[i];
    }
    for (size_t i = 0; i < nodes->count; i++) {
        if (is_of(&nodes->items[i], node))
            items[count++] = nodes->items[i];
    }
    if (count)
        qsort(items, count, sizeof(*items), facet_compare);
    const struct facet_list mixed = {items, count};
    return facet_shape(d->arena, &mixed, node);
}

/* Where the API is published tells only of a load balancer whether it can be kept. */
static bool is_shape(const struct node_state *node, const char *shape)
{
    return diff_is_balancer(node) ? strcmp(node->shape, shape) == 0
                                  : facet_shape_is_like(node->shape, shape);
}

/* Is it of the shape that these settings give it, whatever is refused of the cluster? */
static bool has_shape(const struct diff *d, const struct node_state *node,
                      const struct facet_list *settings)
{
    const struct facet_list *recorded = &d->observed->applied;
    return is_shape(node, shape_of(d, settings, settings, node->name)) ||
           is_shape(node, shape_of(d, recorded, settings, node->name)) ||
           is_shape(node, shape_of(d, &d->facets, settings, node->name));
}

bool diff_has_desired_shape(const struct diff *d, const struct node_state *node)
{
    return !node->shape || has_shape(d, node, &d->facets);
}

/* Shapes are still made as they were: a control plane's is the recorded one. */
static bool shapes_are_known(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->node_count; i++) {
        const struct node_state *node = &d->observed->nodes[i];
        if (diff_is_control_plane(node) && diff_is_recorded(d, node->name) &&
            (!node->shape || has_shape(d, node, &d->observed->applied)))
            return true;
    }
    return false;
}

static enum diff_fit find_fit(const struct diff *d, const struct node_state *node)
{
    bool recorded = diff_is_recorded(d, node->name);
    if (recorded && (!node->shape || has_shape(d, node, &d->observed->applied)))
        return DIFF_FIT_RECORDED;
    if (!node->shape || has_shape(d, node, &d->facets))
        return DIFF_FIT_DESIRED;
    return !recorded || shapes_are_known(d) ? DIFF_FIT_NEITHER : DIFF_FIT_UNKNOWN;
}

/* A shape is a hash over all settings, and many ask for it. */
enum diff_fit diff_fit(const struct diff *d, const struct node_state *node)
{
    unsigned char *fit = &d->fits[node - d->observed->nodes];
    if (!*fit)
        *fit = (unsigned char)(find_fit(d, node) + 1);
    return (enum diff_fit)(*fit - 1);
}

bool diff_is_new(const struct diff *d, const char *name)
{
    const struct node_state *node = diff_find(d, name);
    if (!diff_is_recorded(d, name))
        return true;
    if (!node || diff_is_balancer(node))
        return false;
    switch (diff_fit(d, node)) {
    case DIFF_FIT_RECORDED:
    case DIFF_FIT_UNKNOWN:
        return false;
    case DIFF_FIT_DESIRED:
        return true;
    case DIFF_FIT_NEITHER: /* all are Ready: it has joined, whatever it was made for */
        return diff_is_worker(node) && d->observed->ready != SEEN_YES;
    }
    return false;
}

bool diff_is_forgotten(const struct diff *d, const char *name)
{
    const struct node_state *node = diff_find(d, name);
    bool may_join =
        node && (diff_is_worker(node) || (diff_is_control_plane(node) && diff_count_planes(d) > 1));
    return may_join && node->joined == SEEN_NO && node->status == CONTAINER_RUNNING;
}

/*
 * Without a CNI of ours no node becomes Ready by itself. What it was made with
 * counts: a wish for the other is refused, or makes another cluster.
 */
bool diff_has_cni(const struct diff *d)
{
    for (size_t i = 0; i < d->observed->applied.count; i++) {
        const struct facet *facet = &d->observed->applied.items[i];
        if (strcmp(facet->path, "networking.disableDefaultCNI") == 0)
            return strcmp(facet->value, "true") != 0;
    }
    return true;
}
