#include "drivers/http.h"

#include "drivers/http_test_server.h"

/* --- connections that are not there, or go away --- */

static void unreachable(void **state)
{
    (void)state;
    static const struct {
        const char *name, *file, *url, *failure;
        enum error_kind kind;
    } rows[] = {
        {"missing socket", "missing.sock", "http://localhost/", "no such file or directory",
         ERROR_UNAVAILABLE},
        {"not a socket", "", "http://localhost/", "connection refused", ERROR_UNAVAILABLE},
        {"refused", NULL, "http://127.0.0.1:1/", "connection refused", ERROR_UNAVAILABLE},
        {"refused name", NULL, "http://localhost:1/", "connection refused", ERROR_UNAVAILABLE},
        {"wrong scheme", NULL, "ftp://127.0.0.1:1/", "not a URL of HTTP", ERROR_INVALID},
        {"bad URL", NULL, "http://127.0.0.1:99999/", "not a URL of HTTP", ERROR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct world world;
        world_open(&world, NULL, 0, false);
        cleanup_free char *folder = memory_string_n(
            world.server.path, (size_t)(strrchr(world.server.path, '/') - world.server.path));
        cleanup_free char *path =
            rows[i].file ? memory_format("%s/%s", folder, rows[i].file) : NULL;
        struct request request = get(&world);
        request.unix_path = path;
        request.url = rows[i].url;
        exchange(&world, &request);
        assert_non_null(world.outcome.failure);
        assert_int_equal(world.outcome.failure->kind, rows[i].kind);
        bool connect = rows[i].kind == ERROR_UNAVAILABLE;
        const char *host = strstr(rows[i].url, "://") + 3;
        cleanup_free char *peer =
            memory_string_n(path ? path : host, path ? strlen(path) : strcspn(host, "/"));
        cleanup_free char *want =
            memory_format("%s%s: %s", connect ? "connect " : "", peer, rows[i].failure);
        test_equal(world.outcome.failure->message, want);
        world_close(&world);
    }
}

/* The second request meets a connection that ends without a byte. */
static void dead_connection(void **state)
{
    (void)state;
    static const struct {
        const char *name, *method, *body;
        bool tcp;
        enum afterwards afterwards;
        size_t requests;
    } rows[] = {
        {"GET", "GET", "", false, CLOSE, 3},       {"HEAD", "HEAD", "", false, CLOSE, 3},
        {"POST", "POST", "{}", false, CLOSE, 2},   {"empty POST", "POST", "", false, CLOSE, 2},
        {"DELETE", "DELETE", "", false, CLOSE, 2}, {"PUT", "PUT", "x", false, CLOSE, 2},
        {"GET, reset", "GET", "", true, RESET, 3}, {"POST, reset", "POST", "{}", true, RESET, 2},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        bool again = rows[i].requests == 3;
        struct answer script[] = {
            {.bytes = OK(1, "a")},
            {.afterwards = rows[i].afterwards},
            {.bytes = strcmp(rows[i].method, "HEAD") ? OK(1, "b") : OK(1, "")},
        };
        struct world world;
        world_open(&world, script, COUNT_OF(script), rows[i].tcp);
        struct request request = get(&world);
        cleanup_free char *url = memory_format("http://127.0.0.1:%d/", world.server.port);
        if (rows[i].tcp)
            request.url = url;
        exchange(&world, &request);
        request.method = rows[i].method;
        request.body = rows[i].body;
        request.body_length = strlen(rows[i].body);
        exchange(&world, &request);
        assert_int_equal(world.server.request_count, rows[i].requests);
        assert_int_equal(world.outcome.status, again ? 200 : 0);
        if (!again)
            assert_non_null(strstr(world.outcome.failure->message, "not known whether"));
        world_close(&world);
    }
}

static void dead_connection_twice(void **state)
{
    (void)state;
    struct answer script[] = {{.bytes = OK(1, "a")}, {CLOSE_AFTER}, {CLOSE_AFTER}};
    struct world world;
    world_open(&world, script, COUNT_OF(script), false);
    struct request request = get(&world);
    exchange(&world, &request);
    exchange(&world, &request);
    assert_int_equal(world.server.request_count, 3);
    assert_int_equal(world.outcome.failure->kind, ERROR_UNAVAILABLE);
    world_close(&world);
}

/* The server has closed the kept connection long before the next request. */
static void closed_while_idle(void **state)
{
    (void)state;
    struct answer script[] = {{.bytes = OK(1, "a"), CLOSE_AFTER}, {.bytes = OK(1, "b")}};
    struct world world;
    world_open(&world, script, COUNT_OF(script), false);
    struct request request = get(&world);
    exchange(&world, &request);
    while (world.server.open_count)
        uv_run(&world.loop, UV_RUN_ONCE);
    request.method = "POST";
    exchange(&world, &request);
    assert_int_equal(world.outcome.status, 200);
    assert_int_equal(world.server.connection_count, 2);
    world_close(&world);
}

/* What the environment says about proxies is not for sockets and this machine. */
static void no_proxy(void **state)
{
    (void)state;
    struct answer answer = {.bytes = OK(1, "a")};
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    for (int tcp = 0; tcp <= 1; tcp++) {
        struct world world;
        world_open(&world, &answer, 1, tcp);
        struct request request = get(&world);
        cleanup_free char *url = memory_format("http://localhost:%d/", world.server.port);
        if (tcp)
            request.url = url;
        exchange(&world, &request);
        assert_int_equal(world.outcome.status, 200);
        world_close(&world);
    }
    unsetenv("http_proxy");
}

/* --- connections that hang --- */

enum { FILLERS = 3 };

/* A listener nobody accepts from, filled up so that the next connect hangs. */
static int open_full_listener(int fillers[FILLERS])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(address);
    fillers[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fillers[0], (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fillers[0], 0), 0);
    getsockname(fillers[0], (struct sockaddr *)&address, &length);
    for (int i = 1; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, length);
    }
    return ntohs(address.sin_port);
}

