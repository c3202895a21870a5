#include "model/load_cluster.h"

#include "base/memory.h"
#include "model/load_types.h"
#include "model/validate.h"
#include <assert.h>

/*
 * DESIGN: one table per mapping of the format; a row is a field. What one
 * field decides about another is settled in cluster_finish, when all are
 * read; only the family is looked at before, since ports listen by default on
 * its wildcard, and are judged where they are read.
 */

static const char *const default_name = "kind";

/* What the family decides where the configuration is silent. */
static const struct {
    const char *api_server_address, *pod_subnet, *service_subnet, *wildcard;
} family_defaults[] = {
    [IP_FAMILY_IPV4] = {"127.0.0.1", "10.244.0.0/16", "10.96.0.0/16", "0.0.0.0"},
    [IP_FAMILY_IPV6] = {"::1", "fd00:10:244::/56", "fd00:10:96::/112", "::"},
    [IP_FAMILY_DUAL] = {"127.0.0.1", "10.244.0.0/16,fd00:10:244::/56",
                        "10.96.0.0/16,fd00:10:96::/112", "0.0.0.0"},
};

static bool given(const char *string)
{
    return string && *string;
}

static const char *or_default(const char *string, const char *fallback)
{
    return given(string) ? string : fallback;
}

static void read_dns_search(struct loader *loader, const struct cursor *at,
                            const struct field *field, void *object)
{
    struct networking_spec *networking = object;
    networking->dns_search_set = true;
    read_strings(loader, at, field, object);
}

static const struct field_type type_dns_search = {
    read_dns_search, FIELD_JSON, "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"null\"]}}"};

static const struct field networking_old_rows[] = {
    {"ipFamily", &type_word, offsetof(struct networking_spec, family), ip_family_names,
     "ipv4 by default"},
    {"apiServerAddress", &type_string, offsetof(struct networking_spec, api_server_address), NULL,
     "Address of the host that the API server is published on; 127.0.0.1 or ::1 by default"},
    {"apiServerPort", &type_port, offsetof(struct networking_spec, api_server_port), NULL,
     "Port of the host; 0: kind picks a free one, -1: the engine picks one at each start"},
    {"podSubnet", &type_string, offsetof(struct networking_spec, pod_subnet), NULL,
     "Addresses of pods, as 10.244.0.0/16; with ipFamily dual two of them, joined by a comma"},
    {"serviceSubnet", &type_string, offsetof(struct networking_spec, service_subnet), NULL,
     "Addresses of services, as 10.96.0.0/16; with ipFamily dual two of them"},
    {"disableDefaultCNI", &type_bool, offsetof(struct networking_spec, disable_default_cni), NULL,
     "Leave the pod network to you"},
    {0},
};
const struct field_table networking_old_table = {networking_old_rows, NULL};

static const struct field networking_rows[] = {
    {"kubeProxyMode", &type_word, offsetof(struct networking_spec, proxy_mode), proxy_mode_names,
     "iptables by default; none: no kube-proxy at all"},
    {"dnsSearch", &type_dns_search, offsetof(struct networking_spec, dns_search), NULL,
     "Search domains of the nodes; the host's by default, [] for none"},
    {0},
};
static const struct field_table networking_table = {networking_rows, &networking_old_table};

static const struct field shape_rows[] = {
    {"networking", &type_mapping, offsetof(struct cluster_spec, networking), &networking_table,
     "Addresses, subnets, pod network"},
    {"featureGates", &type_flags, offsetof(struct cluster_spec, feature_gates), NULL,
     "Feature gates of all Kubernetes components, by name"},
    {"runtimeConfig", &type_pairs, offsetof(struct cluster_spec, runtime_config), NULL,
     "The API server's --runtime-config"},
    {"kubeadmConfigPatches", &type_texts, offsetof(struct cluster_spec, kubeadm_patches),
     &kubeadm_patch_texts, "Merge patches of kubeadm's configuration, each a YAML stream"},
    {"kubeadmConfigPatchesJSON6902", &type_items,
     offsetof(struct cluster_spec, kubeadm_patches_6902), &json6902_item,
     "JSON 6902 patches of kubeadm's configuration"},
    {"containerdConfigPatches", &type_texts, offsetof(struct cluster_spec, containerd_patches),
     &containerd_patch_texts, "Merge patches of containerd's configuration, each TOML"},
    {"containerdConfigPatchesJSON6902", &type_texts,
     offsetof(struct cluster_spec, containerd_patches_6902), &containerd_patch_6902_texts,
     "JSON 6902 patches of containerd's configuration, in JSON"},
    {0},
};
const struct field_table cluster_shape_table = {shape_rows, NULL};

