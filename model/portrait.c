#include "model/portrait.h"

#include "base/memory.h"
#include "model/document.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * DESIGN: what is wanted and can be seen to be so keeps the words and the
 * place that it has in the spec, so that it does not differ; what else is
 * there follows behind.
 */

enum { API_PORT = 6443, LIST_MAX = 256 };

void portrait_init(struct arena *arena, const struct cluster_spec *wanted,
                   struct portrait *portrait)
{
    portrait->spec = *wanted;
    portrait->nodes = arena_array(arena, wanted->node_count, sizeof(*portrait->nodes));
    for (size_t i = 0; i < wanted->node_count; i++) {
        portrait->nodes[i] = wanted->nodes[i];
        portrait->nodes[i].labels = (struct pair_list){NULL, 0};
        portrait->nodes[i].taint_count = 0;
    }
    portrait->spec.nodes = portrait->nodes;
    portrait->spec.preload.count = 0;
    portrait->spec.manifest_count = 0;
}

/* --- Mounts. --- */

static enum mount_propagation propagation_of(const char *word)
{
    if (strcmp(word, "rslave") == 0 || strcmp(word, "slave") == 0)
        return MOUNT_HOST_TO_CONTAINER;
    if (strcmp(word, "rshared") == 0 || strcmp(word, "shared") == 0)
        return MOUNT_BIDIRECTIONAL;
    return MOUNT_NONE;
}

/* "/host:/inside:ro,Z,rslave"; false for what is no bind of a folder of the host. */
static bool read_bind(struct arena *arena, const char *text, struct mount_spec *mount)
{
    char *rest = arena_string(arena, text);
    *mount = (struct mount_spec){.host_path = strsep(&rest, ":")};
    mount->container_path = strsep(&rest, ":");
    if (mount->host_path[0] != '/' || !mount->container_path)
        return false;
    for (const char *word; (word = strsep(&rest, ","));) {
        mount->read_only = mount->read_only || strcmp(word, "ro") == 0;
        mount->selinux_relabel = mount->selinux_relabel || strcasecmp(word, "z") == 0;
        if (propagation_of(word) != MOUNT_NONE)
            mount->propagation = propagation_of(word);
    }
    return true;
}

/* What every node has, whoever makes it. */
static bool is_of_every_node(const struct mount_spec *mount)
{
    return strcmp(mount->container_path, "/lib/modules") == 0 ||
           strcmp(mount->container_path, "/dev/mapper") == 0;
}

static bool is_same_mount(const struct mount_spec *a, const struct mount_spec *b)
{
    return strcmp(a->host_path, b->host_path) == 0 &&
           strcmp(a->container_path, b->container_path) == 0 && a->read_only == b->read_only &&
           a->selinux_relabel == b->selinux_relabel && a->propagation == b->propagation;
}

static void add_mounts(struct arena *arena, struct node_spec *node, const json_t *binds)
{
    size_t seen_count = 0, count = 0;
    struct mount_spec *seen = arena_array(arena, LIST_MAX, sizeof(*seen));
    bool told[LIST_MAX] = {false};
    for (size_t i = 0; i < json_array_size(binds) && seen_count < LIST_MAX; i++) {
        const char *bind = json_string_value(json_array_get(binds, i));
        if (bind && read_bind(arena, bind, &seen[seen_count]) &&
            !is_of_every_node(&seen[seen_count]))
            seen_count++;
    }
    struct mount_spec *mounts = arena_array(arena, seen_count + 1, sizeof(*mounts));
    for (size_t i = 0; i < node->mount_count; i++) {
        for (size_t j = 0; j < seen_count; j++) {
            if (told[j] || !is_same_mount(&node->mounts[i], &seen[j]))
                continue;
            told[j] = true;
            mounts[count++] = node->mounts[i];
            break;
        }
    }
    for (size_t j = 0; j < seen_count; j++) {
        if (!told[j])
            mounts[count++] = seen[j];
    }
    node->mounts = mounts;
    node->mount_count = count;
}

/* --- Ports. --- */

struct ports {
    struct port_spec items[LIST_MAX];
    bool told[LIST_MAX];
    size_t count;
};

static enum port_protocol protocol_of(const char *word)
{
    for (enum port_protocol protocol = PORT_TCP; protocol <= PORT_SCTP; protocol++) {
        if (strcasecmp(word, port_protocol_name(protocol)) == 0)
            return protocol;
    }
    return PORT_TCP;
}

/* All that are published; an engine has one list a port: {"80/tcp":[{"HostIp","HostPort"}]}. */
static void read_ports(struct arena *arena, const json_t *inspected, struct ports *ports)
{
    const json_t *host = json_object_get(inspected, "HostConfig"), *list, *item;
    const char *key;
    size_t i;
    ports->count = 0;
    json_object_foreach(json_object_get(host, "PortBindings"), key, list)
    {
        const char *slash = strchr(key, '/');
        json_array_foreach(list, i, item)
        {
            const char *address = json_string_value(json_object_get(item, "HostIp"));
            const char *port = json_string_value(json_object_get(item, "HostPort"));
            if (ports->count == LIST_MAX)
                return;
            ports->told[ports->count] = false;
            ports->items[ports->count++] = (struct port_spec){
                .container_port = (int32_t)strtol(key, NULL, 10),
                .host_port = port ? (int32_t)strtol(port, NULL, 10) : 0,
                .listen_address = arena_string(arena, address && *address ? address : "0.0.0.0"),
                .protocol = slash ? protocol_of(slash + 1) : PORT_TCP,
            };
        }
    }
}

