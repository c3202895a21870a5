#include "model/facet_table.h"

#include "base/memory.h"
#include "model/facet_value.h"
#include "model/quantity.h"

/*
 * DESIGN: one row per field. A row knows its place, what a change costs, and
 * how to print itself; a field that is a list adds one facet an item, with
 * its key or index in brackets, so that a diff names what changed. The path
 * alone leads back to the row, so that a record need not hold classes.
 *
 * Whoever adds a field to the spec adds a row here, and nothing else.
 */

/* Adds the facet of the current row, or of one item of it: key is what the brackets hold. */
static void add_item(struct facet_builder *b, const char *key, const char *value)
{
    const char *node = b->node ? b->node->name : b->entrance;
    b->items = arena_grow(b->arena, b->items, b->count, sizeof(*b->items));
    const char *path =
        arena_format(b->arena, "%s%s%s%s%s%s%s", node ? "nodes[" : "", node ? node : "",
                     node ? "]." : "", b->field, key ? "[" : "", key ? key : "", key ? "]" : "");
    b->items[b->count++] = (struct facet){
        .path = path,
        .field = node ? path + strlen("nodes[].") + strlen(node) : path,
        .value = facet_value_is_plain(value) ? arena_string(b->arena, value)
                                             : facet_value_digest(b->arena, value),
        .node = arena_string(b->arena, node),
        .change = b->change,
    };
}

static void add(struct facet_builder *b, const char *value)
{
    add_item(b, NULL, value);
}

static void add_indexed(struct facet_builder *b, size_t index, const char *value)
{
    char key[24];
    snprintf(key, sizeof(key), "%zu", index);
    add_item(b, key, value);
}

static void add_pairs(struct facet_builder *b, const struct pair_list *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        add_item(b, pairs->items[i].key, pairs->items[i].value);
}

/* Patches are texts of any length: always their digest, so that no diff shows half of one. */
static void add_patches(struct facet_builder *b, const struct string_list *patches)
{
    for (size_t i = 0; i < patches->count; i++)
        add_indexed(b, i, facet_value_digest(b->arena, patches->items[i]));
}

static void add_patches_6902(struct facet_builder *b, const struct json6902_list *patches)
{
    for (size_t i = 0; i < patches->count; i++) {
        const struct json6902_spec *patch = &patches->items[i];
        cleanup_text struct text text;
        text_init(&text, 0);
        text_add_format(&text, "%s\n%s\n%s\n%s", patch->group, patch->version, patch->kind,
                        patch->patch);
        add_indexed(b, i, facet_value_digest(b->arena, text.data));
    }
}

static void add_family(struct facet_builder *b)
{
    add(b, ip_family_name(b->spec->networking.family));
}

static void add_pod_subnet(struct facet_builder *b)
{
    add(b, b->spec->networking.pod_subnet);
}

static void add_service_subnet(struct facet_builder *b)
{
    add(b, b->spec->networking.service_subnet);
}

static void add_disable_cni(struct facet_builder *b)
{
    add(b, b->spec->networking.disable_default_cni ? "true" : "false");
}

static void add_proxy_mode(struct facet_builder *b)
{
    add(b, proxy_mode_name(b->spec->networking.proxy_mode));
}

static void add_dns_search(struct facet_builder *b)
{
    const struct networking_spec *networking = &b->spec->networking;
    if (!networking->dns_search_set) {
        add(b, "the host's");
        return;
    }
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < networking->dns_search.count; i++)
        text_add_format(&text, "%s%s", i ? " " : "", networking->dns_search.items[i]);
    add(b, text.data);
}

static void add_feature_gates(struct facet_builder *b)
{
    add_pairs(b, &b->spec->feature_gates);
}

static void add_runtime_config(struct facet_builder *b)
{
    add_pairs(b, &b->spec->runtime_config);
}

static void add_cluster_patches(struct facet_builder *b)
{
    add_patches(b, &b->spec->kubeadm_patches);
}

static void add_cluster_patches_6902(struct facet_builder *b)
{
    add_patches_6902(b, &b->spec->kubeadm_patches_6902);
}

static void add_containerd_patches(struct facet_builder *b)
{
    add_patches(b, &b->spec->containerd_patches);
}

static void add_containerd_patches_6902(struct facet_builder *b)
{
    add_patches(b, &b->spec->containerd_patches_6902);
}

static void add_api_address(struct facet_builder *b)
{
    add(b, b->spec->networking.api_server_address);
}

static void add_api_port(struct facet_builder *b)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", (int)b->spec->networking.api_server_port);
    add(b, port);
}

static void add_role(struct facet_builder *b)
{
    add(b, node_role_name(b->node->role));
}

static void add_image(struct facet_builder *b)
{
    add(b, b->node->image ? b->node->image : "default");
}

static void add_labels(struct facet_builder *b)
{
    add_pairs(b, &b->node->labels);
}

/* "/host:/inside", then what is not the default: "/host:/inside:ro,relabel,Bidirectional". */
static void add_mounts(struct facet_builder *b)
{
    for (size_t i = 0; i < b->node->mount_count; i++) {
        const struct mount_spec *mount = &b->node->mounts[i];
        cleanup_text struct text text;
        text_init(&text, 0);
        facet_value_add_part(&text, mount->host_path);
        facet_value_add_part(&text, mount->container_path);
        const char *separator = ":";
        if (mount->read_only) {
            text_add_format(&text, "%sro", separator);
            separator = ",";
        }
        if (mount->selinux_relabel) {
            text_add_format(&text, "%srelabel", separator);
            separator = ",";
        }
        if (mount->propagation != MOUNT_NONE)
            text_add_format(&text, "%s%s", separator, mount_propagation_name(mount->propagation));
        add_indexed(b, i, text.data);
    }
}

