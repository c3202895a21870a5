/*
 * portrait.h - the settings of a cluster that another tool made, as far as they can be seen.
 *
 * A cluster that is adopted has no record of what was applied. Its portrait is
 * the spec that it would have: what is wanted of it, put right by what its
 * containers and its kubeadm.conf show. So what is recorded is true, and a
 * difference from the sources is a difference like any other. What nobody can
 * see is taken from the sources: patches, feature gates, runtimeConfig, the
 * search domains of DNS, whether the CNI is the default one. What is changed
 * in a living cluster (labels, taints, manifests, images to preload) is left
 * out: it has none of it until it is given.
 *
 * Pure. Everything lives in the arena, beside parts of the wanted spec.
 */
#ifndef MODEL_PORTRAIT_H
#define MODEL_PORTRAIT_H

#include "base/arena.h"
#include "base/error.h"
#include "model/spec.h"
#include <jansson.h>

struct portrait {
    struct cluster_spec spec;
    struct node_spec *nodes; /* of spec */
};

/* The outline, with nothing seen yet. */
void portrait_init(struct arena *arena, const struct cluster_spec *wanted,
                   struct portrait *portrait);

/*
 * Puts right what the engine says of one container (the answer to an inspect):
 * a node's image, mounts and ports, and where the API is published, by the
 * load balancer or the only control plane. A name that is no node's is passed.
 */
void portrait_add_container(struct arena *arena, struct portrait *portrait, const char *name,
                            const json_t *inspected);

/*
 * Puts right what /kind/kubeadm.conf says: subnets, IP family, kube-proxy's
 * mode. ERROR_INVALID if it is no configuration of kubeadm.
 */
int portrait_add_configuration(struct arena *arena, struct portrait *portrait, const char *text,
                               size_t length, struct error **err);

#endif
