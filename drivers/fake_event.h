/*
 * fake_event.h - events of the fake engine: the last 256 of them, and streams that follow.
 */
#ifndef DRIVERS_FAKE_EVENT_H
#define DRIVERS_FAKE_EVENT_H

#include "drivers/fake_call.h"

/* Notes an event; steals attributes. */
void fake_event_add(struct fake_call *call, const char *type, const char *action, const char *id,
                    json_t *attributes);

/* GET /events */
fake_handler fake_event_stream;

void fake_events_free(struct fake_world *world);

#endif
