#include "model/facet.h"

#include "base/memory.h"
#include "model/quantity.h"
#include <jansson.h>
#include <openssl/evp.h>

/*
 * DESIGN: one row per field. A row knows its place, what a change costs, and
 * how to print itself; a field that is a list adds one facet an item, with
 * its key or index in brackets, so that a diff names what changed. The path
 * alone leads back to the row, so that a record need not hold classes.
 *
 * Whoever adds a field to the spec adds a row here, and nothing else.
 */
enum {
    PLAIN_BYTES_MAX = 160, /* a longer value is shown and stored as its digest */
    DIGEST_DIGITS = 12,
    SHA256_DIGITS = 64,
};

enum scope {
    OF_CLUSTER,
    OF_NODE,
    OF_ENTRANCE, /* of the one node that publishes the API server */
};

struct builder {
    struct arena *arena;
    const struct cluster_spec *spec;
    const struct node_spec *node; /* NULL for rows of the cluster */
    const char *entrance;         /* the load balancer, while its rows are added */
    const char *field;
    struct facet *items;
    size_t count;
    enum change_class change;
};

struct row {
    const char *field;
    enum scope scope;
    enum change_class change;
    void (*add)(struct builder *builder);
};

const char *change_class_name(enum change_class change)
{
    switch (change) {
    case CHANGE_LIVE:
        return "live";
    case CHANGE_REMOVE:
        return "remove";
    case CHANGE_REPLACE:
        return "replace";
    case CHANGE_RECREATE:
        return "recreate";
    case CHANGE_DELETE:
        return "delete";
    }
    return "unknown";
}

