/*
 * fake_container.h - containers of the fake engine: making, finding, their life, their JSON.
 *
 * References are resolved as the engine does: full id, then exact name, then
 * a unique prefix of an id.
 */
#ifndef DRIVERS_FAKE_CONTAINER_H
#define DRIVERS_FAKE_CONTAINER_H

#include "drivers/fake_call.h"
#include "drivers/fake_network.h"

struct fake_container *fake_container_find(struct fake_world *world, const char *reference);
/* The same, or NULL after answering 404. */
struct fake_container *fake_container_of(struct fake_call *call, const char *reference);

/* Where the container is attached to the network, or NULL (also for a NULL network). */
const struct fake_endpoint *fake_container_endpoint(struct fake_world *world,
                                                    const struct fake_container *container,
                                                    const struct fake_network *network);

/* Makes one in state created; body, labels as in the creation's request, which are shared. */
struct fake_container *fake_container_new(struct fake_call *call, const char *name,
                                          const struct fake_image *image, json_t *body,
                                          json_t *labels);
/* Gives it addresses and ports and lets it run. */
struct fake_refusal fake_container_run(struct fake_call *call, struct fake_container *container);
/* Ends its processes; a container that does not run stays as it is. */
void fake_container_end(struct fake_call *call, struct fake_container *container, int exit_code);
/* Removes it with its volumes if asked to. */
void fake_container_drop(struct fake_call *call, struct fake_container *container, bool volumes);
void fake_containers_free(struct fake_world *world);

/* Where it runs the network knows it also by the beginning of its id. */
void fake_container_alias(struct fake_container *container, struct fake_endpoint *endpoint);

/* To be called after any change that lists or listeners can show. */
void fake_container_changed(struct fake_world *world, struct fake_container *container);

/* Answer POST /networks/{id}/connect and disconnect. */
void fake_container_connect(struct fake_call *call, struct fake_container *container,
                            struct fake_network *network, json_t *config);
void fake_container_disconnect(struct fake_call *call, struct fake_container *container,
                               struct fake_network *network);

const char *fake_container_state(const struct fake_container *container); /* "running" */
const char *fake_container_label(const struct fake_container *container,
                                 const char *key); /* or "" */
void fake_container_event(struct fake_call *call, const struct fake_container *container,
                          const char *action);

/* The entry in lists, cached in the container. */
const char *fake_container_fragment(struct fake_call *call, struct fake_container *container);

fake_handler fake_container_create, fake_container_rename, fake_container_list,
    fake_container_inspect, fake_container_start, fake_container_stop, fake_container_kill,
    fake_container_pause, fake_container_unpause, fake_container_restart, fake_container_remove,
    fake_container_wait, fake_container_logs, fake_volume_list;

#endif
