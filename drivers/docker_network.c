/*
 * The network that nodes share: upstream's name and rules, but with an
 * explicit IPv4 subnet, so that nodes can have addresses that survive a
 * restart of engine or host (the engine refuses fixed addresses on subnets it
 * chose itself).
 *
 * DESIGN: only the engine knows which subnets are free on its host. So it is
 * let choose one first (a network without a subnet), which is then made again
 * with that very subnet written down, its lower half for the engine and its
 * upper half for us.
 */
#include "drivers/docker_flow.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* On a network that was only made to learn which subnet is free. */
#define LABEL_PROBE "fleet.kind/probe"

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

/* Upstream's IPv6 subnet: fc00::/8 and the rest from SHA-1 over name and attempt. */
static const char *ipv6_subnet(struct arena *arena, const char *name, int32_t attempt)
{
    unsigned char input[300], digest[EVP_MAX_MD_SIZE];
    size_t length = strnlen(name, sizeof(input) - 4);
    memcpy(input, name, length);
    for (size_t i = 0; i < 4; i++)
        input[length + i] = (unsigned char)((uint32_t)attempt >> (8 * i) & 255);
    EVP_Digest(input, length + 4, digest, NULL, EVP_sha1(), NULL);
    return arena_format(arena, "fc00:%x:%x:%x::/64", digest[2] << 8 | digest[3],
                        digest[4] << 8 | digest[5], digest[6] << 8 | digest[7]);
}

static const char *network_name(const struct flow *flow)
{
    const struct docker_flow *df = (const struct docker_flow *)(const void *)flow;
    return df->docker->options.network;
}

static void list_networks(struct flow *flow)
{
    const char *filter = arena_format(flow->arena, "{\"name\":[\"^%s$\"]}", network_name(flow));
    flow_send(flow, "GET", docker_path(flow, "/networks?filters=", filter), NULL);
}

/* The ids of networks of exactly this name, oldest first as the engine sorts; NULL if none. */
static const json_t *first_of_name(const json_t *list, const char *name)
{
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item)
    {
        const char *have = json_string_value(json_object_get(item, "Name"));
        if (have && strcmp(have, name) == 0)
            return item;
    }
    return NULL;
}

static const char *ipv4_of(const json_t *network, const char *key)
{
    const json_t *config = json_object_get(json_object_get(network, "IPAM"), "Config");
    size_t index;
    const json_t *item;
    struct ipv4_net net;
    json_array_foreach(config, index, item)
    {
        const char *subnet = json_string_value(json_object_get(item, "Subnet"));
        if (parse_net(subnet, &net))
            return json_string_value(json_object_get(item, key));
    }
    return NULL;
}

/* subnet NULL: a probe, by whose label a crash in the middle is mended later. */
static char *create_body(struct flow *flow, const char *subnet, int attempt, bool ipv6)
{
    const char *name = network_name(flow);
    json_t *config = json_array();
    struct ipv4_net net;
    if (subnet && parse_net(subnet, &net) && net.bits <= 28)
        json_array_append_new(
            config, json_pack("{s:s,s:s}", "Subnet", subnet, "IPRange",
                              arena_format(flow->arena, "%s/%u",
                                           print_address(flow->arena, net.address), net.bits + 1)));
    if (ipv6)
        json_array_append_new(
            config, json_pack("{s:s}", "Subnet", ipv6_subnet(flow->arena, name, attempt)));
    json_t *body = json_pack("{s:s,s:b,s:s,s:b,s:{s:s,s:o},s:{s:s}}", "Name", name,
                             "CheckDuplicate", 1, "Driver", "bridge", "EnableIPv6", (int)ipv6,
                             "IPAM", "Driver", "default", "Config", config, "Options",
                             "com.docker.network.bridge.enable_ip_masquerade", "true");
    if (!subnet)
        json_object_set_new(body, "Labels", json_pack("{s:s}", LABEL_PROBE, "true"));
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

static void create_network(struct flow *flow, const char *subnet, int attempt, bool ipv6)
{
    char *body = create_body(flow, subnet, attempt, ipv6);
    flow_send(flow, "POST", "/networks/create", body);
    free(body);
}

/* Looks for the network; an existing one is used as it is, whoever made it. */
static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        list_networks(flow);
        return STEP_WAITING;
    }
    if (answer->status != 200)
        return docker_refused(flow, answer, "list networks", err);
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *network = first_of_name(list, network_name(flow));
    const char *id = arena_string(flow->arena, json_string_value(json_object_get(network, "Id")));
    bool probe = json_object_get(json_object_get(network, "Labels"), LABEL_PROBE) != NULL;
    df->network_id = probe ? NULL : id;
    df->probe_id = probe ? id : NULL;
    json_decref(list);
    return STEP_DONE;
}

