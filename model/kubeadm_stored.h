/*
 * kubeadm_stored.h - the configuration that kubeadm keeps in the cluster, by which nodes join.
 *
 * A control plane that joins is made of the version that is written there,
 * whatever version the kubeadm is that makes it. Node images hold one version
 * only: so before one of another version joins, that is written there.
 */
#ifndef MODEL_KUBEADM_STORED_H
#define MODEL_KUBEADM_STORED_H

#include "base/arena.h"

/* The Kubernetes version that a stored ClusterConfiguration says, or NULL. In the arena. */
const char *kubeadm_stored_version(struct arena *arena, const char *stored);

/* It, for another version, in the arena; NULL: it is for that already, or does not say. */
const char *kubeadm_stored_for(struct arena *arena, const char *stored, const char *version);

/*
 * The name of the ConfigMap where a kubeadm of this version looks for kubelet's
 * configuration, in the arena; NULL: that is no version.
 */
const char *kubeadm_stored_kubelet_name(struct arena *arena, const char *version);

#endif