/* curl closes such a socket without asking us, which must not upset the loop. */
static void hanging_connect(void **state)
{
    (void)state;
    int fillers[FILLERS];
    int port = open_full_listener(fillers);
    cleanup_free char *url = memory_format("http://127.0.0.1:%d/", port);
    cleanup_free char *want = memory_format("connect 127.0.0.1:%d: no answer in time", port);
    struct world world;
    world_open(&world, NULL, 0, false);
    struct request request = get(&world);
    request.unix_path = NULL;
    request.url = url;
    request.timeout_ms = 40;
    exchange(&world, &request);
    assert_int_equal(world.outcome.failure->kind, ERROR_TIMEOUT);
    test_equal(world.outcome.failure->message, want);
    for (int turns = 0; turns < 4; turns++) {
        struct exchange *hanging =
            world.transport->send(world.transport, &request, ended, &world.outcome);
        for (int i = 0; i < turns; i++)
            uv_run(&world.loop, UV_RUN_NOWAIT);
        world.transport->cancel(world.transport, hanging);
        uv_run(&world.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(world.outcome.calls, 1);
    world_close(&world);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
}

/* --- cancel --- */

enum moment { AT_ONCE, STARTED, SENT, HEAD_CAME, BODY_CAME, MOMENTS };

struct canceled {
    struct world *world;
    struct exchange *exchange;
    int pieces;
};

static void never(void *context, const struct reply *reply, struct error *failure)
{
    (void)context, (void)reply, (void)failure;
    fail();
}

static bool cancel_in_data(void *context, const char *bytes, size_t length)
{
    struct canceled *canceled = context;
    (void)bytes, (void)length;
    canceled->pieces++;
    struct transport *transport = canceled->world->transport;
    transport->cancel(transport, canceled->exchange);
    return true;
}

/* Lets arrive what has been written. */
static void settle_down(struct world *world)
{
    for (int i = 0; i < 5; i++)
        uv_run(&world->loop, UV_RUN_NOWAIT);
}

static void await(struct canceled *canceled, enum moment moment)
{
    struct world *world = canceled->world;
    if (moment == STARTED)
        uv_run(&world->loop, UV_RUN_NOWAIT);
    while (moment >= SENT && !world->server.request_count)
        uv_run(&world->loop, UV_RUN_ONCE);
    while (moment == BODY_CAME && !canceled->pieces)
        uv_run(&world->loop, UV_RUN_ONCE);
    if (moment == HEAD_CAME)
        settle_down(world);
}

static void canceled_at(enum moment moment)
{
    struct answer answer = {.bytes = moment == HEAD_CAME ? HEAD : OK(5, "hel")};
    struct world world;
    world_open(&world, &answer, 1, false);
    struct canceled canceled = {.world = &world};
    struct request request = get(&world);
    request.on_data = cancel_in_data;
    canceled.exchange = world.transport->send(world.transport, &request, never, &canceled);
    await(&canceled, moment);
    if (moment != BODY_CAME)
        world.transport->cancel(world.transport, canceled.exchange);
    settle_down(&world);
    assert_int_equal(canceled.pieces, moment == BODY_CAME);
    assert_int_equal(world.server.open_count, 0);
    world_close(&world);
}

static void cancel(void **state)
{
    (void)state;
    for (enum moment moment = AT_ONCE; moment < MOMENTS; moment++)
        canceled_at(moment);
}

static void ended_cancels(void *context, const struct reply *reply, struct error *failure)
{
    struct canceled *canceled = context;
    assert_non_null(reply);
    assert_null(failure);
    canceled->pieces++;
    canceled->world->transport->cancel(canceled->world->transport, canceled->exchange);
}

/* Also with the canceled one finished in the same turn, or not yet started. */
static void cancel_from_another_ending(void **state)
{
    (void)state;
    struct answer script[] = {{.bytes = OK(1, "a")}, {.bytes = OK(1, "b")}};
    for (size_t length = 1; length <= 2; length++) {
        struct world world;
        world_open(&world, script, length, false);
        struct canceled canceled = {.world = &world};
        struct request request = get(&world);
        world.transport->send(world.transport, &request, ended_cancels, &canceled);
        canceled.exchange = world.transport->send(world.transport, &request, never, &canceled);
        while (!canceled.pieces)
            uv_run(&world.loop, UV_RUN_ONCE);
        settle_down(&world);
        assert_int_equal(canceled.pieces, 1);
        world_close(&world);
    }
}

/* --- send and close from inside --- */

static void ended_sends(void *context, const struct reply *reply, struct error *failure)
{
    struct world *world = context;
    assert_non_null(reply);
    assert_null(failure);
    struct request request = get(world);
    world->transport->send(world->transport, &request, ended, &world->outcome);
    assert_int_equal(world->outcome.calls, 0);
}

static void send_from_an_ending(void **state)
{
    (void)state;
    struct answer script[] = {{.bytes = OK(1, "a")}, {.bytes = OK(1, "b")}};
    struct world world;
    world_open(&world, script, COUNT_OF(script), false);
    struct request request = get(&world);
    world.transport->send(world.transport, &request, ended_sends, &world);
    run(&world, &world.outcome.calls);
    test_equal(world.outcome.body.data, "b");
    assert_int_equal(world.server.connection_count, 1);
    world_close(&world);
}

static void close_world(struct world *world)
{
    http_close(world->transport);
    world->transport = NULL;
    world->outcome.calls++;
}

static void ended_closes(void *context, const struct reply *reply, struct error *failure)
{
    (void)reply;
    error_free(failure);
    close_world(context);
}

static bool data_closes(void *context, const char *bytes, size_t length)
{
    (void)bytes, (void)length;
    close_world(context);
    return true;
}

static void timer_closes(void *context)
{
    close_world(context);
}

/* Each with a second request under way, which must not be heard of. */
static void close_from_inside(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct answer answer;
        bool (*on_data)(void *context, const char *bytes, size_t length);
        exchange_ended *ended;
        transport_timer_fired *fired;
        uint32_t idle_ms;
    } rows[] = {
        {"in a reply", {.bytes = OK(1, "a")}, .ended = ended_closes},
        {"in a failure", {CLOSE_AFTER}, .ended = ended_closes},
        {"in a timeout", {.bytes = HEAD}, .ended = ended_closes, .idle_ms = 20},
        {"in the body", {.bytes = OK(1, "a")}, .on_data = data_closes, .ended = never},
        {"in a timer", {.bytes = HEAD}, .ended = never, .fired = timer_closes},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct world world;
        world_open(&world, &rows[i].answer, 1, false);
        struct transport *transport = world.transport;
        struct request request = get(&world);
        transport_timer_fired *fired = rows[i].fired;
        if (fired)
            transport->after(transport, 0, fired, &world);
        request.on_data = rows[i].on_data;
        request.idle_ms = rows[i].idle_ms;
        transport->send(transport, &request, rows[i].ended, &world);
        request = get(&world);
        transport->send(transport, &request, never, &world);
        run(&world, &world.outcome.calls);
        world_close(&world);
    }
}

static void close_while_running(void **state)
{
    (void)state;
    for (int turns = 0; turns < 8; turns++) {
        struct world world;
        world_open(&world, NULL, 0, false);
        struct request request = get(&world);
        request.idle_ms = 1000;
        for (int i = 0; i < 3; i++)
            world.transport->send(world.transport, &request, never, NULL);
        world.transport->after(world.transport, 10000, timer_closes, NULL);
        for (int i = 0; i < turns; i++)
            uv_run(&world.loop, UV_RUN_NOWAIT);
        world_close(&world);
    }
}

/* Without a request curl is never begun. */
static void unused(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL, 0, false);
    world_close(&world);
}

