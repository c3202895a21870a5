#include "model/load_cluster.h"

#include "base/memory.h"
#include "model/validate.h"

/*
 * DESIGN: one table per mapping of the format; a row is a field. Fields are
 * read in the order of the table, so networking stands before nodes, whose
 * ports listen by default on the wildcard of the cluster's family.
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

/* Drops the last part of an absolute path of this length: "/a/b" to "/a", "/a" to "". */
static size_t parent_length(const char *path, size_t length)
{
    while (length && path[length - 1] != '/')
        length--;
    return length ? length - 1 : 0;
}

/* path made absolute against base, without ".", ".." and doubled slashes. */
static const char *absolute_path(struct loader *loader, const char *base, const char *path)
{
    const char *from = path[0] == '/' ? path : arena_format(loader->arena, "%s/%s", base, path);
    char *out = arena_alloc(loader->arena, strlen(from) + 2);
    size_t length = 0;
    while (*from) {
        size_t part = strcspn(from, "/");
        if (part == 2 && strncmp(from, "..", 2) == 0) {
            length = parent_length(out, length);
        } else if (part && !(part == 1 && *from == '.')) {
            out[length++] = '/';
            memcpy(out + length, from, part);
            length += part;
        }
        from += part + (from[part] == '/');
    }
    if (!length)
        out[length++] = '/';
    out[length] = '\0';
    return out;
}

static const struct field mount_fields[] = {
    {"hostPath", read_string, offsetof(struct mount_spec, host_path), NULL},
    {"containerPath", read_string, offsetof(struct mount_spec, container_path), NULL},
    {"readOnly", read_bool, offsetof(struct mount_spec, read_only), NULL},
    {"selinuxRelabel", read_bool, offsetof(struct mount_spec, selinux_relabel), NULL},
    {"propagation", read_word, offsetof(struct mount_spec, propagation), mount_propagation_names},
    {0},
};

static void finish_mount(struct loader *loader, const struct cursor *at, void *item)
{
    struct mount_spec *mount = item;
    const char *host_path = or_default(mount->host_path, "");
    mount->host_path = absolute_path(loader, loader->options->base_folder, host_path);
    mount->container_path = or_default(mount->container_path, "");
    struct cursor host = cursor_field(at, "hostPath");
    struct cursor container = cursor_field(at, "containerPath");
    if (!*host_path)
        load_warning(loader, &host, "is not given, so all of %s is mounted", mount->host_path);
    if (host_path[0] == '~')
        load_warning(loader, &host, "'~' is not expanded; this means %s",
                     problem_quote(loader->problems, mount->host_path));
    if (mount->container_path[0] != '/')
        load_warning(loader, &container, "should be an absolute path: engines refuse others");
}

static void read_mounts(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    static const struct item_type type = {sizeof(struct mount_spec), mount_fields, finish_mount};
    struct node_spec *node = object;
    (void)field;
    node->mounts = fields_read_items(loader, at, &type, &node->mount_count);
}

static const struct field port_fields[] = {
    {"containerPort", read_int32, offsetof(struct port_spec, container_port), NULL},
    {"hostPort", read_int32, offsetof(struct port_spec, host_port), NULL},
    {"listenAddress", read_string, offsetof(struct port_spec, listen_address), NULL},
    {"protocol", read_any_case, offsetof(struct port_spec, protocol), port_protocol_names},
    {0},
};

static void finish_port(struct loader *loader, const struct cursor *at, void *item)
{
    struct port_spec *port = item;
    struct cursor host = cursor_field(at, "hostPort");
    struct cursor container = cursor_field(at, "containerPort");
    validate_host_port(loader, &host, port->host_port);
    validate_container_port(loader, &container, port->container_port);
}

static void read_ports(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    static const struct item_type type = {sizeof(struct port_spec), port_fields, finish_port};
    struct node_spec *node = object;
    (void)field;
    struct port_spec *ports = fields_read_items(loader, at, &type, &node->port_count);
    for (size_t i = 0; i < node->port_count; i++)
        ports[i].listen_address = or_default(ports[i].listen_address, loader->wildcard);
    node->ports = ports;
    validate_ports(loader, at, ports, node->port_count);
}

static const struct field json6902_fields[] = {
    {"group", read_string, offsetof(struct json6902_spec, group), NULL},
    {"version", read_string, offsetof(struct json6902_spec, version), NULL},
    {"kind", read_string, offsetof(struct json6902_spec, kind), NULL},
    {"patch", read_string, offsetof(struct json6902_spec, patch), NULL},
    {0},
};

static void finish_json6902(struct loader *loader, const struct cursor *at, void *item)
{
    struct json6902_spec *patch = item;
    (void)loader;
    patch->group = or_default(patch->group, "");
    patch->version = or_default(patch->version, "");
    patch->kind = or_default(patch->kind, "");
    patch->patch = or_default(patch->patch, "");
    patch->place = at->place;
}

static void read_json6902(struct loader *loader, const struct cursor *at, const struct field *field,
                          void *object)
{
    static const struct item_type type = {sizeof(struct json6902_spec), json6902_fields,
                                          finish_json6902};
    void *slot = (char *)object + field->offset;
    struct json6902_list *list = slot;
    list->items = fields_read_items(loader, at, &type, &list->count);
}

static const struct field node_fields[] = {
    {"role", read_word, offsetof(struct node_spec, role), node_role_names},
    {"image", read_string, offsetof(struct node_spec, image), NULL},
    {"labels", read_pairs, offsetof(struct node_spec, labels), NULL},
    {"extraMounts", read_mounts, 0, NULL},
    {"extraPortMappings", read_ports, 0, NULL},
    {"kubeadmConfigPatches", read_strings, offsetof(struct node_spec, kubeadm_patches), NULL},
    {"kubeadmConfigPatchesJSON6902", read_json6902,
     offsetof(struct node_spec, kubeadm_patches_6902), NULL},
    {0},
};

