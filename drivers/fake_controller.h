/*
 * fake_controller.h - what kubelets and controllers do to a cluster's objects as time goes by.
 *
 * Nothing runs by itself: whoever looks at a cluster calls fake_controller_run
 * first, which makes Nodes of kubelets, turns them Ready, and writes the
 * status of Deployments and DaemonSets.
 */
#ifndef DRIVERS_FAKE_CONTROLLER_H
#define DRIVERS_FAKE_CONTROLLER_H

#include "drivers/fake_call.h"

/* The namespaces and services every cluster has, and whatever time brought. */
void fake_controller_run(struct fake_call *call, struct fake_cluster *cluster);
/*
 * The bootstrap signer: a signature in cluster-info for each token that there
 * is. Not part of the above: it comes a moment after the token.
 */
void fake_controller_sign(struct fake_call *call, struct fake_cluster *cluster);
/* When it would change something next; UINT64_MAX: not by time alone. */
uint64_t fake_controller_next_ms(struct fake_world *world, struct fake_cluster *cluster,
                                 uint64_t now_ms);
bool fake_controller_node_ready(struct fake_cluster *cluster, const char *name);

#endif
