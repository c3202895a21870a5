#include "drivers/fake_stream.h"

#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_kube.h"

enum stream_kind { STREAM_WAIT, STREAM_LOGS, STREAM_TEXT, STREAM_EVENTS, STREAM_WATCH };

struct fake_stream {
    enum stream_kind kind;
    char *container_id;
    char *argument; /* the wait's condition, the watch's target */
    bool follow, next, begun;
    uint64_t ends; /* how often all streams of events had been ended when it began */
    int exit_code;
    uint64_t at_ms, until_ms, cursor; /* cursor: lines, events or version already told */
    size_t tail;
    struct text bytes;
    json_t *filters;
};

static struct fake_stream *new_stream(enum stream_kind kind, const char *container_id,
                                      const char *argument)
{
    struct fake_stream *stream = memory_new(sizeof(*stream));
    stream->kind = kind;
    stream->container_id = memory_string(container_id);
    stream->argument = memory_string(argument);
    text_init(&stream->bytes, 0);
    return stream;
}

void fake_stream_free(struct fake_stream *stream)
{
    if (!stream)
        return;
    free(stream->container_id);
    free(stream->argument);
    text_done(&stream->bytes);
    json_decref(stream->filters);
    free(stream);
}

static bool is_alive(const struct fake_container *container)
{
    return container->run == FAKE_RUNNING || container->run == FAKE_PAUSED;
}

struct fake_stream *fake_stream_wait(const struct fake_container *container, const char *condition)
{
    struct fake_stream *stream = new_stream(STREAM_WAIT, container->id, condition);
    stream->next = strcmp(condition, "next-exit") == 0;
    stream->cursor = container->finished_at_ms;
    stream->exit_code = container->exit_code;
    return stream;
}

struct fake_stream *fake_stream_logs(const struct fake_container *container, bool follow,
                                     uint64_t since_ms, const char *tail)
{
    struct fake_stream *stream = new_stream(STREAM_LOGS, container->id, NULL);
    stream->follow = follow;
    stream->at_ms = since_ms;
    stream->tail = strcmp(tail, "all") == 0 ? SIZE_MAX : strtoul(tail, NULL, 10);
    return stream;
}

struct fake_stream *fake_stream_text(struct text *bytes, uint64_t at_ms)
{
    struct fake_stream *stream = new_stream(STREAM_TEXT, NULL, NULL);
    stream->bytes = *bytes;
    text_init(bytes, bytes->limit);
    stream->at_ms = at_ms;
    return stream;
}

struct fake_stream *fake_stream_events(json_t *filters, uint64_t since_ms, uint64_t until_ms,
                                       uint64_t after)
{
    struct fake_stream *stream = new_stream(STREAM_EVENTS, NULL, NULL);
    stream->filters = filters;
    stream->at_ms = since_ms;
    stream->until_ms = until_ms;
    stream->cursor = after;
    return stream;
}

struct fake_stream *fake_stream_watch(const struct fake_container *container, const char *target,
                                      uint64_t version)
{
    struct fake_stream *stream = new_stream(STREAM_WATCH, container->id, target);
    stream->cursor = version;
    return stream;
}

static bool read_wait(struct fake_world *world, struct fake_stream *stream, struct text *out)
{
    struct fake_container *container = fake_container_find(world, stream->container_id);
    if (container) {
        bool exited = stream->next ? container->finished_at_ms > stream->cursor : true;
        stream->exit_code = container->exit_code;
        if (strcmp(stream->argument, "removed") == 0 || is_alive(container) || !exited)
            return true;
    }
    text_add_format(out, "{\"Error\":null,\"StatusCode\":%d}\n", stream->exit_code);
    return false;
}

/* A terminal's bytes come as they are; others in frames. */
static void add_log(const struct fake_container *container, const char *line, struct text *out)
{
    size_t length = strlen(line);
    const char header[8] = {1, 0, 0, 0, 0, 0, (char)(length >> 8), (char)length};
    if (!json_is_true(json_object_get(container->request, "Tty")))
        text_add_bytes(out, header, sizeof(header));
    text_add(out, line);
}

