/*
 * kubeadm.h - the kubeadm configuration of a node, as upstream writes it.
 *
 * Pure text from data: the same inputs give the same bytes. Every node gets
 * all documents in one file: ClusterConfiguration, InitConfiguration,
 * JoinConfiguration, KubeletConfiguration and, unless the proxy mode is none,
 * KubeProxyConfiguration; kubeadm picks what it needs. The user's patches are
 * applied (model/kubeadm_patch.h).
 */
#ifndef MODEL_KUBEADM_H
#define MODEL_KUBEADM_H

#include "base/error.h"
#include "base/text.h"
#include "model/spec.h"
#include <stdbool.h>

struct kubeadm_input {
    const struct cluster_spec *spec;
    const struct node_spec *node;
    const char *kubernetes_version; /* the node's /kind/version: "v1.20.2" */
    const char *endpoint;           /* "name:6443" */
    const char *ipv4, *ipv6;        /* of the node; NULL where it has none */
    const char *provider;           /* "docker", for provider-id */
    const char *token;              /* bootstrap token "abcdef.0123456789abcdef" */
    const char *ca_hash;            /* "sha256:<hex>" of the CA's key; NULL: joins trust blindly */
    /* What the engine's host has, by which kubelet leaves what a node may not use; 0: unknown. */
    int64_t host_memory_bytes;
    int32_t host_cpu_milli;
    bool rootless;
    /*
     * Ours, beside upstream's values: report status every second, so that
     * Ready does not wait for kubelet's next 10 s tick.
     */
    bool fast_status;
    /*
     * Ours: nodes get their pod ranges from us, so kube-controller-manager
     * need not: the part of it that does sleeps 10 s (Kubernetes 1.20) before
     * its first look, and half of the other controllers wait behind it.
     */
    bool own_pod_ranges;
};

/*
 * Appends the file. Fails (ERROR_INVALID) on a version that cannot be read, a
 * missing address, or a patch that cannot be applied. unmatched (NULL: nobody
 * wants to know) gets a line for each patch that matches nothing.
 */
int kubeadm_config(const struct kubeadm_input *input, struct text *text, struct text *unmatched,
                   struct error **err);

/* What the version decides about the flow (kind-contract 5.5). */
struct kubeadm_traits {
    const char *api_version;                /* "kubeadm.k8s.io/v1beta2" */
    bool skip_phases_by_flag;               /* below 1.23 */
    bool cgroupfs;                          /* below 1.24: the kubelet's cgroup driver */
    bool taint_master, taint_control_plane; /* which taints to remove from a lone node */
    const char *ready_label;                /* "node-role.kubernetes.io/master" */
};

int kubeadm_traits(const char *kubernetes_version, struct kubeadm_traits *traits,
                   struct error **err);

#endif
