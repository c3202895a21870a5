/*
 * fake_resource.h - the kinds a fake cluster knows, and discovery of them.
 */
#ifndef DRIVERS_FAKE_RESOURCE_H
#define DRIVERS_FAKE_RESOURCE_H

#include "drivers/fake_store.h"

/* The kind of a resource, custom ones included; NULL if the cluster has none such. */
const char *fake_resource_kind(struct fake_cluster *cluster, const struct fake_place *place,
                               bool *namespaced);

/* Answers /api, /api/v1, /apis, /apis/GROUP, /apis/GROUP/VERSION; false if it is another path. */
bool fake_resource_discover(struct fake_call *call, struct fake_cluster *cluster);

#endif
