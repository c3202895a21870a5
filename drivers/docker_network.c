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

#include "drivers/docker_info.h"
#include "drivers/network_address.h"
#include <assert.h>
#include <string.h>

/* On a network that was only made to learn which subnet is free. */
#define LABEL_PROBE "fleet.kind/probe"
#define OPTION_MTU "com.docker.network.driver.mtu"

/* So often a probe is looked at, ten times a second, until it is taken for one left behind. */
enum { PROBE_LOOKS = 20 };

static const char *network_name(const struct flow *flow)
{
    const struct docker_flow *df = (const struct docker_flow *)(const void *)flow;
    return df->docker->options.network;
}

/* GET of path?filters=..., with one filter of this name. Takes over the values. */
static void list_filtered(struct flow *flow, const char *path, const char *filter, json_t *values)
{
    json_t *filters = json_pack("{s:o}", filter, values);
    char *text = json_dumps(filters, JSON_COMPACT);
    flow_send(flow, "GET", docker_path(flow, path, text), NULL);
    free(text);
    json_decref(filters);
}

/* The engine takes the name for a regular expression, and a name may hold dots. */
static void list_networks(struct flow *flow)
{
    const char *quoted = docker_fill(flow, network_name(flow), ".", "\\.");
    list_filtered(flow, "/networks?filters=", "name",
                  json_pack("[o]", json_string(arena_format(flow->arena, "^%s$", quoted))));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_probe(const json_t *network)
{
    return json_object_get(json_object_get(network, "Labels"), LABEL_PROBE) != NULL;
}

/* The first network of exactly this name, probes last; NULL if there is none. */
static const json_t *first_of_name(const json_t *list, const char *name)
{
    size_t index;
    const json_t *item, *probe = NULL;
    json_array_foreach(list, index, item)
    {
        if (strcmp(text_of(item, "Name"), name) != 0)
            continue;
        if (!is_probe(item))
            return item;
        probe = item;
    }
    return probe;
}

struct wish {
    const char
        *subnet;     /* IPv4; NULL: a probe, by whose label a crash in the middle is mended later */
    const char *mtu; /* or NULL: the engine's default */
    bool ipv6;
};

static json_t *pools_of(struct flow *flow, const struct wish *wish)
{
    const char *half = wish->subnet ? network_engine_half(flow->arena, wish->subnet) : NULL;
    json_t *pools = json_array();
    if (half)
        json_array_append_new(pools,
                              json_pack("{s:s,s:s}", "Subnet", wish->subnet, "IPRange", half));
    if (wish->ipv6)
        json_array_append_new(
            pools, json_pack("{s:s}", "Subnet",
                             network_ula(flow->arena, network_name(flow), (int32_t)flow->tries)));
    return pools;
}

static void create_network(struct flow *flow, const struct wish *wish)
{
    json_t *body =
        json_pack("{s:s,s:b,s:s,s:b,s:{s:s,s:o},s:{s:s,s:s*}}", "Name", network_name(flow),
                  "CheckDuplicate", 1, "Driver", "bridge", "EnableIPv6", (int)wish->ipv6, "IPAM",
                  "Driver", "default", "Config", pools_of(flow, wish), "Options",
                  "com.docker.network.bridge.enable_ip_masquerade", "true", OPTION_MTU, wish->mtu);
    if (!wish->subnet)
        json_object_set_new(body, "Labels", json_pack("{s:s}", LABEL_PROBE, "true"));
    char *text = json_dumps(body, JSON_COMPACT);
    flow_send(flow, "POST", "/networks/create", text);
    free(text);
    json_decref(body);
}

/*
 * Looks for the network; an existing one is used as it is, whoever made it. A
 * probe may be somebody's who is about to make it for good, as the set-up of
 * another cluster beside this one: whoever used it would keep it from that. One
 * that stays was left behind.
 */
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
    df->network_id = is_probe(network) ? NULL : id;
    df->probe_id = is_probe(network) ? id : NULL;
    json_decref(list);
    return df->probe_id && flow->tries < PROBE_LOOKS ? STEP_AGAIN : STEP_DONE;
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

static enum step_status make_again(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *message = docker_message(flow, answer);
    bool last = flow->tries + 1 >= NETWORK_ATTEMPTS;
    if (strstr(message, "already exists")) {
        df->network_raced = true; /* somebody else was faster: with a probe, or for good */
        return STEP_AGAIN;
    }
    if (!last && overlaps(message))
        return STEP_AGAIN;
    if (!last && !df->no_ipv6 && ipv6_unavailable(message)) {
        df->no_ipv6 = true;
        return STEP_AGAIN;
    }
    return docker_refused(flow, answer, "create the network", err);
}

static enum step_status ask_for_probe(struct flow *flow, const struct answer *answer,
                                      const json_t *body, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer->status != 201)
        return make_again(flow, answer, err);
    df->probe_id = arena_string(flow->arena, json_string_value(json_object_get(body, "Id")));
    if (!df->probe_id)
        return docker_refused(flow, answer, "create the network", err);
    flow_send(flow, "GET", arena_format(flow->arena, "/networks/%s", df->probe_id), NULL);
    return STEP_WAITING;
}

