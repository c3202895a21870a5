/*
 * docker_drain.h - a node on its way out. Private to docker_drain.c, which knows what is done
 * before and after, and docker_evict.c, which empties it.
 */
#ifndef DRIVERS_DOCKER_DRAIN_H
#define DRIVERS_DOCKER_DRAIN_H

#include "drivers/docker_flow.h"
#include "drivers/kube_pods.h"

enum confirms { NODE_CONFIRMS, NODE_LOST, NODE_STILL };

/* What the answer to come is about. */
enum drain_ask { ASK_PODS, ASK_CONTAINER, ASK_REPLICAS, ASK_EVICTION, ASK_DELETION };

/* Since when something is waited for: a controller's path, or a pod's uid. */
struct drain_wait {
    const char *key; /* NULL: free */
    uint64_t since_ms;
};

/* In the flow's arena, as docker_flow's `drain`. The list of pods is df->objects. */
struct drain {
    const struct node_state *container; /* NULL: there is none */
    enum confirms confirms;
    bool unknown; /* the cluster has no such Node */
    const char *eviction_version;
    enum drain_ask ask;
    bool *going;     /* by pod: evicted in this run */
    bool looked;     /* the engine was asked for the container in this run */
    const char *why; /* the first reason of this run why a pod cannot go */
    struct drain_wait *waits;
    size_t wait_count;
};

static inline struct drain *drain_of(struct flow *flow)
{
    return docker_flow_of(flow)->drain;
}

/* The node's name: it may be no node of the spec. */
static inline const char *drain_subject(struct flow *flow)
{
    return docker_flow_of(flow)->input.action->subject;
}

/* Row: moves what has to go, and is run again until nothing is left. */
enum step_status docker_empty_node(struct flow *, const struct answer *, struct error **);

#endif
