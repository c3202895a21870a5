/*
 * DESIGN. curl must not be called from its own callbacks, and users may call
 * us from theirs. So whatever a call wants done - start this, drop that - is
 * only marked, and done in `settle`, which runs after curl has returned. When
 * no curl call is under way, the idle handle `work` makes one soon. All four
 * doors from the loop (on_ready, on_timer, on_work, on_silence) are alike:
 *
 *      enter, let curl work or end something, leave: settle, then tear down
 *      if a user's callback has closed us meanwhile
 */
#include "drivers/http.h"

#include "base/memory.h"
#include "drivers/http_exchange.h"
#include "drivers/http_sockets.h"
#include <assert.h>
#include <signal.h>

enum { KEPT_CONNECTIONS_MAX = 16 };

struct transport_timer {
    uv_timer_t timer;
    struct http *http;
    transport_timer_fired *fired;
    void *context;
    LIST_ENTRY(transport_timer) link;
};

/* Lives until the close callback of its last handle. */
struct http {
    struct transport transport; /* first: this is what callers hold */
    uv_loop_t *loop;
    CURLM *multi; /* NULL until the first request */
    uv_timer_t timer;
    uv_idle_t work;
    TAILQ_HEAD(, exchange) exchanges;
    struct sockets sockets;
    LIST_HEAD(, transport_timer) timers;
    size_t handles;     /* not yet closed, without the sockets' */
    bool due;           /* curl wants to run at once */
    bool busy, closing; /* inside a door; http_close was called */
};

static void on_work(uv_idle_t *work);

static void free_if_closed(void *context)
{
    struct http *http = context;
    if (http->handles == 0 && http->sockets.open_count == 0)
        free(http);
}

static void forget_handle(struct http *http)
{
    http->handles--;
    free_if_closed(http);
}

/* --- the life of an exchange in the loop --- */

static void on_exchange_closed(uv_handle_t *handle)
{
    struct exchange *exchange = handle->data;
    struct http *http = exchange->http;
    free(exchange);
    forget_handle(http);
}

/* Frees the exchange, wherever it stands. Not from inside curl. */
static void drop(struct http *http, struct exchange *exchange)
{
    if (exchange->added)
        curl_multi_remove_handle(http->multi, exchange->easy);
    TAILQ_REMOVE(&http->exchanges, exchange, link);
    exchange_done(exchange);
    uv_close((uv_handle_t *)&exchange->idle_timer, on_exchange_closed);
}

/* The one place that tells the owner. Steals failure; NULL means a reply is there. */
static void end(struct http *http, struct exchange *exchange, struct error *failure)
{
    if (exchange->state == EXCHANGE_OVER) {
        error_free(failure);
    } else {
        struct reply reply = exchange_reply(exchange);
        exchange->state = EXCHANGE_OVER;
        exchange->ended(exchange->context, failure ? NULL : &reply, failure);
    }
    drop(http, exchange);
}

static void end_with_result(struct http *http, struct exchange *exchange, CURLcode code)
{
    struct error *failure = NULL;
    (void)exchange_result(exchange, code, &failure);
    end(http, exchange, failure);
}

static void on_silence(uv_timer_t *timer);

static void start(struct http *http, struct exchange *exchange)
{
    if (exchange->refused != CURLE_OK) {
        end_with_result(http, exchange, exchange->refused);
        return;
    }
    exchange->state = EXCHANGE_RUNNING;
    exchange->added = true;
    CURLMcode code = curl_multi_add_handle(http->multi, exchange->easy);
    assert(code == CURLM_OK);
    if (exchange->idle_ms) {
        uv_update_time(http->loop);
        exchange->heard_at_ms = uv_now(http->loop);
        uv_timer_start(&exchange->idle_timer, on_silence, exchange->idle_ms, 0);
    }
}

/* Ends what curl has finished. */
static void reap(struct http *http)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(http->multi, &left))) {
        struct exchange *exchange = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        if (message->msg == CURLMSG_DONE)
            end_with_result(http, exchange, message->data.result);
    }
}

