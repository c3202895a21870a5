/*
 * transport.h - one request, one ending; and time. The seam under all drivers.
 *
 * Two implementations: http.c (libcurl's multi interface on a libuv loop) and
 * the tests' in-memory one (virtual clock). Whatever runs above this header
 * runs unchanged on both. Single-threaded: all calls and callbacks are on the
 * loop's thread.
 */
#ifndef DRIVERS_TRANSPORT_H
#define DRIVERS_TRANSPORT_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* PEM texts for TLS to a cluster API; NULL members are left out. Copied by send. */
struct transport_tls {
    const char *ca, *certificate, *key;
};

/* A request as data. Everything is copied by send, except context. */
struct request {
    const char *method;              /* "GET" */
    const char *unix_path;           /* engine socket, or NULL: connect to the URL's host */
    const char *url;                 /* "http://localhost/v1.41/containers/json?all=1" */
    const struct transport_tls *tls; /* for https, or NULL */
    const char *content_type;        /* of body, or NULL */
    const char *const *headers;      /* more headers "Name: value", ended by NULL; or NULL */
    const void *body;
    size_t body_length;
    /*
     * In place of body, for one that is not to be held in memory: body_length
     * bytes, asked for piece by piece as they can be sent. Puts 1 to room of
     * them into bytes and says how many; 0 means that the rest cannot be had:
     * the exchange fails with ERROR_UNAVAILABLE, and the caller knows why. It
     * may neither send nor cancel.
     */
    size_t (*read_body)(void *context, char *bytes, size_t room);
    uint32_t timeout_ms;    /* for the whole exchange; 0: none, then idle_ms must be given */
    uint32_t idle_ms;       /* fail when nothing came or went for so long; 0: none */
    size_t reply_bytes_max; /* a longer reply.body is an error; 0 means 8 MiB */
    /*
     * For bodies that are read as they come (logs, pulls, exec output). Gets
     * each piece instead of reply.body; returns false to end the exchange
     * early, which then ends well with reply.stopped. Only called with a 2xx
     * status, or 101 for an upgraded connection; other bodies are collected
     * into reply.body for the message. It may send and cancel, also itself.
     */
    bool (*on_data)(void *context, const char *bytes, size_t length);
    /*
     * Called once when the head of a reply with status 2xx is there, before
     * anything of its body, which may be long in coming. It may do what on_data may.
     */
    void (*on_head)(void *context);
    /*
     * The connection is neither kept nor a kept one: wanted for hijacked
     * streams (exec, attach), after which the engine closes.
     */
    bool one_shot;
};

/* What came back. Valid during the callback only. */
struct reply {
    int status;
    const char *body; /* NUL-ended; "" if there was none */
    size_t length;
    const char *api_version; /* the engine's Api-Version header, or NULL */
    const char *server;      /* Server header, or NULL */
    const char *path_stat;   /* X-Docker-Container-Path-Stat header, or NULL */
    bool stopped;            /* on_data ended it */
};

struct exchange; /* a running request */

/* Called once, never before send has returned. Either reply or failure (owned by the callee). */
typedef void exchange_ended(void *context, const struct reply *reply, struct error *failure);

struct transport_timer;
typedef void transport_timer_fired(void *context);

struct transport {
    struct exchange *(*send)(struct transport *transport, const struct request *request,
                             exchange_ended *ended, void *context);
    /* The exchange is over at once and `ended` will not be called. */
    void (*cancel)(struct transport *transport, struct exchange *exchange);
    uint64_t (*now_ms)(struct transport *transport); /* monotonic */
    /* One-shot timer: fires once, never before `after` has returned, then is gone. */
    struct transport_timer *(*after)(struct transport *transport, uint64_t delay_ms,
                                     transport_timer_fired *fired, void *context);
    void (*cancel_timer)(struct transport *transport, struct transport_timer *timer);
};

#endif
