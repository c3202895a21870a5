#include "drivers/fake_network.h"

#include "base/memory.h"
#include "drivers/fake_address.h"
#include "drivers/fake_container.h"
#include "drivers/fake_event.h"
#include <regex.h>

static struct fake_network *new_network(struct fake_world *world, const char *name,
                                        const char *driver, const char *subnet)
{
    struct fake_network *network = memory_new(sizeof(*network));
    network->id = fake_new_id(world);
    network->name = memory_string(name);
    network->driver = memory_string(driver);
    if (subnet)
        fake_subnet_parse(subnet, &network->subnet, &network->mask);
    network->used = memory_new(FAKE_HOSTS_MAX);
    network->lowest_free = 2; /* .0 is the network, .1 the gateway */
    network->next = world->networks;
    world->networks = network;
    return network;
}

void fake_network_init(struct fake_world *world)
{
    static const struct {
        const char *name, *driver, *subnet;
    } rows[] = {
        {"none", "null", NULL}, {"host", "host", NULL}, {"bridge", "bridge", "172.17.0.0/16"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fake_network *network =
            new_network(world, rows[i].name, rows[i].driver, rows[i].subnet);
        network->predefined = true;
        network->request = json_pack("{s:{}}", "Options");
    }
    json_object_set_new(json_object_get(world->networks->request, "Options"),
                        "com.docker.network.driver.mtu", json_string("1500"));
}

static void free_network(struct fake_network *network)
{
    free(network->id);
    free(network->name);
    free(network->driver);
    free(network->range);
    free(network->ipv6);
    free(network->used);
    json_decref(network->request);
    free(network);
}

void fake_networks_free(struct fake_world *world)
{
    while (world->networks) {
        struct fake_network *network = world->networks;
        world->networks = network->next;
        free_network(network);
    }
}

struct fake_network *fake_network_find(struct fake_world *world, const char *reference)
{
    struct fake_network *network, *found = NULL;
    if (strcmp(reference, "default") == 0)
        reference = "bridge";
    for (network = world->networks; network; network = network->next)
        if (strcmp(network->id, reference) == 0)
            return network;
    for (network = world->networks; network; network = network->next)
        if (strcmp(network->name, reference) == 0)
            return network;
    size_t length = strlen(reference), matches = 0;
    for (network = world->networks; network && length > 0; network = network->next) {
        if (strncmp(network->id, reference, length) == 0) {
            found = network;
            matches++;
        }
    }
    return matches == 1 ? found : NULL;
}

static json_t *ipam_json(const struct fake_network *network)
{
    json_t *config = json_array();
    if (network->mask) {
        cleanup_free char *subnet = fake_address_text(network->subnet);
        cleanup_free char *gateway = fake_address_text(network->subnet | 1);
        cleanup_free char *text = memory_format("%s/%d", subnet, fake_mask_length(network->mask));
        json_array_append_new(config, json_pack("{s:s, s:s*, s:s}", "Subnet", text, "IPRange",
                                                network->range, "Gateway", gateway));
    }
    if (network->ipv6)
        json_array_append_new(config, json_pack("{s:s}", "Subnet", network->ipv6));
    return json_pack("{s:s, s:n, s:o}", "Driver", "default", "Options", "Config", config);
}

static json_t *attached_json(struct fake_world *world, const struct fake_network *network)
{
    json_t *containers = json_object();
    for (struct fake_container *container = world->containers; container;
         container = container->by_id.next) {
        const struct fake_endpoint *endpoint = fake_container_endpoint(world, container, network);
        if (!endpoint || !endpoint->ipv4)
            continue;
        cleanup_free char *ipv4 =
            memory_format("%s/%d", endpoint->ipv4, fake_mask_length(network->mask));
        cleanup_free char *ipv6 =
            endpoint->ipv6 ? memory_format("%s/64", endpoint->ipv6) : memory_string("");
        json_object_set_new(containers, container->id,
                            json_pack("{s:s, s:s, s:s, s:s}", "Name", container->name, "EndpointID",
                                      endpoint->id, "IPv4Address", ipv4, "IPv6Address", ipv6));
    }
    return containers;
}

static json_t *network_json(struct fake_call *call, const struct fake_network *network,
                            bool with_containers)
{
    json_t *options = json_object_get(network->request, "Options");
    json_t *labels = json_object_get(network->request, "Labels");
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:b, s:b, s:b, s:o, s:O*, s:O*}", "Name",
                     network->name, "Id", network->id, "Created",
                     fake_time(call->arena, network->created_at_ms), "Scope", "local", "Driver",
                     network->driver, "EnableIPv6", network->ipv6 != NULL, "IPAM",
                     ipam_json(network), "Internal", 0, "Attachable", 0, "Ingress", 0, "Containers",
                     with_containers ? attached_json(call->world, network) : json_object(),
                     "Options", options, "Labels", labels);
}

