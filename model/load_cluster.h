/*
 * load_cluster.h - a `kind.x-k8s.io/v1alpha4` Cluster: its fields, defaults and names.
 */
#ifndef MODEL_LOAD_CLUSTER_H
#define MODEL_LOAD_CLUSTER_H

#include "model/load_fields.h"

/* Fills in *spec, complete also where problems were reported; at is the whole document. */
void load_cluster(struct loader *loader, const struct cursor *at, struct cluster_spec *spec);

#endif
