/*
 * fake_kube.h - the cluster API of the fake world: discovery, objects, watches.
 */
#ifndef DRIVERS_FAKE_KUBE_H
#define DRIVERS_FAKE_KUBE_H

#include "drivers/fake_call.h"

/* Answers a request to the API that the container publishes (call->request->api_of). */
fake_handler fake_kube_handle;

/*
 * Appends what changed in the collection of target since *version, which it
 * advances; false when the API is gone. *next_ms as for fake_stream_read.
 */
bool fake_kube_watch(struct fake_world *world, struct fake_container *container, const char *target,
                     uint64_t now_ms, uint64_t *version, struct text *out, uint64_t *next_ms);

#endif
