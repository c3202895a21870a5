/*
 * kube_pods.h - what a cluster's API says of one pod, for those who empty a node. Values are
 * borrowed from the object.
 */
#ifndef DRIVERS_KUBE_PODS_H
#define DRIVERS_KUBE_PODS_H

#include "base/arena.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum pod_fate {
    POD_STAYS,    /* the node's own: a static pod's mirror, or of a DaemonSet */
    POD_FINISHED, /* nothing of it runs: deleted plainly */
    POD_ENDING,   /* somebody deleted it, and its containers have to end */
    POD_ENDED,    /* the same, and they have: the node has only to clear it away */
    POD_EVICTED,  /* to be evicted */
};

/*
 * POD_ENDED is strict: the node has told of every container of the pod that it
 * has ended, and of those that would be started again, that they did so after
 * the pod was deleted.
 */
enum pod_fate kube_pod_fate(const json_t *pod);

/* "default/web-1", in arena. */
const char *kube_pod_title(struct arena *arena, const json_t *pod);
/* "/api/v1/namespaces/default/pods/web-1", in arena. */
const char *kube_pod_path(struct arena *arena, const json_t *pod);
const char *kube_pod_uid(const json_t *pod); /* "" if it has none */

/* The owner that replaces it, or NULL. */
const json_t *kube_pod_controller(const json_t *pod);
bool kube_pod_same_controller(const json_t *a, const json_t *b); /* of some, and the same */

/* Where its controller can be asked how many replicas it has; NULL if it has no such number. */
const char *kube_pod_replicas_path(struct arena *arena, const json_t *pod);

bool kube_is_ready(const json_t *object);      /* its Ready condition: a pod, or a Node */
uint64_t kube_pod_grace_ms(const json_t *pod); /* that it got when it was deleted */

#endif