/* Does what was marked. Callbacks may mark more meanwhile, but only we unlink. */
static void settle(struct http *http)
{
    reap(http);
    struct exchange *next;
    for (struct exchange *i = TAILQ_FIRST(&http->exchanges); i; i = next) {
        next = TAILQ_NEXT(i, link);
        if (i->state == EXCHANGE_QUEUED)
            start(http, i);
        else if (i->state == EXCHANGE_OVER)
            drop(http, i);
    }
}

/* Has on_work called in this turn of the loop or the next. */
static void work_soon(struct http *http)
{
    if (!uv_is_closing((uv_handle_t *)&http->work))
        uv_idle_start(&http->work, on_work);
}

/* --- the end of all --- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct transport_timer *timer = handle->data;
    struct http *http = timer->http;
    free(timer);
    forget_handle(http);
}

static void timer_close(struct transport_timer *timer)
{
    LIST_REMOVE(timer, link);
    uv_close((uv_handle_t *)&timer->timer, on_timer_closed);
}

static void on_own_closed(uv_handle_t *handle)
{
    forget_handle(handle->data);
}

static void tear_down(struct http *http)
{
    while (!TAILQ_EMPTY(&http->exchanges))
        drop(http, TAILQ_FIRST(&http->exchanges));
    if (http->multi)
        curl_multi_cleanup(http->multi);
    sockets_done(&http->sockets);
    uv_close((uv_handle_t *)&http->timer, on_own_closed);
    uv_close((uv_handle_t *)&http->work, on_own_closed);
}

void http_close(struct transport *transport)
{
    struct http *http = (struct http *)transport;
    assert(!http->closing);
    http->closing = true;
    for (struct exchange *i = TAILQ_FIRST(&http->exchanges); i; i = TAILQ_NEXT(i, link))
        i->state = EXCHANGE_OVER;
    while (!LIST_EMPTY(&http->timers))
        timer_close(LIST_FIRST(&http->timers));
    if (!http->busy)
        tear_down(http);
}

/* --- the doors from the loop --- */

static void enter(struct http *http)
{
    assert(!http->busy);
    http->busy = true;
}

static void leave(struct http *http)
{
    settle(http);
    http->busy = false;
    if (http->closing)
        tear_down(http);
}

static void curl_work(struct http *http, curl_socket_t fd, int events)
{
    int running;
    CURLMcode code = curl_multi_socket_action(http->multi, fd, events, &running);
    assert(code == CURLM_OK);
}

static void on_ready(void *context, curl_socket_t fd, int events)
{
    struct http *http = context;
    enter(http);
    curl_work(http, fd, events);
    leave(http);
}

static void on_timer(uv_timer_t *timer)
{
    struct http *http = timer->data;
    enter(http);
    curl_work(http, CURL_SOCKET_TIMEOUT, 0);
    leave(http);
}

static void on_work(uv_idle_t *work)
{
    struct http *http = work->data;
    uv_idle_stop(work);
    enter(http);
    settle(http);
    if (http->due && !http->closing) {
        http->due = false;
        curl_work(http, CURL_SOCKET_TIMEOUT, 0);
    }
    leave(http);
}

/*
 * The idle timer is not set anew for each piece; it looks whether one came.
 * Timers run before sockets: after a stall of ours the bytes may be waiting,
 * so that the sockets get one more turn before the verdict.
 */
static void on_silence(uv_timer_t *timer)
{
    struct exchange *exchange = timer->data;
    struct http *http = exchange->http;
    uint64_t silent_ms = uv_now(http->loop) - exchange->heard_at_ms;
    bool over = silent_ms >= exchange->idle_ms;
    if (!over || !exchange->suspected) {
        exchange->suspected = over;
        uv_timer_start(timer, on_silence, over ? 1 : exchange->idle_ms - silent_ms, 0);
        return;
    }
    struct error *failure = NULL;
    error_set(&failure, ERROR_TIMEOUT, "%s: nothing came for %u ms", exchange->peer,
              exchange->idle_ms);
    enter(http);
    end(http, exchange, failure);
    leave(http);
}

