/*
 * fake_network.h - networks of the fake engine, and the addresses in them.
 *
 * As the real one does, a network hands out its lowest free address when a
 * container starts and takes it back when it stops, so that containers may
 * swap addresses over a restart unless they asked for fixed ones.
 */
#ifndef DRIVERS_FAKE_NETWORK_H
#define DRIVERS_FAKE_NETWORK_H

#include "drivers/fake_call.h"

void fake_network_init(struct fake_world *world);
void fake_networks_free(struct fake_world *world);

/* By id, name, or unique id prefix; or NULL. */
struct fake_network *fake_network_find(struct fake_world *world, const char *reference);

/* What went wrong while attaching: an HTTP status and a message in the arena. */
struct fake_refusal {
    int status; /* 0: nothing */
    const char *message;
};

/* Gives the endpoint addresses. */
struct fake_refusal fake_network_attach(struct fake_call *call, struct fake_endpoint *endpoint);
void fake_network_detach(struct fake_world *world, struct fake_endpoint *endpoint);

/* The endpoint as in NetworkSettings.Networks. */
json_t *fake_endpoint_json(struct fake_world *world, const struct fake_endpoint *endpoint);

/* The running container that a name means to another one on a common network, or NULL. */
struct fake_container *fake_network_resolve(struct fake_world *world,
                                            const struct fake_container *from, const char *name);

fake_handler fake_network_list, fake_network_create, fake_network_inspect, fake_network_remove,
    fake_network_connect, fake_network_disconnect;

#endif
