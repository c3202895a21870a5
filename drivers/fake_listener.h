/*
 * fake_listener.h - HTTPS on a host port for each cluster API that the world publishes.
 */
#ifndef DRIVERS_FAKE_LISTENER_H
#define DRIVERS_FAKE_LISTENER_H

#include "drivers/fake_connection.h"

struct fake_listener;

/* Opens what is missing, closes what is no longer published. */
void fake_listeners_sync(struct fake_listener **list, struct fake_hub *hub);
void fake_listeners_free(struct fake_listener **list);

struct fake_listener *fake_listener_next(const struct fake_listener *listener);
struct MHD_Daemon *fake_listener_daemon(const struct fake_listener *listener);

/* For struct fake_settings: true if the port can be bound right now. */
bool fake_listener_port_free(void *context, const char *address, unsigned port);

#endif
