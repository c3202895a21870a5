#include "model/validate.h"

#include "base/memory.h"
#include "model/scalar.h"
#include <arpa/inet.h>
#include <ctype.h>

enum { NAME_LONG = 50, PORT_MIN = -1, PORT_MAX = 65535, CIDR_BYTES_MAX = 64 };

/* An address by its 16 bytes; an IPv4 one is mapped (::ffff:a.b.c.d). */
struct address {
    unsigned char bytes[16];
    bool is_ipv6, is_wildcard;
};

static bool read_address(const char *text, struct address *address)
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF}, zeros[16];
    memcpy(address->bytes, mapped, sizeof(mapped));
    if (inet_pton(AF_INET, text, address->bytes + 12) != 1 &&
        inet_pton(AF_INET6, text, address->bytes) != 1)
        return false;
    address->is_ipv6 = memcmp(address->bytes, mapped, sizeof(mapped)) != 0;
    address->is_wildcard =
        memcmp(address->bytes + (address->is_ipv6 ? 0 : 12), zeros, address->is_ipv6 ? 16 : 4) == 0;
    return true;
}

bool validate_is_address(const char *text)
{
    struct address ignored;
    return read_address(text, &ignored);
}

bool validate_same_address(const char *a, const char *b)
{
    struct address left, right;
    return read_address(a, &left) && read_address(b, &right) &&
           memcmp(left.bytes, right.bytes, sizeof(left.bytes)) == 0;
}

/* The name in lower case, with a '-' for what is not allowed; "" if nothing remains. */
static const char *mend_name(struct loader *loader, const char *name)
{
    char *mended = arena_string(loader->arena, name);
    size_t length = 0;
    for (const char *at = name; *at; at++) {
        char letter = (char)tolower((unsigned char)*at);
        if ((letter >= 'a' && letter <= 'z') || isdigit((unsigned char)letter))
            mended[length++] = letter;
        else if (length && mended[length - 1] != '-')
            mended[length++] = letter == '.' ? '.' : '-';
    }
    while (length && !isalnum((unsigned char)mended[length - 1]))
        length--;
    mended[length] = '\0';
    return mended;
}

void validate_name(struct loader *loader, const struct cursor *at, const char *name)
{
    size_t length = strlen(name);
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") < length) {
        const char *mended = mend_name(loader, name);
        const char *found = problem_quote(loader->problems, name);
        load_error(loader, at, "%s may hold only a to z, 0 to 9, '.' and '-'%s%s", found,
                   *mended ? "; try " : "", *mended ? problem_quote(loader->problems, mended) : "");
        return;
    }
    if (length > NAME_LONG)
        load_warning(loader, at,
                     "%zu characters may be too long: nodes are named after it, and a host name "
                     "ends at 63; stay within %d",
                     length, NAME_LONG);
    if (name[0] == '.' || name[0] == '-')
        load_warning(loader, at, "\"%s\" should begin with a letter or digit: engines %s", name,
                     "refuse containers named otherwise");
}

bool validate_node_key(struct loader *loader, const struct cursor *at, const char *key)
{
    size_t length = strlen(key);
    if (!length || strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789.-") < length ||
        !isalnum((unsigned char)key[0]) || !isalnum((unsigned char)key[length - 1])) {
        const char *mended = mend_name(loader, key);
        load_error(loader, at,
                   "%s may hold only a to z, 0 to 9, '.' and '-', from a letter or digit to "
                   "one%s%s",
                   problem_quote(loader->problems, key), *mended ? "; try " : "",
                   *mended ? problem_quote(loader->problems, mended) : "");
        return false;
    }
    if (strcmp(key, &SPEC_BALANCER_SUFFIX[1]) == 0) {
        load_error(loader, at, "\"%s\" is what the load balancer of a cluster is called", key);
        return false;
    }
    return true;
}

void validate_host_port(struct loader *loader, const struct cursor *at, int32_t port)
{
    if (port < PORT_MIN || port > PORT_MAX)
        load_error(loader, at,
                   "%d is not a port; use 1 to 65535, 0 (kind picks a free one) or -1 (the engine "
                   "picks one at each start)",
                   port);
}

void validate_container_port(struct loader *loader, const struct cursor *at, int32_t port)
{
    if (port < PORT_MIN || port > PORT_MAX)
        load_error(loader, at, "%d is not a port; use 1 to 65535", port);
    else if (port < 1 && (!at->tree || scalar_int32(at->tree, &port)))
        load_warning(loader, at, "%d is not a port in the node; use 1 to 65535", port);
}

/* address/bits, host bits allowed. */
static bool read_cidr(const char *text, struct address *address)
{
    char copy[CIDR_BYTES_MAX];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof(copy) || !isdigit((unsigned char)slash[1]))
        return false;
    memcpy(copy, text, (size_t)(slash - text));
    copy[slash - text] = '\0';
    char *end;
    unsigned long bits = strtoul(slash + 1, &end, 10);
    return read_address(copy, address) && *end == '\0' && bits <= (strchr(copy, ':') ? 128 : 32);
}

/* Counts the CIDRs of a comma list by family; false, with a report, at the first bad one. */
static bool count_subnets(struct loader *loader, const struct cursor *at, const char *subnets,
                          size_t *ipv4, size_t *ipv6)
{
    const char *end;
    for (const char *from = subnets; from; from = *end ? end + 1 : NULL) {
        end = strchrnul(from, ',');
        const char *part = arena_string_n(loader->arena, from, (size_t)(end - from));
        struct address address;
        if (!read_cidr(part, &address)) {
            const char *hint = strpbrk(part, " \t") ? "; blanks are not allowed" : "";
            load_error(loader, at, "%s is not a subnet; write it like %s%s",
                       problem_quote(loader->problems, part), "10.244.0.0/16 or fd00:10:244::/56",
                       hint);
            return false;
        }
        *ipv4 += !address.is_ipv6;
        *ipv6 += address.is_ipv6;
    }
    return true;
}

