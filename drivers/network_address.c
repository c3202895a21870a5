#include "drivers/network_address.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

struct ipv4_net {
    uint32_t address; /* host order */
    unsigned bits;
};

static bool parse_net(const char *text, struct ipv4_net *net)
{
    char address[INET_ADDRSTRLEN];
    unsigned bits;
    char rest;
    struct in_addr parsed;
    if (!text || sscanf(text, "%15[0-9.]/%2u%c", address, &bits, &rest) != 2 || bits > 32 ||
        inet_pton(AF_INET, address, &parsed) != 1)
        return false;
    *net = (struct ipv4_net){.address = ntohl(parsed.s_addr), .bits = bits};
    return true;
}

static const char *print_address(struct arena *arena, uint32_t address)
{
    return arena_format(arena, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
                        address >> 8 & 255, address & 255);
}

/* --- subnets --- */

const char *network_ula(struct arena *arena, const char *name, int32_t attempt)
{
    unsigned char input[300], digest[EVP_MAX_MD_SIZE];
    size_t length = strnlen(name, sizeof(input) - 4);
    memcpy(input, name, length);
    for (size_t i = 0; i < 4; i++)
        input[length + i] = (unsigned char)((uint32_t)attempt >> (8 * i) & 255);
    if (!EVP_Digest(input, length + 4, digest, NULL, EVP_sha1(), NULL))
        abort();
    return arena_format(arena, "fc00:%x:%x:%x::/64", digest[2] << 8 | digest[3],
                        digest[4] << 8 | digest[5], digest[6] << 8 | digest[7]);
}

static const json_t *config_of(const json_t *network)
{
    return json_object_get(json_object_get(network, "IPAM"), "Config");
}

struct string_list network_subnets(struct arena *arena, const json_t *network)
{
    const json_t *config = config_of(network), *item;
    const char **items = arena_array(arena, json_array_size(config) + 1, sizeof(*items));
    size_t index, count = 0;
    json_array_foreach(config, index, item)
    {
        const char *subnet = json_string_value(json_object_get(item, "Subnet"));
        if (subnet && *subnet)
            items[count++] = arena_string(arena, subnet);
    }
    return (struct string_list){items, count};
}

const char *network_subnet4(const struct string_list *subnets)
{
    for (size_t i = 0; i < subnets->count; i++)
        if (!strchr(subnets->items[i], ':'))
            return subnets->items[i];
    return NULL;
}

const char *network_subnet6(const struct string_list *subnets)
{
    for (size_t i = 0; i < subnets->count; i++)
        if (strchr(subnets->items[i], ':'))
            return subnets->items[i];
    return NULL;
}

const char *network_engine_half(struct arena *arena, const char *subnet)
{
    struct ipv4_net net;
    /* Of 16 addresses 6 are left to each: fewer are of no use to anybody. */
    if (!parse_net(subnet, &net) || net.bits > 28)
        return NULL;
    return arena_format(arena, "%s/%u", print_address(arena, net.address), net.bits + 1);
}

const char *network_shared(struct arena *arena, const json_t *network)
{
    const json_t *item;
    size_t index;
    json_array_foreach(config_of(network), index, item)
    {
        const char *subnet = json_string_value(json_object_get(item, "Subnet"));
        const char *range = json_string_value(json_object_get(item, "IPRange"));
        const char *half = network_engine_half(arena, subnet);
        if (half && range && strcmp(half, range) == 0)
            return arena_string(arena, subnet);
    }
    return NULL;
}

/* --- addresses --- */