static bool name_matches(const void *context, const char *value)
{
    const struct fake_network *network = context;
    regex_t expression;
    if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB) != 0)
        return strstr(network->name, value) != NULL;
    bool match = regexec(&expression, network->name, 0, NULL, 0) == 0;
    regfree(&expression);
    return match;
}

static bool id_matches(const void *context, const char *value)
{
    const struct fake_network *network = context;
    return strncmp(network->id, value, strlen(value)) == 0;
}

static bool driver_matches(const void *context, const char *value)
{
    const struct fake_network *network = context;
    return strcmp(network->driver, value) == 0;
}

void fake_network_list(struct fake_call *call)
{
    static const char *const known[] = {"name",  "id",   "label",    "driver",
                                        "scope", "type", "dangling", NULL};
    json_t *filters = fake_call_filters(call, known);
    if (!filters)
        return;
    json_t *list = json_array();
    for (struct fake_network *network = call->world->networks; network; network = network->next)
        if (fake_filter_any(filters, "name", name_matches, network) &&
            fake_filter_any(filters, "id", id_matches, network) &&
            fake_filter_any(filters, "driver", driver_matches, network) &&
            fake_filter_all(filters, "label", fake_label_matches,
                            json_object_get(network->request, "Labels")))
            json_array_append_new(list, network_json(call, network, false));
    json_decref(filters);
    fake_call_reply(call, 200, list);
}

static bool overlaps(struct fake_world *world, uint32_t subnet, uint32_t mask)
{
    for (struct fake_network *network = world->networks; network; network = network->next)
        if (network->mask && ((network->subnet ^ subnet) & (network->mask & mask)) == 0)
            return true;
    return false;
}

static bool overlaps6(struct fake_world *world, const char *subnet)
{
    for (struct fake_network *network = world->networks; network; network = network->next)
        if (network->ipv6 && strcmp(network->ipv6, subnet) == 0)
            return true;
    return false;
}

/* docker's own pools: 172.18.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 and on. */
static bool free_pool(struct fake_world *world, struct fake_network *network)
{
    for (uint32_t i = 18; i < 32 + 16; i++) {
        uint32_t subnet = i < 32 ? 0xAC000000u | i << 16 : 0xC0A80000u | (i - 32) << 12;
        uint32_t mask = i < 32 ? 0xFFFF0000u : 0xFFFFF000u;
        if (!overlaps(world, subnet, mask)) {
            network->subnet = subnet;
            network->mask = mask;
            return true;
        }
    }
    return false;
}

/* Reads IPAM.Config into `into`; false if a pool overlaps with another network's. */
static bool read_pools(struct fake_world *world, json_t *body, struct fake_network *into)
{
    json_t *config;
    size_t i;
    json_array_foreach(json_object_get(json_object_get(body, "IPAM"), "Config"), i, config)
    {
        const char *subnet = fake_json_string(config, "Subnet");
        if (strchr(subnet, ':')) {
            if (overlaps6(world, subnet))
                return false;
            free(into->ipv6);
            into->ipv6 = memory_string(subnet);
        } else if (fake_subnet_parse(subnet, &into->subnet, &into->mask)) {
            if (overlaps(world, into->subnet, into->mask))
                return false;
            into->user_subnet = true;
            const char *range = fake_json_string(config, "IPRange");
            free(into->range);
            into->range = *range ? memory_string(range) : NULL;
        }
    }
    return true;
}

static bool name_taken(struct fake_world *world, const char *name)
{
    for (struct fake_network *network = world->networks; network; network = network->next)
        if (strcmp(network->name, name) == 0)
            return true;
    return false;
}

