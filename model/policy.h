/*
 * policy.h - what a source may ask for of this host. Pure: where a path leads is asked of a
 * callback.
 *
 * Whoever may write nodes of kind may become root of the host: a node is a privileged container. So
 * what comes from a git repository is judged by a policy that the repository cannot change. It is
 * judged when all is known (defaults, a version's image, what a Fleet hands down), cluster by
 * cluster: one that asks for too much is refused whole, so that nothing of it is made, changed or
 * deleted, and the others go on. Each refusal says which rule, where, and what to do.
 *
 * A policy allows what its lists name, and nothing else. What it does not mention is as in its
 * base.
 */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include "base/arena.h"
#include "model/spec.h"

/* Where desired state comes from. */
enum policy_origin {
    POLICY_OWN_FILES, /* the user's own: all is allowed where no policy says otherwise */
    POLICY_GIT,       /* whoever may push: little is */
};

enum policy_base { POLICY_RESTRICTIVE, POLICY_PERMISSIVE };
enum policy_patches { POLICY_KUBEADM, POLICY_CONTAINERD };
extern const char *const policy_base_names[], *const policy_patch_names[]; /* ended by NULL */

struct policy_path {
    const char *path; /* absolute; all below it, too */
    bool read_only;
};

struct port_range {
    int32_t first, last;
};

struct policy {
    const char *name; /* how to call it: "policy.yaml", "the default for git sources" */
    const struct policy_path *paths;
    size_t path_count;
    struct string_list images, preload; /* patterns: `*` is any text */
    bool image_digests;                 /* but for kind.local/ an image must be given by digest */
    struct string_list addresses;       /* that ports may be published on; "*": any */
    const struct port_range *ports;     /* of the host; what kind or the engine picks is free */
    size_t port_count;
    struct string_list names; /* patterns of clusters' names */
    bool kubeadm_patches, containerd_patches, manifests;
    struct string_list feature_gates, runtime_config;   /* patterns of names */
    uint32_t max_clusters, max_nodes, max_nodes_in_all; /* 0: as many as one likes */
};

const struct policy *policy_base(enum policy_base base);

/* What counts where no policy is given. */
const struct policy *policy_default(enum policy_origin origin);

/*
 * Where a path leads, links followed as far as it is there, in the arena; NULL: cannot be told, and
 * then nothing below it is allowed.
 */
typedef const char *policy_resolver(void *context, struct arena *arena, const char *path);

struct policy_judge {
    enum policy_origin origin;
    policy_resolver *resolve;
    void *context;
};

/*
 * Adds to each cluster of the fleet what the policy refuses of it (refusals, which the diff turns
 * into words of its plan), and to mounts that are allowed where they led (checked_path). The
 * clusters are copied into the arena. May be called with one policy after the other: each refuses
 * more.
 */
void policy_judge(struct arena *arena, const struct policy *policy,
                  const struct policy_judge *judge, struct fleet_spec *fleet);

/* All that it points to is in the arena. */
struct policy *policy_copy(struct arena *arena, const struct policy *policy);

/* Takes back what policies have said of a cluster whose nodes and mounts are the caller's own. */
void policy_forget(struct cluster_spec *cluster);

/* Does text match a pattern in which `*` stands for any characters, also none? */
bool policy_matches(const char *pattern, const char *text);

#endif
