#include "model/policy.h"

#include "base/memory.h"
#include "base/text.h"
#include "model/validate.h"
#include <string.h>

enum { REFUSALS_MAX = 100 }; /* of one cluster; the first is enough to refuse it */

const char *const policy_base_names[] = {"restrictive", "permissive", NULL};
const char *const policy_patch_names[] = {"kubeadm", "containerd", NULL};

#define LIST(...)                                                                                  \
    {                                                                                              \
        (const char *const[]){__VA_ARGS__}, COUNT_OF(((const char *const[]){__VA_ARGS__}))         \
    }

/* What says nothing is forbidden: mounts, patches, manifests. */
#define RESTRICTIVE                                                                                \
    .images = LIST("kind.local/*"), .preload = LIST("kind.local/*"), .image_digests = true,        \
    .addresses = LIST("127.0.0.1", "::1"), .ports = (const struct port_range[]){{1024, 65535}},    \
    .port_count = 1, .names = LIST("*"), .feature_gates = LIST("*"), .runtime_config = LIST("*"),  \
    .max_clusters = 20, .max_nodes = 10, .max_nodes_in_all = 60

static const struct policy git_default = {.name = "the default for git sources", RESTRICTIVE};

static const struct policy bases[] = {
    [POLICY_RESTRICTIVE] = {.name = "the restrictive policy", RESTRICTIVE},
    [POLICY_PERMISSIVE] =
        {
            .name = "the permissive policy",
            .paths = (const struct policy_path[]){{"/", false}},
            .path_count = 1,
            .images = LIST("*"),
            .preload = LIST("*"),
            .addresses = LIST("*"),
            .ports = (const struct port_range[]){{1, 65535}},
            .port_count = 1,
            .names = LIST("*"),
            .kubeadm_patches = true,
            .containerd_patches = true,
            .manifests = true,
            .feature_gates = LIST("*"),
            .runtime_config = LIST("*"),
        },
};

const struct policy *policy_base(enum policy_base base)
{
    return &bases[base];
}

const struct policy *policy_default(enum policy_origin origin)
{
    return origin == POLICY_GIT ? &git_default : &bases[POLICY_PERMISSIVE];
}

bool policy_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *again = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool matches_any(const struct string_list *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (policy_matches(patterns->items[i], text))
            return true;
    return false;
}

/* One cluster before one policy. */
struct trial {
    struct arena *arena;
    const struct policy *policy;
    const struct policy_judge *judge;
    struct cluster_spec *cluster;
};

/* Adds a refusal: subject is the node or the cluster, rule the field of the policy. */
static void refuse(const struct trial *trial, const char *subject, const char *rule,
                   struct place place, const char *words, const char *cure)
{
    struct cluster_spec *cluster = trial->cluster;
    if (cluster->refusal_count == REFUSALS_MAX)
        return;
    const char *where =
        place.file && place.line
            ? arena_format(trial->arena, " (%s:%u:%u)", place.file, place.line, place.column)
            : "";
    const char *reason = arena_format(trial->arena, "%s%s; refused by %s of %s; %s", words, where,
                                      rule, trial->policy->name, cure);
    for (size_t i = 0; i < cluster->refusal_count; i++)
        if (strcmp(cluster->refusals[i].reason, reason) == 0)
            return; /* nodes that are alike are told once */
    struct spec_refusal *grown =
        arena_array(trial->arena, cluster->refusal_count + 1, sizeof(*grown));
    if (cluster->refusal_count)
        memcpy(grown, cluster->refusals, cluster->refusal_count * sizeof(*grown));
    grown[cluster->refusal_count++] =
        (struct spec_refusal){.subject = subject, .rule = rule, .place = place, .reason = reason};
    cluster->refusals = grown;
}

