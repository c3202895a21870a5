#include "drivers/fake_container.h"

#include "base/memory.h"
#include "drivers/fake_event.h"
#include "drivers/fake_file.h"
#include "drivers/fake_image.h"
#include "drivers/fake_node.h"

struct fake_container *fake_container_find(struct fake_world *world, const char *reference)
{
    struct fake_container *container, *found = NULL;
    HASH_FIND(by_id, world->containers, reference, strlen(reference), container);
    if (container)
        return container;
    const char *name = reference[0] == '/' ? reference + 1 : reference;
    HASH_FIND(by_name, world->container_names, name, strlen(name), container);
    if (container)
        return container;
    size_t length = strlen(reference), matches = 0;
    if (length == 0 || length >= 64 || strspn(reference, "0123456789abcdef") != length)
        return NULL;
    for (container = world->containers; container; container = container->by_id.next) {
        if (strncmp(container->id, reference, length) == 0) {
            found = container;
            matches++;
        }
    }
    return matches == 1 ? found : NULL;
}

struct fake_container *fake_container_of(struct fake_call *call, const char *reference)
{
    struct fake_container *container = fake_container_find(call->world, reference);
    if (!container)
        fake_call_error(call, 404, "No such container: %s", reference);
    return container;
}

const struct fake_endpoint *fake_container_endpoint(struct fake_world *world,
                                                    const struct fake_container *container,
                                                    const struct fake_network *network)
{
    for (size_t i = 0; network && i < container->endpoint_count; i++)
        if (fake_network_find(world, container->endpoints[i].network) == network)
            return &container->endpoints[i];
    return NULL;
}

void fake_container_changed(struct fake_world *world, struct fake_container *container)
{
    free(TAKE(container->fragment));
    world->containers_version++;
    world->apis_version++;
}

const char *fake_container_label(const struct fake_container *container, const char *key)
{
    return fake_json_string(container->labels, key);
}

const char *fake_container_state(const struct fake_container *container)
{
    switch (container->run) {
    case FAKE_CREATED:
        return "created";
    case FAKE_RUNNING:
        return "running";
    case FAKE_PAUSED:
        return "paused";
    case FAKE_EXITED:
        return "exited";
    }
    return "";
}

void fake_container_event(struct fake_call *call, const struct fake_container *container,
                          const char *action)
{
    json_t *attributes = json_copy(container->labels);
    json_object_set_new(attributes, "image", json_string(container->image));
    json_object_set_new(attributes, "name", json_string(container->name));
    if (strcmp(action, "die") == 0)
        json_object_set_new(attributes, "exitCode", json_sprintf("%d", container->exit_code));
    fake_event_add(call, "container", action, container->id, attributes);
}

/* --- making --- */

static void add_endpoint(struct fake_container *container, const char *network, json_t *config)
{
    container->endpoints = memory_resize(container->endpoints, container->endpoint_count + 1,
                                         sizeof(*container->endpoints));
    struct fake_endpoint *endpoint = &container->endpoints[container->endpoint_count++];
    const json_t *addresses = json_object_get(config, "IPAMConfig");
    const char *fixed4 = fake_json_string(addresses, "IPv4Address");
    const char *fixed6 = fake_json_string(addresses, "IPv6Address");
    json_t *aliases = json_object_get(config, "Aliases");
    *endpoint = (struct fake_endpoint){
        .network = memory_string(network),
        .fixed_ipv4 = *fixed4 ? memory_string(fixed4) : NULL,
        .fixed_ipv6 = *fixed6 ? memory_string(fixed6) : NULL,
        .aliases = json_is_array(aliases) ? json_copy(aliases) : NULL,
    };
}

static void read_endpoints(struct fake_container *container)
{
    json_t *configs =
        json_object_get(json_object_get(container->request, "NetworkingConfig"), "EndpointsConfig");
    const char *mode =
        fake_json_string(json_object_get(container->request, "HostConfig"), "NetworkMode");
    if (!*mode || strcmp(mode, "default") == 0)
        mode = "bridge";
    add_endpoint(container, mode, json_object_get(configs, mode));
}

static void read_ports(struct fake_container *container)
{
    json_t *bindings =
        json_object_get(json_object_get(container->request, "HostConfig"), "PortBindings");
    json_t *list, *binding;
    const char *port;
    size_t i;
    json_object_foreach(bindings, port, list)
    {
        json_array_foreach(list, i, binding)
        {
            const char *address = fake_json_string(binding, "HostIp");
            const char *number = fake_json_string(binding, "HostPort");
            container->ports = memory_resize(container->ports, container->port_count + 1,
                                             sizeof(*container->ports));
            container->ports[container->port_count++] = (struct fake_port){
                .container_port = memory_string(port),
                .address = memory_string(*address ? address : "0.0.0.0"),
                .asked = (unsigned)strtoul(number, NULL, 10),
            };
        }
    }
}