static const char *const api_versions[] = {"kind.x-k8s.io/v1alpha4", NULL};
static const char *const kinds[] = {"Cluster", NULL};

static const struct field document_rows[] = {
    {"apiVersion", &type_header, 0, api_versions, "Which format this is", .required = true},
    {"kind", &type_header, 0, kinds, "A cluster", .required = true},
    {"name", &type_string, offsetof(struct cluster_spec, name), NULL,
     "Unique among all clusters of the engine; kind by default"},
    {"nodes", &type_items, offsetof(struct cluster_draft, nodes), &node_item,
     "One control plane by default"},
    {0},
};
const struct field_table cluster_table = {document_rows, &cluster_shape_table};
static_assert(COUNT_FOLLOWS(struct cluster_draft, nodes, node_count), "read as items");

/* The family as it is written, as far as it is one: ipv4 otherwise. */
static enum ip_family look_up_family(const struct cursor *at)
{
    struct cursor networking = cursor_field(at, "networking");
    if (!networking.tree || networking.tree->kind != TREE_MAP)
        return IP_FAMILY_IPV4;
    struct cursor family = cursor_field(&networking, "ipFamily");
    for (unsigned i = 0; family.tree && ip_family_names[i]; i++) {
        if (family.tree->kind == TREE_SCALAR &&
            strcmp(family.tree->scalar, ip_family_names[i]) == 0)
            return i;
    }
    return IP_FAMILY_IPV4;
}

/* False if ipFamily is given, but is no family: then subnets cannot be judged. */
static bool family_known(const struct cursor *at, enum ip_family family)
{
    struct cursor field = cursor_field(at, "ipFamily");
    if (!field.tree)
        return true;
    return field.tree->kind == TREE_SCALAR &&
           (!*field.tree->scalar || strcmp(field.tree->scalar, ip_family_name(family)) == 0);
}

static void finish_networking(struct loader *loader, const struct cursor *at,
                              struct networking_spec *networking)
{
    enum ip_family family = networking->family;
    struct cursor port = cursor_field(at, "apiServerPort");
    struct cursor pods = cursor_field(at, "podSubnet");
    struct cursor services = cursor_field(at, "serviceSubnet");
    networking->place = at->place;
    networking->api_server_address =
        or_default(networking->api_server_address, family_defaults[family].api_server_address);
    networking->pod_subnet = or_default(networking->pod_subnet, family_defaults[family].pod_subnet);
    networking->service_subnet =
        or_default(networking->service_subnet, family_defaults[family].service_subnet);
    validate_host_port(loader, &port, networking->api_server_port);
    if (family_known(at, family)) {
        validate_subnets(loader, &pods, networking->pod_subnet, family);
        validate_subnets(loader, &services, networking->service_subnet, family);
    }
}

static void finish_name(struct loader *loader, const struct cursor *at, struct cluster_spec *spec)
{
    struct cursor name = *at;
    if (given(loader->options->cluster_name)) {
        spec->name = loader->options->cluster_name;
        name.place = (struct place){0};
    }
    spec->name = or_default(spec->name, default_name);
    validate_name(loader, &name, spec->name);
}

void cluster_read(struct loader *loader, const struct cursor *at, const struct field_table *table,
                  struct cluster_draft *draft)
{
    draft->spec.place = at->place;
    loader->wildcard = family_defaults[look_up_family(at)].wildcard;
    fields_read(loader, at, table, draft);
}

void cluster_finish(struct loader *loader, const struct cursor *at, const struct cursor *name,
                    struct cluster_draft *draft)
{
    struct cursor networking = cursor_field(at, "networking");
    struct cursor nodes = cursor_field(at, "nodes");
    finish_name(loader, name, &draft->spec);
    finish_networking(loader, &networking, &draft->spec.networking);
    nodes_expand(loader, &nodes, draft->nodes, draft->node_count, or_default(draft->image, NULL),
                 &draft->spec);
}

void load_cluster(struct loader *loader, const struct cursor *at, struct cluster_spec *spec)
{
    struct cluster_draft draft = {0};
    struct cursor name = cursor_field(at, "name");
    cluster_read(loader, at, &cluster_table, &draft);
    cluster_finish(loader, at, &name, &draft);
    *spec = draft.spec;
}