/* "a, b", what a list allows; "nothing" if it is empty. */
static const char *listed(struct arena *arena, const struct string_list *list)
{
    cleanup_text struct text text;
    text_init(&text, 200);
    for (size_t i = 0; i < list->count; i++)
        text_add_format(&text, "%s%s", i ? ", " : "", list->items[i]);
    return list->count ? arena_string(arena, text.data) : "nothing";
}

static const char *allows(const struct trial *trial, const struct string_list *list)
{
    return arena_format(trial->arena, "it allows %s", listed(trial->arena, list));
}

/* --- host paths --- */

/* Is path the folder, or below it, part by part? "/srv" holds "/srv/a", and not "/srv2". */
static bool is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    while (length && folder[length - 1] == '/')
        length--;
    return strncmp(path, folder, length) == 0 && (!path[length] || path[length] == '/');
}

/* Does this entry say nothing at all: the whole host, for writing? */
static bool is_everything(const struct policy_path *entry)
{
    return strcmp(entry->path, "/") == 0 && !entry->read_only;
}

/* The path of a policy, with its links followed; NULL: cannot be told. */
static const char *resolve(const struct trial *trial, const char *path)
{
    return trial->judge->resolve(trial->judge->context, trial->arena, path);
}

static const char *path_choices(const struct trial *trial)
{
    cleanup_text struct text text;
    text_init(&text, 200);
    for (size_t i = 0; i < trial->policy->path_count; i++)
        text_add_format(&text, "%s%s%s", i ? ", " : "", trial->policy->paths[i].path,
                        trial->policy->paths[i].read_only ? " (read-only)" : "");
    return arena_format(trial->arena, "it allows %s", text.length ? text.data : "no path");
}

enum path_verdict { PATH_FOREIGN, PATH_READ_ONLY, PATH_ALLOWED };

static enum path_verdict judge_path(const struct trial *trial, const struct mount_spec *mount,
                                    const char *real)
{
    /* What the host is made to do through it, beside being read. */
    bool writes =
        !mount->read_only || mount->selinux_relabel || mount->propagation == MOUNT_BIDIRECTIONAL;
    enum path_verdict verdict = PATH_FOREIGN;
    for (size_t i = 0; i < trial->policy->path_count; i++) {
        const struct policy_path *entry = &trial->policy->paths[i];
        const char *folder = resolve(trial, entry->path);
        if (!folder || !is_within(real, folder))
            continue;
        if (!writes || !entry->read_only)
            return PATH_ALLOWED;
        verdict = PATH_READ_ONLY;
    }
    return verdict;
}

static bool allows_every_path(const struct policy *policy)
{
    for (size_t i = 0; i < policy->path_count; i++)
        if (is_everything(&policy->paths[i]))
            return true;
    return false;
}

static void judge_mount(const struct trial *trial, const struct node_spec *node,
                        struct mount_spec *mount)
{
    struct arena *arena = trial->arena;
    const char *path = mount->host_path;
    if (mount->relative && trial->judge->origin == POLICY_GIT) {
        refuse(trial, node->name, "hostPaths", mount->place,
               arena_format(arena, "mounts %s, a relative path", path),
               "a repository is not checked out; write an absolute one");
        return;
    }
    if (allows_every_path(trial->policy))
        return;
    /* With a colon an engine may take a part of it for the whole. */
    bool clear = !strchr(path, ':') && !strchr(mount->container_path, ':');
    const char *real = clear ? resolve(trial, path) : NULL;
    if (!real) {
        refuse(
            trial, node->name, "hostPaths", mount->place,
            arena_format(arena, "mounts %s of the host, and where that leads cannot be told", path),
            "mount a path that can be");
        return;
    }
    const char *words = strcmp(real, path) == 0
                            ? arena_format(arena, "mounts %s of the host", path)
                            : arena_format(arena, "mounts %s of the host, which is %s", path, real);
    switch (judge_path(trial, mount, real)) {
    case PATH_FOREIGN:
        refuse(trial, node->name, "hostPaths", mount->place, words, path_choices(trial));
        return;
    case PATH_READ_ONLY:
        refuse(trial, node->name, "hostPaths", mount->place, words,
               "it allows that with readOnly: true, and without selinuxRelabel and Bidirectional");
        return;
    case PATH_ALLOWED:
        mount->checked_path = real;
        return;
    }
}

