#include "base/memory.h"
#include "drivers/fake_container.h"
#include <regex.h>

static json_t *networks_json(struct fake_world *world, const struct fake_container *container)
{
    json_t *networks = json_object();
    for (size_t i = 0; i < container->endpoint_count; i++) {
        const struct fake_endpoint *endpoint = &container->endpoints[i];
        struct fake_network *network = fake_network_find(world, endpoint->network);
        json_object_set_new(networks, network ? network->name : endpoint->network,
                            fake_endpoint_json(world, endpoint));
    }
    return networks;
}

/* --- list --- */

static json_t *list_ports(const struct fake_container *container)
{
    json_t *ports = json_array();
    for (size_t i = 0; i < container->port_count; i++) {
        const struct fake_port *port = &container->ports[i];
        const char *slash = strchr(port->container_port, '/');
        if (port->port)
            json_array_append_new(
                ports, json_pack("{s:s, s:I, s:i, s:s}", "IP", port->address, "PrivatePort",
                                 (json_int_t)strtol(port->container_port, NULL, 10), "PublicPort",
                                 (int)port->port, "Type", slash ? slash + 1 : "tcp"));
    }
    return ports;
}

static const char *status_text(struct fake_call *call, const struct fake_container *container)
{
    switch (container->run) {
    case FAKE_CREATED:
        return "Created";
    case FAKE_RUNNING:
        return "Up Less than a second";
    case FAKE_PAUSED:
        return "Up Less than a second (Paused)";
    case FAKE_EXITED:
        return arena_format(call->arena, "Exited (%d) Less than a second ago",
                            container->exit_code);
    }
    return "";
}

static json_t *list_json(struct fake_call *call, struct fake_container *container)
{
    json_t *host = json_object_get(container->request, "HostConfig");
    const char *mode = fake_json_string(host, "NetworkMode");
    return json_pack("{s:s, s:[s+], s:s, s:s, s:s, s:I, s:o, s:O, s:s, s:s, s:{s:s}, s:{s:o}, s:O}",
                     "Id", container->id, "Names", "/", container->name, "Image", container->image,
                     "ImageID", container->image_id, "Command",
                     container->node.is_node ? "/usr/local/bin/entrypoint /sbin/init" : "sh",
                     "Created", (json_int_t)(container->created_at_ms / 1000), "Ports",
                     list_ports(container), "Labels", container->labels, "State",
                     fake_container_state(container), "Status", status_text(call, container),
                     "HostConfig", "NetworkMode", *mode ? mode : "default", "NetworkSettings",
                     "Networks", networks_json(call->world, container), "Mounts",
                     container->mounts);
}

const char *fake_container_fragment(struct fake_call *call, struct fake_container *container)
{
    if (container->before && call->now_ms < container->before_until_ms &&
        container->run == FAKE_EXITED)
        return container->before;
    if (!container->fragment) {
        json_t *value = list_json(call, container);
        container->fragment = json_dumps(value, JSON_COMPACT);
        json_decref(value);
    }
    return container->fragment;
}

struct subject {
    struct fake_world *world;
    const struct fake_container *container;
};

static bool name_matches(const void *context, const char *value)
{
    const struct subject *subject = context;
    regex_t expression;
    cleanup_free char *slashed = memory_format("/%s", subject->container->name);
    if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB) != 0)
        return strstr(slashed, value) != NULL;
    bool match = regexec(&expression, slashed, 0, NULL, 0) == 0 ||
                 regexec(&expression, slashed + 1, 0, NULL, 0) == 0;
    regfree(&expression);
    return match;
}

static bool id_matches(const void *context, const char *value)
{
    const struct subject *subject = context;
    return strncmp(subject->container->id, value, strlen(value)) == 0;
}

static bool network_matches(const void *context, const char *value)
{
    const struct subject *subject = context;
    struct fake_network *network = fake_network_find(subject->world, value);
    return fake_container_endpoint(subject->world, subject->container, network) != NULL;
}

static bool status_matches(const void *context, const char *value)
{
    const struct subject *subject = context;
    return strcmp(fake_container_state(subject->container), value) == 0;
}

static bool volume_matches(const void *context, const char *value)
{
    const struct subject *subject = context;
    size_t i;
    json_t *mount;
    json_array_foreach(subject->container->mounts, i, mount)
    {
        if (strcmp(fake_json_string(mount, "Name"), value) == 0 ||
            strcmp(fake_json_string(mount, "Destination"), value) == 0)
            return true;
    }
    return false;
}

static bool is_listed(struct fake_call *call, const struct fake_container *container,
                      const json_t *filters)
{
    const struct subject subject = {call->world, container};
    bool all = fake_call_flag(call, "all") || json_object_get(filters, "status");
    return (all || container->run == FAKE_RUNNING || container->run == FAKE_PAUSED) &&
           fake_filter_all(filters, "label", fake_label_matches, container->labels) &&
           fake_filter_any(filters, "name", name_matches, &subject) &&
           fake_filter_any(filters, "id", id_matches, &subject) &&
           fake_filter_any(filters, "network", network_matches, &subject) &&
           fake_filter_any(filters, "status", status_matches, &subject) &&
           fake_filter_any(filters, "volume", volume_matches, &subject);
}

