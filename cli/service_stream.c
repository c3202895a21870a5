/*
 * service_stream.c - server-sent events: everything as it is, then everything that changes.
 *
 *   event: hello     once, first: fleet, version, now; reset: true says "forget what you know"
 *   event: cluster   a cluster as it is now, as /api/v1/clusters/NAME
 *   event: source    the same of a source
 *   event: event     something that happened
 *   event: current   once after each hello: everything that is known was told
 *
 * DESIGN: a stream is a number, that of the last change it has been sent. What
 * comes next is looked up when the socket takes it: no queue, and whoever
 * reads slowly gets each cluster as it is by then. The number, behind the name
 * of this run of the program, is the id of each event; a reader that comes
 * back with it goes on from there, if nothing in between was forgotten.
 */
#include "cli/service_parts.h"

#include "base/memory.h"

enum { FLOCK_BYTES = 16 * 1024, BLOCK_BYTES = 16 * 1024 };

struct stream {
    struct stream *next, *previous;
    struct service *service;
    struct MHD_Connection *connection;
    uint64_t change;  /* sent up to this */
    uint64_t horizon; /* what was forgotten before it began is no loss */
    struct text out;
    size_t out_sent;
    bool greeted, current, reset, suspended;
    uint64_t sent_at_ms;
};

static void add_event(struct stream *stream, const char *type, json_t *data)
{
    cleanup_free char *json = json_dumps(data, JSON_COMPACT);
    json_decref(data);
    text_add_format(&stream->out, "id: %s-%llu\nevent: %s\ndata: %s\n\n", stream->service->boot,
                    (unsigned long long)stream->change, type, json ? json : "{}");
}

static void greet(struct stream *stream, const struct status_clock *clock)
{
    stream->greeted = true;
    stream->current = false;
    if (stream->reset) {
        stream->change = 0;
        stream->horizon = fleet_status_horizon(stream->service->options.status);
    }
    text_add(&stream->out, "retry: 2000\n");
    add_event(stream, "hello",
              json_pack("{s:s,s:s,s:o,s:b}", "fleet", stream->service->options.fleet, "version",
                        KIND_VERSION, "now", status_json_time(clock->unix_ms), "reset",
                        stream->reset));
}

/* Was something forgotten that it has not been sent? */
static bool fell_behind(const struct stream *stream)
{
    uint64_t horizon = fleet_status_horizon(stream->service->options.status);
    return horizon > stream->change && horizon > stream->horizon;
}

static void add_news(struct stream *stream, const struct status_clock *clock,
                     const struct status_news *news)
{
    stream->change = news->change;
    if (news->cluster)
        add_event(stream, "cluster", status_json_cluster(clock, news->cluster));
    else if (news->source)
        add_event(stream, "source", status_json_source(clock, &news->source->told));
    else
        add_event(stream, "event", status_json_event(clock, news->event));
}

static void fill(struct stream *stream)
{
    struct service *service = stream->service;
    const struct status_clock clock = service_clock(service);
    if (fell_behind(stream)) {
        stream->greeted = false;
        stream->reset = true;
    }
    if (!stream->greeted)
        greet(stream, &clock);
    while (stream->out.length < FLOCK_BYTES) {
        struct status_news news = fleet_status_after(service->options.status, stream->change);
        if (!news.change)
            break;
        add_news(stream, &clock, &news);
    }
    if (stream->current || stream->out.length >= FLOCK_BYTES)
        return;
    stream->current = true;
    add_event(stream, "current", json_object());
}

/* An MHD_ContentReaderCallback. */
static ssize_t read_stream(void *context, uint64_t position, char *bytes, size_t room)
{
    struct stream *stream = context;
    struct service *service = stream->service;
    (void)position;
    if (service->closing)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->out_sent == stream->out.length) {
        text_clear(&stream->out);
        stream->out_sent = 0;
        if (service_now_ms(service) >= stream->sent_at_ms + service->options.keep_alive_ms)
            text_add(&stream->out, ": still here\n\n");
        fill(stream);
    }
    size_t length = stream->out.length - stream->out_sent;
    if (!length) {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    length = length < room ? length : room;
    memcpy(bytes, stream->out.data + stream->out_sent, length);
    stream->out_sent += length;
    stream->sent_at_ms = service_now_ms(service);
    return (ssize_t)length;
}

static void free_stream(void *context)
{
    struct stream *stream = context;
    struct service *service = stream->service;
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        service->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    service->counts.streams--;
    text_done(&stream->out);
    free(stream);
}

/* "3f8a...-120" of this run; false: it is another's, or nonsense. */
static bool parse_id(const struct service *service, const char *id, uint64_t *change)
{
    size_t length = strlen(service->boot);
    if (!id || strncmp(id, service->boot, length) != 0 || id[length] != '-')
        return false;
    const char *digits = id + length + 1;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 19)
        return false;
    *change = strtoull(digits, NULL, 10);
    return *change <= fleet_status_change(service->options.status);
}

static struct stream *new_stream(struct service *service, struct MHD_Connection *connection)
{
    struct stream *stream = memory_new(sizeof(*stream));
    stream->service = service;
    stream->connection = connection;
    stream->sent_at_ms = service_now_ms(service);
    text_init(&stream->out, 0);
    const char *id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
    stream->reset = !parse_id(service, id, &stream->change) ||
                    stream->change < fleet_status_horizon(service->options.status);
    stream->next = service->streams;
    if (stream->next)
        stream->next->previous = stream;
    service->streams = stream;
    service->counts.streams++;
    return stream;
}

enum MHD_Result service_stream_begin(struct MHD_Connection *connection, struct asked *asked)
{
    struct service *service = asked->service;
    if (service->counts.streams >= SERVICE_STREAMS_MAX)
        return service_reply_text(connection, asked, MHD_HTTP_SERVICE_UNAVAILABLE,
                                  "too many streams of events are open; close some pages");
    struct stream *stream = new_stream(service, connection);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_stream, stream, free_stream);
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    asked->peer->state = PEER_STREAMING;
    enum MHD_Result result =
        service_reply(connection, asked, MHD_HTTP_OK, "text/event-stream", response);
    asked->peer->state = PEER_STREAMING;
    return result;
}

static void resume(struct stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
}

void service_streams_wake(struct service *service)
{
    uint64_t now_ms = service_now_ms(service);
    bool push = service->closing || (service->push_at_ms && service->push_at_ms <= now_ms);
    for (struct stream *stream = service->streams; stream; stream = stream->next)
        if (push || now_ms >= stream->sent_at_ms + service->options.keep_alive_ms)
            resume(stream);
    if (push) {
        service->push_at_ms = 0;
        service->pushed_at_ms = now_ms;
    }
}

uint64_t service_streams_due_ms(const struct service *service)
{
    uint64_t due_ms = service->push_at_ms ? service->push_at_ms : UINT64_MAX;
    for (const struct stream *stream = service->streams; stream; stream = stream->next)
        if (stream->suspended && stream->sent_at_ms + service->options.keep_alive_ms < due_ms)
            due_ms = stream->sent_at_ms + service->options.keep_alive_ms;
    return due_ms;
}