/* To make it again with the subnet written down. */
static enum step_status remove_probe(struct flow *flow, const struct answer *answer,
                                     const json_t *body, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct string_list subnets = network_subnets(flow->arena, body);
    df->subnet = network_subnet4(&subnets);
    if (!df->subnet)
        return docker_refused(flow, answer, "read the network's subnet", err);
    flow_send(flow, "DELETE", arena_format(flow->arena, "/networks/%s", df->probe_id), NULL);
    df->probe_id = NULL;
    return STEP_WAITING;
}

/* A host whose links carry smaller packets has told the engine so, for its default network. */
static const char *mtu_of(const struct answer *answer, const json_t *bridge)
{
    const char *mtu = text_of(json_object_get(bridge, "Options"), OPTION_MTU);
    bool number = *mtu && strspn(mtu, "0123456789") == strlen(mtu);
    return answer->status == 200 && number ? mtu : NULL;
}

/*
 * Makes it: first as the engine likes (create, read its subnet, remove), then
 * for good, as wide as the default network. Every answer moves one turn on;
 * trouble with IPv6 or overlaps starts over with another attempt, and where
 * somebody else was faster it is looked for once more.
 */
static enum step_status make(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->network_raced) {
        enum step_status looked = look(flow, answer, err);
        if (looked != STEP_DONE)
            return looked;
        df->network_raced = false;
        flow->turn = 0;
        answer = NULL;
    }
    if (df->network_id)
        return STEP_DONE;
    assert(answer || flow->turn == 0);
    json_t *body = answer ? json_loadb(answer->body, answer->length, 0, NULL) : NULL;
    struct wish wish = {.subnet = df->subnet, .ipv6 = !df->no_ipv6};
    enum step_status status = STEP_WAITING;
    switch (flow->turn) {
    case 0:
        wish.subnet = NULL;
        if (!df->probe_id) {
            create_network(flow, &wish);
            break;
        }
        flow->turn = 1; /* a probe is left from before: its subnet will do */
        flow_send(flow, "GET", arena_format(flow->arena, "/networks/%s", df->probe_id), NULL);
        break;
    case 1:
        status = ask_for_probe(flow, answer, body, err);
        break;
    case 2:
        status = remove_probe(flow, answer, body, err);
        break;
    case 3:
        if (answer->status != 204 && answer->status != 404)
            status = STEP_DONE; /* in use already: it stays as the engine made it */
        else
            flow_send(flow, "GET", "/networks/bridge", NULL);
        break;
    case 4:
        wish.mtu = mtu_of(answer, body);
        create_network(flow, &wish);
        break;
    default:
        status = answer->status == 201 ? STEP_DONE : make_again(flow, answer, err);
        break;
    }
    json_decref(body);
    return status;
}

/* How many containers of the list, which are all running, are in this network. */
static size_t attached(const json_t *containers, const char *network, const char *id)
{
    size_t index, count = 0;
    const json_t *item;
    json_array_foreach(containers, index, item)
    {
        const json_t *networks =
            json_object_get(json_object_get(item, "NetworkSettings"), "Networks");
        count += strcmp(text_of(json_object_get(networks, network), "NetworkID"), id) == 0;
    }
    return count;
}

static void remove_network(struct flow *flow, const char *id)
{
    flow_send(flow, "DELETE", arena_format(flow->arena, "/networks/%s", id), NULL);
}

/*
 * Keeps the first two twins of the list in network_id and probe_id, the lower
 * id first; then asks who is in them, or removes at once the one that is a probe.
 */
