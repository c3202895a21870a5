#include "model/spec_print.h"

#include "base/duration.h"
#include "base/memory.h"
#include "model/moment.h"
#include "model/quantity.h"
#include <stdio.h>
#include <string.h>

/* One character of valid UTF-8, decoded; *at moves past it. */
static unsigned take_character(const char **at)
{
    const unsigned char *c = (const unsigned char *)*at;
    unsigned more = c[0] < 0xC0 ? 0 : c[0] < 0xE0 ? 1 : c[0] < 0xF0 ? 2 : 3;
    unsigned character = more ? c[0] & (0x3Fu >> more) : c[0];
    unsigned taken = 1;
    for (; taken <= more && (c[taken] & 0xC0) == 0x80; taken++)
        character = character << 6 | (c[taken] & 0x3F);
    *at += taken;
    return character;
}

/* In double quotes, all but printable ASCII escaped: no YAML reader can misread it. */
static void add_string(struct text *text, const char *string)
{
    text_add(text, "\"");
    while (*string) {
        unsigned character = take_character(&string);
        if (character == '"' || character == '\\')
            text_add_format(text, "\\%c", (int)character);
        else if (character == '\n')
            text_add(text, "\\n");
        else if (character >= 0x20 && character < 0x7F)
            text_add_char(text, (char)character, 1);
        else
            text_add_format(text, character > 0xFFFF ? "\\U%08X" : "\\u%04X", character);
    }
    text_add(text, "\"");
}

static void add_field(struct text *text, const char *indent, const char *name, const char *string)
{
    text_add_format(text, "%s%s: ", indent, name);
    add_string(text, string);
    text_add(text, "\n");
}

static void add_pairs(struct text *text, const char *indent, const char *name,
                      const struct pair_list *pairs)
{
    text_add_format(text, "%s%s:%s\n", indent, name, pairs->count ? "" : " {}");
    for (size_t i = 0; i < pairs->count; i++) {
        text_add_format(text, "%s  ", indent);
        add_string(text, pairs->items[i].key);
        text_add(text, ": ");
        add_string(text, pairs->items[i].value);
        text_add(text, "\n");
    }
}

/* As pairs, but the values are the words true and false. */
static void add_flags(struct text *text, const char *name, const struct pair_list *pairs)
{
    text_add_format(text, "%s:%s\n", name, pairs->count ? "" : " {}");
    for (size_t i = 0; i < pairs->count; i++) {
        text_add(text, "  ");
        add_string(text, pairs->items[i].key);
        text_add_format(text, ": %s\n", pairs->items[i].value);
    }
}

static void add_strings(struct text *text, const char *indent, const char *name,
                        const struct string_list *strings)
{
    text_add_format(text, "%s%s:%s\n", indent, name, strings->count ? "" : " []");
    for (size_t i = 0; i < strings->count; i++) {
        text_add_format(text, "%s- ", indent);
        add_string(text, strings->items[i]);
        text_add(text, "\n");
    }
}

static void add_json6902(struct text *text, const char *indent, const struct json6902_list *patches)
{
    text_add_format(text, "%skubeadmConfigPatchesJSON6902:%s\n", indent,
                    patches->count ? "" : " []");
    for (size_t i = 0; i < patches->count; i++) {
        const struct json6902_spec *patch = &patches->items[i];
        text_add_format(text, "%s- group: ", indent);
        add_string(text, patch->group);
        text_add_format(text, "\n%s  version: ", indent);
        add_string(text, patch->version);
        text_add_format(text, "\n%s  kind: ", indent);
        add_string(text, patch->kind);
        text_add_format(text, "\n%s  patch: ", indent);
        add_string(text, patch->patch);
        text_add(text, "\n");
    }
}

static const char *word(bool value)
{
    return value ? "true" : "false";
}

static void add_mounts(struct text *text, const struct node_spec *node)
{
    text_add_format(text, "  extraMounts:%s\n", node->mount_count ? "" : " []");
    for (size_t i = 0; i < node->mount_count; i++) {
        const struct mount_spec *mount = &node->mounts[i];
        text_add(text, "  - hostPath: ");
        add_string(text, mount->host_path);
        text_add(text, "\n");
        add_field(text, "    ", "containerPath", mount->container_path);
        text_add_format(text, "    readOnly: %s\n    selinuxRelabel: %s\n    propagation: %s\n",
                        word(mount->read_only), word(mount->selinux_relabel),
                        mount_propagation_name(mount->propagation));
    }
}