static void sha256(const void *bytes, size_t length, char hex[SHA256_DIGITS + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!EVP_Digest(bytes, length, sum, &size, EVP_sha256(), NULL) || size * 2 != SHA256_DIGITS)
        abort();
    for (unsigned i = 0; i < size; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", sum[i]);
}

/* Fits on a line of a plan and in a JSON string as it is. */
static bool is_plain(const char *value)
{
    bool ascii = true;
    size_t length = 0;
    for (const char *c = value; *c; c++, length++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
        ascii = ascii && (unsigned char)*c < 0x80;
    }
    if (ascii)
        return length <= PLAIN_BYTES_MAX;
    json_t *string = json_string(value); /* NULL unless it is UTF-8 */
    json_decref(string);
    return string && length <= PLAIN_BYTES_MAX;
}

static const char *digest_of(struct arena *arena, const char *value)
{
    char hex[SHA256_DIGITS + 1];
    sha256(value, strlen(value), hex);
    return arena_format(arena, "sha256:%.*s", DIGEST_DIGITS, hex);
}

/* Adds the facet of the current row, or of one item of it: key is what the brackets hold. */
static void add_item(struct builder *b, const char *key, const char *value)
{
    const char *node = b->node ? b->node->name : b->entrance;
    b->items = arena_grow(b->arena, b->items, b->count, sizeof(*b->items));
    b->items[b->count++] = (struct facet){
        .path = arena_format(b->arena, "%s%s%s%s%s%s%s", node ? "nodes[" : "", node ? node : "",
                             node ? "]." : "", b->field, key ? "[" : "", key ? key : "",
                             key ? "]" : ""),
        .value = is_plain(value) ? arena_string(b->arena, value) : digest_of(b->arena, value),
        .node = arena_string(b->arena, node),
        .change = b->change,
    };
}

static void add(struct builder *b, const char *value)
{
    add_item(b, NULL, value);
}

static void add_indexed(struct builder *b, size_t index, const char *value)
{
    char key[24];
    snprintf(key, sizeof(key), "%zu", index);
    add_item(b, key, value);
}

static void add_pairs(struct builder *b, const struct pair_list *pairs)
{
    for (size_t i = 0; i < pairs->count; i++)
        add_item(b, pairs->items[i].key, pairs->items[i].value);
}

/* Patches are texts of any length: always their digest, so that no diff shows half of one. */
static void add_patches(struct builder *b, const struct string_list *patches)
{
    for (size_t i = 0; i < patches->count; i++)
        add_indexed(b, i, digest_of(b->arena, patches->items[i]));
}

static void add_patches_6902(struct builder *b, const struct json6902_list *patches)
{
    for (size_t i = 0; i < patches->count; i++) {
        const struct json6902_spec *patch = &patches->items[i];
        cleanup_text struct text text;
        text_init(&text, 0);
        text_add_format(&text, "%s\n%s\n%s\n%s", patch->group, patch->version, patch->kind,
                        patch->patch);
        add_indexed(b, i, digest_of(b->arena, text.data));
    }
}

/* Separators inside of a part are escaped, so that no two lists of parts read alike. */
static void add_part(struct text *text, const char *part)
{
    if (text->length)
        text_add_char(text, ':', 1);
    for (; *part; part++) {
        if (strchr("\\:,", *part))
            text_add_char(text, '\\', 1);
        text_add_char(text, *part, 1);
    }
}

static void add_family(struct builder *b)
{
    add(b, ip_family_name(b->spec->networking.family));
}

static void add_pod_subnet(struct builder *b)
{
    add(b, b->spec->networking.pod_subnet);
}

static void add_service_subnet(struct builder *b)
{
    add(b, b->spec->networking.service_subnet);
}

static void add_disable_cni(struct builder *b)
{
    add(b, b->spec->networking.disable_default_cni ? "true" : "false");
}

static void add_proxy_mode(struct builder *b)
{
    add(b, proxy_mode_name(b->spec->networking.proxy_mode));
}

static void add_dns_search(struct builder *b)
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

static void add_feature_gates(struct builder *b)
{
    add_pairs(b, &b->spec->feature_gates);
}

static void add_runtime_config(struct builder *b)
{
    add_pairs(b, &b->spec->runtime_config);
}

static void add_cluster_patches(struct builder *b)
{
    add_patches(b, &b->spec->kubeadm_patches);
}

static void add_cluster_patches_6902(struct builder *b)
{
    add_patches_6902(b, &b->spec->kubeadm_patches_6902);
}

static void add_containerd_patches(struct builder *b)
{
    add_patches(b, &b->spec->containerd_patches);
}

static void add_containerd_patches_6902(struct builder *b)
{
    add_patches(b, &b->spec->containerd_patches_6902);
}

static void add_api_address(struct builder *b)
{
    add(b, b->spec->networking.api_server_address);
}

static void add_api_port(struct builder *b)
{
    char port[16];
    snprintf(port, sizeof(port), "%d", (int)b->spec->networking.api_server_port);
    add(b, port);
}

static void add_role(struct builder *b)
{
    add(b, node_role_name(b->node->role));
}

static void add_image(struct builder *b)
{
    add(b, b->node->image ? b->node->image : "default");
}

static void add_labels(struct builder *b)
{
    add_pairs(b, &b->node->labels);
}

/* "/host:/inside", then what is not the default: "/host:/inside:ro,relabel,Bidirectional". */
static void add_mounts(struct builder *b)
{
    for (size_t i = 0; i < b->node->mount_count; i++) {
        const struct mount_spec *mount = &b->node->mounts[i];
        cleanup_text struct text text;
        text_init(&text, 0);
        add_part(&text, mount->host_path);
        add_part(&text, mount->container_path);
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
static void add_ports(struct builder *b)
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

static void add_node_patches(struct builder *b)
{
    add_patches(b, &b->node->kubeadm_patches);
}

static void add_node_patches_6902(struct builder *b)
{
    add_patches_6902(b, &b->node->kubeadm_patches_6902);
}

/* "gpu:NoSchedule" is the key, as Kubernetes tells taints apart, and its value the value. */
static void add_taints(struct builder *b)
{
    for (size_t i = 0; i < b->node->taint_count; i++) {
        const struct taint_spec *taint = &b->node->taints[i];
        add_item(b, arena_format(b->arena, "%s:%s", taint->key, taint->effect), taint->value);
    }
}

/* What is not limited has no facet, so that older records say the same. */
static void add_memory(struct builder *b)
{
    if (b->node->resources.memory_bytes)
        add(b, quantity_bytes(b->arena, b->node->resources.memory_bytes));
}

static void add_cpus(struct builder *b)
{
    if (b->node->resources.cpu_milli)
        add(b, quantity_milli(b->arena, b->node->resources.cpu_milli));
}

/* A set: the order of the list is no difference. */
static void add_preload(struct builder *b)
{
    for (size_t i = 0; i < b->spec->preload.count; i++)
        add_item(b, b->spec->preload.items[i], "wanted");
}

static void add_manifests(struct builder *b)
{
    for (size_t i = 0; i < b->spec->manifest_count; i++) {
        const struct manifest_spec *manifest = &b->spec->manifests[i];
        add_item(b, manifest->path, digest_of(b->arena, manifest->text));
    }
}

static const struct row rows[] = {
    {"networking.ipFamily", OF_CLUSTER, CHANGE_RECREATE, add_family},
    {"networking.podSubnet", OF_CLUSTER, CHANGE_RECREATE, add_pod_subnet},
    {"networking.serviceSubnet", OF_CLUSTER, CHANGE_RECREATE, add_service_subnet},
    {"networking.disableDefaultCNI", OF_CLUSTER, CHANGE_RECREATE, add_disable_cni},
    {"networking.kubeProxyMode", OF_CLUSTER, CHANGE_RECREATE, add_proxy_mode},
    {"networking.dnsSearch", OF_CLUSTER, CHANGE_REPLACE, add_dns_search},
    {"featureGates", OF_CLUSTER, CHANGE_RECREATE, add_feature_gates},
    {"runtimeConfig", OF_CLUSTER, CHANGE_RECREATE, add_runtime_config},
    {"kubeadmConfigPatches", OF_CLUSTER, CHANGE_RECREATE, add_cluster_patches},
    {"kubeadmConfigPatchesJSON6902", OF_CLUSTER, CHANGE_RECREATE, add_cluster_patches_6902},
    {"containerdConfigPatches", OF_CLUSTER, CHANGE_REPLACE, add_containerd_patches},
    {"containerdConfigPatchesJSON6902", OF_CLUSTER, CHANGE_REPLACE, add_containerd_patches_6902},
    {"preload", OF_CLUSTER, CHANGE_LIVE, add_preload},
    {"manifests", OF_CLUSTER, CHANGE_LIVE, add_manifests},
    {"apiServerAddress", OF_ENTRANCE, CHANGE_REPLACE, add_api_address},
    {"apiServerPort", OF_ENTRANCE, CHANGE_REPLACE, add_api_port},
    {"role", OF_NODE, CHANGE_REPLACE, add_role},
    {"image", OF_NODE, CHANGE_REPLACE, add_image},
    {"labels", OF_NODE, CHANGE_LIVE, add_labels},
    {"taints", OF_NODE, CHANGE_LIVE, add_taints},
    {"resources.memory", OF_NODE, CHANGE_REPLACE, add_memory},
    {"resources.cpus", OF_NODE, CHANGE_REPLACE, add_cpus},
    {"extraMounts", OF_NODE, CHANGE_REPLACE, add_mounts},
    {"extraPortMappings", OF_NODE, CHANGE_REPLACE, add_ports},
    {"kubeadmConfigPatches", OF_NODE, CHANGE_REPLACE, add_node_patches},
    {"kubeadmConfigPatchesJSON6902", OF_NODE, CHANGE_REPLACE, add_node_patches_6902},
};

int facet_compare(const void *a, const void *b)
{
    const struct facet *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static bool applies(const struct row *row, const struct builder *b, bool is_entrance)
{
    switch (row->scope) {
    case OF_CLUSTER:
        return !b->node && !b->entrance;
    case OF_NODE:
        return b->node;
    case OF_ENTRANCE:
        return is_entrance;
    }
    return false;
}

/* The load balancer publishes the API server, else the only control plane does. */
static bool is_entrance(const struct builder *b)
{
    if (b->spec->balancer)
        return b->entrance;
    return b->node && b->node == spec_first_control_plane(b->spec);
}

static void add_rows(struct builder *b)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!applies(&rows[i], b, is_entrance(b)))
            continue;
        b->field = rows[i].field;
        b->change = rows[i].change;
        rows[i].add(b);
    }
}

void spec_facets(struct arena *arena, const struct cluster_spec *spec, struct facet_list *facets)
{
    struct builder builder = {.arena = arena, .spec = spec};
    add_rows(&builder);
    for (size_t i = 0; i < spec->node_count; i++) {
        builder.node = &spec->nodes[i];
        add_rows(&builder);
    }
    builder.node = NULL;
    builder.entrance = spec->balancer;
    if (builder.entrance)
        add_rows(&builder);
    if (builder.count)
        qsort(builder.items, builder.count, sizeof(*builder.items), facet_compare);
    *facets = (struct facet_list){.items = builder.items, .count = builder.count};
}

const char *facet_shape(struct arena *arena, const struct facet_list *facets, const char *node)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < facets->count; i++) {
        const struct facet *facet = &facets->items[i];
        if (facet->change < CHANGE_REPLACE || (facet->node && strcmp(facet->node, node) != 0))
            continue;
        text_add_bytes(&text, facet->path, strlen(facet->path) + 1);
        text_add_bytes(&text, facet->value, strlen(facet->value) + 1);
    }
    char hex[SHA256_DIGITS + 1];
    sha256(text.data, text.length, hex);
    return arena_string(arena, hex);
}