static enum step_status weigh_twins(struct flow *flow, const json_t *networks)
{
    struct docker_flow *df = docker_flow_of(flow);
    const json_t *twins[2] = {NULL}, *item;
    size_t index, count = 0;
    json_array_foreach(networks, index, item)
    {
        if (strcmp(text_of(item, "Name"), network_name(flow)) == 0 && *text_of(item, "Id") &&
            count < 2)
            twins[count++] = item;
    }
    if (count < 2)
        return STEP_DONE;
    size_t lower = strcmp(text_of(twins[0], "Id"), text_of(twins[1], "Id")) < 0 ? 0 : 1;
    df->network_id = arena_string(flow->arena, text_of(twins[lower], "Id"));
    df->probe_id = arena_string(flow->arena, text_of(twins[!lower], "Id"));
    if (is_probe(twins[lower]) != is_probe(twins[!lower])) {
        flow->turn = 2; /* the removal's answer is the last */
        remove_network(flow, is_probe(twins[lower]) ? df->network_id : df->probe_id);
        return STEP_WAITING;
    }
    list_filtered(flow, "/containers/json?filters=", "network",
                  json_pack("[s,s]", df->network_id, df->probe_id));
    return STEP_WAITING;
}

/*
 * Two creators at once can make two networks of one name. Of each two the one
 * with more attached containers stays, then the one with the lower id:
 * upstream's rule, so that both agree. One goes a run of the row.
 */
static enum step_status remove_twins(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    enum { RUNS_MAX = 5 }; /* one that is in use cannot be removed */
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        list_networks(flow);
        return STEP_WAITING;
    }
    if (flow->turn == 3)
        return flow->tries < RUNS_MAX ? STEP_AGAIN : STEP_DONE;
    if (answer->status != 200)
        return docker_refused(flow, answer, "compare networks of one name", err);
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    enum step_status status = STEP_WAITING;
    if (flow->turn == 1) {
        status = weigh_twins(flow, list);
    } else {
        const char *name = network_name(flow);
        bool more = attached(list, name, df->probe_id) > attached(list, name, df->network_id);
        remove_network(flow, more ? df->network_id : df->probe_id);
    }
    json_decref(list);
    return status;
}

const struct step docker_network_steps[] = {
    DOCKER_REACH,
    DOCKER_INFO_WARN,
    {.name = "check the host", .run = docker_check_host, .timeout_ms = 10000},
    {.name = "look for the network", .run = look, .timeout_ms = 10000, .poll_ms = 100},
    {.name = "make the network", .run = make, .timeout_ms = 60000, .poll_ms = 100},
    {.name = "check for a second network", .run = remove_twins, .timeout_ms = 30000, .poll_ms = 50},
    {0},
};

/* Reads what is known of the network; asks who is in it, if it has addresses to give. */
static enum step_status read_network(struct flow *flow, const json_t *network, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    bool needs6 = df->input.spec->networking.family != IP_FAMILY_IPV4;
    df->address = df->address6 = NULL;
    df->network_subnets = network_subnets(flow->arena, network);
    df->subnet = network_shared(flow->arena, network);
    if (network && needs6 && !network_subnet6(&df->network_subnets)) {
        error_set(err, ERROR_INVALID,
                  "network %s has no IPv6 subnet, which ipFamily %s needs; see that the engine's "
                  "host has IPv6 and ip6tables, delete the clusters on this network, and then it "
                  "(docker network rm %s): it is made anew",
                  network_name(flow), ip_family_name(df->input.spec->networking.family),
                  network_name(flow));
        return STEP_FAILED;
    }
    if (!network || (!df->subnet && !needs6))
        return STEP_DONE;
    list_filtered(flow, "/containers/json?all=1&filters=", "network",
                  json_pack("[s]", network_name(flow)));
    return STEP_WAITING;
}

/*
 * Row of the creation of nodes: fixed addresses where the network allows them,
 * and its subnets. A cluster without IPv6 needs no address of that kind.
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
        status = read_network(flow, first_of_name(list, network_name(flow)), err);
    } else {
        const struct network_members members = {list, network_name(flow)};
        const char *name = df->input.action->subject;
        if (df->subnet)
            df->address = df->inherited_address
                              ? df->inherited_address
                              : network_choose4(flow->arena, df->subnet, &members, name);
        if (df->input.spec->networking.family != IP_FAMILY_IPV4)
            df->address6 = df->inherited_address6
                               ? df->inherited_address6
                               : network_choose6(flow->arena, &df->network_subnets, &members, name);
    }
    json_decref(list);
    return status;
}
