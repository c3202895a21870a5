#include "drivers/fake_event.h"

#include "drivers/fake_stream.h"

void fake_event_add(struct fake_call *call, const char *type, const char *action, const char *id,
                    json_t *attributes)
{
    struct fake_world *world = call->world;
    struct fake_event *event = &world->events[world->event_count++ % FAKE_EVENTS_MAX];
    json_decref(event->value);
    event->at_ms = call->now_ms;
    event->value =
        json_pack("{s:s, s:s, s:{s:s, s:o}, s:s, s:I, s:I}", "Type", type, "Action", action,
                  "Actor", "ID", id, "Attributes", attributes, "scope", "local", "time",
                  (json_int_t)call->now_ms / 1000, "timeNano", (json_int_t)call->now_ms * 1000000);
}

void fake_event_stream(struct fake_call *call)
{
    static const char *const known[] = {"type",    "label", "event",  "container", "image",
                                        "network", "scope", "volume", "daemon",    NULL};
    const char *since = fake_call_query(call, "since"), *until = fake_call_query(call, "until");
    json_t *filters = fake_call_filters(call, known);
    if (!filters)
        return;
    fake_call_text(call, 200, "application/json", "");
    call->reply->stream =
        fake_stream_events(filters, since ? (uint64_t)(strtod(since, NULL) * 1000) : 0,
                           until ? (uint64_t)(strtod(until, NULL) * 1000) : UINT64_MAX,
                           since ? 0 : call->world->event_count);
}

void fake_events_free(struct fake_world *world)
{
    for (size_t i = 0; i < FAKE_EVENTS_MAX; i++)
        json_decref(world->events[i].value);
}
