#include "drivers/fake_transport.h"

#include "base/memory.h"
#include <assert.h>

/*
 * DESIGN: an exchange goes on at due_ms, and its caller's patience ends at
 * deadline_ms. A turn takes the least of these moments and of the timers', of
 * equal ones the oldest. An exchange is unlinked before its ending is told and
 * freed after it; one that is canceled from within its own on_data is freed
 * when that has returned.
 */
enum { REPLY_BYTES_MAX = 8 * 1024 * 1024, TRAVEL_MS = 4 };

static const uint64_t begin_ms = UINT64_C(1700000000000); /* a time after 1970, as the world's */

struct exchange {
    struct exchange *next;
    uint64_t sequence, due_ms, deadline_ms, timeout_ms, idle_ms;
    struct request request; /* with copies of what is needed to the end */
    char *method, *url, *unix_path, *content_type, *body;
    exchange_ended *ended;
    void *context;
    struct fake_reply reply; /* of the world */
    struct fake_answer answer;
    struct text pending, received; /* not delivered yet; not for on_data */
    bool handled, from_world, streaming, stopped, delivering, canceled;
    bool ends_here; /* no stream follows, whatever the world says */
};

struct transport_timer {
    struct transport_timer *next;
    uint64_t sequence, due_ms;
    transport_timer_fired *fired;
    void *context;
};

static struct fake_transport *fake_of(struct transport *transport)
{
    return (struct fake_transport *)(void *)transport;
}

static uint64_t fake_clock(struct transport *transport)
{
    return fake_of(transport)->now_ms;
}

/* What decides between two that are due at one moment. */
static uint64_t next_sequence(struct fake_transport *fake)
{
    return fake->order ? prng_next(fake->order) : fake->sequence++;
}

/* --- timers --- */

static struct transport_timer *after(struct transport *transport, uint64_t delay_ms,
                                     transport_timer_fired *fired, void *context)
{
    struct fake_transport *fake = fake_of(transport);
    struct transport_timer *timer = memory_new(sizeof(*timer));
    *timer = (struct transport_timer){
        .next = fake->timers,
        .sequence = next_sequence(fake),
        .due_ms = fake->now_ms + delay_ms,
        .fired = fired,
        .context = context,
    };
    fake->timers = timer;
    return timer;
}

static void unlink_timer(struct fake_transport *fake, struct transport_timer *timer)
{
    struct transport_timer **link = &fake->timers;
    while (*link && *link != timer)
        link = &(*link)->next;
    assert(*link); /* else it has fired already, or was canceled */
    *link = timer->next;
}

static void cancel_timer(struct transport *transport, struct transport_timer *timer)
{
    unlink_timer(fake_of(transport), timer);
    free(timer);
}

static void fire(struct fake_transport *fake, struct transport_timer *timer)
{
    unlink_timer(fake, timer);
    timer->fired(timer->context);
    free(timer);
}

/* --- the life of an exchange --- */

static char *copy_of(const char *text)
{
    return text ? memory_string(text) : NULL;
}

/* Something came, or it begins: patience starts anew. */
static void hear(const struct fake_transport *fake, struct exchange *exchange)
{
    uint64_t idle_at_ms = exchange->idle_ms ? fake->now_ms + exchange->idle_ms : UINT64_MAX;
    exchange->deadline_ms = idle_at_ms < exchange->timeout_ms ? idle_at_ms : exchange->timeout_ms;
}

static struct exchange *send_request(struct transport *transport, const struct request *request,
                                     exchange_ended *ended, void *context)
{
    struct fake_transport *fake = fake_of(transport);
    struct exchange *exchange = memory_new(sizeof(*exchange));
    assert(request->timeout_ms || request->idle_ms);
    exchange->sequence = next_sequence(fake);
    exchange->due_ms = fake->now_ms + (fake->order ? prng_below(fake->order, TRAVEL_MS) : 0);
    exchange->timeout_ms = request->timeout_ms ? fake->now_ms + request->timeout_ms : UINT64_MAX;
    exchange->idle_ms = request->idle_ms;
    hear(fake, exchange);
    exchange->ended = ended;
    exchange->context = context;
    exchange->request = *request;
    exchange->request.method = exchange->method = copy_of(request->method);
    exchange->request.url = exchange->url = copy_of(request->url);
    exchange->request.unix_path = exchange->unix_path = copy_of(request->unix_path);
    exchange->request.content_type = exchange->content_type = copy_of(request->content_type);
    exchange->request.body = exchange->body =
        request->body ? memory_string_n(request->body, request->body_length) : NULL;
    exchange->request.headers = NULL;
    exchange->request.tls = NULL;
    text_init(&exchange->pending, 0);
    text_init(&exchange->received,
              request->reply_bytes_max ? request->reply_bytes_max : REPLY_BYTES_MAX);
    exchange->next = fake->exchanges;
    fake->exchanges = exchange;
    return exchange;
}