/* Newest first, as the engine lists. */
static void render_list(struct fake_call *call, const json_t *filters, struct text *text)
{
    struct fake_world *world = call->world;
    size_t count = HASH_CNT(by_id, world->containers), limit = SIZE_MAX, listed = 0;
    struct fake_container **all =
        arena_array(call->arena, count + 1, sizeof(struct fake_container *));
    struct fake_container *container = world->containers;
    for (size_t i = count; container; container = container->by_id.next)
        all[--i] = container;
    if (fake_call_query(call, "limit"))
        limit = strtoul(fake_call_query(call, "limit"), NULL, 10);
    text_add(text, "[");
    for (size_t i = 0; i < count && listed < limit; i++) {
        if (!is_listed(call, all[i], filters))
            continue;
        text_add(text, listed++ ? "," : "");
        text_add(text, fake_container_fragment(call, all[i]));
    }
    text_add(text, "]\n");
}

static struct fake_list *find_list(struct fake_world *world, const char *key)
{
    /* What is told late changes by itself. */
    for (size_t i = 0; i < FAKE_LISTS_MAX && !world->settings.late_ms; i++)
        if (world->lists[i].key && strcmp(world->lists[i].key, key) == 0 &&
            world->lists[i].version == world->containers_version)
            return &world->lists[i];
    return NULL;
}

static struct fake_list *add_list(struct fake_call *call, const char *key, const json_t *filters)
{
    struct fake_world *world = call->world;
    struct fake_list *list = &world->lists[world->next_list++ % FAKE_LISTS_MAX];
    free(list->key);
    fake_bytes_unref(list->bytes);
    *list = (struct fake_list){memory_string(key), world->containers_version, fake_bytes_new()};
    render_list(call, filters, &list->bytes->text);
    return list;
}

void fake_container_list(struct fake_call *call)
{
    static const char *const known[] = {"label",  "name",    "id",     "network", "status",
                                        "volume", "before",  "since",  "exited",  "ancestor",
                                        "health", "publish", "expose", "is-task", NULL};
    const char *key = strchr(call->request->target, '?');
    struct fake_list *list = find_list(call->world, key ? key : "");
    if (!list) {
        json_t *filters = fake_call_filters(call, known);
        if (!filters)
            return;
        list = add_list(call, key ? key : "", filters);
        json_decref(filters);
    }
    fake_call_text(call, 200, "application/json", "");
    fake_bytes_unref(call->reply->body);
    call->reply->body = fake_bytes_ref(list->bytes);
}

/* --- inspection --- */

static json_t *bound_ports(const struct fake_container *container)
{
    json_t *ports = json_object();
    for (size_t i = 0; i < container->port_count; i++) {
        const struct fake_port *port = &container->ports[i];
        if (!port->port)
            continue;
        json_t *list = json_object_get(ports, port->container_port);
        if (!list) {
            list = json_array();
            json_object_set_new(ports, port->container_port, list);
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "HostIp", port->address, "HostPort",
                                              json_sprintf("%u", port->port)));
    }
    return ports;
}

static json_t *state_json(struct fake_call *call, const struct fake_container *container)
{
    bool paused = container->run == FAKE_PAUSED, running = container->run == FAKE_RUNNING || paused;
    return json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:i, s:i, s:s, s:s, s:s}", "Status",
                     fake_container_state(container), "Running", running, "Paused", paused,
                     "Restarting", 0, "OOMKilled", 0, "Dead", 0, "Pid", running ? 4242 : 0,
                     "ExitCode", container->exit_code, "Error",
                     container->error ? container->error : "", "StartedAt",
                     fake_time(call->arena, container->started_at_ms), "FinishedAt",
                     fake_time(call->arena, container->finished_at_ms));
}

static json_t *config_json(const struct fake_container *container)
{
    json_t *config = json_copy(container->request);
    json_object_del(config, "HostConfig");
    json_object_del(config, "NetworkingConfig");
    json_object_set(config, "Labels", container->labels);
    json_object_set_new(config, "Image", json_string(container->image));
    return config;
}

static json_t *host_json(const struct fake_container *container)
{
    json_t *host = json_copy(json_object_get(container->request, "HostConfig"));
    return host ? host : json_pack("{s:s}", "NetworkMode", "default");
}

void fake_container_inspect(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    json_t *first = container->endpoint_count
                        ? fake_endpoint_json(call->world, &container->endpoints[0])
                        : NULL;
    json_t *settings = json_pack("{s:o, s:o, s:s, s:s}", "Ports", bound_ports(container),
                                 "Networks", networks_json(call->world, container), "IPAddress",
                                 container->endpoint_count &&
                                         strcmp(container->endpoints[0].network, "bridge") == 0
                                     ? fake_json_string(first, "IPAddress")
                                     : "",
                                 "GlobalIPv6Address", "");
    json_decref(first);
    fake_call_reply(
        call, 200,
        json_pack("{s:s, s:s, s:s, s:[s], s:o, s:s, s:s+, s:i, s:s, s:s, s:o, s:O, s:o, s:o}", "Id",
                  container->id, "Created", fake_time(call->arena, container->created_at_ms),
                  "Path", "/usr/local/bin/entrypoint", "Args", "/sbin/init", "State",
                  state_json(call, container), "Image", container->image_id, "Name", "/",
                  container->name, "RestartCount", 0, "Driver", "overlay2", "Platform", "linux",
                  "HostConfig", host_json(container), "Mounts", container->mounts, "Config",
                  config_json(container), "NetworkSettings", settings));
}

void fake_volume_list(struct fake_call *call)
{
    json_t *volumes = json_array(), *owner;
    const char *name;
    json_object_foreach(call->world->volumes, name, owner)
    {
        json_array_append_new(volumes, json_pack("{s:s, s:s, s:s, s:n}", "Name", name, "Driver",
                                                 "local", "Scope", "local", "Labels"));
    }
    fake_call_reply(call, 200, json_pack("{s:o, s:[]}", "Volumes", volumes, "Warnings"));
}
