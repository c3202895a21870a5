/*
 * balancer.h - the configuration of the load balancer before several control planes.
 *
 * Pure text from data: the same inputs give the same bytes, whatever the
 * order of the backends. Two programs are spoken to: haproxy, in the image
 * made here or upstream's former one, and Envoy, in upstream's present one.
 *
 * haproxy: put the configuration in place, before the first start too, and
 * send SIGHUP to a running container; it survives restarts. Envoy: the script
 * is the container's command; then write `.tmp` files beside the two below
 * and run the activation, because it reacts to files that are moved only.
 */
#ifndef MODEL_BALANCER_H
#define MODEL_BALANCER_H

#include "base/text.h"
#include "model/spec.h"

/* Where haproxy's configuration is in its container. */
#define BALANCER_HAPROXY_CONFIG "/usr/local/etc/haproxy/haproxy.cfg"

/* Where Envoy's are, in a folder that its script makes. */
#define BALANCER_ENVOY_FOLDER "/home/envoy"
#define BALANCER_ENVOY_CDS BALANCER_ENVOY_FOLDER "/cds.yaml"
#define BALANCER_ENVOY_LDS BALANCER_ENVOY_FOLDER "/lds.yaml"

struct balancer_input {
    const char *cluster, *name; /* the cluster, the balancer's container */
    enum ip_family family;
    const char *const *backends; /* names of control plane containers, in any order */
    size_t backend_count;        /* 0 is fine: nothing is passed on */
};

/* Append the file. */
void balancer_haproxy(const struct balancer_input *input, struct text *text);
void balancer_envoy_bootstrap(const struct balancer_input *input, struct text *text);
void balancer_envoy_cds(const struct balancer_input *input, struct text *text);
void balancer_envoy_lds(const struct balancer_input *input, struct text *text);

/* Appends what `bash -c` runs as the container's command: it writes the bootstrap. */
void balancer_envoy_script(const struct balancer_input *input, struct text *text);

/* What `sh -c` runs in the container to put both `.tmp` files in force. */
extern const char balancer_envoy_activation[];

#endif