static void finish_node(struct loader *loader, const struct cursor *at, void *item)
{
    struct node_spec *node = item;
    (void)loader;
    node->place = at->place;
}

/* Nodes are named by cluster, role and, from the second of a role, its number. */
static void name_nodes(struct loader *loader, struct node_spec *nodes, size_t count,
                       const char *cluster)
{
    size_t ordinals[] = {[NODE_CONTROL_PLANE] = 0, [NODE_WORKER] = 0};
    for (size_t i = 0; i < count; i++) {
        const char *role = node_role_name(nodes[i].role);
        size_t ordinal = ++ordinals[nodes[i].role];
        nodes[i].name = ordinal == 1
                            ? arena_format(loader->arena, "%s-%s", cluster, role)
                            : arena_format(loader->arena, "%s-%s%zu", cluster, role, ordinal);
    }
}

static struct node_spec *default_nodes(struct loader *loader, const struct cursor *at,
                                       size_t *count)
{
    struct node_spec *node = arena_alloc(loader->arena, sizeof(*node));
    node->place = at->place;
    *count = 1;
    return node;
}

static void read_nodes(struct loader *loader, const struct cursor *at, struct cluster_spec *spec)
{
    static const struct item_type type = {sizeof(struct node_spec), node_fields, finish_node};
    struct cursor list = cursor_field(at, "nodes");
    struct node_spec *nodes = NULL;
    if (list.tree)
        nodes = fields_read_items(loader, &list, &type, &spec->node_count);
    if (!nodes)
        nodes = default_nodes(loader, at, &spec->node_count);
    const char *override = loader->options->image;
    for (size_t i = 0; i < spec->node_count; i++) {
        const char *image = given(override) ? override : nodes[i].image;
        nodes[i].image = or_default(image, NULL);
    }
    name_nodes(loader, nodes, spec->node_count, spec->name);
    spec->nodes = nodes;
    if (spec_role_count(spec, NODE_CONTROL_PLANE) > 1)
        spec->balancer = arena_format(loader->arena, "%s" SPEC_BALANCER_SUFFIX, spec->name);
    validate_roles(loader, &list, spec);
}

static void read_dns_search(struct loader *loader, const struct cursor *at,
                            const struct field *field, void *object)
{
    struct networking_spec *networking = object;
    networking->dns_search_set = true;
    read_strings(loader, at, field, object);
}

static const struct field networking_fields[] = {
    {"ipFamily", read_word, offsetof(struct networking_spec, family), ip_family_names},
    {"apiServerAddress", read_string, offsetof(struct networking_spec, api_server_address), NULL},
    {"apiServerPort", read_int32, offsetof(struct networking_spec, api_server_port), NULL},
    {"podSubnet", read_string, offsetof(struct networking_spec, pod_subnet), NULL},
    {"serviceSubnet", read_string, offsetof(struct networking_spec, service_subnet), NULL},
    {"disableDefaultCNI", read_bool, offsetof(struct networking_spec, disable_default_cni), NULL},
    {"kubeProxyMode", read_word, offsetof(struct networking_spec, proxy_mode), proxy_mode_names},
    {"dnsSearch", read_dns_search, offsetof(struct networking_spec, dns_search), NULL},
    {0},
};

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
    loader->wildcard = family_defaults[family].wildcard;
    validate_host_port(loader, &port, networking->api_server_port);
    if (family_known(at, family)) {
        validate_subnets(loader, &pods, networking->pod_subnet, family);
        validate_subnets(loader, &services, networking->service_subnet, family);
    }
}

static void read_networking(struct loader *loader, const struct cursor *at,
                            const struct field *field, void *object)
{
    void *slot = (char *)object + field->offset;
    fields_read(loader, at, networking_fields, slot);
}

/* nodes are read last: their names and ports follow from the rest. */
static const struct field cluster_fields[] = {
    {"apiVersion", NULL, 0, NULL},
    {"kind", NULL, 0, NULL},
    {"name", read_string, offsetof(struct cluster_spec, name), NULL},
    {"nodes", NULL, 0, NULL},
    {"networking", read_networking, offsetof(struct cluster_spec, networking), NULL},
    {"featureGates", read_flags, offsetof(struct cluster_spec, feature_gates), NULL},
    {"runtimeConfig", read_pairs, offsetof(struct cluster_spec, runtime_config), NULL},
    {"kubeadmConfigPatches", read_strings, offsetof(struct cluster_spec, kubeadm_patches), NULL},
    {"kubeadmConfigPatchesJSON6902", read_json6902,
     offsetof(struct cluster_spec, kubeadm_patches_6902), NULL},
    {"containerdConfigPatches", read_strings, offsetof(struct cluster_spec, containerd_patches),
     NULL},
    {"containerdConfigPatchesJSON6902", read_strings,
     offsetof(struct cluster_spec, containerd_patches_6902), NULL},
    {0},
};

static void finish_name(struct loader *loader, const struct cursor *at, struct cluster_spec *spec)
{
    struct cursor name = cursor_field(at, "name");
    if (given(loader->options->cluster_name)) {
        spec->name = loader->options->cluster_name;
        name.place = (struct place){0};
    }
    spec->name = or_default(spec->name, default_name);
    validate_name(loader, &name, spec->name);
}

void load_cluster(struct loader *loader, const struct cursor *at, struct cluster_spec *spec)
{
    struct cursor networking = cursor_field(at, "networking");
    spec->place = at->place;
    fields_read(loader, at, cluster_fields, spec);
    finish_name(loader, at, spec);
    finish_networking(loader, &networking, &spec->networking);
    read_nodes(loader, at, spec);
}
