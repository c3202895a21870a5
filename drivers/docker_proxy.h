/*
 * docker_proxy.h - the proxy settings that containers are made with.
 *
 * Upstream's rules: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment
 * (upper case first), else the `proxies` of docker's client configuration;
 * each in both spellings. Where there is any of them, NO_PROXY also holds what
 * must be reached directly: the network's subnets first, then what was
 * configured, the cluster's subnets, its nodes, and its services' names. Then
 * what the docker client gives every container by itself, unless it is set.
 */
#ifndef DRIVERS_DOCKER_PROXY_H
#define DRIVERS_DOCKER_PROXY_H

#include "base/arena.h"
#include "model/spec.h"
#include <jansson.h>

struct docker_flow;

struct proxy_input {
    /* A variable's value, or NULL. */
    const char *(*lookup)(void *context, const char *name);
    void *context;
    const char *client_config; /* text of docker's config.json, or NULL; bad JSON is as none */
    const char *engine;        /* "unix:///var/run/docker.sock": a key of `proxies` */
    const char *service_subnet, *pod_subnet; /* comma lists */
    struct string_list network_subnets;
    struct string_list names; /* of all nodes, and of the load balancer */
};

/* "NAME=value" for a container's Env, in an order that is always the same. Pure. */
void proxy_environment(struct arena *arena, const struct proxy_input *input,
                       struct string_list *environment);

/*
 * Adds them to a container's Env, for the cluster of the flow, whose
 * network_subnets are known. Reads the environment and docker's file.
 */
void docker_add_proxy(struct docker_flow *df, json_t *environment);

#endif
