/*
 * http.h - the transport over libcurl's multi interface on a libuv loop.
 *
 * libcurl is initialised at the first request. Connections are kept and
 * reused (up to 16), also for one_shot requests none is ever put back. A
 * reused connection that turns out dead before a byte came back is retried
 * once for GET and HEAD, never for others: their outcome is unknown.
 *
 * Failures: ERROR_UNAVAILABLE when the peer cannot be reached or goes away,
 * ERROR_TIMEOUT for our deadlines, ERROR_INVALID for a reply past its limit.
 * Messages name the peer: "connect /var/run/docker.sock: no such file".
 */
#ifndef DRIVERS_HTTP_H
#define DRIVERS_HTTP_H

#include "drivers/transport.h"
#include <uv.h>

/* The loop must outlive it. */
struct transport *http_open(uv_loop_t *loop);

/*
 * Cancels everything (no callback is called) and closes all handles; memory
 * is freed once the loop has run their close callbacks.
 */
void http_close(struct transport *transport);

#endif
