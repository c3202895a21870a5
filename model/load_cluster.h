/*
 * load_cluster.h - a `kind.x-k8s.io/v1alpha4` Cluster: its fields, defaults and names.
 *
 * Other formats use its parts: each has tables of its own over the same
 * structs, and ends with cluster_finish.
 */
#ifndef MODEL_LOAD_CLUSTER_H
#define MODEL_LOAD_CLUSTER_H

#include "model/load_node.h"

/* A cluster as it is written: nodes are entries still. */
struct cluster_draft {
    struct cluster_spec spec; /* first, so that rows of clusters are offsets into it */
    const struct node_draft *nodes;
    size_t node_count;
    const char *image; /* of nodes without one of their own; NULL: none is given */
};

extern const struct field_table cluster_table;        /* the whole document */
extern const struct field_table cluster_shape_table;  /* all but name and nodes */
extern const struct field_table networking_old_table; /* what v1alpha3 had of networking */

/* Reads the fields of a mapping that holds `networking` and `nodes`; at->tree may be NULL. */
void cluster_read(struct loader *loader, const struct cursor *at, const struct field_table *table,
                  struct cluster_draft *draft);

/*
 * Fills in what is not given, names the nodes and judges the whole. `name` is
 * the cursor of the name, whose text is in the draft (NULL: the default), `at`
 * that of what holds `networking` and `nodes`.
 */
void cluster_finish(struct loader *loader, const struct cursor *at, const struct cursor *name,
                    struct cluster_draft *draft);

/* Fills in *spec, complete also where problems were reported; at is the whole document. */
void load_cluster(struct loader *loader, const struct cursor *at, struct cluster_spec *spec);

#endif
