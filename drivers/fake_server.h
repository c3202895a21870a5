/*
 * fake_server.h - the fake world behind a unix socket, and its cluster APIs behind HTTPS.
 *
 * One thread of its own holds the world and all connections. Every running
 * node that publishes 6443/tcp gets a listener on that host port once its
 * certificates are there; it shows the node's own certificate, so that clients
 * verify it with the CA of the node's admin.conf.
 */
#ifndef DRIVERS_FAKE_SERVER_H
#define DRIVERS_FAKE_SERVER_H

#include "base/error.h"
#include "drivers/fake_world.h"

struct fake_server_options {
    const char *socket_path; /* must not exist yet, or be a dead socket */
    const char *log_path;    /* a JSON line for each request, or NULL */
    struct fake_settings settings;
    const char *const *faults; /* JSON texts, see fake_fault.h; ended by NULL, or NULL */
};

struct fake_server;

/* Listens when it returns; NULL and *err if that failed. Options are copied but for strings. */
struct fake_server *fake_server_start(const struct fake_server_options *options,
                                      struct error **err);
/* Closes all connections, ends the thread and removes the socket. NULL is fine. */
void fake_server_stop(struct fake_server *server);

#endif
