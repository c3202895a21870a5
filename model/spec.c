#include "model/spec.h"

#include <stdlib.h>
#include <string.h>

const char *const ip_family_names[] = {"ipv4", "ipv6", "dual", NULL};
const char *const proxy_mode_names[] = {"iptables", "ipvs", "nftables", "none", NULL};
const char *const node_role_names[] = {"control-plane", "worker", NULL};
const char *const mount_propagation_names[] = {"None", "HostToContainer", "Bidirectional", NULL};
const char *const port_protocol_names[] = {"TCP", "UDP", "SCTP", NULL};

const char *ip_family_name(enum ip_family family)
{
    return ip_family_names[family];
}

const char *proxy_mode_name(enum proxy_mode mode)
{
    return proxy_mode_names[mode];
}

const char *node_role_name(enum node_role role)
{
    return node_role_names[role];
}

const char *mount_propagation_name(enum mount_propagation propagation)
{
    return mount_propagation_names[propagation];
}

const char *port_protocol_name(enum port_protocol protocol)
{
    return port_protocol_names[protocol];
}

size_t spec_role_count(const struct cluster_spec *spec, enum node_role role)
{
    size_t count = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        count += spec->nodes[i].role == role;
    return count;
}

const struct node_spec *spec_first_control_plane(const struct cluster_spec *spec)
{
    const struct node_spec *first = NULL;
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct node_spec *node = &spec->nodes[i];
        if (node->role == NODE_CONTROL_PLANE && (!first || strcmp(node->name, first->name) < 0))
            first = node;
    }
    return first;
}

static int name_order(const void *name, const void *cluster)
{
    return strcmp(name, ((const struct cluster_spec *)cluster)->name);
}

const struct cluster_spec *fleet_spec_find(const struct fleet_spec *fleet, const char *name)
{
    if (fleet->cluster_count == 0)
        return NULL;
    return bsearch(name, fleet->clusters, fleet->cluster_count, sizeof(*fleet->clusters),
                   name_order);
}
