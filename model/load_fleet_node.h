/*
 * load_fleet_node.h - the nodes of a `fleet.kind/v1alpha1` Cluster: what they have beside
 * v1alpha4's.
 *
 * A name of their own, replicas, taints, limits on their container.
 */
#ifndef MODEL_LOAD_FLEET_NODE_H
#define MODEL_LOAD_FLEET_NODE_H

#include "model/load_node.h"

enum { LOAD_TAINTS_MAX = 50 }; /* of one node; Kubernetes itself has no limit */

extern const struct item_type fleet_node_item; /* fills in struct node_draft */

#endif
