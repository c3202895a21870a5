/* A node's container: made, started, stopped ones started again, and deleted. */
#include "drivers/docker_flow.h"

#include "drivers/port.h"
#include <string.h>
#include <unistd.h>

enum { CREATE_MS = 60 * 1000, START_MS = 60 * 1000, DELETE_MS = 120 * 1000 };

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

static json_t *binds_of(struct docker_flow *df)
{
    json_t *binds = json_pack("[s]", "/lib/modules:/lib/modules:ro");
    for (size_t i = 0; i < df->node->mount_count; i++)
        add_bind(binds, df->flow.arena, &df->node->mounts[i]);
    return binds;
}

static json_t *labels_of(struct docker_flow *df)
{
    struct facet_list facets;
    spec_facets(df->flow.arena, df->input.spec, &facets);
    return json_pack("{s:s,s:s,s:s,s:s}", LABEL_CLUSTER, df->cluster, LABEL_ROLE,
                     node_role_name(df->node->role), LABEL_OWNER, df->docker->options.fleet,
                     LABEL_SHAPE, facet_shape(df->flow.arena, &facets, df->node->name));
}

static json_t *environment_of(struct docker_flow *df)
{
    const struct networking_spec *networking = &df->input.spec->networking;
    json_t *environment = json_array();
    if (networking->dns_search_set) {
        const char *domains = "";
        for (size_t i = 0; i < networking->dns_search.count; i++)
            domains = arena_format(df->flow.arena, "%s%s%s", domains, i ? " " : "",
                                   networking->dns_search.items[i]);
        json_array_append_new(
            environment, string_of(arena_format(df->flow.arena, "KIND_DNS_SEARCH=%s", domains)));
    }
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
    if (port == PORT_PICK && port_pick(&df->port_hold, address, &port, err))
        return -1;
    if (port == PORT_ENGINE_PICKS)
        port = 0;
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

static int publish_all(struct docker_flow *df, struct publishing *into, struct error **err)
{
    const struct networking_spec *networking = &df->input.spec->networking;
    for (size_t i = 0; i < df->node->port_count; i++) {
        const struct port_spec *port = &df->node->ports[i];
        if (publish(df, into, port->listen_address, port->host_port, port->container_port,
                    protocol_word(port->protocol), err))
            return -1;
    }
    if (df->node->role != NODE_CONTROL_PLANE)
        return 0;
    return publish(df, into, networking->api_server_address, networking->api_server_port, 6443,
                   "tcp", err);
}

/*
 * The only control plane holds the name that a load balancer would have, so
 * that the cluster's endpoint stays the same when one is put before it.
 */
static json_t *endpoint_of(struct docker_flow *df)
{
    json_t *endpoint = json_object();
    if (df->node->role == NODE_CONTROL_PLANE)
        json_object_set_new(
            endpoint, "Aliases",
            json_pack("[s]",
                      arena_format(df->flow.arena, "%s-external-load-balancer", df->cluster)));
    if (df->address)
        json_object_set_new(endpoint, "IPAMConfig", json_pack("{s:s}", "IPv4Address", df->address));
    return endpoint;
}

static json_t *host_config_of(struct docker_flow *df, json_t *bindings)
{
    json_t *config =
        json_pack("{s:b,s:[s,s],s:{s:s,s:s},s:o,s:o,s:{s:s,s:i},s:b,s:s,s:s}", "Privileged", 1,
                  "SecurityOpt", "seccomp=unconfined", "apparmor=unconfined", "Tmpfs", "/tmp", "",
                  "/run", "", "Binds", binds_of(df), "PortBindings", bindings, "RestartPolicy",
                  "Name", "on-failure", "MaximumRetryCount", 1, "Init", 0, "CgroupnsMode",
                  "private", "NetworkMode", df->docker->options.network);
    if (df->input.spec->networking.family != IP_FAMILY_IPV4)
        json_object_set_new(config, "Sysctls",
                            json_pack("{s:s,s:s}", "net.ipv6.conf.all.disable_ipv6", "0",
                                      "net.ipv6.conf.all.forwarding", "1"));
    return config;
}

static char *create_body(struct docker_flow *df, struct error **err)
{
    struct publishing ports = {.exposed = json_object(), .bindings = json_object()};
    if (publish_all(df, &ports, err)) {
        json_decref(ports.exposed);
        json_decref(ports.bindings);
        return NULL;
    }
    json_t *body = json_pack(
        "{s:s,s:s,s:b,s:o,s:o,s:{s:{}},s:o,s:o,s:{s:{s:o}}}", "Hostname", df->node->name, "Image",
        df->image, "Tty", 1, "Labels", labels_of(df), "Env", environment_of(df), "Volumes", "/var",
        "ExposedPorts", ports.exposed, "HostConfig", host_config_of(df, ports.bindings),
        "NetworkingConfig", "EndpointsConfig", df->docker->options.network, endpoint_of(df));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* The name is taken: by a node of ours that another round made, or by a stranger? */
static enum step_status name_taken(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    json_t *seen = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *labels = json_object_get(json_object_get(seen, "Config"), "Labels");
    const char *owner = json_string_value(json_object_get(labels, LABEL_OWNER));
    const char *cluster = json_string_value(json_object_get(labels, LABEL_CLUSTER));
    bool ours = owner && cluster && strcmp(owner, df->docker->options.fleet) == 0 &&
                strcmp(cluster, df->cluster) == 0;
    json_decref(seen);
    if (ours)
        error_set(err, ERROR_CONFLICT, "container %s has appeared meanwhile", df->node->name);
    else
        error_set(err, ERROR_INVALID,
                  "the name %s is taken by a container that fleet '%s' did not make; it is left "
                  "alone: rename the cluster, or remove that container yourself",
                  df->node->name, df->docker->options.fleet);
    return STEP_FAILED;
}

static enum step_status create(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        char *body = create_body(df, err);
        if (!body)
            return STEP_FAILED;
        port_release(&df->port_hold);
        const char *base = arena_format(flow->arena, "/containers/create?name=");
        flow_send(flow, "POST", docker_path(flow, base, df->node->name), body);
        free(body);
        return STEP_WAITING;
    }
    if (flow->turn == 2)
        return name_taken(flow, answer, err);
    if (answer->status == 409) {
        flow_send(flow, "GET", arena_format(flow->arena, "/containers/%s/json", df->node->name),
                  NULL);
        return STEP_WAITING;
    }
    if (answer->status != 201)
        return docker_refused(flow, answer, "create the container", err);
    json_t *created = json_loadb(answer->body, answer->length, 0, NULL);
    struct node_state *made = arena_alloc(flow->arena, sizeof(*made));
    made->name = df->node->name;
    made->id = arena_string(flow->arena, json_string_value(json_object_get(created, "Id")));
    json_decref(created);
    if (!made->id)
        return docker_refused(flow, answer, "create the container", err);
    df->found = made;
    return STEP_DONE;
}

static bool is_port_trouble(const char *message)
{
    return strstr(message, "port is already allocated") ||
           strstr(message, "address already in use");
}

static bool is_address_trouble(const char *message)
{
    return strstr(message, "Address already in use") != NULL;
}

/* What follows the last colon of a nested message. */
static const char *last_part(const char *message)
{
    const char *colon = strrchr(message, ':');
    return colon && colon[1] == ' ' ? colon + 2 : message;
}

/* "127.0.0.1:6443" out of the engine's words on a port that is taken; "" if they are others. */
static const char *port_of(struct flow *flow, const char *message)
{
    const char *begin = strstr(message, "Bind for "); /* by another container */
    if (begin) {
        begin += strlen("Bind for ");
        return arena_format(flow->arena, "%.*s ", (int)strcspn(begin, " "), begin);
    }
    begin = strstr(message, ": listen "); /* by a process: "listen tcp4 127.0.0.1:6443: bind" */
    begin = begin ? strchr(begin + strlen(": listen "), ' ') : NULL;
    const char *end = begin ? strstr(begin, ": bind:") : NULL;
    return end ? arena_format(flow->arena, "%.*s ", (int)(end - begin - 1), begin + 1) : "";
}

/* Why a container did not start, in words that say what to do. */
static void explain_start(struct flow *flow, const struct answer *answer, struct error **err)
{
    const char *message = docker_message(flow, answer);
    if (is_address_trouble(message))
        error_set(err, ERROR_CONFLICT, "start the container: the engine says: %s", message);
    else if (is_port_trouble(message))
        error_set(err, ERROR_UNAVAILABLE,
                  "host port %sis in use (the engine says: %s); stop what listens there, or change "
                  "apiServerPort or extraPortMappings (0 picks a free port)",
                  port_of(flow, message), last_part(message));
    else
        error_set(err, ERROR_UNAVAILABLE, "start the container: the engine says: %s", message);
}

/* A new container that cannot start is removed again: it holds nothing, and its port was wrong. */
static enum step_status start_new(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        flow_send(flow, "POST", arena_format(flow->arena, "/containers/%s/start", df->found->id),
                  NULL);
        return STEP_WAITING;
    }
    if (flow->turn == 2) {
        error_set(err, ERROR_UNAVAILABLE, "%s", df->trouble);
        return STEP_FAILED;
    }
    if (answer->status == 204 || answer->status == 304)
        return STEP_DONE;
    struct error *why = NULL;
    explain_start(flow, answer, &why);
    df->trouble = arena_string(flow->arena, why->message);
    error_free(why);
    flow_send(flow, "DELETE",
              arena_format(flow->arena, "/containers/%s?force=1&v=1", df->found->id), NULL);
    return STEP_WAITING;
}