/* --- images --- */

static bool has_digest(const char *image)
{
    const char *digest = strstr(image, "@sha256:");
    return digest && strlen(digest + 8) == 64 && strspn(digest + 8, "0123456789abcdef") == 64;
}

static bool is_local(const char *image)
{
    return strncmp(image, "kind.local/", 11) == 0;
}

/* Of a node that names none the host decides, which is no source's business. */
static void judge_image(const struct trial *trial, const struct node_spec *node)
{
    const struct policy *policy = trial->policy;
    if (!node->image || !*node->image)
        return;
    const char *words = arena_format(trial->arena, "image %s", node->image);
    if (!matches_any(&policy->images, node->image))
        refuse(trial, node->name, "images", node->place, words, allows(trial, &policy->images));
    else if (policy->image_digests && !is_local(node->image) && !has_digest(node->image))
        refuse(trial, node->name, "imageDigests", node->place, words,
               "write it with its digest: NAME@sha256:...");
}

static void judge_preload(const struct trial *trial)
{
    const struct policy *policy = trial->policy;
    const struct string_list *list = &trial->cluster->preload;
    for (size_t i = 0; i < list->count; i++)
        if (!matches_any(&policy->preload, list->items[i]))
            refuse(trial, trial->cluster->name, "preload", trial->cluster->place,
                   arena_format(trial->arena, "preloads %s", list->items[i]),
                   allows(trial, &policy->preload));
}

/* --- ports --- */

static bool allows_address(const struct policy *policy, const char *address)
{
    for (size_t i = 0; i < policy->addresses.count; i++) {
        const char *allowed = policy->addresses.items[i];
        if (strcmp(allowed, "*") == 0 || validate_same_address(allowed, address))
            return true;
    }
    return false;
}

static bool allows_port(const struct policy *policy, int32_t port)
{
    if (port == PORT_PICK || port == PORT_ENGINE_PICKS)
        return true;
    for (size_t i = 0; i < policy->port_count; i++)
        if (port >= policy->ports[i].first && port <= policy->ports[i].last)
            return true;
    return false;
}

static const char *port_choices(const struct trial *trial)
{
    cleanup_text struct text text;
    text_init(&text, 200);
    for (size_t i = 0; i < trial->policy->port_count; i++)
        text_add_format(&text, "%s%d-%d", i ? ", " : "", trial->policy->ports[i].first,
                        trial->policy->ports[i].last);
    return arena_format(trial->arena, "it allows %s, and 0 for one that kind picks",
                        text.length ? text.data : "none");
}

static void judge_port(const struct trial *trial, const char *subject, const char *what,
                       const char *address, int32_t port, struct place place)
{
    if (!allows_address(trial->policy, address))
        refuse(trial, subject, "listenAddresses", place,
               arena_format(trial->arena, "%s listens on %s", what, address),
               allows(trial, &trial->policy->addresses));
    if (!allows_port(trial->policy, port))
        refuse(trial, subject, "hostPorts", place,
               arena_format(trial->arena, "%s takes port %d of the host", what, port),
               port_choices(trial));
}

/* --- what runs in the cluster --- */

static void judge_patches(const struct trial *trial, const char *subject, struct place place,
                          const char *field, bool allowed, size_t count)
{
    if (count && !allowed)
        refuse(trial, subject, "patches", place, arena_format(trial->arena, "has %s", field),
               arena_format(
                   trial->arena, "a policy with patches: [%s] allows them",
                   policy_patch_names[strncmp(field, "kubeadm", 7) == 0 ? POLICY_KUBEADM
                                                                        : POLICY_CONTAINERD]));
}

