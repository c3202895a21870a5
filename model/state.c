#include "model/state.h"

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

const struct cluster_state *fleet_state_find(const struct fleet_state *fleet, const char *name)
{
    size_t low = 0, high = fleet->cluster_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, fleet->clusters[middle].name);
        if (order == 0)
            return &fleet->clusters[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
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
