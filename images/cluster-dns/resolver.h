/*
 * resolver.h - answers on a loopback port what only the cluster knows.
 *
 * dnsmasq faces the clients, caches and forwards; it sends here what lies in
 * the cluster's domain and all reverse look-ups, over UDP and TCP. Two kinds of
 * question cannot be answered from the zone alone and are passed on: the end of
 * an ExternalName (asked of dnsmasq), and addresses that are not the cluster's
 * (asked of the servers outside).
 */
#ifndef CLUSTER_DNS_RESOLVER_H
#define CLUSTER_DNS_RESOLVER_H

#include <stdint.h>

#include "../cluster-api/loop.h"
#include "upstream.h"
#include "zone.h"

struct resolver;

struct resolver_ports {
    uint16_t own;     /* where to answer, on 127.0.0.1 */
    uint16_t dnsmasq; /* where dnsmasq answers, on 127.0.0.1 */
};

/* NULL with errno set if the port cannot be had. upstreams is borrowed. */
struct resolver *resolver_new(struct loop *loop, struct resolver_ports ports,
                              const struct upstreams *upstreams);
void resolver_free(struct resolver *resolver);

/* The zone to answer from; borrowed until the next call. */
void resolver_use(struct resolver *resolver, const struct zone *zone);

/* Gives up what has waited too long; returns when to be called again. */
uint64_t resolver_tick(struct resolver *resolver, uint64_t now_ms);

/* How many questions have been answered, and passed on, so far. */
struct resolver_counts {
    uint64_t answered, passed_on, timed_out;
};
struct resolver_counts resolver_counts(const struct resolver *resolver);

#endif