/* Anonymous volumes get a name each; binds are listed as they are. */
static void read_mounts(struct fake_world *world, struct fake_container *container)
{
    json_t *value;
    const char *path;
    size_t i;
    container->mounts = json_array();
    json_object_foreach(json_object_get(container->request, "Volumes"), path, value)
    {
        cleanup_free char *name = fake_new_id(world);
        json_object_set_new(world->volumes, name, json_string(container->id));
        json_array_append_new(container->mounts,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "Type", "volume",
                                        "Name", name, "Source", "", "Destination", path, "Driver",
                                        "local", "RW", 1, "Propagation", ""));
    }
    json_array_foreach(json_object_get(json_object_get(container->request, "HostConfig"), "Binds"),
                       i, value)
    {
        const char *bind = json_string_value(value);
        size_t source = strcspn(bind, ":"), rest = source + (bind[source] == ':');
        size_t target = strcspn(bind + rest, ":");
        const char *mode = bind + rest + target;
        mode += *mode == ':';
        json_array_append_new(container->mounts,
                              json_pack("{s:s, s:s%, s:s%, s:s, s:b, s:s}", "Type", "bind",
                                        "Source", bind, source, "Destination", bind + rest, target,
                                        "Mode", mode, "RW", !strstr(mode, "ro"), "Propagation",
                                        strstr(mode, "rshared")  ? "rshared"
                                        : strstr(mode, "rslave") ? "rslave"
                                                                 : "rprivate"));
    }
}

struct fake_container *fake_container_new(struct fake_call *call, const char *name,
                                          const struct fake_image *image, json_t *body,
                                          json_t *labels)
{
    struct fake_world *world = call->world;
    const char *image_name = fake_json_string(body, "Image");
    struct fake_container *container = memory_new(sizeof(*container));
    container->id = fake_new_id(world);
    container->name = memory_string(name);
    container->image = memory_string(*image_name ? image_name : image->name);
    container->image_id = memory_string(image->id);
    container->request = json_incref(body);
    container->labels = json_is_object(labels) ? json_incref(labels) : json_object();
    container->created_at_ms = call->now_ms;
    container->node.is_node = image->node;
    container->node.version = image->node ? fake_image_version(image) : NULL;
    read_endpoints(container);
    read_ports(container);
    read_mounts(world, container);
    HASH_ADD_KEYPTR(by_id, world->containers, container->id, strlen(container->id), container);
    HASH_ADD_KEYPTR(by_name, world->container_names, container->name, strlen(container->name),
                    container);
    fake_container_changed(world, container);
    return container;
}

static bool name_is_valid(const char *name)
{
    static const char characters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    return strlen(name) >= 2 && strspn(name, characters) == strlen(name) && !strchr("_.-", name[0]);
}

/* True if the creation may go on; else it has been answered. */
static bool may_create(struct fake_call *call, const char *name, json_t *body)
{
    if (!json_is_object(body)) {
        fake_call_error(call, 400, "Config cannot be empty in order to create a container");
        return false;
    }
    if (!name_is_valid(name)) {
        fake_call_error(call, 400,
                        "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
                        name);
        return false;
    }
    const char *image = fake_json_string(body, "Image");
    if (!*image || !fake_image_find(call->world, image)) {
        const char *slash = strrchr(image, '/');
        bool tagged = strchr(slash ? slash : image, ':') != NULL;
        fake_call_error(call, 404, "No such image: %s%s", image, tagged ? "" : ":latest");
        return false;
    }
    struct fake_container *other;
    HASH_FIND(by_name, call->world->container_names, name, strlen(name), other);
    if (other)
        fake_call_error(call, 409,
                        "Conflict. The container name \"/%s\" is already in use by container "
                        "\"%s\". You have to remove (or rename) that container to be able to "
                        "reuse that name.",
                        name, other->id);
    return !other;
}

void fake_container_create(struct fake_call *call)
{
    json_t *body = fake_call_json(call);
    const char *name = fake_call_query(call, "name");
    cleanup_free char *made_up = fake_new_id(call->world);
    if (!name)
        name = arena_format(call->arena, "quirky_%.12s", made_up);
    name += name[0] == '/';
    if (may_create(call, name, body)) {
        struct fake_image *image = fake_image_find(call->world, fake_json_string(body, "Image"));
        struct fake_container *container =
            fake_container_new(call, name, image, body, json_object_get(body, "Labels"));
        fake_container_event(call, container, "create");
        fake_call_reply(call, 201, json_pack("{s:s, s:[]}", "Id", container->id, "Warnings"));
    }
    json_decref(body);
}

/* The name is not the engine's handle of anything but itself: ids, labels, addresses stay. */
void fake_container_rename(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject), *other;
    const char *name = fake_call_query(call, "name");
    if (!container)
        return;
    if (!name || !name_is_valid(name)) {
        fake_call_error(call, 400, "Invalid container name (%s)", name ? name : "");
        return;
    }
    HASH_FIND(by_name, call->world->container_names, name, strlen(name), other);
    if (other) {
        fake_call_error(call, 409,
                        "Conflict. The container name \"/%s\" is already in use by "
                        "container \"%s\".",
                        name, other->id);
        return;
    }
    HASH_DELETE(by_name, call->world->container_names, container);
    free(container->name);
    container->name = memory_string(name);
    HASH_ADD_KEYPTR(by_name, call->world->container_names, container->name, strlen(container->name),
                    container);
    fake_container_changed(call->world, container);
    fake_container_event(call, container, "rename");
    fake_call_status(call, 204);
}