static void add_ports(struct text *text, const struct node_spec *node)
{
    text_add_format(text, "  extraPortMappings:%s\n", node->port_count ? "" : " []");
    for (size_t i = 0; i < node->port_count; i++) {
        const struct port_spec *port = &node->ports[i];
        text_add_format(text, "  - containerPort: %d\n    hostPort: %d\n", port->container_port,
                        port->host_port);
        add_field(text, "    ", "listenAddress", port->listen_address);
        text_add_format(text, "    protocol: %s\n", port_protocol_name(port->protocol));
    }
}

/* Taints in kubectl's form, quantities as Kubernetes writes them. */
static void add_taints(struct text *text, const struct node_spec *node)
{
    if (node->taint_count)
        text_add(text, "  taints:\n");
    for (size_t i = 0; i < node->taint_count; i++) {
        const struct taint_spec *taint = &node->taints[i];
        text_add_format(text, "  - \"%s%s%s:%s\"\n", taint->key, *taint->value ? "=" : "",
                        taint->value, taint->effect);
    }
}

static void add_resources(struct text *text, const struct resources_spec *resources)
{
    cleanup_arena struct arena *arena = arena_new();
    if (resources->memory_bytes || resources->cpu_milli)
        text_add(text, "  resources:\n");
    if (resources->memory_bytes)
        text_add_format(text, "    memory: \"%s\"\n",
                        quantity_bytes(arena, resources->memory_bytes));
    if (resources->cpu_milli)
        text_add_format(text, "    cpus: \"%s\"\n", quantity_milli(arena, resources->cpu_milli));
}

/*
 * The part of a node's name that is its own; NULL where it follows from role
 * and number. *ordinals count those of a role.
 */
static const char *own_name(const struct cluster_spec *spec, const struct node_spec *node,
                            size_t ordinals[])
{
    const char *own = node->name + strlen(spec->name) + 1;
    const char *role = node_role_name(node->role);
    size_t length = strlen(role), ordinal = ordinals[node->role] + 1;
    char number[24] = "";
    if (ordinal > 1)
        snprintf(number, sizeof(number), "%zu", ordinal);
    if (strncmp(own, role, length) != 0 || strcmp(own + length, number) != 0)
        return own;
    ordinals[node->role] = ordinal;
    return NULL;
}

static void add_node(struct text *text, const struct node_spec *node, const char *own)
{
    text_add_format(text, "# %s\n- role: %s\n", node->name, node_role_name(node->role));
    if (own)
        text_add_format(text, "  name: %s\n", own);
    if (node->image)
        add_field(text, "  ", "image", node->image);
    add_pairs(text, "  ", "labels", &node->labels);
    add_taints(text, node);
    add_resources(text, &node->resources);
    add_mounts(text, node);
    add_ports(text, node);
    add_strings(text, "  ", "kubeadmConfigPatches", &node->kubeadm_patches);
    add_json6902(text, "  ", &node->kubeadm_patches_6902);
}

static void add_networking(struct text *text, const struct networking_spec *networking)
{
    text_add_format(text, "networking:\n  ipFamily: %s\n", ip_family_name(networking->family));
    add_field(text, "  ", "apiServerAddress", networking->api_server_address);
    text_add_format(text, "  apiServerPort: %d\n", networking->api_server_port);
    add_field(text, "  ", "podSubnet", networking->pod_subnet);
    add_field(text, "  ", "serviceSubnet", networking->service_subnet);
    text_add_format(text, "  disableDefaultCNI: %s\n  kubeProxyMode: %s\n",
                    word(networking->disable_default_cni), proxy_mode_name(networking->proxy_mode));
    if (networking->dns_search_set)
        add_strings(text, "  ", "dnsSearch", &networking->dns_search);
}

static bool has_life(const struct cluster_spec *spec)
{
    return spec->suspend || spec->protect || spec->allow_replace || spec->allow_recreate ||
           spec->allow_delete || spec->ttl_s || spec->expires_at_s || spec->dependency_count;
}

/* True if only a fleet.kind document can say it. */
static bool is_fleet_only(const struct cluster_spec *spec)
{
    size_t ordinals[] = {[NODE_CONTROL_PLANE] = 0, [NODE_WORKER] = 0};
    bool more =
        spec->preload.count || spec->manifest_count || spec->unsupported.count || has_life(spec);
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct node_spec *node = &spec->nodes[i];
        more = own_name(spec, node, ordinals) || node->taint_count ||
               node->resources.memory_bytes || node->resources.cpu_milli || more;
    }
    return more;
}