static void free_exchange(struct exchange *exchange)
{
    if (exchange->from_world)
        fake_reply_done(&exchange->reply);
    text_done(&exchange->pending);
    text_done(&exchange->received);
    free(exchange->method);
    free(exchange->url);
    free(exchange->unix_path);
    free(exchange->content_type);
    free(exchange->body);
    free(exchange);
}

static void unlink_exchange(struct fake_transport *fake, struct exchange *exchange)
{
    struct exchange **link = &fake->exchanges;
    while (*link && *link != exchange)
        link = &(*link)->next;
    assert(*link); /* else it has ended already, or was canceled */
    *link = exchange->next;
}

static void cancel(struct transport *transport, struct exchange *exchange)
{
    unlink_exchange(fake_of(transport), exchange);
    exchange->canceled = true;
    if (!exchange->delivering)
        free_exchange(exchange);
}

static void fail(struct fake_transport *fake, struct exchange *exchange, enum error_kind kind,
                 const char *why)
{
    struct error *failure = NULL;
    error_set(&failure, kind, "%s: %s", exchange->unix_path ? exchange->unix_path : exchange->url,
              why);
    unlink_exchange(fake, exchange);
    exchange->ended(exchange->context, NULL, failure);
    free_exchange(exchange);
}

static void succeed(struct fake_transport *fake, struct exchange *exchange)
{
    bool api = !exchange->unix_path;
    struct reply reply = {
        .status = exchange->from_world ? exchange->reply.status : exchange->answer.status,
        .body = exchange->received.data,
        .length = exchange->received.length,
        .api_version = exchange->from_world ? (api ? NULL : "1.41") : exchange->answer.api_version,
        .path_stat = exchange->from_world ? exchange->reply.path_stat : NULL,
        .stopped = exchange->stopped,
    };
    unlink_exchange(fake, exchange);
    exchange->ended(exchange->context, &reply, NULL);
    free_exchange(exchange);
}

/* --- what answers --- */

static const char *target_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *slash = host ? strchr(host + 3, '/') : NULL;
    return slash ? slash : "/";
}

unsigned fake_url_port(const char *url)
{
    size_t host_end = (size_t)(target_of(url) - url), colon = host_end;
    while (colon && url[colon] != ':')
        colon--;
    return (unsigned)strtoul(url + colon + 1, NULL, 10);
}

/* The container whose API listens at the URL's port, or NULL. */
static const char *api_of(const struct fake_transport *fake, const char *url)
{
    return fake_world_api_at(fake->world, fake_url_port(url));
}

/* False, after ending the exchange, if nobody listens. */
static bool ask_world(struct fake_transport *fake, struct exchange *exchange)
{
    struct fake_request request = {
        .method = exchange->method,
        .target = target_of(exchange->url),
        .content_type = exchange->content_type,
        .body = exchange->body ? exchange->body : "",
        .length = exchange->request.body_length,
        .api_of = exchange->unix_path ? NULL : api_of(fake, exchange->url),
    };
    bool listened_to = exchange->unix_path || request.api_of;
    if (listened_to) {
        fake_world_handle(fake->world, fake->now_ms, &request, &exchange->reply);
        exchange->from_world = true;
    }
    if (!listened_to)
        fail(fake, exchange, ERROR_UNAVAILABLE, "connection refused");
    return listened_to;
}

