/*
 * docker_address.h - has a node another address than it was set up with? Private to
 * drivers/docker*.c.
 */
#ifndef DRIVERS_DOCKER_ADDRESS_H
#define DRIVERS_DOCKER_ADDRESS_H

#include "drivers/docker_flow.h"

/*
 * The file of a node that tells by which address it was set up, and that no
 * entrypoint changes before we do: etcd's certificate for its peers, of a
 * worker kubelet's flags.
 */
const char *docker_address_witness(const struct node_state *node);

/*
 * What it tells, read into df->files: the addresses of the node, in the flow's
 * arena. None: it tells nothing.
 */
struct string_list docker_address_told(struct docker_flow *df, const struct node_state *node);

/* Is one of the node's addresses among those? Unknown where there are none, or where it has others.
 */
enum seen docker_address_moved(const struct string_list *told, const struct node_state *node);

/* Row of an observation: asks the nodes of which something else may be true than last time. */
enum step_status docker_look_addresses(struct flow *, const struct answer *, struct error **);

#endif