/* Where the search for a free address begins: spreads nodes without a register of addresses. */
static uint32_t spread(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

/* Addresses are compared as numbers: IPv6 ones may be written in several ways. */
static bool is_address(const json_t *text, int family, const void *address, size_t length)
{
    unsigned char parsed[sizeof(struct in6_addr)];
    const char *string = json_string_value(text);
    return string && inet_pton(family, string, parsed) == 1 && memcmp(parsed, address, length) == 0;
}

/* Held now, or asked for by a container that may be stopped. */
static bool is_taken(const struct network_members *members, int family, const void *address)
{
    bool six = family == AF_INET6;
    size_t index, length = six ? sizeof(struct in6_addr) : sizeof(struct in_addr);
    const json_t *item;
    json_array_foreach(members->containers, index, item)
    {
        const json_t *joined =
            json_object_get(json_object_get(json_object_get(item, "NetworkSettings"), "Networks"),
                            members->network);
        const json_t *fixed = json_object_get(json_object_get(joined, "IPAMConfig"),
                                              six ? "IPv6Address" : "IPv4Address");
        const json_t *held = json_object_get(joined, six ? "GlobalIPv6Address" : "IPAddress");
        if (is_address(fixed, family, address, length) || is_address(held, family, address, length))
            return true;
    }
    return false;
}

const char *network_choose4(struct arena *arena, const char *subnet,
                            const struct network_members *members, const char *node)
{
    struct ipv4_net net;
    if (!parse_net(subnet, &net) || net.bits > 28)
        return NULL;
    uint32_t half = 1u << (32 - net.bits - 1);
    uint32_t first = net.address + half, usable = half - 1; /* the last is for broadcasts */
    for (uint32_t i = 0; i < usable; i++) {
        uint32_t address = first + (spread(node) % usable + i) % usable;
        const struct in_addr wire = {htonl(address)};
        if (!is_taken(members, AF_INET, &wire))
            return print_address(arena, address);
    }
    return NULL;
}

/* The first 8 bytes of a /64; false if the text is none. */
static bool parse_prefix(const char *subnet, struct in6_addr *prefix)
{
    char address[INET6_ADDRSTRLEN] = "";
    size_t length = strcspn(subnet, "/");
    if (length >= sizeof(address) || strcmp(subnet + length, "/64") != 0)
        return false;
    memcpy(address, subnet, length);
    return inet_pton(AF_INET6, address, prefix) == 1;
}

static bool is_ula_of(struct arena *arena, const char *network, const struct in6_addr *prefix)
{
    for (int32_t attempt = 0; attempt < NETWORK_ATTEMPTS; attempt++) {
        struct in6_addr ula;
        if (parse_prefix(network_ula(arena, network, attempt), &ula) &&
            memcmp(&ula, prefix, 8) == 0)
            return true;
    }
    return false;
}

/*
 * Of a /64 the engine uses the first few; ours have 1 in the sixth group and
 * the node's number in the last: "fc00:f853:ccd:e793:0:1:0:4711".
 */
static const char *choose_below(struct arena *arena, struct in6_addr prefix,
                                const struct network_members *members, const char *node)
{
    enum { USABLE = 65535 };
    uint32_t begin = spread(node);
    char text[INET6_ADDRSTRLEN];
    memset(prefix.s6_addr + 8, 0, 8);
    prefix.s6_addr[11] = 1;
    for (uint32_t i = 0; i < USABLE; i++) {
        uint32_t number = (begin + i) % USABLE + 1;
        prefix.s6_addr[14] = (unsigned char)(number >> 8);
        prefix.s6_addr[15] = (unsigned char)(number & 255);
        if (!is_taken(members, AF_INET6, &prefix))
            return arena_string(arena, inet_ntop(AF_INET6, &prefix, text, sizeof(text)));
    }
    return NULL;
}

const char *network_choose6(struct arena *arena, const struct string_list *subnets,
                            const struct network_members *members, const char *node)
{
    for (size_t i = 0; i < subnets->count; i++) {
        struct in6_addr prefix;
        if (parse_prefix(subnets->items[i], &prefix) && is_ula_of(arena, members->network, &prefix))
            return choose_below(arena, prefix, members, node);
    }
    return NULL;
}
