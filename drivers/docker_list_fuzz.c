/*
 * docker_list_fuzz.c - any bytes as what an engine lists and as what a cluster's API lists: no
 * crash, and what is made of them keeps the promises of state.h.
 */
#include "drivers/docker_flow.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(struct arena *arena, const struct node_state *node)
{
    struct node_state copy = docker_copy_node(arena, node);
    assert(node->id && *node->id && node->role && node->image);
    assert(strcmp(copy.name, node->name) == 0 && copy.status == node->status);
    assert(!node->api_host || node->api_port);
    assert(strstr(docker_api_server(arena, node), "https://"));
}

static void check_cluster(struct arena *arena, const struct cluster_state *cluster)
{
    assert(*cluster->name && cluster->node_count > 0);
    for (size_t i = 0; i < cluster->node_count; i++) {
        check_node(arena, &cluster->nodes[i]);
        assert(i == 0 || strcmp(cluster->nodes[i - 1].name, cluster->nodes[i].name) <= 0);
    }
    const struct node_state *first = docker_speaker(cluster);
    assert(!first || strcmp(first->role, node_role_name(NODE_CONTROL_PLANE)) == 0);
}

static void check_list(struct arena *arena, const char *bytes, size_t length)
{
    cleanup_error struct error *err = NULL;
    struct fleet_state fleet;
    int result = docker_parse_list(arena, bytes, length, &fleet, &err);
    assert((result == 0) == !err);
    for (size_t i = 0; result == 0 && i < fleet.cluster_count; i++) {
        check_cluster(arena, &fleet.clusters[i]);
        assert(fleet_state_find(&fleet, fleet.clusters[i].name) == &fleet.clusters[i]);
    }
}

static void check_ready(struct arena *arena, const char *bytes, size_t length)
{
    cleanup_error struct error *err = NULL;
    struct kube_node expected[] = {{"a", 1}, {"a-worker", 0}};
    struct kube_readiness seen;
    int result = kube_read_nodes(arena, bytes, length, expected, 2, &seen, &err);
    assert((result == 0) == !err);
    assert(result != 0 || (seen.total == 2 && (seen.ready == 2) == !seen.message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena cleanup_arena = arena_new();
    check_list(arena, (const char *)data, size);
    check_ready(arena, (const char *)data, size);
    return 0;
}