static bool overlaps(const char *message)
{
    return strstr(message, "Pool overlaps with other one on this address space") ||
           strstr(message, "networks have overlapping");
}

static bool ipv6_unavailable(const char *message)
{
    return strstr(message, "Cannot read IPv6 setup for bridge") || strstr(message, "ip6tables") ||
           strstr(message, "IPv6");
}

enum { ATTEMPTS_MAX = 5 };

static enum step_status make_again(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *message = docker_message(flow, answer);
    if (strstr(message, "already exists"))
        return STEP_DONE; /* somebody else was faster */
    if (flow->tries < ATTEMPTS_MAX && overlaps(message))
        return STEP_AGAIN;
    if (flow->tries < ATTEMPTS_MAX && !df->no_ipv6 && ipv6_unavailable(message)) {
        df->no_ipv6 = true;
        return STEP_AGAIN;
    }
    return docker_refused(flow, answer, "create the network", err);
}

/*
 * Makes it: first as the engine likes (create, read its subnet, remove), then
 * for good. Every answer moves one turn on; trouble with IPv6 or overlaps
 * starts over with another attempt.
 */
static enum step_status make(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->network_id)
        return STEP_DONE;
    assert(answer || flow->turn == 0);
    json_t *body = answer ? json_loadb(answer->body, answer->length, 0, NULL) : NULL;
    enum step_status status = STEP_WAITING;
    switch (flow->turn) {
    case 0:
        if (!df->probe_id) {
            create_network(flow, NULL, (int)flow->tries, !df->no_ipv6);
            break;
        }
        flow->turn = 1; /* a probe is left from before: its subnet will do */
        flow_send(flow, "GET", arena_format(flow->arena, "/networks/%s", df->probe_id), NULL);
        break;
    case 1: /* the engine has chosen: which subnet? */
        if (answer->status != 201) {
            status = make_again(flow, answer, err);
            break;
        }
        df->probe_id = arena_string(flow->arena, json_string_value(json_object_get(body, "Id")));
        if (!df->probe_id) {
            status = docker_refused(flow, answer, "create the network", err);
            break;
        }
        flow_send(flow, "GET", arena_format(flow->arena, "/networks/%s", df->probe_id), NULL);
        break;
    case 2: /* remove it, to make it again with the subnet written down */
        df->subnet = arena_string(flow->arena, ipv4_of(body, "Subnet"));
        if (!df->subnet) {
            status = docker_refused(flow, answer, "read the network's subnet", err);
            break;
        }
        flow_send(flow, "DELETE", arena_format(flow->arena, "/networks/%s", df->probe_id), NULL);
        df->probe_id = NULL;
        break;
    case 3:
        if (answer->status != 204 && answer->status != 404)
            status = STEP_DONE; /* in use already: it stays as the engine made it */
        else
            create_network(flow, df->subnet, (int)flow->tries, !df->no_ipv6);
        break;
    default:
        status = answer->status == 201 ? STEP_DONE : make_again(flow, answer, err);
        break;
    }
    json_decref(body);
    return status;
}

/* More attached containers first, then by id: upstream's rule of which twin stays. */
static bool stays_before(const json_t *left, const json_t *right)
{
    size_t a = json_object_size(json_object_get(left, "Containers"));
    size_t b = json_object_size(json_object_get(right, "Containers"));
    if (a != b)
        return a > b;
    return strcmp(json_string_value(json_object_get(left, "Id")),
                  json_string_value(json_object_get(right, "Id"))) < 0;
}

