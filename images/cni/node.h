/*
 * node.h - what netd wants to know of the API's Node objects.
 *
 * Pure: API objects in, addresses and pod networks out.
 */
#ifndef CNI_NODE_H
#define CNI_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* A network such as 10.244.1.0/24, in network order; the bits behind prefix are 0. */
struct network {
    int family; /* AF_INET or AF_INET6 */
    uint8_t prefix;
    uint8_t bytes[16];
};

enum { NETWORK_TEXT_SIZE = 64, POD_NETWORKS_MAX = 4 };

/* Returns -1 if the text is no network. */
int network_parse(struct network *network, const char *text);
bool network_equal(const struct network *a, const struct network *b);
void network_print(const struct network *network, char text[NETWORK_TEXT_SIZE]);

/* A node's pod networks: spec.podCIDRs, else spec.podCIDR. Returns how many. */
size_t node_pod_networks(const json_t *node, struct network networks[POD_NETWORKS_MAX]);

/* The node's first InternalIP of a family; false if it has none. */
bool node_address(const json_t *node, int family, uint8_t bytes[16]);

#endif
