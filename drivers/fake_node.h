/*
 * fake_node.h - a container as a kind node: kubelet, static pods, etcd, and whether the API
 * answers.
 *
 * What runs follows from what is there, as on a real node: kubelet from
 * /var/lib/kubelet/config.yaml, the API from kubelet, the manifests, the
 * certificates, and a majority of etcd's members. Whoever changes files or
 * units of a node calls fake_node_settle afterwards.
 */
#ifndef DRIVERS_FAKE_NODE_H
#define DRIVERS_FAKE_NODE_H

#include "drivers/fake_call.h"

/* Its kubelet starts at container->booted_at_ms, if it is set up. */
void fake_node_boot(struct fake_world *world, struct fake_container *container);
void fake_node_halt(struct fake_container *container);
/* The container goes: so does its etcd member's data, and a cluster without any. */
void fake_node_forget(struct fake_world *world, struct fake_container *container);

void fake_node_start_kubelet(struct fake_world *world, struct fake_container *container,
                             uint64_t now_ms);
void fake_node_stop_kubelet(struct fake_container *container, uint64_t now_ms);
void fake_node_freeze_kubelet(struct fake_container *container, uint64_t now_ms);
void fake_node_settle(struct fake_world *world, struct fake_container *container, uint64_t now_ms);

bool fake_node_booted(const struct fake_container *container, uint64_t now_ms);
/* Its own API server answers. */
bool fake_node_api_up(struct fake_world *world, struct fake_container *container, uint64_t now_ms);
/* A node of the cluster whose API answers, or NULL. */
struct fake_container *fake_cluster_api(struct fake_world *world,
                                        const struct fake_cluster *cluster, uint64_t now_ms);
/*
 * The node that answers when this container's port 6443 is asked: itself, or
 * for a load balancer one of its cluster's. NULL: nobody.
 */
struct fake_container *fake_node_behind(struct fake_world *world, struct fake_container *container,
                                        uint64_t now_ms);

/* Where snapshots of etcd are kept in a node. */
#define FAKE_SNAPSHOTS "/kind/etcd-snapshots"

/* Its container runs, with the data of the member that it was when it was added. */
bool fake_etcd_runs(struct fake_world *world, const char *name);
bool fake_etcd_has_quorum(struct fake_world *world, const struct fake_cluster *cluster);
void fake_etcd_add(struct fake_container *container, struct fake_cluster *cluster);
/* How many of the members run. */
size_t fake_etcd_running(struct fake_world *world, const struct fake_cluster *cluster);
void fake_etcd_remove(struct fake_cluster *cluster, const char *member);

#endif
