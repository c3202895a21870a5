/* What the engine is asked to make: a container as a node, or as a load balancer. */
#include "drivers/docker_flow.h"

#include "base/real_path.h"
#include "drivers/docker_info.h"
#include "drivers/docker_proxy.h"
#include "drivers/port.h"
#include <string.h>
#include <unistd.h>

enum { API_PORT = 6443, NANO_PER_MILLI = 1000 * 1000 };

static json_t *string_of(const char *value)
{
    return json_string(value);
}

static void add_bind(json_t *binds, struct arena *arena, const struct mount_spec *mount)
{
    const char *options[3];
    size_t count = 0;
    if (mount->read_only)
        options[count++] = "ro";
    if (mount->selinux_relabel)
        options[count++] = "Z";
    if (mount->propagation == MOUNT_HOST_TO_CONTAINER)
        options[count++] = "rslave";
    else if (mount->propagation == MOUNT_BIDIRECTIONAL)
        options[count++] = "rshared";
    const char *bind = arena_format(arena, "%s:%s", mount->host_path, mount->container_path);
    for (size_t i = 0; i < count; i++)
        bind = arena_format(arena, "%s%c%s", bind, i ? ',' : ':', options[i]);
    json_array_append_new(binds, string_of(bind));
}

/* Links may have been turned since a policy allowed what they led to. */
static int check_mounts(struct docker_flow *df, struct error **err)
{
    for (size_t i = 0; df->node && i < df->node->mount_count; i++) {
        const struct mount_spec *mount = &df->node->mounts[i];
        if (!mount->checked_path)
            continue;
        const char *real = real_path(df->flow.arena, mount->host_path);
        if (!real || strcmp(real, mount->checked_path) != 0)
            return error_set(err, ERROR_CONFLICT,
                             "%s of the host led to %s when the policy allowed it, and now %s%s; "
                             "not mounted",
                             mount->host_path, mount->checked_path,
                             real ? "leads to " : "cannot be followed", real ? real : "");
    }
    return 0;
}

static json_t *binds_of(struct docker_flow *df)
{
    json_t *binds = json_pack("[s]", "/lib/modules:/lib/modules:ro");
    if (engine_info_bind(df->info))
        json_array_append_new(binds, string_of(engine_info_bind(df->info)));
    for (size_t i = 0; i < df->node->mount_count; i++)
        add_bind(binds, df->flow.arena, &df->node->mounts[i]);
    return binds;
}

static const char *role_of(const struct docker_flow *df)
{
    return df->node ? node_role_name(df->node->role) : ROLE_BALANCER;
}

struct facet_list docker_facets(struct docker_flow *df)
{
    struct facet_list facets;
    if (df->input.record && df->input.record->count)
        return *df->input.record;
    spec_facets(df->flow.arena, df->input.spec, &facets);
    return facets;
}

static json_t *labels_of(struct docker_flow *df)
{
    struct facet_list facets = docker_facets(df);
    return json_pack("{s:s,s:s,s:s,s:s}", LABEL_CLUSTER, df->cluster, LABEL_ROLE, role_of(df),
                     LABEL_OWNER, df->docker->options.fleet, LABEL_SHAPE,
                     facet_shape(df->flow.arena, &facets, df->input.action->subject));
}

static json_t *environment_of(struct docker_flow *df)
{
    const struct networking_spec *networking = &df->input.spec->networking;
    json_t *environment = json_array();
    docker_add_proxy(df, environment);
    if (networking->dns_search_set) {
        const char *domains = "";
        for (size_t i = 0; i < networking->dns_search.count; i++)
            domains = arena_format(df->flow.arena, "%s%s%s", domains, i ? " " : "",
                                   networking->dns_search.items[i]);
        json_array_append_new(
            environment, string_of(arena_format(df->flow.arena, "KIND_DNS_SEARCH=%s", domains)));
    }
    if (!df->node)
        return environment;
    const char *snapshotter = getenv("KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER");
    if (snapshotter)
        json_array_append_new(
            environment,
            string_of(arena_format(df->flow.arena, "KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER=%s",
                                   snapshotter)));
    if (df->node->role == NODE_CONTROL_PLANE)
        json_array_append_new(environment, string_of("KUBECONFIG=/etc/kubernetes/admin.conf"));
    return environment;
}

static const char *protocol_word(enum port_protocol protocol)
{
    switch (protocol) {
    case PORT_TCP:
        return "tcp";
    case PORT_UDP:
        return "udp";
    case PORT_SCTP:
        return "sctp";
    }
    return "tcp";
}

struct publishing {
    json_t *exposed, *bindings;
};

/* Adds one mapping; a port that is ours to pick is held until the container is made. */
static int publish(struct docker_flow *df, struct publishing *into, const char *address,
                   int32_t host_port, int32_t container_port, const char *protocol,
                   struct error **err)
{
    int32_t port = host_port;
    enum port_host host = df->docker->endpoint.local ? PORT_HOST_THIS : PORT_HOST_OTHER;
    if (port_settle(&df->port_hold, host, address, &port, err))
        return -1;
    const char *key = arena_format(df->flow.arena, "%d/%s", container_port, protocol);
    json_t *list = json_object_get(into->bindings, key);
    if (!list) {
        list = json_array();
        json_object_set_new(into->bindings, key, list);
        json_object_set_new(into->exposed, key, json_object());
    }
    json_array_append_new(list, json_pack("{s:s,s:s}", "HostIp", address, "HostPort",
                                          arena_format(df->flow.arena, "%d", port)));
    return 0;
}

static int publish_ports(struct docker_flow *df, struct publishing *into, struct error **err)
{
    for (size_t i = 0; i < df->node->port_count; i++) {
        const struct port_spec *port = &df->node->ports[i];
        if (publish(df, into, port->listen_address, port->host_port, port->container_port,
                    protocol_word(port->protocol), err))
            return -1;
    }
    return 0;
}

