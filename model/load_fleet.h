/*
 * load_fleet.h - the objects of `fleet.kind/v1alpha1`: Cluster, and Fleet, which clusters inherit
 * from.
 *
 * A Cluster's `spec` is v1alpha4's Cluster at the same place, and more. The
 * Fleet's `spec.defaults` lie under the spec of every fleet Cluster, mappings
 * field by field, lists whole; v1alpha4 documents mean what upstream means by
 * them, so the Fleet does not touch them.
 */
#ifndef MODEL_LOAD_FLEET_H
#define MODEL_LOAD_FLEET_H

#include "model/load_fields.h"

enum { LOAD_PRELOAD_MAX = 100 }; /* images of one cluster: they are in its record */

/* What a Fleet says of all clusters together; as in fleet_spec. */
struct fleet_rules {
    bool prune;
    uint32_t max_deletions, concurrency;
};

/* What clusters inherit; zeroed: there is no Fleet. */
struct fleet_inheritance {
    struct fleet_rules rules;
    const struct tree *defaults; /* a mapping; NULL: none, or wrong and reported */
    struct pair_list images;     /* version to image */
    const struct policy *policy; /* NULL: none */
};

/* The whole documents. */
extern const struct field_table fleet_cluster_table, fleet_table;

/* Both take the whole document. Complete also where problems were reported. */
void load_fleet_object(struct loader *loader, const struct cursor *at,
                       struct fleet_inheritance *inheritance);
void load_fleet_cluster(struct loader *loader, const struct cursor *at,
                        const struct fleet_inheritance *inheritance, struct cluster_spec *spec);

#endif
