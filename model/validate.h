/*
 * validate.h - the rules that values of the right type can still break.
 *
 * Each function reports at the value's cursor and goes on. What upstream's
 * kind accepts and the engine would refuse later is at most a warning, except
 * where the engine would silently do something else.
 */
#ifndef MODEL_VALIDATE_H
#define MODEL_VALIDATE_H

#include "model/load_fields.h"

/* [a-z0-9.-]+, with a warning past 50 characters: host names end at 63. */
void validate_name(struct loader *loader, const struct cursor *at, const char *name);

/*
 * A node's name of its own, the part behind the cluster's: as a cluster's name,
 * from a letter or digit to one, and not the load balancer's. False if it is not.
 */
bool validate_node_key(struct loader *loader, const struct cursor *at, const char *key);

/* Over all clusters: what one waits for is another of them, and none waits for itself. */
void validate_dependencies(struct loader *loader, const struct fleet_spec *fleet);

/* -1 to 65535; 0 where the field tells "pick one". */
void validate_host_port(struct loader *loader, const struct cursor *at, int32_t port);
void validate_container_port(struct loader *loader, const struct cursor *at, int32_t port);

/* A comma list of CIDRs, as many and of those families as the cluster's family wants. */
void validate_subnets(struct loader *loader, const struct cursor *at, const char *subnets,
                      enum ip_family family);

/*
 * Listen addresses, and that no two mappings of a node want the same port.
 * at is the cursor of the list; a port whose listen address is not an IP is reported.
 */
void validate_ports(struct loader *loader, const struct cursor *at, const struct port_spec *ports,
                    size_t count);

/* Over all clusters: containers of one engine have names of their own, balancers too. */
void validate_node_names(struct loader *loader, const struct fleet_spec *fleet);

/* At least one control plane among the nodes. */
void validate_roles(struct loader *loader, const struct cursor *at,
                    const struct cluster_spec *spec);

/* Are both IP addresses, and the same, however they are written? */
bool validate_same_address(const char *a, const char *b);

bool validate_is_address(const char *text);

#endif