static void judge_manifests(const struct trial *trial)
{
    const struct cluster_spec *cluster = trial->cluster;
    if (cluster->manifest_count && !trial->policy->manifests)
        refuse(trial, cluster->name, "manifests", cluster->manifests[0].place,
               "applies manifests, and a pod in a node can become root of the host",
               "a policy with manifests: true allows them");
}

static void judge_keys(const struct trial *trial, const char *rule, const struct pair_list *pairs,
                       const struct string_list *patterns)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (!matches_any(patterns, pairs->items[i].key))
            refuse(trial, trial->cluster->name, rule, trial->cluster->place,
                   arena_format(trial->arena, "sets %s", pairs->items[i].key),
                   allows(trial, patterns));
}

/* --- the whole cluster --- */

static void judge_node(const struct trial *trial, struct node_spec *node)
{
    struct mount_spec *mounts = arena_array(trial->arena, node->mount_count, sizeof(*mounts));
    judge_image(trial, node);
    for (size_t i = 0; i < node->mount_count; i++) {
        mounts[i] = node->mounts[i];
        judge_mount(trial, node, &mounts[i]);
    }
    node->mounts = mounts;
    for (size_t i = 0; i < node->port_count; i++)
        judge_port(trial, node->name, "a port mapping", node->ports[i].listen_address,
                   node->ports[i].host_port, node->ports[i].place);
    judge_patches(trial, node->name, node->place, "kubeadmConfigPatches",
                  trial->policy->kubeadm_patches, node->kubeadm_patches.count);
    judge_patches(trial, node->name, node->place, "kubeadmConfigPatchesJSON6902",
                  trial->policy->kubeadm_patches, node->kubeadm_patches_6902.count);
}

static void judge_cluster_patches(const struct trial *trial)
{
    const struct cluster_spec *cluster = trial->cluster;
    const struct policy *policy = trial->policy;
    judge_patches(trial, cluster->name, cluster->place, "kubeadmConfigPatches",
                  policy->kubeadm_patches, cluster->kubeadm_patches.count);
    judge_patches(trial, cluster->name, cluster->place, "kubeadmConfigPatchesJSON6902",
                  policy->kubeadm_patches, cluster->kubeadm_patches_6902.count);
    judge_patches(trial, cluster->name, cluster->place, "containerdConfigPatches",
                  policy->containerd_patches, cluster->containerd_patches.count);
    judge_patches(trial, cluster->name, cluster->place, "containerdConfigPatchesJSON6902",
                  policy->containerd_patches, cluster->containerd_patches_6902.count);
}

static void judge_name(const struct trial *trial)
{
    const struct cluster_spec *cluster = trial->cluster;
    if (!matches_any(&trial->policy->names, cluster->name))
        refuse(trial, cluster->name, "clusterNames", cluster->place,
               arena_format(trial->arena, "the name is %s", cluster->name),
               allows(trial, &trial->policy->names));
}

static void judge_cluster(const struct trial *trial)
{
    struct cluster_spec *cluster = trial->cluster;
    const struct policy *policy = trial->policy;
    struct node_spec *nodes = arena_array(trial->arena, cluster->node_count, sizeof(*nodes));
    judge_name(trial);
    if (policy->max_nodes && cluster->node_count > policy->max_nodes)
        refuse(trial, cluster->name, "maxNodes", cluster->place,
               arena_format(trial->arena, "has %zu nodes", cluster->node_count),
               arena_format(trial->arena, "it allows %u in a cluster", policy->max_nodes));
    judge_port(trial, cluster->name, "the API server", cluster->networking.api_server_address,
               cluster->networking.api_server_port, cluster->networking.place);
    for (size_t i = 0; i < cluster->node_count; i++) {
        nodes[i] = cluster->nodes[i];
        judge_node(trial, &nodes[i]);
    }
    cluster->nodes = nodes;
    judge_cluster_patches(trial);
    judge_manifests(trial);
    judge_preload(trial);
    judge_keys(trial, "featureGates", &cluster->feature_gates, &policy->feature_gates);
    judge_keys(trial, "runtimeConfig", &cluster->runtime_config, &policy->runtime_config);
}