/* Two creators at once can make two networks of one name; one empty twin is removed a turn. */
static enum step_status remove_twins(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    if (!answer) {
        list_networks(flow);
        return STEP_WAITING;
    }
    if (flow->turn == 2)
        return flow->tries < ATTEMPTS_MAX ? STEP_AGAIN : STEP_DONE;
    if (answer->status != 200)
        return docker_refused(flow, answer, "list networks", err);
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *stays = NULL, *goes = NULL, *item;
    size_t index;
    json_array_foreach(list, index, item)
    {
        if (strcmp(json_string_value(json_object_get(item, "Name")), network_name(flow)) != 0)
            continue;
        if (stays && stays_before(stays, item)) {
            goes = item;
        } else {
            goes = stays;
            stays = item;
        }
    }
    if (goes)
        flow_send(flow, "DELETE",
                  arena_format(flow->arena, "/networks/%s",
                               json_string_value(json_object_get(goes, "Id"))),
                  NULL);
    json_decref(list);
    return goes ? STEP_WAITING : STEP_DONE;
}

const struct step docker_network_steps[] = {
    DOCKER_REACH,
    {.name = "look for the network", .run = look, .timeout_ms = 10000},
    {.name = "make the network", .run = make, .timeout_ms = 60000, .poll_ms = 100},
    {.name = "check for a second network", .run = remove_twins, .timeout_ms = 30000, .poll_ms = 50},
    {0},
};

/* Where the search for a free address begins: spreads nodes without a register of addresses. */
static uint32_t spread(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

static bool address_taken(const json_t *containers, const char *network, const char *address)
{
    size_t index;
    const json_t *item;
    json_array_foreach(containers, index, item)
    {
        const json_t *joined = json_object_get(
            json_object_get(json_object_get(item, "NetworkSettings"), "Networks"), network);
        const char *fixed = json_string_value(
            json_object_get(json_object_get(joined, "IPAMConfig"), "IPv4Address"));
        const char *held = json_string_value(json_object_get(joined, "IPAddress"));
        if ((fixed && strcmp(fixed, address) == 0) || (held && strcmp(held, address) == 0))
            return true;
    }
    return false;
}

/* A free address in the upper half, or NULL. */
static const char *choose(struct flow *flow, const json_t *containers, const char *node)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct ipv4_net net;
    if (!parse_net(df->subnet, &net) || net.bits > 28)
        return NULL;
    uint32_t half = 1u << (32 - net.bits - 1);
    uint32_t first = net.address + half, usable = half - 1; /* the last is for broadcasts */
    for (uint32_t i = 0; i < usable; i++) {
        const char *address =
            print_address(flow->arena, first + (spread(node) % usable + i) % usable);
        if (!address_taken(containers, network_name(flow), address))
            return address;
    }
    return NULL;
}

/*
 * Row of the creation of nodes: a fixed address, where the network allows it
 * (its subnet was written down by whoever made it, which shows as an IPRange).
 */
enum step_status docker_choose_address(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        list_networks(flow);
        return STEP_WAITING;
    }
    if (answer->status != 200)
        return docker_refused(flow, answer, "choose an address", err);
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    enum step_status status = STEP_DONE;
    if (flow->turn == 1) {
        const json_t *network = first_of_name(list, network_name(flow));
        df->address = NULL;
        if (ipv4_of(network, "IPRange")) {
            df->subnet = arena_string(flow->arena, ipv4_of(network, "Subnet"));
            const char *filter =
                arena_format(flow->arena, "{\"network\":[\"%s\"]}", network_name(flow));
            flow_send(flow, "GET", docker_path(flow, "/containers/json?all=1&filters=", filter),
                      NULL);
            status = STEP_WAITING;
        }
    } else {
        df->address = choose(flow, list, df->node->name);
    }
    json_decref(list);
    return status;
}
