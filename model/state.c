#include "model/state.h"

#include <stdlib.h>
#include <string.h>

const char *container_status_name(enum container_status status)
{
    switch (status) {
    case CONTAINER_CREATED:
        return "created";
    case CONTAINER_RUNNING:
        return "running";
    case CONTAINER_PAUSED:
        return "paused";
    case CONTAINER_RESTARTING:
        return "restarting";
    case CONTAINER_REMOVING:
        return "removing";
    case CONTAINER_EXITED:
        return "exited";
    case CONTAINER_DEAD:
        return "dead";
    }
    return "unknown";
}

static int name_order(const void *name, const void *cluster)
{
    return strcmp(name, ((const struct cluster_state *)cluster)->name);
}

const struct cluster_state *fleet_state_find(const struct fleet_state *fleet, const char *name)
{
    if (fleet->cluster_count == 0)
        return NULL;
    return bsearch(name, fleet->clusters, fleet->cluster_count, sizeof(*fleet->clusters),
                   name_order);
}

bool node_state_is_carrier(const struct node_state *node)
{
    return node->role && strcmp(node->role, ROLE_CARRIER) == 0;
}

bool node_state_is_aside(const struct node_state *node)
{
    return node_state_is_carrier(node) || (node->role && strcmp(node->role, ROLE_PROBE) == 0);
}

bool cluster_state_owned(const struct cluster_state *state, const char *fleet)
{
    for (size_t i = 0; i < state->node_count; i++) {
        const char *owner = state->nodes[i].owner;
        if (!owner || strcmp(owner, fleet) != 0)
            return false;
    }
    return true;
}
