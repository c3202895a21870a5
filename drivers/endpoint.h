/*
 * endpoint.h - which engine to talk to, and how.
 *
 * Order of the docker CLI's code: --engine, DOCKER_HOST, DOCKER_CONTEXT,
 * currentContext in $DOCKER_CONFIG/config.json (default ~/.docker), then
 * unix:///var/run/docker.sock. unix:// and tcp:// work; tcp with TLS when
 * DOCKER_TLS_VERIFY (or DOCKER_TLS: we always verify) is set, or the context
 * has TLS files. ssh:// is refused with a sentence that says what to do
 * instead.
 */
#ifndef DRIVERS_ENDPOINT_H
#define DRIVERS_ENDPOINT_H

#include "base/error.h"
#include <stdbool.h>

struct endpoint {
    char *origin;    /* who chose it, for errors: "DOCKER_HOST", "context lab", "default" */
    char *display;   /* "unix:///var/run/docker.sock" */
    char *unix_path; /* or NULL */
    char *base_url;  /* "http://localhost" or "http://10.0.0.1:2375", no slash at the end */
    char *ca, *certificate, *key; /* PEM texts, or NULL */
    bool local;                   /* the engine shares this host's ports: unix socket or loopback */
};

/* engine is the --engine option or NULL. Reads the environment and docker's files. */
int endpoint_find(const char *engine, struct endpoint *endpoint, struct error **err);
void endpoint_done(struct endpoint *endpoint);

/* Whether the host of "scheme://host..." is this machine: localhost, 127.x.y.z or [::1]. */
bool endpoint_is_loopback(const char *url);

#endif