void validate_subnets(struct loader *loader, const struct cursor *at, const char *subnets,
                      enum ip_family family)
{
    size_t ipv4 = 0, ipv6 = 0;
    if (!count_subnets(loader, at, subnets, &ipv4, &ipv6))
        return;
    const char *found = problem_quote(loader->problems, subnets);
    if (family == IP_FAMILY_DUAL) {
        if (ipv4 > 1 || ipv6 > 1)
            load_error(loader, at,
                       "%s is too much for ipFamily dual: give one IPv4 and one IPv6 %s", found,
                       "subnet");
    } else if (ipv4 + ipv6 > 1) {
        load_error(loader, at, "%s is more than one subnet, but ipFamily is %s; %s", found,
                   ip_family_name(family), "give one, or set ipFamily: dual");
    } else if ((family == IP_FAMILY_IPV6) != (ipv6 == 1)) {
        load_error(loader, at, "%s is an %s subnet, but ipFamily is %s", found,
                   ipv6 ? "IPv6" : "IPv4", ip_family_name(family));
    }
}

/* What a mapping takes on the host. */
struct claim {
    const struct port_spec *port;
    struct place place; /* of its item */
    struct address address;
};

/* Wildcards of both families stand for all addresses of both. */
static bool collides(const struct claim *a, const struct claim *b)
{
    if (a->port->host_port != b->port->host_port || a->port->protocol != b->port->protocol)
        return false;
    return a->address.is_wildcard || b->address.is_wildcard ||
           memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes)) == 0;
}

static void validate_claim(struct loader *loader, const struct cursor *item,
                           const struct claim *claims, size_t count)
{
    const struct claim *claim = &claims[count];
    if (claim->port->host_port == PORT_PICK || claim->port->host_port == PORT_ENGINE_PICKS)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!collides(&claims[i], claim))
            continue;
        load_error(loader, item, "host port %d/%s on %s is already taken by the mapping at %u:%u",
                   claim->port->host_port, port_protocol_name(claim->port->protocol),
                   claim->port->listen_address, claims[i].place.line, claims[i].place.column);
        return;
    }
}

void validate_ports(struct loader *loader, const struct cursor *at, const struct port_spec *ports,
                    size_t count)
{
    struct claim *claims = arena_array(loader->arena, count, sizeof(*claims));
    size_t claimed = 0, port = 0;
    for (size_t i = 0; i < at->tree->count && port < count; i++) {
        struct cursor item = cursor_item(at, i);
        if (!item.tree)
            continue;
        struct claim claim = {.port = &ports[port], .place = item.place};
        port++;
        struct cursor listen = cursor_field(&item, "listenAddress");
        if (!read_address(claim.port->listen_address, &claim.address)) {
            load_error(loader, &listen, "%s is not an IP address",
                       problem_quote(loader->problems, claim.port->listen_address));
            continue;
        }
        claims[claimed] = claim;
        validate_claim(loader, &item, claims, claimed++);
    }
}

void validate_roles(struct loader *loader, const struct cursor *at, const struct cluster_spec *spec)
{
    if (spec_role_count(spec, NODE_CONTROL_PLANE) == 0)
        load_error(loader, at, "no node is a control plane; add one with role: control-plane");
}

/* A container that a fleet wants. */
struct container {
    const char *name;
    const struct cluster_spec *cluster;
    struct place place;
    size_t order; /* so that the later of two is the one that is told */
};

static int container_order(const void *a, const void *b)
{
    const struct container *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order ? order : left->order < right->order ? -1 : left->order > right->order;
}

static struct container *list_containers(struct loader *loader, const struct fleet_spec *fleet,
                                         size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < fleet->cluster_count; i++)
        most += fleet->clusters[i].node_count + 1;
    struct container *containers = arena_array(loader->arena, most, sizeof(*containers));
    *count = 0;
    for (size_t i = 0; i < fleet->cluster_count; i++) {
        const struct cluster_spec *cluster = &fleet->clusters[i];
        for (size_t j = 0; j < cluster->node_count; j++, ++*count)
            containers[*count] = (struct container){cluster->nodes[j].name, cluster,
                                                    cluster->nodes[j].place, *count};
        if (cluster->balancer) {
            containers[*count] =
                (struct container){cluster->balancer, cluster, cluster->place, *count};
            ++*count;
        }
    }
    return containers;
}

void validate_node_names(struct loader *loader, const struct fleet_spec *fleet)
{
    size_t count;
    struct container *containers = list_containers(loader, fleet, &count);
    if (count)
        qsort(containers, count, sizeof(*containers), container_order);
    for (size_t i = 1; i < count; i++) {
        const struct container *first = &containers[i - 1], *again = &containers[i];
        bool same_cluster_twice = first->cluster != again->cluster &&
                                  strcmp(first->cluster->name, again->cluster->name) == 0;
        if (strcmp(first->name, again->name) != 0 || same_cluster_twice)
            continue;
        problem_add(loader->problems, again->place,
                    "the node %s would have the name of another one, of cluster %s at %s:%u:%u; "
                    "give one of them a name of its own",
                    problem_quote(loader->problems, again->name),
                    problem_quote(loader->problems, first->cluster->name),
                    first->place.file ? first->place.file : "-", first->place.line,
                    first->place.column);
    }
}
