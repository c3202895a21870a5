/*
 * health.h - the three HTTP ports that kubeadm's CoreDNS Deployment expects.
 *
 *   :8080/health   200 as long as the loop turns
 *   :8181/ready    200 once names can be answered. Before, the reply is held
 *                  back for most of kubelet's 1 s: the next probe comes only
 *                  10 s later, and a start takes a few tenths.
 *   :9153/metrics  a few numbers, as Prometheus wants them
 */
#ifndef CLUSTER_DNS_HEALTH_H
#define CLUSTER_DNS_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../cluster-api/loop.h"

struct health;

/* Ports that cannot be had are logged and left out; print_metrics fills a text. */
struct health *health_new(struct loop *loop,
                          void (*print_metrics)(void *context, char *text, size_t size),
                          void *context);
void health_free(struct health *health);

/* Answers those who wait for it. */
void health_set_ready(struct health *health, bool ready);

/* Ends what has waited too long; returns when to be called again. */
uint64_t health_tick(struct health *health, uint64_t now_ms);

#endif