/* --- time --- */

struct ticks {
    struct transport *transport;
    struct transport_timer *other;
    int count;
};

static void tick(void *context)
{
    struct ticks *ticks = context;
    ticks->count++;
    if (ticks->other)
        ticks->transport->cancel_timer(ticks->transport, ticks->other);
    ticks->other = NULL;
}

static void tick_again(void *context)
{
    struct ticks *ticks = context;
    if (++ticks->count < 5)
        ticks->transport->after(ticks->transport, 0, tick_again, ticks);
}

static void timers(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL, 0, false);
    struct transport *transport = world.transport;
    struct ticks ticks = {.transport = transport};
    uint64_t begun = transport->now_ms(transport);
    transport->after(transport, 20, tick, &ticks);
    ticks.other = transport->after(transport, 40, tick, &ticks);
    assert_int_equal(ticks.count, 0);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    assert_int_equal(ticks.count, 1);
    assert_true(transport->now_ms(transport) - begun >= 20);
    struct ticks chain = {.transport = transport};
    transport->after(transport, 0, tick_again, &chain);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    assert_int_equal(chain.count, 5);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unreachable),
        cmocka_unit_test(dead_connection),
        cmocka_unit_test(dead_connection_twice),
        cmocka_unit_test(closed_while_idle),
        cmocka_unit_test(no_proxy),
        cmocka_unit_test(hanging_connect),
        cmocka_unit_test(cancel),
        cmocka_unit_test(cancel_from_another_ending),
        cmocka_unit_test(send_from_an_ending),
        cmocka_unit_test(close_from_inside),
        cmocka_unit_test(close_while_running),
        cmocka_unit_test(unused),
        cmocka_unit_test(timers),
    };
    return cmocka_run_group_tests_name("http, the life of exchanges", tests, NULL, NULL);
}
