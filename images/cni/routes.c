#include "routes.h"

#include <string.h>
#include <sys/socket.h>

void routes_wanted(struct routes *wanted, json_t *nodes, const char *own_name)
{
    const char *name;
    json_t *node;
    wanted->count = 0;
    json_object_foreach(nodes, name, node)
    {
        struct network networks[POD_NETWORKS_MAX];
        size_t count = strcmp(name, own_name) == 0 ? 0 : node_pod_networks(node, networks);
        for (size_t i = 0; i < count && wanted->count < ROUTES_MAX; i++) {
            struct route route = {.to = networks[i]};
            if (node_address(node, networks[i].family, route.via) && !routes_have(wanted, &route))
                wanted->items[wanted->count++] = route;
        }
    }
}

int routes_have(const struct routes *routes, const struct route *route)
{
    for (size_t i = 0; i < routes->count; i++) {
        const struct route *other = &routes->items[i];
        if (network_equal(&other->to, &route->to) &&
            memcmp(other->via, route->via, sizeof(route->via)) == 0)
            return 1;
    }
    return 0;
}
