/*
 * routes.h - the kernel's routes to the pods of other nodes.
 *
 * Ours carry a routing protocol number of our own; no other route is ever
 * touched. What is there is asked of the kernel each time, so that it does not
 * matter who changed what meanwhile, or how often we have been started.
 */
#ifndef CNI_ROUTES_H
#define CNI_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "node.h"

enum {
    ROUTES_MAX = 4096,
    ROUTES_PROTOCOL = 75, /* 'K'; not among the numbers that iproute2 knows by name */
};

struct route {
    struct network to;
    uint8_t via[16]; /* of the same family */
};

struct routes {
    struct route items[ROUTES_MAX];
    size_t count;
};

/* What ought to be there: the pod networks of all nodes but own, via their addresses. */
void routes_wanted(struct routes *wanted, json_t *nodes, const char *own_name);

/* Is this route among them? */
int routes_have(const struct routes *routes, const struct route *route);

/*
 * Adds what is missing and takes away what is not wanted. Returns how many
 * routes have been changed, or -1 with a text in why; the others are done all
 * the same.
 */
int routes_apply(const struct routes *wanted, char *why, size_t why_size);

/* The MTU of the interface of the default route; 0: there is none. */
unsigned routes_default_mtu(void);

#endif