/* CURLMOPT_TIMERFUNCTION. It may not call curl, not even for 0 ms. */
static int on_timeout_set(CURLM *multi, long timeout_ms, void *context)
{
    struct http *http = context;
    (void)multi;
    http->due = timeout_ms == 0;
    uv_timer_stop(&http->timer);
    if (timeout_ms == 0)
        work_soon(http);
    if (timeout_ms > 0) {
        uv_update_time(http->loop); /* or it fires early by as much as the loop's time is stale */
        uv_timer_start(&http->timer, on_timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

/* --- the transport's operations --- */

/* OpenSSL writes without MSG_NOSIGNAL: a peer that went away must not kill us. */
static void curl_open_once(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

static void curl_open(struct http *http)
{
    static uv_once_t once = UV_ONCE_INIT;
    uv_once(&once, curl_open_once);
    CURLM *multi = curl_multi_init();
    if (!multi)
        abort();
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_set);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS_MAX);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    http->multi = multi;
    http->sockets = (struct sockets){.loop = http->loop,
                                     .multi = multi,
                                     .on_ready = on_ready,
                                     .on_closed = free_if_closed,
                                     .context = http};
    sockets_init(&http->sockets);
}

static struct exchange *http_send(struct transport *transport, const struct request *request,
                                  exchange_ended *ended, void *context)
{
    struct http *http = (struct http *)transport;
    assert(!http->closing);
    if (!http->multi)
        curl_open(http);
    struct exchange *exchange = exchange_new(request, ended, context);
    sockets_adopt(&http->sockets, exchange->easy);
    exchange->http = http;
    uv_timer_init(http->loop, &exchange->idle_timer);
    exchange->idle_timer.data = exchange;
    http->handles++;
    TAILQ_INSERT_TAIL(&http->exchanges, exchange, link);
    work_soon(http);
    return exchange;
}

static void http_cancel(struct transport *transport, struct exchange *exchange)
{
    exchange->state = EXCHANGE_OVER;
    uv_timer_stop(&exchange->idle_timer);
    work_soon((struct http *)transport);
}

static uint64_t http_now_ms(struct transport *transport)
{
    struct http *http = (struct http *)transport;
    uv_update_time(http->loop);
    return uv_now(http->loop);
}

static void on_timer_fired(uv_timer_t *handle)
{
    struct transport_timer *timer = handle->data;
    timer_close(timer);
    timer->fired(timer->context);
}

static struct transport_timer *http_after(struct transport *transport, uint64_t delay_ms,
                                          transport_timer_fired *fired, void *context)
{
    struct http *http = (struct http *)transport;
    assert(!http->closing);
    struct transport_timer *timer = memory_new(sizeof(*timer));
    *timer = (struct transport_timer){.http = http, .fired = fired, .context = context};
    uv_timer_init(http->loop, &timer->timer);
    timer->timer.data = timer;
    http->handles++;
    LIST_INSERT_HEAD(&http->timers, timer, link);
    uv_update_time(http->loop);
    uv_timer_start(&timer->timer, on_timer_fired, delay_ms, 0);
    return timer;
}

static void http_cancel_timer(struct transport *transport, struct transport_timer *timer)
{
    (void)transport;
    if (!uv_is_closing((uv_handle_t *)&timer->timer))
        timer_close(timer);
}

struct transport *http_open(uv_loop_t *loop)
{
    struct http *http = memory_new(sizeof(*http));
    http->transport = (struct transport){
        .send = http_send,
        .cancel = http_cancel,
        .now_ms = http_now_ms,
        .after = http_after,
        .cancel_timer = http_cancel_timer,
    };
    http->loop = loop;
    TAILQ_INIT(&http->exchanges);
    LIST_INIT(&http->timers);
    uv_timer_init(loop, &http->timer);
    uv_idle_init(loop, &http->work);
    http->timer.data = http;
    http->work.data = http;
    http->handles = 2;
    return &http->transport;
}