/* A body that is read as it goes, all of it. False if its owner cannot read on. */
static bool read_body(const struct fake_transport *fake, struct exchange *exchange)
{
    size_t at = 0, length = exchange->request.body_length;
    assert(length && !exchange->body);
    exchange->request.body = exchange->body = memory_new(length + 1);
    while (at < length) {
        size_t room = length - at;
        if (fake->piece_bytes && room > fake->piece_bytes)
            room = fake->piece_bytes;
        size_t piece = exchange->request.read_body(exchange->context, exchange->body + at, room);
        assert(piece <= room);
        if (piece == 0)
            return false;
        at += piece;
    }
    return true;
}

/* What is left of the world's answer. */
static void spoil(struct exchange *exchange, const struct fake_trouble *trouble)
{
    if (trouble->unanswered)
        exchange->due_ms = UINT64_MAX;
    if (trouble->dropped && exchange->from_world)
        exchange->reply.ending = FAKE_ENDING_DROP;
    if (trouble->cut) {
        cleanup_free char *half =
            memory_string_n(exchange->pending.data, exchange->pending.length / 2);
        text_clear(&exchange->pending);
        text_add(&exchange->pending, half);
    }
    if (trouble->status) {
        if (exchange->from_world)
            fake_reply_done(&exchange->reply);
        exchange->from_world = false;
        exchange->answer = (struct fake_answer){
            .status = trouble->status,
            .api_version = exchange->unix_path ? "1.41" : NULL,
        };
        text_clear(&exchange->pending);
        text_add(&exchange->pending, trouble->body ? trouble->body : "");
    }
    exchange->ends_here = trouble->cut || trouble->status;
}

static void handle(struct fake_transport *fake, struct exchange *exchange)
{
    struct fake_answer *answer = &exchange->answer;
    fake->requests++;
    exchange->handled = true;
    if (exchange->request.read_body && !read_body(fake, exchange)) {
        fail(fake, exchange, ERROR_UNAVAILABLE, "the rest of the request cannot be read");
        return;
    }
    if (fake->script && fake->script(fake->script_context, &exchange->request, answer)) {
        if (answer->body)
            text_add_bytes(&exchange->pending, answer->body,
                           answer->length ? answer->length : strlen(answer->body));
        exchange->due_ms = fake->now_ms + answer->delay_ms;
        return;
    }
    assert(fake->world);
    struct fake_trouble trouble = {0};
    if (fake->meddler)
        trouble = fake->meddler(fake->meddler_context, &exchange->request);
    if (trouble.lost && trouble.dropped) {
        fail(fake, exchange, ERROR_UNAVAILABLE, "connection refused");
        return;
    }
    if (!trouble.lost && !ask_world(fake, exchange))
        return;
    if (exchange->from_world)
        text_add_bytes(&exchange->pending, exchange->reply.body->text.data,
                       exchange->reply.body->text.length);
    exchange->due_ms =
        fake->now_ms + trouble.delay_ms + (exchange->from_world ? exchange->reply.delay_ms : 0);
    spoil(exchange, &trouble);
}

/* --- delivery --- */

/* Whether there is more to come after what is pending now. */
static bool pull(struct fake_transport *fake, struct exchange *exchange)
{
    exchange->due_ms = UINT64_MAX;
    if (exchange->ends_here)
        return false;
    if (!exchange->from_world)
        return exchange->answer.lasting;
    return exchange->reply.stream &&
           fake_stream_read(fake->world, exchange->reply.stream, fake->now_ms, &exchange->pending,
                            &exchange->due_ms);
}

/* Hands on what is pending. False if the exchange has gone meanwhile. */
static bool deliver(struct fake_transport *fake, struct exchange *exchange)
{
    int status = exchange->from_world ? exchange->reply.status : exchange->answer.status;
    bool streamed = exchange->request.on_data && (status / 100 == 2 || status == 101);
    if (!streamed)
        text_add_bytes(&exchange->received, exchange->pending.data, exchange->pending.length);
    exchange->delivering = true;
    void (*on_head)(void *context) = exchange->request.on_head;
    exchange->request.on_head = NULL;
    if (on_head && status / 100 == 2)
        on_head(exchange->context);
    size_t at = 0, length = exchange->pending.length;
    while (streamed && at < length && !exchange->stopped && !exchange->canceled) {
        size_t piece = length - at;
        if (fake->piece_bytes && piece > fake->piece_bytes)
            piece = fake->piece_bytes;
        exchange->stopped =
            !exchange->request.on_data(exchange->context, exchange->pending.data + at, piece);
        at += piece;
    }
    exchange->delivering = false;
    if (exchange->canceled) {
        free_exchange(exchange);
        return false;
    }
    text_clear(&exchange->pending);
    return true;
}

