/*
 * spec.h - what the user asks for. Immutable once loaded.
 *
 * A spec is complete: defaults are filled in, so that two specs that mean the
 * same are equal field by field. Everything lives in the arena of the load.
 * Field names, defaults and rules are those of `kind.x-k8s.io/v1alpha4`.
 */
#ifndef MODEL_SPEC_H
#define MODEL_SPEC_H

#include "model/problem.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_role { NODE_CONTROL_PLANE, NODE_WORKER };
enum ip_family { IP_FAMILY_IPV4, IP_FAMILY_IPV6, IP_FAMILY_DUAL };
enum proxy_mode { PROXY_IPTABLES, PROXY_IPVS, PROXY_NFTABLES, PROXY_NONE };
enum mount_propagation { MOUNT_NONE, MOUNT_HOST_TO_CONTAINER, MOUNT_BIDIRECTIONAL };
enum port_protocol { PORT_TCP, PORT_UDP, PORT_SCTP };

/* Ports: 0 means "kind picks a free one", -1 "the engine picks one at each start". */
enum { PORT_PICK = 0, PORT_ENGINE_PICKS = -1 };

struct pair {
    const char *key, *value;
};

struct pair_list {
    const struct pair *items; /* sorted by key, unique */
    size_t count;
};

struct string_list {
    const char *const *items;
    size_t count;
};

struct taint_spec {
    const char *key, *value, *effect; /* value "" where there is none */
};

/* Limits on a node's container; 0: none. */
struct resources_spec {
    int64_t memory_bytes;
    int32_t cpu_milli; /* thousandths of a processor */
};

/* A file of Kubernetes objects, applied when the API is up. */
struct manifest_spec {
    const char *path; /* as written, for facets and messages */
    const char *text;
    struct place place;
};

struct mount_spec {
    const char *host_path; /* absolute */
    const char *container_path;
    bool read_only, selinux_relabel;
    enum mount_propagation propagation;
    bool relative; /* as it was written */
    /* Where host_path must still lead when it is mounted, as a policy allowed it; NULL: anywhere.
     */
    const char *checked_path;
    struct place place;
};

struct port_spec {
    int32_t container_port, host_port;
    const char *listen_address; /* never NULL: the family's wildcard by default */
    enum port_protocol protocol;
    struct place place;
};

struct json6902_spec {
    const char *group, *version, *kind, *patch; /* "" where not given */
    struct place place;
};

struct json6902_list {
    const struct json6902_spec *items;
    size_t count;
};

struct node_spec {
    enum node_role role;
    const char *name;  /* of the container: "<cluster>-control-plane", "<cluster>-worker2" */
    const char *image; /* NULL: not given; who knows the engine picks the default */
    struct pair_list labels;
    const struct mount_spec *mounts;
    size_t mount_count;
    const struct port_spec *ports;
    size_t port_count;
    struct string_list kubeadm_patches;
    struct json6902_list kubeadm_patches_6902;
    const struct taint_spec *taints; /* beside those that kubeadm gives */
    size_t taint_count;
    struct resources_spec resources;
    struct place place;
};

/* A cluster that must be Ready before this one is worked on. */
struct dependency_spec {
    const char *name;
    struct place place;
};

struct networking_spec {
    enum ip_family family;
    const char *api_server_address;
    int32_t api_server_port;
    const char *pod_subnet, *service_subnet; /* comma lists, as configured */
    bool disable_default_cni;
    enum proxy_mode proxy_mode;
    bool dns_search_set; /* false: inherit the host's; true with 0 items: none */
    struct string_list dns_search;
    struct place place;
};

/* What a policy does not allow (model/policy.h). */
struct spec_refusal {
    const char *subject, *rule; /* node or cluster; the policy's field */
    struct place place;
    const char *reason; /* in words, with place, rule and what to do */
};

struct cluster_spec {
    const char *name;
    const struct node_spec *nodes; /* in the order of the file; at least one control plane */
    size_t node_count;
    /*
     * The name of the load balancer before several control planes; NULL where
     * there is one. Its container is no node of Kubernetes.
     */
    const char *balancer;
    struct networking_spec networking;
    struct pair_list feature_gates; /* values "true" or "false" */
    struct pair_list runtime_config;
    struct string_list kubeadm_patches;
    struct json6902_list kubeadm_patches_6902;
    struct string_list containerd_patches;
    struct string_list containerd_patches_6902;
    struct string_list preload; /* images to put on every node */
    const struct manifest_spec *manifests;
    size_t manifest_count;

    /* What may become of it, beside what it is. */
    bool suspend; /* left alone, only reported */
    bool protect; /* never deleted or made anew */
    bool allow_replace, allow_recreate, allow_delete;
    uint64_t ttl_s;        /* it ends so long after it was made; 0: never */
    uint64_t expires_at_s; /* it ends then, Unix time; 0: never */
    const struct dependency_spec *depends_on;
    size_t dependency_count;

    /* Paths of fields that were given and whose effect this version does not have. */
    struct string_list unsupported;
    /* If there are any, nothing of the cluster is made, changed or deleted. */
    const struct spec_refusal *refusals;
    size_t refusal_count;
    struct place place; /* of the document */
};

struct policy;

/* All clusters of all sources, sorted by name, names unique; and what the Fleet says of all. */
struct fleet_spec {
    const struct cluster_spec *clusters;
    size_t cluster_count;
    bool prune;                  /* clusters that left the sources are deleted */
    size_t max_deletions;        /* in one pass; 0: not said */
    size_t concurrency;          /* clusters at a time; 0: not said */
    const struct policy *policy; /* what the Fleet asks of its own files; NULL: nothing */
};

/* The words of the configuration, by value; NULL ends each. */
extern const char *const ip_family_names[];
extern const char *const proxy_mode_names[];
extern const char *const node_role_names[];
extern const char *const mount_propagation_names[];
extern const char *const port_protocol_names[];

const char *ip_family_name(enum ip_family family);          /* "ipv4" */
const char *proxy_mode_name(enum proxy_mode mode);          /* "iptables" */
const char *node_role_name(enum node_role role);            /* "control-plane", as in labels */
const char *mount_propagation_name(enum mount_propagation); /* "None" */
const char *port_protocol_name(enum port_protocol);         /* "TCP" */

/* How many nodes have this role. */
size_t spec_role_count(const struct cluster_spec *spec, enum node_role role);

/*
 * The control plane that is set up first, and speaks for the cluster: the
 * first by name, as upstream has it.
 */
const struct node_spec *spec_first_control_plane(const struct cluster_spec *spec);

/* What several control planes' names have behind the cluster's: "ci-external-load-balancer". */
#define SPEC_BALANCER_SUFFIX "-external-load-balancer"

/* The cluster of this name, or NULL. */
const struct cluster_spec *fleet_spec_find(const struct fleet_spec *fleet, const char *name);

#endif
