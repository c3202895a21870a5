#include "model/load_node.h"

#include "base/memory.h"
#include "model/containerd_patch.h"
#include "model/kubeadm_patch.h"
#include "model/load_types.h"
#include "model/path.h"
#include "model/validate.h"
#include <assert.h>

enum { HOST_NAME_BYTES_MAX = 63 };

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

static const struct field mount_rows[] = {
    {"hostPath", &type_string, offsetof(struct mount_spec, host_path), NULL,
     "Folder or file of the host; a relative one is relative to the working directory, in fleet "
     "objects to the file"},
    {"containerPath", &type_string, offsetof(struct mount_spec, container_path), NULL,
     "Where it appears in the node, absolute"},
    {"readOnly", &type_bool, offsetof(struct mount_spec, read_only), NULL,
     "The node cannot write to it"},
    {"selinuxRelabel", &type_bool, offsetof(struct mount_spec, selinux_relabel), NULL,
     "Give it the label of the container"},
    {"propagation", &type_word, offsetof(struct mount_spec, propagation), mount_propagation_names,
     "Whether mounts made below it later are seen on the other side"},
    {0},
};
static const struct field_table mount_table = {mount_rows, NULL};

/* Relative paths of formats of ours stand beside their file; upstream's rule is the folder. */
static const char *host_base(struct loader *loader, const struct cursor *host)
{
    const char *base = loader->options->base_folder, *file = host->place.file;
    if (!loader->beside_file || !file || strcmp(file, "<stdin>") == 0)
        return base;
    return path_absolute(loader->arena, base, path_folder(loader->arena, file));
}

static void finish_mount(struct loader *loader, const struct cursor *at, void *item)
{
    struct mount_spec *mount = item;
    struct cursor host = cursor_field(at, "hostPath");
    struct cursor container = cursor_field(at, "containerPath");
    const char *host_path = or_empty(mount->host_path);
    if (loader->options->no_host_folder && *host_path != '/')
        load_error(loader, &host,
                   "must be absolute: from a repository, there is no folder of this "
                   "host that it could be relative to");
    mount->place = at->place;
    mount->relative = host_path[0] != '/';
    mount->host_path = path_absolute(loader->arena, host_base(loader, &host), host_path);
    mount->container_path = or_empty(mount->container_path);
    if (!*host_path)
        load_warning(loader, &host, "is not given, so all of %s is mounted", mount->host_path);
    if (host_path[0] == '~')
        load_warning(loader, &host, "'~' is not expanded; this means %s",
                     problem_quote(loader->problems, mount->host_path));
    if (mount->container_path[0] != '/')
        load_warning(loader, &container, "should be an absolute path: engines refuse others");
}

static const struct item_type mount_item = {sizeof(struct mount_spec), &mount_table, finish_mount};
static_assert(COUNT_FOLLOWS(struct node_spec, mounts, mount_count), "read as items");

static const struct field port_rows[] = {
    {"containerPort", &type_port, offsetof(struct port_spec, container_port), NULL,
     "Port in the node"},
    {"hostPort", &type_port, offsetof(struct port_spec, host_port), NULL,
     "Port of the host; 0: kind picks a free one, -1: the engine picks one at each start"},
    {"listenAddress", &type_string, offsetof(struct port_spec, listen_address), NULL,
     "IP address of the host; 0.0.0.0, or :: with ipFamily ipv6, by default"},
    {"protocol", &type_any_case, offsetof(struct port_spec, protocol), port_protocol_names,
     "TCP by default"},
    {0},
};
static const struct field_table port_table = {port_rows, NULL};

static void finish_port(struct loader *loader, const struct cursor *at, void *item)
{
    struct port_spec *port = item;
    struct cursor host = cursor_field(at, "hostPort");
    struct cursor container = cursor_field(at, "containerPort");
    port->place = at->place;
    validate_host_port(loader, &host, port->host_port);
    validate_container_port(loader, &container, port->container_port);
}

static const struct item_type port_item = {sizeof(struct port_spec), &port_table, finish_port};