static void go_on(struct fake_transport *fake, struct exchange *exchange)
{
    if (!exchange->handled) {
        handle(fake, exchange);
        return;
    }
    if (!exchange->from_world && exchange->answer.status == 0) {
        fail(fake, exchange, exchange->answer.failure, exchange->answer.message);
        return;
    }
    if (exchange->from_world && exchange->reply.ending != FAKE_ENDING_ANSWER) {
        fail(fake, exchange, ERROR_UNAVAILABLE, "connection closed without a reply");
        return;
    }
    exchange->streaming = true;
    bool more = pull(fake, exchange);
    if (exchange->pending.length)
        hear(fake, exchange);
    if (!deliver(fake, exchange))
        return;
    if (exchange->received.overflow)
        fail(fake, exchange, ERROR_INVALID, "the reply is too long");
    else if (!more || exchange->stopped)
        succeed(fake, exchange);
}

/* --- turns --- */

static uint64_t moment_of(const struct exchange *exchange)
{
    return exchange->due_ms < exchange->deadline_ms ? exchange->due_ms : exchange->deadline_ms;
}

/* Streams that wait for a change of the world look again after each. */
static void stir(struct fake_transport *fake)
{
    uint64_t version = fake->world ? fake_world_version(fake->world) : 0;
    if (version == fake->seen_version)
        return;
    fake->seen_version = version;
    for (struct exchange *exchange = fake->exchanges; exchange; exchange = exchange->next)
        if (exchange->streaming && exchange->due_ms > fake->now_ms)
            exchange->due_ms = fake->now_ms;
}

bool fake_transport_turn(struct fake_transport *fake)
{
    struct exchange *exchange = NULL;
    struct transport_timer *timer = NULL;
    uint64_t at_ms = UINT64_MAX, sequence = UINT64_MAX;
    stir(fake);
    for (struct exchange *each = fake->exchanges; each; each = each->next) {
        uint64_t moment = moment_of(each);
        if (moment < at_ms || (moment == at_ms && each->sequence < sequence))
            exchange = each, at_ms = moment, sequence = each->sequence;
    }
    for (struct transport_timer *each = fake->timers; each; each = each->next)
        if (each->due_ms < at_ms || (each->due_ms == at_ms && each->sequence < sequence))
            timer = each, at_ms = each->due_ms, sequence = each->sequence;
    if (at_ms == UINT64_MAX)
        return false;
    fake->now_ms = at_ms > fake->now_ms ? at_ms : fake->now_ms;
    if (timer)
        fire(fake, timer);
    else if (exchange->due_ms <= fake->now_ms)
        go_on(fake, exchange);
    else
        fail(fake, exchange, ERROR_TIMEOUT, "no complete reply in time");
    return true;
}

size_t fake_transport_pending(const struct fake_transport *fake)
{
    size_t count = 0;
    for (const struct exchange *each = fake->exchanges; each; each = each->next)
        count++;
    for (const struct transport_timer *each = fake->timers; each; each = each->next)
        count++;
    return count;
}

bool fake_transport_idle(const struct fake_transport *fake)
{
    return !fake->exchanges && !fake->timers;
}

void fake_transport_init(struct fake_transport *fake, struct fake_world *world)
{
    *fake = (struct fake_transport){
        .transport = {.send = send_request,
                      .cancel = cancel,
                      .now_ms = fake_clock,
                      .after = after,
                      .cancel_timer = cancel_timer},
        .world = world,
        .now_ms = begin_ms,
    };
}

void fake_transport_done(struct fake_transport *fake)
{
    while (fake->exchanges)
        cancel(&fake->transport, fake->exchanges);
    while (fake->timers)
        cancel_timer(&fake->transport, fake->timers);
}