/* --- unmaking --- */

static void free_endpoint(struct fake_endpoint *endpoint)
{
    free(endpoint->network);
    free(endpoint->fixed_ipv4);
    free(endpoint->fixed_ipv6);
    free(endpoint->id);
    free(endpoint->ipv4);
    free(endpoint->ipv6);
    json_decref(endpoint->aliases);
}

static void free_container(struct fake_world *world, struct fake_container *container)
{
    HASH_DELETE(by_id, world->containers, container);
    HASH_DELETE(by_name, world->container_names, container);
    for (size_t i = 0; i < container->endpoint_count; i++)
        free_endpoint(&container->endpoints[i]);
    for (size_t i = 0; i < container->port_count; i++) {
        free(container->ports[i].container_port);
        free(container->ports[i].address);
    }
    for (size_t i = 0; i < container->log_count; i++)
        free(container->log[i].text);
    fake_files_free(container);
    free(container->endpoints);
    free(container->ports);
    free(container->log);
    free(container->id);
    free(container->name);
    free(container->image);
    free(container->image_id);
    free(container->error);
    free(container->fragment);
    free(container->before);
    free(container->node.version);
    json_decref(container->request);
    json_decref(container->labels);
    json_decref(container->mounts);
    free(container);
}

static void remove_volumes(struct fake_world *world, struct fake_container *container)
{
    size_t i;
    json_t *mount;
    json_array_foreach(container->mounts, i, mount)
    {
        if (strcmp(fake_json_string(mount, "Type"), "volume") == 0)
            json_object_del(world->volumes, fake_json_string(mount, "Name"));
    }
}

void fake_container_drop(struct fake_call *call, struct fake_container *container, bool volumes)
{
    if (container->run == FAKE_RUNNING || container->run == FAKE_PAUSED)
        fake_container_event(call, container, "kill");
    fake_container_end(call, container, 137);
    fake_container_event(call, container, "destroy");
    if (volumes)
        remove_volumes(call->world, container);
    fake_node_forget(call->world, container);
    fake_container_changed(call->world, container);
    free_container(call->world, container);
}

void fake_container_remove(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    bool alive = container->run == FAKE_RUNNING || container->run == FAKE_PAUSED;
    if (alive && !fake_call_flag(call, "force")) {
        bool paused = container->run == FAKE_PAUSED;
        fake_call_error(call, 409,
                        "You cannot remove a %s container %s. %s the container before "
                        "attempting removal or force remove",
                        paused ? "paused" : "running", container->id,
                        paused ? "Unpause and then stop" : "Stop");
        return;
    }
    fake_container_drop(call, container, fake_call_flag(call, "v"));
    fake_call_status(call, 204);
}

void fake_containers_free(struct fake_world *world)
{
    struct fake_container *container, *next;
    HASH_ITER(by_id, world->containers, container, next)
    {
        free_container(world, container);
    }
}

void fake_container_connect(struct fake_call *call, struct fake_container *container,
                            struct fake_network *network, json_t *config)
{
    if (fake_container_endpoint(call->world, container, network)) {
        fake_call_error(call, 403, "endpoint with name %s already exists in network %s",
                        container->name, network->name);
        return;
    }
    add_endpoint(container, network->id, config); /* there may be twins of that name */
    struct fake_endpoint *endpoint = &container->endpoints[container->endpoint_count - 1];
    struct fake_refusal refusal = {0};
    if (container->run == FAKE_RUNNING || container->run == FAKE_PAUSED)
        refusal = fake_network_attach(call, endpoint);
    if (endpoint->host)
        fake_container_alias(container, endpoint);
    if (refusal.status) {
        free_endpoint(endpoint);
        container->endpoint_count--;
        fake_call_error(call, refusal.status, "%s", refusal.message);
        return;
    }
    fake_container_changed(call->world, container);
    fake_call_status(call, 200);
}

void fake_container_disconnect(struct fake_call *call, struct fake_container *container,
                               struct fake_network *network)
{
    const struct fake_endpoint *found = fake_container_endpoint(call->world, container, network);
    if (!found) {
        fake_call_error(call, 500, "container %s is not connected to network %s", container->id,
                        network->name);
        return;
    }
    size_t i = (size_t)(found - container->endpoints);
    fake_network_detach(call->world, &container->endpoints[i]);
    free_endpoint(&container->endpoints[i]);
    container->endpoint_count--;
    memmove(&container->endpoints[i], &container->endpoints[i + 1],
            (container->endpoint_count - i) * sizeof(*container->endpoints));
    fake_container_changed(call->world, container);
    fake_call_status(call, 200);
}
