/*
 * facet_table.h - the rows of facet.h: which field of a spec is which facet, and of which class.
 *
 * For facet.c alone.
 */
#ifndef MODEL_FACET_TABLE_H
#define MODEL_FACET_TABLE_H

#include "model/facet.h"

enum facet_scope {
    FACET_OF_CLUSTER,
    FACET_OF_NODE,
    FACET_OF_ENTRANCE, /* of the one node that publishes the API server */
};

/* The facets of a spec so far, and whose are added next. */
struct facet_builder {
    struct arena *arena;
    const struct cluster_spec *spec;
    const struct node_spec *node; /* NULL for rows of the cluster */
    const char *entrance;         /* the load balancer, while its rows are added */
    const char *field;            /* of the row, as its class */
    enum change_class change;
    struct facet *items;
    size_t count;
};

struct facet_row {
    const char *field;
    enum facet_scope scope;
    enum change_class change;
    void (*add)(struct facet_builder *builder); /* its facets, none or many */
};

extern const struct facet_row facet_rows[];
extern const size_t facet_row_count;

#endif
