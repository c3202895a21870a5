#include "drivers/fake_node.h"

#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_peers.h"
#include "drivers/fake_store.h"

void fake_node_start_kubelet(struct fake_world *world, struct fake_container *container,
                             uint64_t now_ms)
{
    if (!fake_file_get(container, "/var/lib/kubelet/config.yaml"))
        return;
    container->node.kubelet_at_ms = now_ms;
    container->node.kubelet_frozen = false;
    container->node.registered = false;
    fake_node_settle(world, container, now_ms);
}

void fake_node_stop_kubelet(struct fake_container *container, uint64_t now_ms)
{
    container->node.kubelet_at_ms = 0;
    container->node.silent_at_ms = now_ms;
}

void fake_node_freeze_kubelet(struct fake_container *container, uint64_t now_ms)
{
    container->node.kubelet_frozen = true;
    container->node.silent_at_ms = now_ms;
}

void fake_node_boot(struct fake_world *world, struct fake_container *container)
{
    container->node.containerd_stopped = false;
    if (container->node.kubelet_masked)
        return;
    if (container->node.is_node && container->files)
        fake_node_start_kubelet(world, container, container->booted_at_ms);
}

void fake_node_halt(struct fake_container *container)
{
    container->node.kubelet_at_ms = container->node.silent_at_ms = 0;
    container->node.api_at_ms = 0;
    fake_peers_halt(container);
}

static bool has_files(struct fake_container *container, const char *const *paths)
{
    for (; *paths; paths++)
        if (!fake_file_get(container, *paths))
            return false;
    return true;
}

void fake_node_settle(struct fake_world *world, struct fake_container *container, uint64_t now_ms)
{
    static const char *const needed[] = {
        "/etc/kubernetes/manifests/etcd.yaml",
        "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/etc/kubernetes/pki/ca.crt",
        "/etc/kubernetes/pki/apiserver.crt",
        "/etc/kubernetes/pki/sa.key",
        "/etc/kubernetes/pki/etcd/server.crt",
        NULL,
    };
    struct fake_node *node = &container->node;
    node->control_plane = has_files(container, needed);
    if (!node->control_plane || container->run == FAKE_EXITED) {
        node->api_at_ms = 0;
    } else if (node->kubelet_at_ms && !node->api_at_ms) {
        uint64_t from_ms = node->kubelet_at_ms > now_ms ? node->kubelet_at_ms : now_ms;
        node->api_at_ms = from_ms + world->settings.api_ms;
    }
    world->apis_version++;
}

bool fake_node_booted(const struct fake_container *container, uint64_t now_ms)
{
    return container->run == FAKE_RUNNING && now_ms >= container->booted_at_ms;
}

bool fake_etcd_runs(struct fake_world *world, const char *name)
{
    struct fake_container *member;
    HASH_FIND(by_name, world->container_names, name, strlen(name), member);
    return member && member->run == FAKE_RUNNING && member->node.etcd;
}

size_t fake_etcd_running(struct fake_world *world, const struct fake_cluster *cluster)
{
    size_t i, running = 0;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        running += fake_etcd_runs(world, json_string_value(member));
    }
    return running;
}

bool fake_etcd_has_quorum(struct fake_world *world, const struct fake_cluster *cluster)
{
    return fake_peers_quorum(world, cluster);
}

bool fake_node_api_up(struct fake_world *world, struct fake_container *container, uint64_t now_ms)
{
    const struct fake_node *node = &container->node;
    return container->run == FAKE_RUNNING && node->cluster && node->etcd && node->api_at_ms &&
           now_ms >= node->api_at_ms && fake_peers_serves(container) &&
           fake_peers_quorum(world, node->cluster);
}

struct fake_container *fake_cluster_api(struct fake_world *world,
                                        const struct fake_cluster *cluster, uint64_t now_ms)
{
    size_t i;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member);
        struct fake_container *container;
        HASH_FIND(by_name, world->container_names, name, strlen(name), container);
        if (container && container->node.cluster == cluster &&
            fake_node_api_up(world, container, now_ms))
            return container;
    }
    return NULL;
}

/* The cluster whose load balancer this is: that of a control plane with the same label. */
static struct fake_cluster *balanced(struct fake_world *world, struct fake_container *balancer)
{
    const char *label = fake_container_label(balancer, "io.x-k8s.kind.cluster");
    for (struct fake_container *other = world->containers; other && *label;
         other = other->by_id.next)
        if (other->node.etcd && other->node.cluster &&
            strcmp(fake_container_label(other, "io.x-k8s.kind.cluster"), label) == 0)
            return other->node.cluster;
    return NULL;
}

static bool is_balancer(const struct fake_container *container)
{
    return strcmp(fake_container_label(container, "io.x-k8s.kind.role"),
                  "external-load-balancer") == 0;
}

struct fake_container *fake_node_behind(struct fake_world *world, struct fake_container *container,
                                        uint64_t now_ms)
{
    if (container->run != FAKE_RUNNING)
        return NULL;
    if (!is_balancer(container))
        return fake_node_api_up(world, container, now_ms) ? container : NULL;
    struct fake_cluster *cluster = balanced(world, container);
    return cluster ? fake_cluster_api(world, cluster, now_ms) : NULL;
}

/* --- etcd --- */

void fake_etcd_add(struct fake_container *container, struct fake_cluster *cluster)
{
    fake_etcd_remove(cluster, container->name); /* its data, brought into another container */
    json_array_append_new(cluster->etcd_members, json_string(container->name));
    json_object_set_new(cluster->peer_urls, container->name,
                        json_sprintf("https://%s:2380", fake_peers_address(container)));
    container->node.cluster = cluster;
    container->node.etcd = true;
}

void fake_etcd_remove(struct fake_cluster *cluster, const char *member)
{
    for (size_t i = json_array_size(cluster->etcd_members); i-- > 0;)
        if (strcmp(json_string_value(json_array_get(cluster->etcd_members, i)), member) == 0)
            json_array_remove(cluster->etcd_members, i);
}

static bool has_data(struct fake_world *world, const struct fake_cluster *cluster)
{
    for (struct fake_container *other = world->containers; other; other = other->by_id.next)
        if (other->node.etcd && other->node.cluster == cluster)
            return true;
    return false;
}

void fake_node_forget(struct fake_world *world, struct fake_container *container)
{
    struct fake_cluster *cluster = container->node.cluster;
    bool etcd = container->node.etcd;
    container->node.cluster = NULL;
    container->node.etcd = false;
    if (!cluster || !etcd || has_data(world, cluster))
        return;
    for (struct fake_container *other = world->containers; other; other = other->by_id.next)
        if (other->node.cluster == cluster)
            other->node.cluster = NULL;
    fake_cluster_free(world, cluster);
}