static void add_network(struct fake_call *call, const char *name, json_t *body,
                        const struct fake_network *pools)
{
    const char *driver = fake_json_string(body, "Driver");
    struct fake_network *network =
        new_network(call->world, name, *driver ? driver : "bridge", NULL);
    network->created_at_ms = call->now_ms;
    network->subnet = pools->subnet;
    network->mask = pools->mask;
    network->user_subnet = pools->user_subnet;
    network->range = memory_string(pools->range);
    network->ipv6 =
        json_is_true(json_object_get(body, "EnableIPv6")) ? memory_string(pools->ipv6) : NULL;
    network->request = json_incref(body);
    fake_event_add(call, "network", "create", network->id,
                   json_pack("{s:s, s:s}", "name", network->name, "type", network->driver));
    fake_call_reply(call, 201, json_pack("{s:s, s:s}", "Id", network->id, "Warning", ""));
}

void fake_network_create(struct fake_call *call)
{
    json_t *body = fake_call_json(call);
    const char *name = fake_json_string(body, "Name");
    struct fake_network pools = {0};
    if (!*name) {
        fake_call_error(call, 500, "invalid name: ");
    } else if (strcmp(name, "bridge") == 0 || strcmp(name, "host") == 0 ||
               strcmp(name, "none") == 0) {
        fake_call_error(call, 403, "operation is not permitted on predefined %s network ", name);
    } else if (json_is_true(json_object_get(body, "CheckDuplicate")) &&
               name_taken(call->world, name)) {
        fake_call_error(call, 409, "network with name %s already exists", name);
    } else if (!read_pools(call->world, body, &pools)) {
        fake_call_error(call, 403, "Pool overlaps with other one on this address space");
    } else if (!pools.mask && !free_pool(call->world, &pools)) {
        fake_call_error(call, 404,
                        "could not find an available, non-overlapping IPv4 address pool "
                        "among the defaults to assign to the network");
    } else {
        add_network(call, name, body, &pools);
    }
    free(pools.range);
    free(pools.ipv6);
    json_decref(body);
}

/* The network of the path, or NULL after answering 404. */
static struct fake_network *find(struct fake_call *call)
{
    struct fake_network *network = fake_network_find(call->world, call->subject);
    if (!network)
        fake_call_error(call, 404, "network %s not found", call->subject);
    return network;
}

void fake_network_inspect(struct fake_call *call)
{
    struct fake_network *network = find(call);
    if (network)
        fake_call_reply(call, 200, network_json(call, network, true));
}

static bool in_use(struct fake_world *world, const struct fake_network *network)
{
    json_t *attached = attached_json(world, network);
    bool used = json_object_size(attached) > 0;
    json_decref(attached);
    return used;
}

void fake_network_remove(struct fake_call *call)
{
    struct fake_network *network = find(call);
    if (!network)
        return;
    if (network->predefined) {
        fake_call_error(call, 403, "%s is a pre-defined network and cannot be removed",
                        network->name);
        return;
    }
    if (in_use(call->world, network)) {
        fake_call_error(call, 403,
                        "error while removing network: network %s id %s has active endpoints",
                        network->name, network->id);
        return;
    }
    struct fake_network **link = &call->world->networks;
    while (*link != network)
        link = &(*link)->next;
    *link = network->next;
    fake_event_add(call, "network", "destroy", network->id,
                   json_pack("{s:s, s:s}", "name", network->name, "type", network->driver));
    free_network(network);
    fake_call_status(call, 204);
}

/* Answers both: the engine looks for the container first. */
static void turn(struct fake_call *call, bool connect)
{
    json_t *body = fake_call_json(call);
    struct fake_container *container = fake_container_of(call, fake_json_string(body, "Container"));
    struct fake_network *network = container ? find(call) : NULL;
    if (network && connect)
        fake_container_connect(call, container, network, json_object_get(body, "EndpointConfig"));
    else if (network)
        fake_container_disconnect(call, container, network);
    json_decref(body);
}

void fake_network_connect(struct fake_call *call)
{
    turn(call, true);
}

void fake_network_disconnect(struct fake_call *call)
{
    turn(call, false);
}