/* "127.0.0.1:8080:80/TCP", as engines write it. */
static void add_ports(struct facet_builder *b)
{
    for (size_t i = 0; i < b->node->port_count; i++) {
        const struct port_spec *port = &b->node->ports[i];
        cleanup_text struct text text;
        text_init(&text, 0);
        text_add_format(&text, "%s:%d:%d/%s", port->listen_address, (int)port->host_port,
                        (int)port->container_port, port_protocol_name(port->protocol));
        add_indexed(b, i, text.data);
    }
}

static void add_node_patches(struct facet_builder *b)
{
    add_patches(b, &b->node->kubeadm_patches);
}

static void add_node_patches_6902(struct facet_builder *b)
{
    add_patches_6902(b, &b->node->kubeadm_patches_6902);
}

/* "gpu:NoSchedule" is the key, as Kubernetes tells taints apart, and its value the value. */
static void add_taints(struct facet_builder *b)
{
    for (size_t i = 0; i < b->node->taint_count; i++) {
        const struct taint_spec *taint = &b->node->taints[i];
        add_item(b, arena_format(b->arena, "%s:%s", taint->key, taint->effect), taint->value);
    }
}

/* What is not limited has no facet, so that older records say the same. */
static void add_memory(struct facet_builder *b)
{
    if (b->node->resources.memory_bytes)
        add(b, quantity_bytes(b->arena, b->node->resources.memory_bytes));
}

static void add_cpus(struct facet_builder *b)
{
    if (b->node->resources.cpu_milli)
        add(b, quantity_milli(b->arena, b->node->resources.cpu_milli));
}

/* A set: the order of the list is no difference. */
static void add_preload(struct facet_builder *b)
{
    for (size_t i = 0; i < b->spec->preload.count; i++)
        add_item(b, b->spec->preload.items[i], "wanted");
}

static void add_manifests(struct facet_builder *b)
{
    for (size_t i = 0; i < b->spec->manifest_count; i++) {
        const struct manifest_spec *manifest = &b->spec->manifests[i];
        add_item(b, manifest->path, facet_value_digest(b->arena, manifest->text));
    }
}

const struct facet_row facet_rows[] = {
    {"networking.ipFamily", FACET_OF_CLUSTER, CHANGE_RECREATE, add_family},
    {"networking.podSubnet", FACET_OF_CLUSTER, CHANGE_RECREATE, add_pod_subnet},
    {"networking.serviceSubnet", FACET_OF_CLUSTER, CHANGE_RECREATE, add_service_subnet},
    {"networking.disableDefaultCNI", FACET_OF_CLUSTER, CHANGE_RECREATE, add_disable_cni},
    {"networking.kubeProxyMode", FACET_OF_CLUSTER, CHANGE_RECREATE, add_proxy_mode},
    {"networking.dnsSearch", FACET_OF_CLUSTER, CHANGE_REPLACE, add_dns_search},
    {"featureGates", FACET_OF_CLUSTER, CHANGE_RECREATE, add_feature_gates},
    {"runtimeConfig", FACET_OF_CLUSTER, CHANGE_RECREATE, add_runtime_config},
    {"kubeadmConfigPatches", FACET_OF_CLUSTER, CHANGE_RECREATE, add_cluster_patches},
    {"kubeadmConfigPatchesJSON6902", FACET_OF_CLUSTER, CHANGE_RECREATE, add_cluster_patches_6902},
    {"containerdConfigPatches", FACET_OF_CLUSTER, CHANGE_REPLACE, add_containerd_patches},
    {"containerdConfigPatchesJSON6902", FACET_OF_CLUSTER, CHANGE_REPLACE,
     add_containerd_patches_6902},
    {"preload", FACET_OF_CLUSTER, CHANGE_LIVE, add_preload},
    {"manifests", FACET_OF_CLUSTER, CHANGE_LIVE, add_manifests},
    {"apiServerAddress", FACET_OF_ENTRANCE, CHANGE_REPLACE, add_api_address},
    {"apiServerPort", FACET_OF_ENTRANCE, CHANGE_REPLACE, add_api_port},
    {"role", FACET_OF_NODE, CHANGE_REPLACE, add_role},
    {"image", FACET_OF_NODE, CHANGE_REPLACE, add_image},
    {"labels", FACET_OF_NODE, CHANGE_LIVE, add_labels},
    {"taints", FACET_OF_NODE, CHANGE_LIVE, add_taints},
    {"resources.memory", FACET_OF_NODE, CHANGE_REPLACE, add_memory},
    {"resources.cpus", FACET_OF_NODE, CHANGE_REPLACE, add_cpus},
    {"extraMounts", FACET_OF_NODE, CHANGE_REPLACE, add_mounts},
    {"extraPortMappings", FACET_OF_NODE, CHANGE_REPLACE, add_ports},
    {"kubeadmConfigPatches", FACET_OF_NODE, CHANGE_REPLACE, add_node_patches},
    {"kubeadmConfigPatchesJSON6902", FACET_OF_NODE, CHANGE_REPLACE, add_node_patches_6902},
};
const size_t facet_row_count = COUNT_OF(facet_rows);