static void read_ports(struct loader *loader, const struct cursor *at, const struct field *field,
                       void *object)
{
    struct node_spec *node = object;
    struct port_spec *ports = fields_read_items(loader, at, field->detail, &node->port_count);
    for (size_t i = 0; i < node->port_count; i++) {
        if (!ports[i].listen_address || !*ports[i].listen_address)
            ports[i].listen_address = loader->wildcard;
    }
    node->ports = ports;
    validate_ports(loader, at, node->ports, node->port_count);
}

static const struct field_type type_ports = {read_ports, FIELD_LIST, NULL};

const struct text_check kubeadm_patch_texts = {kubeadm_patch_check};
const struct text_check containerd_patch_texts = {containerd_patch_check};
const struct text_check containerd_patch_6902_texts = {containerd_patch_check_6902};

static const struct field json6902_rows[] = {
    {"group", &type_string, offsetof(struct json6902_spec, group), NULL,
     "Group of the kubeadm document that is meant"},
    {"version", &type_string, offsetof(struct json6902_spec, version), NULL,
     "Version of the kubeadm document that is meant"},
    {"kind", &type_string, offsetof(struct json6902_spec, kind), NULL,
     "Kind of the kubeadm document that is meant"},
    {"patch", &type_string, offsetof(struct json6902_spec, patch), NULL,
     "A JSON 6902 list, in JSON or YAML"},
    {0},
};
const struct field_table json6902_table = {json6902_rows, NULL};

void json6902_finish(struct loader *loader, const struct cursor *at, void *item)
{
    struct json6902_spec *patch = item;
    cleanup_error struct error *err = NULL;
    patch->group = or_empty(patch->group);
    patch->version = or_empty(patch->version);
    patch->kind = or_empty(patch->kind);
    patch->patch = or_empty(patch->patch);
    patch->place = at->place;
    struct cursor text = cursor_field(at, "patch");
    if (kubeadm_patch_check_6902(patch->patch, &err))
        load_error(loader, &text, "%s", err->message);
}

const struct item_type json6902_item = {sizeof(struct json6902_spec), &json6902_table,
                                        json6902_finish};
static_assert(COUNT_FOLLOWS(struct json6902_list, items, count), "read as items");

static const struct field shape_rows[] = {
    {"role", &type_word, offsetof(struct node_spec, role), node_role_names,
     "control-plane by default"},
    {"image", &type_string, offsetof(struct node_spec, image), NULL,
     "Node image; it decides the version of Kubernetes"},
    {0},
};
static const struct field_table node_shape_table = {shape_rows, NULL};

static const struct field mounts_rows[] = {
    {"extraMounts", &type_items, offsetof(struct node_spec, mounts), &mount_item,
     "Folders and files of the host that the node sees"},
    {0},
};
const struct field_table node_mounts_table = {mounts_rows, NULL};
static const struct field_table node_shape_mounts_table = {mounts_rows, &node_shape_table};

static const struct field ports_rows[] = {
    {"extraPortMappings", &type_ports, 0, &port_item, "Ports of the node that the host publishes"},
    {0},
};
const struct field_table node_ports_table = {ports_rows, &node_shape_mounts_table};

static const struct field node_rows[] = {
    {"labels", &type_pairs, offsetof(struct node_spec, labels), NULL,
     "Labels of the Kubernetes node"},
    {"kubeadmConfigPatches", &type_texts, offsetof(struct node_spec, kubeadm_patches),
     &kubeadm_patch_texts, "Merge patches of kubeadm's configuration, applied after the cluster's"},
    {"kubeadmConfigPatchesJSON6902", &type_items, offsetof(struct node_spec, kubeadm_patches_6902),
     &json6902_item, "JSON 6902 patches of kubeadm's configuration, after the cluster's"},
    {0},
};
const struct field_table node_table = {node_rows, &node_ports_table};

void node_finish(struct loader *loader, const struct cursor *at, void *item)
{
    struct node_draft *draft = item;
    (void)loader;
    draft->spec.place = at->place;
}

