/*
 * kube_object.h - objects of a cluster's API by kind and name, and where they are, as discovery
 * says it. Private to drivers/kube*.c.
 */
#ifndef DRIVERS_KUBE_OBJECT_H
#define DRIVERS_KUBE_OBJECT_H

#include "drivers/docker_flow.h"

/* Strings are borrowed; NULL where there is none. */
struct kube_object {
    const char *api_version, *kind, *namespace, *name;
};

struct kube_object kube_object_of(const json_t *object);

/* "/apis/apps/v1", "/api/v1": what a GET of it answers is for kube_learn_group. */
const char *kube_group_path(struct arena *arena, const char *api_version);
bool kube_knows_group(struct docker_flow *df, const char *api_version);
void kube_learn_group(struct docker_flow *df, const char *api_version, const struct answer *answer);

/* Of a group that is known; NULL if it has no such kind. In the flow's arena. */
const char *kube_object_path(struct docker_flow *df, const struct kube_object *object);

#endif
