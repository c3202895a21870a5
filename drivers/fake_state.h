/*
 * fake_state.h - the things of the fake world, for drivers/fake_*.c alone.
 *
 * Everything belongs to the world and is freed with it. Each thing has one
 * file that makes and unmakes it (fake_container.c, fake_network.c, ...); the
 * others read it, and change it through the functions of that file's header.
 */
#ifndef DRIVERS_FAKE_STATE_H
#define DRIVERS_FAKE_STATE_H

#include "base/prng.h"
#include "drivers/fake_world.h"
#include <jansson.h>
#include <uthash.h>

struct fake_file {
    char *path; /* absolute and clean */
    char *bytes;
    size_t length;
    unsigned mode;
    bool directory;
    UT_hash_handle hh;
};

struct fake_image {
    char *id;   /* "sha256:..." */
    char *name; /* normalised, with tag and digest as given */
    bool node;
    UT_hash_handle hh; /* by name */
};

struct fake_network {
    char *id, *name, *driver;
    uint64_t created_at_ms;
    uint32_t subnet, mask; /* host byte order; 0: no IPv4 */
    char *range;           /* of IPv4, that the engine hands out: "10.0.0.0/17", or NULL: all */
    char *ipv6;            /* "fc00:f853:ccd:e793::/64", or NULL */
    json_t *request;       /* body of the creation */
    bool user_subnet, predefined;
    uint8_t *used;        /* a byte for each IPv4 host number */
    uint32_t lowest_free; /* no lower host number is free */
    struct fake_network *next;
};

struct fake_endpoint {
    char *network; /* name or id, as asked for */
    char *id, *ipv4, *ipv6, *fixed_ipv4, *fixed_ipv6;
    uint32_t host; /* host number while attached, else 0 */
    json_t *aliases;
};

struct fake_port {
    char *container_port; /* "6443/tcp" */
    char *address;
    unsigned asked, port; /* port: 0 while not running */
};

struct fake_log_line {
    uint64_t at_ms;
    char *text;
};

/* An object of the cluster API. */
struct fake_object {
    char *path; /* "/api/v1/namespaces/kube-system/secrets/x" */
    char *group_version, *resource, *namespace, *name;
    json_t *value;
    uint64_t created_version, version;
    uint64_t ready_at_ms, ends_at_ms; /* of a pod; 0: never, see fake_pods.h */
    bool ended;                       /* its containers have, and the cluster was told */
    bool deleted;                     /* kept so that watches can tell */
    UT_hash_handle hh;
};

/* What one etcd holds, and who its members are. */
struct fake_cluster {
    char *name;
    struct fake_object *objects;
    uint64_t version;
    uint64_t cni_at_ms;   /* 0: none */
    json_t *etcd_members; /* array of container names, removed ones included */
    json_t *peer_urls;    /* member to the URL by which the others call it */
    char *kubernetes_version;
    unsigned serial; /* what tells it from others: written in its data folders */
    struct fake_cluster *next;
};

enum fake_run { FAKE_CREATED, FAKE_RUNNING, FAKE_PAUSED, FAKE_EXITED };

/* The part of a container that kubeadm and kubelet change. */
struct fake_node {
    bool is_node, etcd;
    char *version; /* "v1.20.2" */
    struct fake_cluster *cluster;
    uint64_t kubelet_at_ms; /* 0: not running */
    uint64_t silent_at_ms;  /* when it stopped or froze, while its container ran */
    bool kubelet_frozen;    /* it runs, but does nothing */
    bool kubelet_masked, containerd_stopped;
    bool registered;    /* this kubelet has made its Node */
    uint64_t api_at_ms; /* 0: no API will come up */
    bool control_plane; /* its static pods are there */
};

struct fake_container {
    char *id, *name, *image, *image_id, *error;
    json_t *request; /* body of the creation, shared where many are alike */
    json_t *labels, *mounts;
    enum fake_run run;
    int exit_code;
    uint64_t created_at_ms, started_at_ms, finished_at_ms;
    uint64_t booted_at_ms; /* of a node, once it has started */
    struct fake_endpoint *endpoints;
    size_t endpoint_count;
    struct fake_port *ports;
    size_t port_count;
    struct fake_log_line *log;
    size_t log_count;
    struct fake_file *files;
    bool unpacked; /* the image's files are among them */
    struct fake_node node;
    char *before; /* the same before it ended, which lists show until: */
    uint64_t before_until_ms;
    char *fragment; /* its entry in lists, NULL when it must be rendered afresh */
    bool unserved;  /* no listener for its API, see fake_populate.h */
    UT_hash_handle by_id, by_name;
};

struct fake_exec {
    char *id, *container_id;
    json_t *request;
    bool started;
    uint64_t ended_at_ms;
    int exit_code;
    UT_hash_handle hh;
};

struct fake_event {
    uint64_t at_ms;
    json_t *value;
};

/* A list that was rendered, by its filters. */
struct fake_list {
    char *key;
    uint64_t version;
    struct fake_bytes *bytes;
};

enum { FAKE_EVENTS_MAX = 256, FAKE_LISTS_MAX = 4, FAKE_LOG_MAX = 100 * 1000 };

struct fake_world {
    struct fake_settings settings;
    struct prng prng;
    struct fake_container *containers, *container_names;
    struct fake_network *networks;
    struct fake_image *images;
    struct fake_exec *execs;
    struct fake_cluster *clusters;
    struct fake_event events[FAKE_EVENTS_MAX];
    uint64_t event_count;
    uint64_t event_ends; /* how often all streams of events were ended */
    struct fake_list lists[FAKE_LISTS_MAX];
    size_t next_list;
    json_t *ports; /* in use on the host: "6443/tcp" to an object of addresses */
    unsigned next_port;
    json_t *volumes;  /* name to the id of the container it was made for */
    json_t *registry; /* set of names */
    json_t *scripts;  /* what was run by sh -c, in order */
    json_t *log;      /* requests, in order */
    json_t *faults;   /* see fake_fault.h */
    json_t *journal;  /* what journalctl says, by unit */
    json_t *info;     /* what GET /info says otherwise than usual */
    unsigned last_cluster;
    uint64_t request_count, version, containers_version, apis_version;
};

#endif
