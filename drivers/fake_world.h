/*
 * fake_world.h - a Docker Engine (API 1.41) in memory, with kind nodes and their cluster APIs.
 *
 * The world is pure: requests and the time go in, replies come out. It reads
 * no clock, opens nothing and starts no thread, so that the same code stands
 * behind a real socket (fake_server.h) and in a simulator with a virtual
 * clock. Time is milliseconds since 1970 by convention and never goes back.
 *
 * A container whose image is a node image behaves as a kind node: it has the
 * files of /kind, understands the commands of fake_command.h, and serves a
 * cluster API once kubeadm has been there. Beside the engine's paths there is
 * `/_fake/...` (fake_control.h) to look inside and to order faults.
 *
 * Not for use from two threads at a time.
 */
#ifndef DRIVERS_FAKE_WORLD_H
#define DRIVERS_FAKE_WORLD_H

#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero or NULL means the default; strings and lists must outlive the world. */
struct fake_settings {
    uint64_t boot_ms;  /* start to booted; 5 */
    uint64_t exec_ms;  /* duration of every exec; 1 */
    uint64_t api_ms;   /* kubelet and manifests there, to a healthy API; 20 */
    uint64_t ready_ms; /* CNI and kubelet there, to Ready; 20 */
    uint64_t lost_ms;  /* container stopped, to its Node's Ready Unknown; 40,000 */
    uint64_t late_ms;  /* container ended, to lists that know; 0 */
    uint64_t clear_ms; /* a pod's containers ended, to the pod gone; 60,000 */
    uint64_t seed;     /* of ids */
    bool quiet;        /* requests are not kept for GET /_fake/requests */
    /* Lists ended by NULL. */
    const char *const *node_images; /* present, and nodes; "kind.local/node:v1.20.2" */
    const char *const *images;      /* also present */
    const char *const *registry;    /* what a pull can get */
    unsigned first_port;            /* that is picked where none is asked for; 32768 */
    /* Asked before a host port is taken; NULL: every port the world does not use is free. */
    bool (*port_free)(void *context, const char *address, unsigned port);
    void *port_context;
};

struct fake_world;

struct fake_world *fake_world_new(const struct fake_settings *settings); /* NULL: all default */
void fake_world_free(struct fake_world *world);

struct fake_request {
    const char *method; /* "GET" */
    const char *target; /* "/v1.41/containers/json?all=1", still percent-encoded */
    const char *content_type;
    const char *body;
    size_t length;
    const char *api_of; /* id of the container whose cluster API is asked; NULL: the engine */
};

/* What the carrier of the reply has to do beside delivering it. */
enum fake_ending {
    FAKE_ENDING_ANSWER,
    FAKE_ENDING_DROP,       /* close the connection instead of answering */
    FAKE_ENDING_KILL,       /* kill the client instead of answering */
    FAKE_ENDING_KILL_AFTER, /* answer, then kill the client */
};

/* A body that may be shared by several replies. */
struct fake_bytes {
    size_t references;
    struct text text;
};

struct fake_stream;

struct fake_reply {
    int status;
    const char *content_type; /* static; NULL without a body */
    struct fake_bytes *body;  /* never NULL after fake_world_handle; "" if a stream follows */
    char *path_stat;          /* X-Docker-Container-Path-Stat, or NULL */
    struct fake_stream *stream;
    bool hijacked; /* no length, no chunks: the stream ends with the connection */
    uint64_t delay_ms;
    enum fake_ending ending;
};

/* Handles one request at now_ms; fills the reply, which fake_reply_done empties. */
void fake_world_handle(struct fake_world *world, uint64_t now_ms,
                       const struct fake_request *request, struct fake_reply *reply);
void fake_reply_done(struct fake_reply *reply);

struct fake_bytes *fake_bytes_new(void);
struct fake_bytes *fake_bytes_ref(struct fake_bytes *bytes);
void fake_bytes_unref(struct fake_bytes *bytes); /* NULL is fine */

/*
 * Appends what a stream has to say at now_ms. Returns false when it has
 * ended. Else *next_ms is when to ask again, UINT64_MAX for "when the world
 * has changed" (fake_world_version); asking earlier does no harm.
 */
bool fake_stream_read(struct fake_world *world, struct fake_stream *stream, uint64_t now_ms,
                      struct text *out, uint64_t *next_ms);
void fake_stream_free(struct fake_stream *stream);

/* Grows with every request that may have changed something. */
uint64_t fake_world_version(const struct fake_world *world);

/* A cluster API that answers on the host. Strings are in the arena of the call. */
struct fake_api {
    const char *container_id, *address; /* "127.0.0.1", "::1", "0.0.0.0" */
    unsigned port;
    const char *certificate, *key; /* PEM, as in the node's files */
};

/*
 * The APIs that running nodes (or a cluster's load balancer) publish, and the
 * version of that list, which only grows when it may have changed.
 */
size_t fake_world_apis(struct fake_world *world, struct arena *arena, struct fake_api **apis);
uint64_t fake_world_apis_version(const struct fake_world *world);

/* The container (its id) whose API is published at this port of the host, or NULL. */
const char *fake_world_api_at(struct fake_world *world, unsigned port);

#endif
