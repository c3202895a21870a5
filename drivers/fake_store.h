/*
 * fake_store.h - the objects of a fake cluster, by path, with resource versions.
 */
#ifndef DRIVERS_FAKE_STORE_H
#define DRIVERS_FAKE_STORE_H

#include "drivers/fake_call.h"

/* What an API path names. Strings are in the arena; NULL where the path has none. */
struct fake_place {
    const char *group_version; /* "v1", "apps/v1" */
    const char *resource, *namespace, *name, *subresource;
};

struct fake_cluster *fake_cluster_new(struct fake_world *world, const char *name);
void fake_cluster_free(struct fake_world *world, struct fake_cluster *cluster);

/* NULL if the place has no object. */
struct fake_object *fake_store_get(struct fake_cluster *cluster, const struct fake_place *place);
/* Steals value, whose metadata is completed; the object's value is now it. */
struct fake_object *fake_store_put(struct fake_call *call, struct fake_cluster *cluster,
                                   const struct fake_place *place, json_t *value);
void fake_store_delete(struct fake_cluster *cluster, struct fake_object *object);
/* Puts {apiVersion, kind, metadata: {name, namespace}} and the members of rest (stolen). */
struct fake_object *fake_store_make(struct fake_call *call, struct fake_cluster *cluster,
                                    const struct fake_place *place, const char *kind, json_t *rest);

#endif