#define DOCKER_BOOT                                                                                \
    {.name = "boot", .run = docker_await_boot, .timeout_ms = 90000, .poll_ms = 200},               \
    {                                                                                              \
        .name = "wait for containerd", .run = docker_await_containerd, .timeout_ms = 90000,        \
        .poll_ms = 100                                                                             \
    }

const struct step docker_create_steps[] = {
    DOCKER_REACH,
    {.name = "choose the image", .run = docker_choose_image, .timeout_ms = 10000},
    {.name = "choose an address", .run = docker_choose_address, .timeout_ms = 10000},
    {.name = "create the container", .run = create, .timeout_ms = CREATE_MS},
    {.name = "start the container", .run = start_new, .timeout_ms = START_MS},
    DOCKER_BOOT,
    {0},
};

static enum step_status start_existing(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    bool paused = df->found->status == CONTAINER_PAUSED;
    if (!answer) {
        flow_send(flow, "POST",
                  arena_format(flow->arena, "/containers/%s/%s", df->found->id,
                               paused ? "unpause" : "start"),
                  NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 304)
        return STEP_DONE;
    explain_start(flow, answer, err);
    return STEP_FAILED;
}

const struct step docker_start_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "start the container", .run = start_existing, .timeout_ms = START_MS},
    DOCKER_BOOT,
    {0},
};

/* Deletes and makes sure: the engine may say yes before the container is gone. */
static enum step_status delete_container(struct flow *flow, const struct answer *answer,
                                         struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!df->found)
        return STEP_DONE;
    if (!answer) {
        flow_send(flow, "DELETE",
                  arena_format(flow->arena, "/containers/%s?force=1&v=1", df->found->id), NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 404)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->status == 409)
        return STEP_AGAIN; /* somebody else's removal is in progress */
    return docker_refused(flow, answer, "delete the container", err);
}

const struct step docker_delete_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "delete the container",
     .run = delete_container,
     .timeout_ms = DELETE_MS,
     .poll_ms = 200},
    {0},
};
