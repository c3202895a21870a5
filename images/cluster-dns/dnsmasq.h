/*
 * dnsmasq.h - keeps Debian's dnsmasq running as a child, and asks whether it answers.
 */
#ifndef CLUSTER_DNS_DNSMASQ_H
#define CLUSTER_DNS_DNSMASQ_H

#include <stdbool.h>
#include <stdint.h>

#include "../cluster-api/loop.h"
#include "upstream.h"

struct dnsmasq;

struct dnsmasq_options {
    const char *program;   /* its path */
    const char *domain;    /* of the cluster */
    uint16_t port;         /* for clients */
    uint16_t cluster_port; /* where the cluster's names are answered, on 127.0.0.1 */
    const struct upstreams *upstreams;
};

/* All that options point at is borrowed. Nothing is started before the first tick. */
struct dnsmasq *dnsmasq_new(struct loop *loop, const struct dnsmasq_options *options);

/* Ends the child. */
void dnsmasq_free(struct dnsmasq *dnsmasq);

/* Starts it if it does not run, asks if it is time; returns when to be called again. */
uint64_t dnsmasq_tick(struct dnsmasq *dnsmasq, uint64_t now_ms);

/* To be told of every child that has ended. */
void dnsmasq_child_ended(struct dnsmasq *dnsmasq, int pid, int status);

/* Has it answered the last question that it was asked? */
bool dnsmasq_answers(const struct dnsmasq *dnsmasq);

#endif
