/*
 * service.h - what a standing program answers over HTTP: health, metrics, state, events, a hook
 * and a page.
 *
 *   GET  /                      the status page
 *   GET  /healthz               200 while the loop turns
 *   GET  /readyz                200, or 503 and why not
 *   GET  /metrics               Prometheus
 *   GET  /api/v1/clusters       JSON, and /api/v1/clusters/NAME
 *   GET  /api/v1/events         server-sent events
 *   POST /hook                  signed with a secret: "look at the sources now"
 *
 * Everything happens on the loop's thread. Nothing but the hook asks for
 * anything to be done, and it only asks for a look, at most once a second.
 *
 * Who may read: on a loopback address everybody on this machine, but only by
 * a Host that is this machine's (a page from elsewhere that has its name
 * pointed here comes with another). Anywhere else a token is needed, as a
 * bearer's or as the password of a browser. /healthz and /readyz are open.
 *
 * Limits: connections, streams of events, bytes of headers and bodies, and how
 * long a client may take to ask and to listen.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "base/error.h"
#include "cli/session.h" /* the loop is its */
#include "reconciler/fleet_status.h"
#include <stddef.h>

struct service_options {
    uv_loop_t *loop;
    const char *listen;           /* "127.0.0.1:9440" */
    const char *token_file;       /* NULL: none */
    const char *hook_secret_file; /* NULL: /hook is off */
    const char *fleet;
    struct fleet_status *status; /* outlives the service, which listens to its changes */
    void (*poll_now)(void *context);
    /* Why it is not ready yet, in words; NULL: it is. May itself be NULL: always ready. */
    const char *(*unready)(void *context);
    void *context;
    uint32_t ask_ms, reply_ms, keep_alive_ms; /* for tests: shorter than usual; 0: as usual */
};

struct service;

/* ERROR_INVALID: an option cannot be; ERROR_UNAVAILABLE: the address cannot be had. */
int service_open(const struct service_options *options, struct service **service,
                 struct error **err);

/* Ends all connections. The memory is gone when the loop has turned once more. NULL is fine. */
void service_close(struct service *service);

/* Where it listens: "127.0.0.1:9440". */
const char *service_address(const struct service *service);

#endif
