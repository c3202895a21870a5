/*
 * fake_pods.h - pods of a fake cluster: who makes them, and how they end.
 *
 * A ReplicaSet gets the pods that it wants; a pod goes to the open, Ready node
 * that has the fewest, and is Ready after settings.ready_ms. The containers of
 * a pod that is deleted end after its grace period, or settings.ready_ms if
 * that is less, and the pod is gone settings.clear_ms later, but only while its
 * node's kubelet runs; one without a node at once. The annotation
 * "fake/stubborn" makes one that never ends by itself.
 */
#ifndef DRIVERS_FAKE_PODS_H
#define DRIVERS_FAKE_PODS_H

#include "drivers/fake_call.h"

/* What controllers and kubelets do about pods, as time goes by. */
void fake_pods_run(struct fake_call *call, struct fake_cluster *cluster);

/* The pod is to end, with so many seconds of grace; -1: its own. */
void fake_pods_end(struct fake_call *call, struct fake_cluster *cluster, struct fake_object *pod,
                   json_int_t grace_s);

/* A PodDisruptionBudget that does not allow to evict it: its name; or NULL. */
const char *fake_pods_budget(struct fake_cluster *cluster, const struct fake_object *pod);

#endif
