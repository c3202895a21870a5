/*
 * http.h - the transport over libcurl's multi interface on a libuv loop.
 *
 * libcurl is initialised at the first request, and SIGPIPE ignored from then
 * on. Connections are kept and reused (up to 16), but not those of one_shot
 * requests. A reused connection that turns out dead before a byte came back
 * is retried once for GET and HEAD, never for others: their outcome is
 * unknown. Kept connections do not hold up the loop's end.
 *
 * Proxies are taken from the environment, as by curl, except for sockets and
 * this machine. Redirects are not followed.
 *
 * Failures: ERROR_UNAVAILABLE when the peer cannot be reached, does not trust
 * us, or goes away (also in the middle of a reply's head), or when read_body
 * gives up, ERROR_TIMEOUT for our deadlines, ERROR_INVALID for a reply past its limit or not of
 * HTTP, a peer whose certificate is not of the CA we trust, and TLS material that cannot be used.
 * Messages name the peer: "connect /var/run/docker.sock: no such file or directory".
 */
#ifndef DRIVERS_HTTP_H
#define DRIVERS_HTTP_H

#include "drivers/transport.h"
#include <uv.h>

/* The loop must outlive it. */
struct transport *http_open(uv_loop_t *loop);

/*
 * Cancels everything (no callback is called) and closes all handles; memory
 * is freed once the loop has run their close callbacks. May be called from
 * any callback, on_data included.
 */
void http_close(struct transport *transport);

#endif