const char *facet_digest(struct arena *arena, const struct facet_list *facets)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    for (size_t i = 0; i < facets->count; i++) {
        text_add_bytes(&text, facets->items[i].path, strlen(facets->items[i].path) + 1);
        text_add_bytes(&text, facets->items[i].value, strlen(facets->items[i].value) + 1);
    }
    char hex[SHA256_DIGITS + 1];
    sha256(text.data, text.length, hex);
    return arena_string(arena, hex);
}

struct facet facet_of_path(struct arena *arena, const char *path, const char *value)
{
    static const char prefix[] = "nodes[";
    struct facet facet = {.path = arena_string(arena, path),
                          .value = arena_string(arena, value),
                          .change = CHANGE_RECREATE};
    const char *end = NULL, *field = path;
    if (strncmp(path, prefix, strlen(prefix)) == 0)
        end = strstr(path, "].");
    if (end) {
        const char *name = path + strlen(prefix);
        facet.node = arena_string_n(arena, name, (size_t)(end - name));
        field = end + 2;
    }
    size_t length = strcspn(field, "[");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *known = rows[i].field;
        if ((rows[i].scope != OF_CLUSTER) == (facet.node != NULL) && strlen(known) == length &&
            memcmp(known, field, length) == 0)
            facet.change = rows[i].change;
    }
    return facet;
}