static void add_shape(struct text *text, const struct cluster_spec *spec)
{
    size_t ordinals[] = {[NODE_CONTROL_PLANE] = 0, [NODE_WORKER] = 0};
    add_networking(text, &spec->networking);
    add_flags(text, "featureGates", &spec->feature_gates);
    add_pairs(text, "", "runtimeConfig", &spec->runtime_config);
    add_strings(text, "", "kubeadmConfigPatches", &spec->kubeadm_patches);
    add_json6902(text, "", &spec->kubeadm_patches_6902);
    add_strings(text, "", "containerdConfigPatches", &spec->containerd_patches);
    add_strings(text, "", "containerdConfigPatchesJSON6902", &spec->containerd_patches_6902);
    text_add(text, "nodes:\n");
    for (size_t i = 0; i < spec->node_count; i++)
        add_node(text, &spec->nodes[i], own_name(spec, &spec->nodes[i], ordinals));
}

static void add_more(struct text *text, const struct cluster_spec *spec)
{
    if (spec->preload.count)
        add_strings(text, "", "preload", &spec->preload);
    if (spec->manifest_count)
        text_add(text, "manifests:\n");
    for (size_t i = 0; i < spec->manifest_count; i++) {
        text_add(text, "- ");
        add_string(text, spec->manifests[i].path);
        text_add(text, "\n");
    }
}

static void add_life(struct text *text, const struct cluster_spec *spec)
{
    const struct {
        bool given;
        const char *word;
    } allowed[] = {{spec->allow_replace, "replace-nodes"},
                   {spec->allow_recreate, "recreate"},
                   {spec->allow_delete, "delete"}};
    text_add(text, spec->suspend ? "suspend: true\n" : "");
    if (spec->ttl_s) {
        text_add(text, "ttl: ");
        duration_add(text, spec->ttl_s * 1000);
        text_add(text, "\n");
    }
    if (spec->expires_at_s) {
        text_add(text, "expiresAt: ");
        moment_add(text, spec->expires_at_s);
        text_add(text, "\n");
    }
    text_add(text, spec->protect ? "protect: true\n" : "");
    if (spec->allow_replace || spec->allow_recreate || spec->allow_delete)
        text_add(text, "allow:\n");
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (allowed[i].given)
            text_add_format(text, "- %s\n", allowed[i].word);
    text_add(text, spec->dependency_count ? "dependsOn:\n" : "");
    for (size_t i = 0; i < spec->dependency_count; i++) {
        text_add(text, "- ");
        add_string(text, spec->depends_on[i].name);
        text_add(text, "\n");
    }
}

/* Each line of it two blanks further in; no value goes over lines. */
static void add_indented(struct text *text, const char *lines)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        text_add_format(text, "  %.*s\n", (int)length, lines);
        lines += length + (lines[length] == '\n');
    }
}

static void print_fleet_cluster(const struct cluster_spec *spec, struct text *text)
{
    cleanup_text struct text shape;
    text_init(&shape, 0);
    text_add(text, "apiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata:\n");
    add_field(text, "  ", "name", spec->name);
    for (size_t i = 0; i < spec->unsupported.count; i++)
        text_add_format(text, "# not supported yet: %s\n", spec->unsupported.items[i]);
    text_add(text, "spec:\n");
    add_shape(&shape, spec);
    add_more(&shape, spec);
    add_life(&shape, spec);
    add_indented(text, shape.data);
}

void spec_print(const struct cluster_spec *spec, struct text *text)
{
    if (is_fleet_only(spec)) {
        print_fleet_cluster(spec, text);
        return;
    }
    text_add(text, "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n");
    add_field(text, "", "name", spec->name);
    add_shape(text, spec);
}

static void print_fleet(const struct fleet_spec *fleet, struct text *text)
{
    if (!fleet->prune && !fleet->max_deletions && !fleet->concurrency)
        return;
    text_add(text, "---\napiVersion: fleet.kind/v1alpha1\nkind: Fleet\nspec:\n");
    text_add(text, fleet->prune ? "  prune: true\n" : "");
    if (fleet->max_deletions)
        text_add_format(text, "  maxDeletions: %zu\n", fleet->max_deletions);
    if (fleet->concurrency)
        text_add_format(text, "  concurrency: %zu\n", fleet->concurrency);
}

void fleet_spec_print(const struct fleet_spec *fleet, struct text *text)
{
    print_fleet(fleet, text);
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        text_add(text, "---\n");
        spec_print(&fleet->clusters[i], text);
    }
}
