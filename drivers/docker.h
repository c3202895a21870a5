/*
 * docker.h - the driver for the Docker Engine API.
 *
 * Everything that can be read is read again each time; nothing is remembered
 * between operations but the negotiated API version and, only until this
 * process changes anything, the last full list: for a second, and for the
 * first look at each cluster that it shows for a minute, so that one list
 * serves all of them.
 */
#ifndef DRIVERS_DOCKER_H
#define DRIVERS_DOCKER_H

#include "base/error.h"
#include "drivers/driver.h"
#include "drivers/endpoint.h"
#include "drivers/kubeconfig_file.h"
#include "drivers/transport.h"
#include <stdbool.h>

struct docker_options {
    const char *fleet;         /* our name in the owner label */
    const char *network;       /* "kind", or KIND_EXPERIMENTAL_DOCKER_NETWORK */
    const char *default_image; /* KIND_NODE_IMAGE, or NULL for the built-in one */
    const struct kubeconfig_paths *kubeconfig;
    /*
     * Act on containers whoever made them: the imperative commands' rule
     * (upstream's), never that of apply and watch.
     */
    bool any_owner;
};

/*
 * Takes over the endpoint (moved; the caller's is empty afterwards). The
 * transport and all strings of options must outlive the driver. No request is
 * made yet.
 */
struct driver *docker_open(struct transport *transport, struct endpoint *endpoint,
                           const struct docker_options *options);

/* What the check before nodes are made would refuse is only warned of, from now on. */
void docker_skip_preflight(struct driver *driver);

/* The image used where nothing else names one; pinned by digest. */
#define DOCKER_DEFAULT_IMAGE                                                                       \
    "kindest/node:v1.37.0-rc.1@sha256:"                                                            \
    "aabfbaf916de1af22a1e0bf56307b9f775e8e8961a61a653c86e373320dbea2e"

/* Upstream's load balancer; our own is kind.local/haproxy. */
#define DOCKER_ENVOY_IMAGE "envoyproxy/envoy:v1.36.2"

#endif
