/*
 * docker_etcd.h - who the members of the cluster's etcd are, asked of one of them, and fewer of
 * them. Private to drivers/docker*.c.
 *
 * etcdctl is run out of etcd's own image, by the root of its process: node
 * images have no other in common.
 */
#ifndef DRIVERS_DOCKER_ETCD_H
#define DRIVERS_DOCKER_ETCD_H

#include "drivers/docker_flow.h"

/* For a shell that has etcd's process as $pid. */
#define ETCDCTL                                                                                    \
    "/proc/$pid/root/usr/local/bin/etcdctl --endpoints=https://127.0.0.1:2379"                     \
    " --cacert=/etc/kubernetes/pki/etcd/ca.crt"                                                    \
    " --cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt"                                      \
    " --key=/etc/kubernetes/pki/etcd/healthcheck-client.key"

enum { ETCD_MEMBERS_MAX = 64 };

struct etcd_member {
    const char *id;     /* hex */
    const char *name;   /* "" until it has started for the first time */
    const char *host;   /* of its first peer URL: an address, or a name */
    const char *client; /* of its first client URL; "" as above */
    bool healthy;       /* it answers, and a majority with it */
};

/* What etcdctl said: `member list`, then `endpoint health --cluster`. -1: that was no list. */
int docker_etcd_parse(struct arena *arena, const char *said, size_t length,
                      struct etcd_member **members, size_t *count);

/*
 * Why this member cannot be taken away now, in words, in arena; NULL: it can.
 * Those that stay must be able to decide without it.
 */
const char *docker_etcd_hold(struct arena *arena, const struct etcd_member *members, size_t count,
                             size_t victim);

/*
 * Row of a join, for a control plane: members whose container is gone are
 * taken away, and the node's own that it does not run any more. df->is_member
 * tells if it is one. Waits until all are well where it is to become one.
 */
enum step_status docker_etcd_join(struct flow *, const struct answer *, struct error **);

#endif