/* Clusters by name, those refused already left out: what is past the number is refused. */
static void judge_numbers(const struct trial *trial, size_t *clusters, size_t *nodes)
{
    const struct policy *policy = trial->policy;
    struct cluster_spec *cluster = trial->cluster;
    if (cluster->refusal_count)
        return;
    if (policy->max_clusters && *clusters >= policy->max_clusters)
        refuse(trial, cluster->name, "maxClusters", cluster->place,
               "is one cluster too many, by name",
               arena_format(trial->arena, "it allows %u", policy->max_clusters));
    else if (policy->max_nodes_in_all && *nodes + cluster->node_count > policy->max_nodes_in_all)
        refuse(trial, cluster->name, "maxNodesInAll", cluster->place,
               arena_format(trial->arena, "has %zu nodes, and those before it by name have %zu",
                            cluster->node_count, *nodes),
               arena_format(trial->arena, "it allows %u in all", policy->max_nodes_in_all));
    if (cluster->refusal_count)
        return;
    ++*clusters;
    *nodes += cluster->node_count;
}

void policy_judge(struct arena *arena, const struct policy *policy,
                  const struct policy_judge *judge, struct fleet_spec *fleet)
{
    struct cluster_spec *clusters = arena_array(arena, fleet->cluster_count, sizeof(*clusters));
    size_t allowed = 0, nodes = 0;
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        clusters[i] = fleet->clusters[i];
        const struct trial trial = {arena, policy, judge, &clusters[i]};
        judge_cluster(&trial);
        judge_numbers(&trial, &allowed, &nodes);
    }
    fleet->clusters = clusters;
}

/* --- copies --- */

static struct string_list copy_strings(struct arena *arena, const struct string_list *list)
{
    const char **items = arena_array(arena, list->count, sizeof(*items));
    for (size_t i = 0; i < list->count; i++)
        items[i] = arena_string(arena, list->items[i]);
    return (struct string_list){items, list->count};
}

struct policy *policy_copy(struct arena *arena, const struct policy *policy)
{
    struct policy *copy = arena_alloc(arena, sizeof(*copy));
    struct policy_path *paths = arena_array(arena, policy->path_count, sizeof(*paths));
    struct port_range *ports = arena_array(arena, policy->port_count, sizeof(*ports));
    for (size_t i = 0; i < policy->path_count; i++)
        paths[i] = (struct policy_path){arena_string(arena, policy->paths[i].path),
                                        policy->paths[i].read_only};
    for (size_t i = 0; i < policy->port_count; i++)
        ports[i] = policy->ports[i];
    *copy = *policy;
    copy->name = arena_string(arena, policy->name);
    copy->paths = paths;
    copy->ports = ports;
    copy->images = copy_strings(arena, &policy->images);
    copy->preload = copy_strings(arena, &policy->preload);
    copy->addresses = copy_strings(arena, &policy->addresses);
    copy->names = copy_strings(arena, &policy->names);
    copy->feature_gates = copy_strings(arena, &policy->feature_gates);
    copy->runtime_config = copy_strings(arena, &policy->runtime_config);
    return copy;
}

void policy_forget(struct cluster_spec *cluster)
{
    struct node_spec *nodes = (struct node_spec *)(uintptr_t)cluster->nodes;
    for (size_t i = 0; i < cluster->node_count; i++) {
        struct mount_spec *mounts = (struct mount_spec *)(uintptr_t)nodes[i].mounts;
        for (size_t j = 0; j < nodes[i].mount_count; j++)
            mounts[j].checked_path = NULL;
    }
    cluster->refusals = NULL;
    cluster->refusal_count = 0;
}