/*
 * The API is published where the user wants it by the load balancer, or by the
 * only control plane. Behind a load balancer each publishes it for us, on a
 * loopback port of its own.
 */
static int publish_all(struct docker_flow *df, struct publishing *into, struct error **err)
{
    const struct networking_spec *networking = &df->input.spec->networking;
    if (df->node && publish_ports(df, into, err))
        return -1;
    if (df->node && df->node->role != NODE_CONTROL_PLANE)
        return 0;
    if (!df->node || !df->input.spec->balancer) {
        int32_t port = networking->api_server_port;
        if (port == PORT_PICK && df->inherited_port)
            port = df->inherited_port; /* kubeconfigs keep working */
        return publish(df, into, networking->api_server_address, port, API_PORT, "tcp", err);
    }
    const char *loopback = networking->family == IP_FAMILY_IPV6 ? "::1" : "127.0.0.1";
    return publish(df, into, loopback, PORT_PICK, API_PORT, "tcp", err);
}

/*
 * The only control plane holds the name that a load balancer would have, so
 * that the cluster's endpoint stays the same when one is put before it.
 */
static json_t *endpoint_of(struct docker_flow *df)
{
    json_t *endpoint = json_object();
    if (df->node && df->node->role == NODE_CONTROL_PLANE && !df->input.spec->balancer)
        json_object_set_new(
            endpoint, "Aliases",
            json_pack("[s]", arena_format(df->flow.arena, "%s" SPEC_BALANCER_SUFFIX, df->cluster)));
    json_t *fixed = json_object();
    if (df->address)
        json_object_set_new(fixed, "IPv4Address", string_of(df->address));
    if (df->address6)
        json_object_set_new(fixed, "IPv6Address", string_of(df->address6));
    if (json_object_size(fixed))
        json_object_set(endpoint, "IPAMConfig", fixed);
    json_decref(fixed);
    return endpoint;
}

/* What a load balancer needs, and nodes as well. */
static json_t *host_config_of(struct docker_flow *df, json_t *bindings)
{
    json_t *config =
        json_pack("{s:o,s:{s:s,s:i},s:b,s:s,s:s}", "PortBindings", bindings, "RestartPolicy",
                  "Name", "on-failure", "MaximumRetryCount", 1, "Init", 0, "CgroupnsMode",
                  "private", "NetworkMode", df->docker->options.network);
    if (df->input.spec->networking.family != IP_FAMILY_IPV4)
        json_object_set_new(config, "Sysctls",
                            json_pack("{s:s,s:s}", "net.ipv6.conf.all.disable_ipv6", "0",
                                      "net.ipv6.conf.all.forwarding", "1"));
    const char *device = engine_info_device(df->info);
    if (device)
        json_object_set_new(config, "Devices",
                            json_pack("[{s:s,s:s,s:s}]", "PathOnHost", device, "PathInContainer",
                                      device, "CgroupPermissions", "rwm"));
    if (engine_info_userns_mode(df->info))
        json_object_set_new(config, "UsernsMode", string_of(engine_info_userns_mode(df->info)));
    return config;
}

/* Swap would make room beyond the limit that the node's kubelet reports. */
static void limit(json_t *config, const struct resources_spec *resources)
{
    if (resources->memory_bytes) {
        json_object_set_new(config, "Memory", json_integer(resources->memory_bytes));
        json_object_set_new(config, "MemorySwap", json_integer(resources->memory_bytes));
    }
    if (resources->cpu_milli)
        json_object_set_new(config, "NanoCpus",
                            json_integer((json_int_t)resources->cpu_milli * NANO_PER_MILLI));
}

/* What makes a machine of a container. */
static void add_node(struct docker_flow *df, json_t *config)
{
    json_t *node = json_pack("{s:b,s:[s,s],s:{s:s,s:s},s:o}", "Privileged", 1, "SecurityOpt",
                             "seccomp=unconfined", "apparmor=unconfined", "Tmpfs", "/tmp", "",
                             "/run", "", "Binds", binds_of(df));
    json_object_update(config, node);
    json_decref(node);
    limit(config, &df->node->resources);
}

/*
 * haproxy's image begins by itself. Envoy's knows nothing of a load balancer of
 * ours: upstream's way is a script.
 */
static void add_balancer(struct docker_flow *df, json_t *body)
{
    const char *bind = engine_info_bind(df->info);
    if (bind)
        json_object_set_new(json_object_get(body, "HostConfig"), "Binds", json_pack("[s]", bind));
    const char *script = docker_balancer_script(df);
    if (script)
        json_object_set_new(body, "Cmd", json_pack("[s,s,s]", "bash", "-c", script));
}

char *docker_body(struct docker_flow *df, struct error **err)
{
    if (check_mounts(df, err))
        return NULL;
    struct publishing ports = {.exposed = json_object(), .bindings = json_object()};
    if (publish_all(df, &ports, err)) {
        json_decref(ports.exposed);
        json_decref(ports.bindings);
        return NULL;
    }
    json_t *config = host_config_of(df, ports.bindings);
    json_t *body = json_pack("{s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:{s:{s:o}}}", "Hostname",
                             df->input.action->subject, "Image", df->image, "Tty", 1, "Labels",
                             labels_of(df), "Env", environment_of(df), "ExposedPorts",
                             ports.exposed, "HostConfig", config, "NetworkingConfig",
                             "EndpointsConfig", df->docker->options.network, endpoint_of(df));
    if (df->node) {
        add_node(df, config);
        json_object_set_new(body, "Volumes", json_pack("{s:{}}", "/var"));
    } else {
        add_balancer(df, body);
    }
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}