static bool read_logs(struct fake_world *world, struct fake_stream *stream, uint64_t now_ms,
                      struct text *out, uint64_t *next_ms)
{
    struct fake_container *container = fake_container_find(world, stream->container_id);
    if (!container)
        return false;
    size_t printed = 0;
    while (printed < container->log_count && container->log[printed].at_ms <= now_ms)
        printed++;
    if (stream->tail < printed && stream->cursor < printed - stream->tail)
        stream->cursor = printed - stream->tail;
    stream->tail = SIZE_MAX;
    for (; stream->cursor < printed; stream->cursor++)
        if (container->log[stream->cursor].at_ms >= stream->at_ms)
            add_log(container, container->log[stream->cursor].text, out);
    if (printed < container->log_count)
        *next_ms = container->log[printed].at_ms;
    return stream->follow && is_alive(container);
}

static bool read_text(struct fake_stream *stream, uint64_t now_ms, struct text *out,
                      uint64_t *next_ms)
{
    *next_ms = stream->at_ms;
    if (now_ms < stream->at_ms)
        return true;
    text_add_bytes(out, stream->bytes.data, stream->bytes.length);
    text_clear(&stream->bytes);
    return false;
}

static bool equals(const void *context, const char *value)
{
    return strcmp(context, value) == 0;
}

static bool event_matches(const json_t *event, const json_t *filters)
{
    json_t *actor = json_object_get(event, "Actor");
    json_t *attributes = json_object_get(actor, "Attributes");
    return fake_filter_any(filters, "type", equals, fake_json_string(event, "Type")) &&
           fake_filter_any(filters, "event", equals, fake_json_string(event, "Action")) &&
           fake_filter_any(filters, "container", equals, fake_json_string(attributes, "name")) &&
           fake_filter_all(filters, "label", fake_label_matches, attributes);
}

static bool read_events(struct fake_world *world, struct fake_stream *stream, uint64_t now_ms,
                        struct text *out, uint64_t *next_ms)
{
    if (!stream->begun)
        stream->ends = world->event_ends;
    stream->begun = true;
    if (stream->ends != world->event_ends)
        return false;
    uint64_t oldest =
        world->event_count > FAKE_EVENTS_MAX ? world->event_count - FAKE_EVENTS_MAX : 0;
    if (stream->cursor < oldest)
        stream->cursor = oldest;
    for (; stream->cursor < world->event_count; stream->cursor++) {
        const struct fake_event *event = &world->events[stream->cursor % FAKE_EVENTS_MAX];
        if (event->at_ms < stream->at_ms || !event_matches(event->value, stream->filters))
            continue;
        cleanup_free char *line = json_dumps(event->value, JSON_COMPACT);
        text_add_format(out, "%s\n", line);
    }
    *next_ms = stream->until_ms;
    return now_ms < stream->until_ms;
}

static bool read_watch(struct fake_world *world, struct fake_stream *stream, uint64_t now_ms,
                       struct text *out, uint64_t *next_ms)
{
    struct fake_container *container = fake_container_find(world, stream->container_id);
    return container && fake_kube_watch(world, container, stream->argument, now_ms, &stream->cursor,
                                        out, next_ms);
}

bool fake_stream_read(struct fake_world *world, struct fake_stream *stream, uint64_t now_ms,
                      struct text *out, uint64_t *next_ms)
{
    *next_ms = UINT64_MAX;
    switch (stream->kind) {
    case STREAM_WAIT:
        return read_wait(world, stream, out);
    case STREAM_LOGS:
        return read_logs(world, stream, now_ms, out, next_ms);
    case STREAM_TEXT:
        return read_text(stream, now_ms, out, next_ms);
    case STREAM_EVENTS:
        return read_events(world, stream, now_ms, out, next_ms);
    case STREAM_WATCH:
        return read_watch(world, stream, now_ms, out, next_ms);
    }
    return false;
}
