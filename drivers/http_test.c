#include "drivers/http.h"

#include "drivers/http_test_server.h"

/* One answer each; those with a failure end with "SOCKET: failure". */
static const struct {
    const char *name;
    struct answer answer;
    int status;
    const char *body, *failure;
    enum error_kind kind;
} rows[] = {
    {"normal", {.bytes = OK(5, "hello")}, .status = 200, .body = "hello"},
    {"byte by byte", {.bytes = OK(5, "hello"), .drip_ms = 1}, .status = 200, .body = "hello"},
    {"no body", {.bytes = "HTTP/1.1 204 No Content\r\n\r\n"}, .status = 204},
    {"until the end", {.bytes = HEAD "\r\nhello", CLOSE_AFTER}, .status = 200, .body = "hello"},
    {"chunked",
     {.bytes = CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"},
     .status = 200,
     .body = "hello!"},
    {"not found", {.bytes = NOT_FOUND}, .status = 404, .body = "{}"},
    {"redirect is not followed", {.bytes = MOVED}, .status = 301},
    {"cut off", {.bytes = OK(5, "hel"), CLOSE_AFTER}, .failure = CUT, .kind = ERROR_UNAVAILABLE},
    {"cut off chunk",
     {.bytes = CHUNKED "5\r\nhel", CLOSE_AFTER},
     .failure = CUT,
     .kind = ERROR_UNAVAILABLE},
    {"cut off head",
     {.bytes = "HTTP/1.1 200 OK\r\nApi-", CLOSE_AFTER},
     .failure = CUT,
     .kind = ERROR_UNAVAILABLE},
    {"nothing",
     {CLOSE_AFTER},
     .failure = "connection closed without a reply",
     .kind = ERROR_UNAVAILABLE},
    {"not HTTP",
     {.bytes = "SSH-2.0-OpenSSH_9.2\r\n", CLOSE_AFTER},
     .failure = "not a reply of HTTP",
     .kind = ERROR_INVALID},
    {"too long",
     {.bytes = OK(17, "0123456789abcdefg")},
     .failure = "reply is longer than 16 bytes",
     .kind = ERROR_INVALID},
    {"never ends", {.bytes = OK(5, "hel")}, .failure = LATE, .kind = ERROR_TIMEOUT},
    {"never comes", {.bytes = NULL}, .failure = LATE, .kind = ERROR_TIMEOUT},
};

static void replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        struct world world;
        world_open(&world, &rows[i].answer, 1, false);
        struct request request = get(&world);
        request.reply_bytes_max = 16;
        request.timeout_ms = rows[i].kind == ERROR_TIMEOUT ? 100 : 5000;
        exchange(&world, &request);
        struct outcome *outcome = &world.outcome;
        cleanup_free char *want =
            rows[i].failure ? memory_format("%s: %s", world.server.path, rows[i].failure) : NULL;
        test_equal(outcome->failure ? outcome->failure->message : NULL, want);
        if (outcome->failure)
            assert_int_equal(outcome->failure->kind, rows[i].kind);
        assert_int_equal(outcome->status, rows[i].status);
        test_equal(outcome->body.data, rows[i].body ? rows[i].body : "");
        world_close(&world);
    }
}

