/*
 * network_address.h - subnets of the nodes' network, and the addresses there that nodes keep.
 *
 * The engine hands out its lowest free address at each start, so nodes that
 * start in another order than before would swap addresses. Those chosen here
 * stay with their container: they lie where the engine, left to itself, does
 * not reach, and only where it allows fixed ones, in subnets that were written
 * down when the network was made.
 *
 * Pure: works on what the engine has listed. Strings are in the arena.
 */
#ifndef DRIVERS_NETWORK_ADDRESS_H
#define DRIVERS_NETWORK_ADDRESS_H

#include "base/arena.h"
#include "model/spec.h"
#include <jansson.h>
#include <stdint.h>

/* Subnets that are tried one after the other when one overlaps with another network's. */
enum { NETWORK_ATTEMPTS = 5 };

/* Upstream's IPv6 subnet for a network of this name: "fc00:f853:ccd:e793::/64" of "kind", 0. */
const char *network_ula(struct arena *arena, const char *name, int32_t attempt);

/* All subnets of a network, IPv4 and IPv6, in the engine's order. */
struct string_list network_subnets(struct arena *arena, const json_t *network);

/* The first that is IPv4, or the first that is IPv6; NULL if there is none. */
const char *network_subnet4(const struct string_list *subnets);
const char *network_subnet6(const struct string_list *subnets);

/*
 * The lower half of an IPv4 subnet, for the engine to hand out, the upper
 * being ours: "10.0.0.0/25" of "10.0.0.0/24". NULL if it is too small to share.
 */
const char *network_engine_half(struct arena *arena, const char *subnet);

/* The IPv4 subnet that is shared so; NULL if this network's is not. */
const char *network_shared(struct arena *arena, const json_t *network);

/* Who is in a network: a reply to GET /containers/json?all=1, and the network's name. */
struct network_members {
    const json_t *containers;
    const char *network;
};

/* A free address in the upper half of a shared subnet: the same for a node each time, if free. */
const char *network_choose4(struct arena *arena, const char *subnet,
                            const struct network_members *members, const char *node);

/*
 * The same for IPv6, in one of upstream's subnets for this network; NULL if it
 * has none of these. Others may be the engine's choice, which it refuses.
 */
const char *network_choose6(struct arena *arena, const struct string_list *subnets,
                            const struct network_members *members, const char *node);

#endif
