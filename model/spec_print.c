#include "model/spec_print.h"

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

static void add_node(struct text *text, const struct node_spec *node)
{
    text_add_format(text, "# %s\n- role: %s\n", node->name, node_role_name(node->role));
    if (node->image)
        add_field(text, "  ", "image", node->image);
    add_pairs(text, "  ", "labels", &node->labels);
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

void spec_print(const struct cluster_spec *spec, struct text *text)
{
    text_add(text, "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n");
    add_field(text, "", "name", spec->name);
    add_networking(text, &spec->networking);
    add_flags(text, "featureGates", &spec->feature_gates);
    add_pairs(text, "", "runtimeConfig", &spec->runtime_config);
    add_strings(text, "", "kubeadmConfigPatches", &spec->kubeadm_patches);
    add_json6902(text, "", &spec->kubeadm_patches_6902);
    add_strings(text, "", "containerdConfigPatches", &spec->containerd_patches);
    add_strings(text, "", "containerdConfigPatchesJSON6902", &spec->containerd_patches_6902);
    text_add(text, "nodes:\n");
    for (size_t i = 0; i < spec->node_count; i++)
        add_node(text, &spec->nodes[i]);
}

void fleet_spec_print(const struct fleet_spec *fleet, struct text *text)
{
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        text_add(text, "---\n");
        spec_print(&fleet->clusters[i], text);
    }
}
