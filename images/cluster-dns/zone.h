/*
 * zone.h - the names that the cluster's domain has, from Services and Endpoints.
 *
 * Pure: API objects in, a sorted table of records out. What it holds is what
 * Kubernetes' "DNS-Based Service Discovery" asks for: addresses of services and
 * of the ready endpoints of headless ones, SRV for named ports, CNAME for
 * ExternalName, PTR for all these addresses. Names of pods
 * (10-244-0-5.default.pod.cluster.local) are the address itself and are worked
 * out on demand, so that no pod need be watched, unless a headless service has
 * addresses of two families.
 *
 * A zone is built once and never changes; after a change a new one is built.
 */
#ifndef CLUSTER_DNS_ZONE_H
#define CLUSTER_DNS_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* The numbers are those of the DNS. */
enum record_type {
    RECORD_NONE = 0, /* the name exists, if only because others end in it */
    RECORD_A = 1,
    RECORD_CNAME = 5,
    RECORD_SOA = 6,
    RECORD_PTR = 12,
    RECORD_TXT = 16,
    RECORD_AAAA = 28,
    RECORD_SRV = 33,
};

struct record {
    char *name; /* lower case, no dot at the end */
    enum record_type type;
    uint16_t port; /* SRV */
    char *value;   /* an address or a name as text */
};

struct zone {
    char *domain;
    struct record *records; /* sorted by name, type, value, port; unique */
    size_t count, capacity;
};

/* What a zone is built from: the API's objects by "namespace/name"; borrowed. */
struct zone_view {
    json_t *services;
    const json_t *endpoints;
    const json_t *pods; /* NULL as long as nothing needs them */
};

/* Is there a service whose addresses cannot be told without the pods? */
bool zone_needs_pods(json_t *services);

/* What is malformed in the view is left out. The result is the caller's. */
struct zone *zone_new(const char *domain, const struct zone_view *view);
void zone_free(struct zone *zone);

/* All records of a name, of any type; NULL if there is no such name. */
const struct record *zone_find(const struct zone *zone, const char *name, size_t *count);

/* Does the name lie in the cluster's domain, or is it the domain? */
bool zone_covers(const struct zone *zone, const char *name);

/* The address that a pod's name says: its text in *address; else RECORD_NONE. */
enum { ZONE_ADDRESS_SIZE = 46 };
enum record_type zone_pod_address(const struct zone *zone, const char *name,
                                  char address[ZONE_ADDRESS_SIZE]);

/* A name as a line of text: for tests, and for people (SIGUSR1). */
void zone_print(const struct zone *zone, FILE *file);

#endif
