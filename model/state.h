/*
 * state.h - what was seen of one cluster. Immutable once observed.
 *
 * Partial knowledge is explicit: SEEN_UNKNOWN is neither yes nor no, and
 * nothing is changed because of it. Everything lives in one arena with its
 * strings.
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include "model/facet.h"
#include "model/marks.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Labels on containers: upstream's, and ours beside them. */
#define LABEL_CLUSTER "io.x-k8s.kind.cluster"
#define LABEL_ROLE "io.x-k8s.kind.role"
#define LABEL_OWNER "fleet.kind/owner" /* the fleet's name */
#define LABEL_SHAPE "fleet.kind/shape" /* facet_shape of the node at creation */

/* The role of the load balancer's container, which is no node of Kubernetes. */
#define ROLE_BALANCER "external-load-balancer"

/*
 * A lone control plane is replaced with its data: the old container is set
 * aside, stopped and under a name that no node can have, until the new one is
 * Ready with what it holds. Labels cannot be changed, so the name tells; its
 * role here is this one, and it is no node of the cluster.
 */
#define ROLE_CARRIER "data-carrier"
#define STATE_CARRIER_SUFFIX "_before"

/* Made of a node's image for a look at its version, and never started; goes at once. */
#define ROLE_PROBE "version-probe"
#define STATE_PROBE_SUFFIX "_version"

enum seen { SEEN_UNKNOWN, SEEN_NO, SEEN_YES };

enum container_status {
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_PAUSED,
    CONTAINER_RESTARTING,
    CONTAINER_REMOVING,
    CONTAINER_EXITED,
    CONTAINER_DEAD,
};

const char *container_status_name(enum container_status status); /* "running" */

struct node_state {
    const char *name, *id; /* id: 64 hex digits; mutations go by it */
    const char *role;      /* label: "control-plane", "worker", "external-load-balancer"; or "" */
    const char *image;
    const char *owner;          /* label fleet.kind/owner, NULL: not made by us */
    const char *shape;          /* label fleet.kind/shape, NULL as above */
    const char *network, *ipv4; /* first network and address; NULL when not running */
    const char *ipv6;
    const char *api_host; /* where 6443/tcp is published, or NULL */
    uint16_t api_port;
    uint64_t created_at_s; /* Unix time */
    enum container_status status;
    bool detached; /* it runs, but is in no network */
    /* Does it answer to the endpoint's name? Only looked at where no load balancer does. */
    enum seen named;
    /*
     * By the cluster's own word, where its API was asked: has this container's
     * kubelet registered (the Node of an older container of that name does not
     * count), and is its Node Ready?
     */
    enum seen joined, node_ready;
    bool several_networks; /* so nobody knows which address is the cluster's */
    bool loose;      /* its address is the engine's choice: it may be another after each start */
    enum seen moved; /* has it another address than the one that it was set up with? */
    bool silent;     /* its kubelet says nothing any more: the cluster waits 40 s for it */
    const char *trouble;  /* why its Node is not Ready, in the cluster's words; NULL: not known */
    const char *given_up; /* why ACTION_REVIVE could not help, since it is not Ready; or NULL */
    const char *drift;    /* what of labels and taints is not as the spec says, in words; NULL:
                             nothing, or not known */
};

struct cluster_state {
    const char *name;
    uint64_t observed_at_ms;
    const struct node_state *nodes; /* sorted by name, unique */
    size_t node_count;
    enum seen recorded;  /* is there a record of a finished set-up? */
    bool record_partial; /* a control plane before the one that told it has none */
    /* Beside a carrier: the new container holds the data and a record, else that is the carrier's;
     * and the record is its own, so that nobody needs the carrier any more. */
    bool carried, succeeded;
    struct facet_list applied; /* of the record; empty unless SEEN_YES and desired was known */
    struct marks marks;        /* beside the record, or alone */
    enum seen marked;          /* were they looked for? NO: there was nothing to read them from */
    enum seen kubeconfig;      /* is the user's entry there, and for this API port? */
    enum seen ready;           /* all nodes Ready by the cluster's own word */
    size_t ready_count;        /* nodes that are */
    const char *version;       /* kubelet's "v1.20.2", or NULL */
    const char *message;       /* why not ready or unknown, in words; or NULL */
};

/* All clusters seen with one list, sorted by name. */
struct fleet_state {
    const struct cluster_state *clusters;
    size_t cluster_count;
};

const struct cluster_state *fleet_state_find(const struct fleet_state *fleet, const char *name);

/* Containers of a cluster that are no nodes of it: a carrier, a probe. */
bool node_state_is_aside(const struct node_state *node);
bool node_state_is_carrier(const struct node_state *node);

/* True if every node carries our owner label with this fleet's name. No nodes: true. */
bool cluster_state_owned(const struct cluster_state *state, const char *fleet);

#endif