/* The request as the server got it. */
static void requests(void **state)
{
    (void)state;
    static const char *const extra[] = {"X-Registry-Auth: e30=", NULL};
    static const struct {
        const char *name, *method, *content_type, *body;
        const char *const *headers;
        const char *want, *unwanted;
    } cases[] = {
        {"GET", "GET", NULL, NULL, NULL, "GET /x?all=1 HTTP/1.1\r\nHost: localhost\r\n",
         "Content-"},
        {"HEAD", "HEAD", NULL, NULL, NULL, "HEAD /x?all=1 HTTP/1.1\r\n", "Content-"},
        {"DELETE", "DELETE", NULL, NULL, NULL, "DELETE /x?all=1 HTTP/1.1\r\n", "Content-"},
        {"DELETE with body", "DELETE", NULL, "{}", NULL, "Content-Length: 2\r\n\r\n{}", NULL},
        {"POST", "POST", "application/json", "{}", NULL,
         "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "Expect"},
        {"empty POST", "POST", NULL, NULL, NULL, "Content-Length: 0\r\n", "Content-Type"},
        {"PUT", "PUT", "application/x-tar", "tar", NULL, "Content-Length: 3\r\n\r\ntar", "Expect"},
        {"PATCH", "PATCH", "application/json", "[]", NULL, "\r\n\r\n[]", NULL},
        {"header", "POST", NULL, NULL, extra, "\r\nX-Registry-Auth: e30=\r\n", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        test_row(cases[i].name);
        struct answer answer = {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
        struct world world;
        world_open(&world, &answer, 1, false);
        struct request request = get(&world);
        request.method = cases[i].method;
        request.content_type = cases[i].content_type;
        request.headers = cases[i].headers;
        request.body = cases[i].body;
        request.body_length = cases[i].body ? strlen(cases[i].body) : 0;
        exchange(&world, &request);
        assert_int_equal(world.outcome.status, 200);
        const char *got = world.server.requests[0];
        assert_int_equal(strncmp(got, cases[i].method, strlen(cases[i].method)), 0);
        if (!strstr(got, cases[i].want) || (cases[i].unwanted && strstr(got, cases[i].unwanted)))
            test_equal(got, cases[i].want);
        world_close(&world);
    }
}

static void headers(void **state)
{
    (void)state;
    struct answer answer = {.bytes = OK(0, "")};
    struct world world;
    world_open(&world, &answer, 1, false);
    struct request request = get(&world);
    exchange(&world, &request);
    test_equal(world.outcome.api_version, "1.41");
    world_close(&world);
}

static void connection_is_kept(void **state)
{
    (void)state;
    struct answer script[] = {{.bytes = OK(1, "a")}, {.bytes = OK(1, "b")}, {.bytes = OK(1, "c")}};
    struct world world;
    world_open(&world, script, COUNT_OF(script), false);
    struct request request = get(&world);
    for (size_t i = 0; i < COUNT_OF(script); i++)
        exchange(&world, &request);
    test_equal(world.outcome.body.data, "c");
    assert_int_equal(world.server.connection_count, 1);
    world_close(&world);
}

static void one_shot_is_not_kept(void **state)
{
    (void)state;
    struct answer script[] = {{.bytes = OK(1, "a")}, {.bytes = OK(1, "b")}, {.bytes = OK(1, "c")}};
    struct world world;
    world_open(&world, script, COUNT_OF(script), false);
    struct request request = get(&world);
    exchange(&world, &request);
    request.one_shot = true;
    exchange(&world, &request); /* not over the kept one */
    request.one_shot = false;
    exchange(&world, &request); /* over the kept one */
    assert_int_equal(world.server.connection_count, 2);
    assert_int_equal(world.server.open_count, 1);
    world_close(&world);
}

static void many_at_once(void **state)
{
    (void)state;
    struct answer script[REQUESTS_MAX];
    struct outcome outcomes[REQUESTS_MAX] = {{0}};
    for (size_t i = 0; i < REQUESTS_MAX; i++)
        script[i] = (struct answer){.bytes = OK(1, "a"), .drip_ms = 1};
    struct world world;
    world_open(&world, script, REQUESTS_MAX, false);
    struct request request = get(&world);
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        outcome_done(&outcomes[i]);
        world.transport->send(world.transport, &request, ended, &outcomes[i]);
    }
    for (size_t i = 0; i < REQUESTS_MAX; i++) {
        run(&world, &outcomes[i].calls);
        assert_int_equal(outcomes[i].status, 200);
        outcome_done(&outcomes[i]);
    }
    world_close(&world);
}

/* More than the socket takes at once, and than curl sends without 100-continue. */
static void large_upload(void **state)
{
    (void)state;
    enum { LENGTH = 3 * 1024 * 1024 };
    struct answer answer = {.bytes = OK(0, "")};
    struct world world;
    world_open(&world, &answer, 1, false);
    cleanup_free char *body = memory_new(LENGTH + 1);
    memset(body, 'x', LENGTH);
    struct request request = get(&world);
    request.method = "PUT";
    request.body = body;
    request.body_length = LENGTH;
    request.idle_ms = 4000;
    exchange(&world, &request);
    assert_int_equal(world.outcome.status, 200);
    test_equal(strstr(world.server.requests[0], "\r\n\r\n") + 4, body);
    world_close(&world);
}

/* --- bodies sent as they are read --- */

struct source {
    struct outcome outcome; /* first: what `ended` and `on_data` take the context for */
    size_t length, given, piece_bytes, fails_at;
};

static size_t give(void *context, char *bytes, size_t room)
{
    struct source *source = context;
    if (source->fails_at && source->given >= source->fails_at)
        return 0;
    size_t length = source->piece_bytes && source->piece_bytes < room ? source->piece_bytes : room;
    assert_in_range(length, 1, source->length - source->given);
    memset(bytes, 'x', length);
    source->given += length;
    return length;
}

static void read_uploads(void **state)
{
    (void)state;
    enum { SHORT = 10, LONG = 3 * 1024 * 1024 };
    static const struct {
        const char *name, *method;
        size_t length, piece_bytes, fails_at;
        const char *failure;
    } cases[] = {
        {"short", "PUT", SHORT, 0, 0, NULL},
        {"byte by byte", "POST", SHORT, 1, 0, NULL},
        {"long", "PUT", LONG, 0, 0, NULL},
        {"in odd pieces", "PUT", LONG, 777, 0, NULL},
        {"fails at once", "PUT", SHORT, 1, 1, "the rest of the request cannot be read"},
        {"fails late", "PUT", LONG, 0, LONG / 2, "the rest of the request cannot be read"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        test_row(cases[i].name);
        struct answer answer = {.bytes = OK(0, "")};
        struct world world;
        world_open(&world, &answer, 1, false);
        struct source source = {.length = cases[i].length,
                                .piece_bytes = cases[i].piece_bytes,
                                .fails_at = cases[i].fails_at};
        text_init(&source.outcome.body, 0);
        struct request request = get(&world);
        request.method = cases[i].method;
        request.content_type = "application/x-tar";
        request.read_body = give;
        request.body_length = cases[i].length;
        world.transport->send(world.transport, &request, ended, &source);
        run(&world, &source.outcome.calls);
        cleanup_free char *want =
            cases[i].failure ? memory_format("%s: %s", world.server.path, cases[i].failure) : NULL;
        test_equal(source.outcome.failure ? source.outcome.failure->message : NULL, want);
        if (!want) {
            const char *got = world.server.requests[0];
            cleanup_free char *line = memory_format("Content-Length: %zu\r\n", cases[i].length);
            assert_int_equal(source.outcome.status, 200);
            assert_int_equal(strncmp(got, cases[i].method, strlen(cases[i].method)), 0);
            assert_non_null(strstr(got, "\r\nContent-Type: application/x-tar\r\n"));
            assert_non_null(strstr(got, line));
            assert_null(strstr(got, "Expect"));
            assert_int_equal(strspn(strstr(got, "\r\n\r\n") + 4, "x"), cases[i].length);
        }
        outcome_done(&source.outcome);
        world_close(&world);
    }
}

/* Its owner is not asked for more after that. */
static void canceled_upload(void **state)
{
    (void)state;
    enum { LENGTH = 64 * 1024 * 1024, TURNS = 5 };
    struct world world;
    world_open(&world, NULL, 0, false);
    struct source source = {.length = LENGTH, .piece_bytes = 1000};
    struct request request = get(&world);
    request.method = "PUT";
    request.read_body = give;
    request.body_length = LENGTH;
    struct exchange *exchange = world.transport->send(world.transport, &request, ended, &source);
    for (size_t i = 0; i < TURNS; i++)
        uv_run(&world.loop, UV_RUN_ONCE);
    world.transport->cancel(world.transport, exchange);
    source.length = source.given; /* one more would be out of range */
    world_close(&world);
    assert_int_equal(source.outcome.calls, 0);
}

/* --- bodies read as they come --- */

static const struct {
    const char *name;
    struct answer answer;
    size_t stop_after;
    int status;
    const char *body;
    bool stopped;
} streams[] = {
    {"until the end", {.bytes = HEAD "\r\nab", CLOSE_AFTER}, .status = 200, .body = "ab"},
    {"chunked", {.bytes = CHUNKED "2\r\nab\r\n0\r\n\r\n"}, .status = 200, .body = "ab"},
    {"upgraded", {.bytes = UPGRADED "ab", CLOSE_AFTER}, .status = 101, .body = "ab"},
    {"upgraded, in pieces", {.bytes = UPGRADED "ab", CLOSE_AFTER, 1}, .status = 101, .body = "ab"},
    {"longer than a reply may be",
     {.bytes = OK(20, "01234567890123456789")},
     .status = 200,
     .body = "01234567890123456789"},
    {"stopped", {.bytes = HEAD "\r\nabc"}, 3, 200, "abc", true},
    {"stopped at once", {.bytes = OK(6, "abcdef")}, 1, 200, "abcdef", true},
    {"other status", {.bytes = NOT_FOUND}, 1, 404, "{}", false},
};

static void stream_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(streams); i++) {
        test_row(streams[i].name);
        struct world world;
        world_open(&world, &streams[i].answer, 1, false);
        struct request request = get(&world);
        request.on_data = on_data;
        request.one_shot = true;
        request.reply_bytes_max = 16;
        world.outcome.stop_after = streams[i].stop_after;
        exchange(&world, &request);
        assert_null(world.outcome.failure);
        assert_int_equal(world.outcome.status, streams[i].status);
        assert_int_equal(world.outcome.stopped, streams[i].stopped);
        test_equal(world.outcome.body.data, streams[i].body);
        world_close(&world);
    }
}

/* A stream without a deadline lives as long as something comes. */
static void idle_limit(void **state)
{
    (void)state;
    struct answer script[] = {
        {.bytes = HEAD "\r\nsilence"},
        {.bytes = HEAD "\r\nslow but steady stream",
         .drip_ms = 10,
         CLOSE_AFTER,
         .head_at_once = true},
    };
    struct world world;
    world_open(&world, script, COUNT_OF(script), false);
    struct request request = get(&world);
    request.on_data = on_data;
    request.timeout_ms = 0;
    request.idle_ms = 150;
    exchange(&world, &request);
    test_equal(world.outcome.body.data, "silence");
    assert_int_equal(world.outcome.failure->kind, ERROR_TIMEOUT);
    assert_non_null(strstr(world.outcome.failure->message, ": nothing came for 150 ms"));
    uint64_t begun = world.transport->now_ms(world.transport);
    exchange(&world, &request);
    assert_null(world.outcome.failure);
    test_equal(world.outcome.body.data, "slow but steady stream");
    assert_true(world.transport->now_ms(world.transport) - begun > request.idle_ms);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(requests),
        cmocka_unit_test(headers),
        cmocka_unit_test(connection_is_kept),
        cmocka_unit_test(one_shot_is_not_kept),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(large_upload),
        cmocka_unit_test(read_uploads),
        cmocka_unit_test(canceled_upload),
        cmocka_unit_test(stream_bodies),
        cmocka_unit_test(idle_limit),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