/* A port that somebody is to pick is any. */
static bool is_same_port(const struct port_spec *want, const struct port_spec *have)
{
    return want->container_port == have->container_port && want->protocol == have->protocol &&
           strcmp(want->listen_address, have->listen_address) == 0 &&
           (want->host_port <= 0 || want->host_port == have->host_port);
}

static struct port_spec *take_port(struct ports *ports, const struct port_spec *want)
{
    for (size_t i = 0; i < ports->count; i++) {
        if (ports->told[i] || !is_same_port(want, &ports->items[i]))
            continue;
        ports->told[i] = true;
        return &ports->items[i];
    }
    return NULL;
}

/* Whoever publishes the API for users; the other control planes do so for themselves. */
static void take_api_port(struct portrait *portrait, struct ports *ports, bool is_entrance)
{
    struct networking_spec *networking = &portrait->spec.networking;
    for (size_t i = 0; i < ports->count; i++) {
        const struct port_spec *port = &ports->items[i];
        if (port->container_port != API_PORT || port->protocol != PORT_TCP)
            continue;
        ports->told[i] = true;
        if (!is_entrance)
            continue;
        networking->api_server_address = port->listen_address;
        if (networking->api_server_port > 0)
            networking->api_server_port = port->host_port;
    }
}

static void add_ports(struct arena *arena, struct node_spec *node, struct ports *ports)
{
    struct port_spec *items = arena_array(arena, ports->count + 1, sizeof(*items));
    size_t count = 0;
    for (size_t i = 0; i < node->port_count; i++) {
        if (take_port(ports, &node->ports[i]))
            items[count++] = node->ports[i];
    }
    for (size_t i = 0; i < ports->count; i++) {
        if (!ports->told[i])
            items[count++] = ports->items[i];
    }
    node->ports = items;
    node->port_count = count;
}

void portrait_add_container(struct arena *arena, struct portrait *portrait, const char *name,
                            const json_t *inspected)
{
    struct ports ports;
    read_ports(arena, inspected, &ports);
    if (portrait->spec.balancer && strcmp(name, portrait->spec.balancer) == 0)
        take_api_port(portrait, &ports, true);
    for (size_t i = 0; i < portrait->spec.node_count; i++) {
        struct node_spec *node = &portrait->nodes[i];
        if (strcmp(node->name, name) != 0)
            continue;
        const char *image =
            json_string_value(json_object_get(json_object_get(inspected, "Config"), "Image"));
        if (node->image && image)
            node->image = arena_string(arena, image);
        if (node->role == NODE_CONTROL_PLANE)
            take_api_port(portrait, &ports, !portrait->spec.balancer);
        add_ports(arena, node, &ports);
        add_mounts(arena, node, json_object_get(json_object_get(inspected, "HostConfig"), "Binds"));
    }
}

/* --- What kubeadm was told. --- */

static void take_text(struct arena *arena, const json_t *object, const char *key, const char **text)
{
    const char *value = json_string_value(json_object_get(object, key));
    if (value && *value)
        *text = arena_string(arena, value);
}

static enum ip_family family_of(const char *subnets)
{
    if (strchr(subnets, ',') && strchr(subnets, ':'))
        return IP_FAMILY_DUAL;
    return strchr(subnets, ':') ? IP_FAMILY_IPV6 : IP_FAMILY_IPV4;
}

static enum proxy_mode mode_of(const char *word, enum proxy_mode otherwise)
{
    for (enum proxy_mode mode = PROXY_IPTABLES; mode < PROXY_NONE; mode++) {
        if (word && strcmp(word, proxy_mode_name(mode)) == 0)
            return mode;
    }
    return otherwise;
}

static bool is_of_kind(const json_t *document, const char *kind)
{
    const char *word = json_string_value(json_object_get(document, "kind"));
    return word && strcmp(word, kind) == 0;
}

int portrait_add_configuration(struct arena *arena, struct portrait *portrait, const char *text,
                               size_t length, struct error **err)
{
    struct problem_list problems;
    problem_list_init(&problems, arena);
    json_t *documents = document_parse("kubeadm.conf", text, length, &problems), *document;
    struct networking_spec *networking = &portrait->spec.networking;
    bool found = false, has_proxy = false;
    size_t i;
    json_array_foreach(documents, i, document)
    {
        const json_t *told = json_object_get(document, "networking");
        if (is_of_kind(document, "ClusterConfiguration") && json_is_object(told)) {
            found = true;
            take_text(arena, told, "podSubnet", &networking->pod_subnet);
            take_text(arena, told, "serviceSubnet", &networking->service_subnet);
            networking->family = family_of(networking->service_subnet);
        }
        if (is_of_kind(document, "KubeProxyConfiguration")) {
            has_proxy = true;
            networking->proxy_mode =
                mode_of(json_string_value(json_object_get(document, "mode")), PROXY_IPTABLES);
        }
    }
    json_decref(documents);
    if (!found)
        return error_set(err, ERROR_INVALID, "it is no configuration of kubeadm");
    if (!has_proxy)
        networking->proxy_mode = PROXY_NONE;
    return 0;
}