const struct item_type node_item = {sizeof(struct node_draft), &node_table, node_finish};

static void read_replicas(struct loader *loader, const struct cursor *at, const struct field *field,
                          void *object)
{
    int32_t *slot = field_slot(field, object);
    size_t errors = loader->problems->errors;
    read_int32(loader, at, field, object);
    if (loader->problems->errors == errors && (*slot < 1 || *slot > LOAD_NODES_MAX)) {
        load_error(loader, at, "%d is not possible; use 1 to %d", *slot, LOAD_NODES_MAX);
        *slot = 1;
    }
}

const struct field_type type_replicas = {read_replicas, FIELD_JSON,
                                         "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}"};

static const char *node_name(struct loader *loader, const struct node_draft *draft,
                             const char *cluster, size_t ordinal)
{
    const char *name = draft->key ? draft->key : node_role_name(draft->spec.role);
    return ordinal == 1 ? arena_format(loader->arena, "%s-%s", cluster, name)
                        : arena_format(loader->arena, "%s-%s%zu", cluster, name, ordinal);
}

static size_t draft_count(const struct node_draft *draft)
{
    return draft->dropped ? 0 : draft->replicas ? (size_t)draft->replicas : 1;
}

static void check_length(struct loader *loader, const struct node_spec *node)
{
    if (strlen(node->name) > HOST_NAME_BYTES_MAX)
        problem_add(loader->problems, node->place,
                    "the node's name %s has %zu characters; a host name ends at %d",
                    problem_quote(loader->problems, node->name), strlen(node->name),
                    HOST_NAME_BYTES_MAX);
}

/* Nodes on their way from entries. */
struct expansion {
    const char *cluster, *image;
    struct node_spec *nodes;
    size_t count;
    size_t ordinals[2]; /* by role */
};

/*
 * Nodes are named by cluster, role and, from the second of a role on, its
 * number, as upstream has it; those with a name of their own by that, so that
 * they keep it wherever they stand in the list, and are not counted.
 */
static void add_nodes(struct loader *loader, const struct node_draft *draft,
                      struct expansion *expansion)
{
    size_t own = 0;
    size_t *ordinal = draft->key ? &own : &expansion->ordinals[draft->spec.role];
    const char *override = loader->options->image;
    for (size_t i = 0; i < draft_count(draft); i++) {
        struct node_spec *node = &expansion->nodes[expansion->count++];
        *node = draft->spec;
        node->name = node_name(loader, draft, expansion->cluster, ++*ordinal);
        if (!node->image || !*node->image)
            node->image = expansion->image;
        if (override && *override)
            node->image = override;
        if (draft->key)
            check_length(loader, node);
    }
}

static size_t count_all(const struct node_draft *drafts, size_t count)
{
    size_t nodes = 0;
    for (size_t i = 0; i < count; i++)
        nodes += draft_count(&drafts[i]);
    return nodes;
}

void nodes_expand(struct loader *loader, const struct cursor *at, const struct node_draft *drafts,
                  size_t count, const char *image, struct cluster_spec *spec)
{
    const struct node_draft alone = {.spec = {.place = at->place}};
    size_t total = count_all(drafts, count);
    if (total > LOAD_NODES_MAX)
        load_error(loader, at, "%zu nodes; a cluster may have %d", total, LOAD_NODES_MAX);
    if (!total || total > LOAD_NODES_MAX) {
        drafts = &alone;
        count = total = 1;
    }
    struct expansion expansion = {
        .cluster = spec->name,
        .image = image,
        .nodes = arena_array(loader->arena, total, sizeof(struct node_spec)),
    };
    for (size_t i = 0; i < count; i++)
        add_nodes(loader, &drafts[i], &expansion);
    spec->nodes = expansion.nodes;
    spec->node_count = expansion.count;
    if (spec_role_count(spec, NODE_CONTROL_PLANE) > 1)
        spec->balancer = arena_format(loader->arena, "%s" SPEC_BALANCER_SUFFIX, spec->name);
    validate_roles(loader, at, spec);
}
