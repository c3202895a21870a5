/* Addresses of containers in networks, and the names they answer to. */
#include "base/memory.h"
#include "drivers/fake_address.h"
#include "drivers/fake_container.h"
#include "drivers/fake_network.h"

static struct fake_refusal take_fixed(struct fake_call *call, struct fake_network *network,
                                      struct fake_endpoint *endpoint, uint32_t *host)
{
    uint32_t address;
    if (!network->user_subnet)
        return (struct fake_refusal){400, "user specified IP address is supported only when "
                                          "connecting to networks with user configured subnets"};
    if (!fake_address_parse(endpoint->fixed_ipv4, &address) ||
        (address & network->mask) != network->subnet)
        return (struct fake_refusal){
            400,
            arena_format(call->arena,
                         "Invalid address %s: It does not belong to any of this network's subnets",
                         endpoint->fixed_ipv4)};
    *host = address & ~network->mask;
    if (*host < 2 || *host >= FAKE_HOSTS_MAX || network->used[*host])
        return (struct fake_refusal){403, "Address already in use"};
    return (struct fake_refusal){0};
}

/* Whether another container in the network has it. */
static bool is_used6(struct fake_world *world, const struct fake_network *network,
                     const char *address)
{
    for (struct fake_container *other = world->containers; other; other = other->by_id.next) {
        const struct fake_endpoint *endpoint = fake_container_endpoint(world, other, network);
        if (endpoint && endpoint->ipv6 && strcmp(endpoint->ipv6, address) == 0)
            return true;
    }
    return false;
}

static struct fake_refusal check_fixed6(struct fake_call *call, const struct fake_network *network,
                                        const char *address)
{
    if (!network->ipv6 || !fake_address6_belongs(network->ipv6, address))
        return (struct fake_refusal){
            400,
            arena_format(call->arena,
                         "Invalid address %s: It does not belong to any of this network's subnets",
                         address)};
    if (is_used6(call->world, network, address))
        return (struct fake_refusal){403, "Address already in use"};
    return (struct fake_refusal){0};
}

static uint32_t lowest_free(struct fake_network *network)
{
    uint32_t hosts = ~network->mask < FAKE_HOSTS_MAX ? ~network->mask : FAKE_HOSTS_MAX;
    while (network->lowest_free < hosts && network->used[network->lowest_free])
        network->lowest_free++;
    return network->lowest_free < hosts ? network->lowest_free : 0;
}

struct fake_refusal fake_network_attach(struct fake_call *call, struct fake_endpoint *endpoint)
{
    struct fake_network *network = fake_network_find(call->world, endpoint->network);
    if (!network)
        return (struct fake_refusal){
            404, arena_format(call->arena, "network %s not found", endpoint->network)};
    if (endpoint->host || !network->mask)
        return (struct fake_refusal){0};
    uint32_t host = 0;
    if (endpoint->fixed_ipv6) {
        struct fake_refusal refusal = check_fixed6(call, network, endpoint->fixed_ipv6);
        if (refusal.status)
            return refusal;
    }
    if (endpoint->fixed_ipv4) {
        struct fake_refusal refusal = take_fixed(call, network, endpoint, &host);
        if (refusal.status)
            return refusal;
    } else {
        host = lowest_free(network);
    }
    if (host == 0)
        return (struct fake_refusal){403,
                                     "no available IPv4 addresses on this network's address pools"};
    network->used[host] = 1;
    endpoint->host = host;
    endpoint->id = fake_new_id(call->world);
    endpoint->ipv4 = fake_address_text(network->subnet | host);
    if (endpoint->fixed_ipv6)
        endpoint->ipv6 = memory_string(endpoint->fixed_ipv6);
    else if (network->ipv6)
        endpoint->ipv6 = fake_address6_text(network->ipv6, host);
    return (struct fake_refusal){0};
}

void fake_network_detach(struct fake_world *world, struct fake_endpoint *endpoint)
{
    struct fake_network *network = fake_network_find(world, endpoint->network);
    if (network && endpoint->host) {
        network->used[endpoint->host] = 0;
        if (endpoint->host < network->lowest_free)
            network->lowest_free = endpoint->host;
    }
    endpoint->host = 0;
    free(TAKE(endpoint->id));
    free(TAKE(endpoint->ipv4));
    free(TAKE(endpoint->ipv6));
}

json_t *fake_endpoint_json(struct fake_world *world, const struct fake_endpoint *endpoint)
{
    struct fake_network *network = fake_network_find(world, endpoint->network);
    bool up = network && endpoint->ipv4;
    cleanup_free char *gateway = up ? fake_address_text(network->subnet | 1) : NULL;
    bool fixed = endpoint->fixed_ipv4 || endpoint->fixed_ipv6;
    json_t *config = fixed ? json_pack("{s:s*, s:s*}", "IPv4Address", endpoint->fixed_ipv4,
                                       "IPv6Address", endpoint->fixed_ipv6)
                           : json_null();
    return json_pack("{s:o, s:n, s:O?, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s, s:n}",
                     "IPAMConfig", config, "Links", "Aliases", endpoint->aliases, "NetworkID",
                     network ? network->id : "", "EndpointID", endpoint->id ? endpoint->id : "",
                     "Gateway", up ? gateway : "", "IPAddress", up ? endpoint->ipv4 : "",
                     "IPPrefixLen", up ? fake_mask_length(network->mask) : 0, "IPv6Gateway", "",
                     "GlobalIPv6Address", up && endpoint->ipv6 ? endpoint->ipv6 : "",
                     "GlobalIPv6PrefixLen", up && endpoint->ipv6 ? 64 : 0, "MacAddress",
                     up ? "02:42:ac:12:00:02" : "", "DriverOpts");
}

static bool has_alias(const struct fake_endpoint *endpoint, const char *name)
{
    size_t i;
    json_t *alias;
    json_array_foreach(endpoint->aliases, i, alias)
    {
        if (strcmp(json_string_value(alias), name) == 0)
            return true;
    }
    return false;
}

struct fake_container *fake_network_resolve(struct fake_world *world,
                                            const struct fake_container *from, const char *name)
{
    for (size_t i = 0; i < from->endpoint_count; i++) {
        struct fake_network *network = fake_network_find(world, from->endpoints[i].network);
        for (struct fake_container *other = world->containers; other; other = other->by_id.next) {
            const struct fake_endpoint *endpoint = fake_container_endpoint(world, other, network);
            if (endpoint && endpoint->ipv4 && other->run == FAKE_RUNNING &&
                (strcmp(other->name, name) == 0 || has_alias(endpoint, name) ||
                 strcmp(endpoint->ipv4, name) == 0))
                return other;
        }
    }
    return NULL;
}
