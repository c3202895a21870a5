/*
 * kube_settings.h - labels and taints of a Node, as the spec says them and as it has them.
 */
#ifndef DRIVERS_KUBE_SETTINGS_H
#define DRIVERS_KUBE_SETTINGS_H

#include "model/facet.h"
#include <jansson.h>

/*
 * A merge patch (new reference) that gives the Node what the spec says, and
 * takes from it what the record says that it got and the spec no longer says;
 * the rest is Kubernetes' or the users'. NULL: nothing is to be changed.
 * applied may be NULL. The patch holds for the version of the Node that was read.
 */
json_t *kube_settings_patch(const json_t *node, const struct node_spec *spec,
                            const struct facet_list *applied);

/* What of the spec the Node does not have, in words, in arena; NULL: nothing. */
const char *kube_settings_drift(struct arena *arena, const json_t *node,
                                const struct node_spec *spec);

#endif
