/*
 * service_test.c - the service over a real socket: what it answers, to whom, and what it takes.
 *
 * With arguments, "ADDRESS [CLUSTERS]", it serves a fleet's story instead of
 * testing, for whoever looks at the page.
 */
#include "cli/service_client_test.h"

/* --- What is answered. --- */

static void test_paths(void **slot)
{
    struct lab *lab = *slot;
    static const struct {
        const char *path;
        int status;
        const char *type, *part;
    } rows[] = {
        {"/", 200, "text/html", "<title>"},
        {"/healthz", 200, "text/plain", "ok\n"},
        {"/readyz", 200, "text/plain", "ok\n"},
        {"/metrics", 200, "text/plain; version=0.0.4", "\nkind_clusters 7\n"},
        {"/api/v1/clusters", 200, "application/json", "\"fleet\":\"lab\""},
        {"/api/v1/clusters/ci", 200, "application/json", "{\"name\":\"ci\""},
        {"/api/v1/clusters/", 404, "text/plain", "no such cluster"},
        {"/api/v1/clusters/nothere", 404, "text/plain", "no such cluster"},
        {"/api/v1/clusters/../../etc/passwd", 404, "text/plain", "no such cluster"},
        {"/api/v1/clustersx", 404, "text/plain", "nothing here"},
        {"/healthz/x", 404, "text/plain", "nothing here"},
        {"/favicon.ico", 404, "text/plain", "nothing here"},
        {"/hook", 405, "text/plain", "only POST"},
    };
    serve_as_usual(lab);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_free char *answer = NULL;
        test_row(rows[i].path);
        assert_int_equal(get(lab, rows[i].path, &answer), rows[i].status);
        cleanup_free char *type = memory_format("Content-Type: %s", rows[i].type);
        expect_in(answer, type);
        expect_in(answer, rows[i].part);
        expect_in(answer, "X-Content-Type-Options: nosniff\r\n");
        expect_in(answer, "Content-Security-Policy: default-src 'none'");
        expect_in(answer, "X-Frame-Options: DENY\r\n");
        assert_null(strstr(answer, "Access-Control-"));
    }
    lab->unready = "the sources were not read yet";
    cleanup_free char *answer = NULL;
    assert_int_equal(get(lab, "/readyz", &answer), 503);
    expect_in(answer, "the sources were not read yet\n");
}

static void test_methods(void **slot)
{
    struct lab *lab = *slot;
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n", 200},
        {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n", 405},
        {"DELETE /api/v1/clusters/ci HTTP/1.1\r\nHost: localhost\r\n", 405},
        {"OPTIONS /api/v1/clusters HTTP/1.1\r\nHost: localhost\r\n", 405},
        {"PUT /hook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n", 405},
    };
    serve_as_usual(lab);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].head);
        cleanup_free char *answer = ask(lab, rows[i].head, NULL, 0);
        assert_int_equal(status_of(answer), rows[i].status);
    }
}

/* A page whose name was pointed here comes with its own name. */
static void test_host(void **slot)
{
    struct lab *lab = *slot;
    static const struct {
        const char *host;
        int status;
    } rows[] = {
        {"localhost", 200},
        {"127.0.0.1:9440", 200},
        {"[::1]:9440", 200},
        {"evil.example", 421},
        {"evil.example:9440", 421},
        {"localhost.evil.example", 421},
        {"", 421},
    };
    serve_as_usual(lab);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].host);
        cleanup_free char *head =
            memory_format("GET /api/v1/clusters HTTP/1.1\r\nHost: %s\r\n", rows[i].host);
        cleanup_free char *answer = ask(lab, head, NULL, 0);
        assert_int_equal(status_of(answer), rows[i].status);
        assert_true(status_of(answer) == 200 || !strstr(answer, "nightly"));
    }
    cleanup_free char *none = ask(lab, "GET /metrics HTTP/1.1\r\n", NULL, 0);
    assert_int_equal(status_of(none), 400);
    cleanup_free char *old = ask(lab, "GET /metrics HTTP/1.0\r\n", NULL, 0);
    assert_int_equal(status_of(old), 421);
}

static void test_token(void **slot)
{
    struct lab *lab = *slot;
    struct service_options options = options_of(lab);
    static const struct {
        const char *name, *path, *header;
        int status;
    } rows[] = {
        {"none", "/metrics", "", 401},
        {"health is open", "/healthz", "", 200},
        {"readiness is open", "/readyz", "", 200},
        {"page", "/", "", 401},
        {"bearer", "/metrics", "Authorization: Bearer " SECRET "\r\n", 200},
        {"another", "/metrics", "Authorization: Bearer it is a secret to everybodx\r\n", 401},
        {"longer", "/metrics", "Authorization: Bearer " SECRET "y\r\n", 401},
        {"empty", "/metrics", "Authorization: Bearer \r\n", 401},
        {"password", "/metrics",
         "Authorization: Basic bWU6aXQgaXMgYSBzZWNyZXQgdG8gZXZlcnlib2R5\r\n", 200},
        {"wrong password", "/metrics", "Authorization: Basic bWU6d3Jvbmc=\r\n", 401},
        {"no base64", "/metrics", "Authorization: Basic !!!\r\n", 401},
        {"no pair", "/metrics", "Authorization: Basic aGFsbG8=\r\n", 401},
        {"other scheme", "/metrics", "Authorization: Digest x\r\n", 401},
    };
    options.token_file = lab->secret;
    serve(lab, &options);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row(rows[i].name);
        cleanup_free char *head = memory_format("GET %s HTTP/1.1\r\nHost: kind.example\r\n%s",
                                                rows[i].path, rows[i].header);
        cleanup_free char *answer = ask(lab, head, NULL, 0);
        assert_int_equal(status_of(answer), rows[i].status);
        if (rows[i].status == 401)
            expect_in(answer, "WWW-Authenticate: Basic");
    }
}

static void test_refused_options(void **slot)
{
    struct lab *lab = *slot;
    cleanup_error struct error *open = NULL, *bad = NULL, *absent = NULL, *taken = NULL;
    struct service_options options = options_of(lab);
    options.listen = "0.0.0.0:0";
    assert_int_equal(service_open(&options, &lab->service, &open), -1);
    expect_in(open->message, "--listen-token");
    options.listen = "here";
    assert_int_equal(service_open(&options, &lab->service, &bad), -1);
    options.listen = "127.0.0.1:0";
    options.token_file = "/nowhere/token";
    assert_int_equal(service_open(&options, &lab->service, &absent), -1);
    expect_in(absent->message, "--listen-token: open /nowhere/token");
    serve_as_usual(lab);
    options = options_of(lab);
    options.listen = service_address(lab->service);
    struct service *second = NULL;
    assert_int_equal(service_open(&options, &second, &taken), -1);
    assert_int_equal(taken->kind, ERROR_UNAVAILABLE);
}

/* --- Clients that want too much. --- */

static void test_slow_client(void **slot)
{
    struct lab *lab = *slot;
    struct service_options options = options_of(lab);
    struct client client;
    options.ask_ms = SHORT_MS;
    serve(lab, &options);
    client_open(&client, lab);
    /* A byte now and then keeps no connection. */
    uint64_t began_ms = now_ms();
    while (!client.ended && now_ms() < began_ms + WAIT_MS) {
        uint64_t next_ms = now_ms() + 5;
        (void)send(client.fd, "G", 1, MSG_NOSIGNAL);
        while (now_ms() < next_ms)
            turn(&client);
    }
    assert_true(client.ended);
    assert_true(now_ms() - began_ms >= SHORT_MS);
    client_close(&client);
    /* Nor does one that says nothing. */
    client_open(&client, lab);
    client_await_end(&client);
    assert_int_equal(client.got.length, 0);
    client_close(&client);
}

/* It asks for much and reads nothing. */
static void test_slow_reader(void **slot)
{
    struct lab *lab = *slot;
    struct service_options options = options_of(lab);
    struct client client;
    options.reply_ms = SHORT_MS;
    serve(lab, &options);
    /* More than all buffers on the way hold. */
    for (int i = 0; i < 700; i++) {
        cleanup_free char *name = memory_format("c%04d", i);
        story_well(&lab->story, name, 60);
    }
    client_open(&client, lab);
    static const char head[] = "GET /api/v1/clusters HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(send(client.fd, head, strlen(head), MSG_NOSIGNAL) > 0);
    uint64_t until_ms = now_ms() + 5 * (uint64_t)SHORT_MS;
    while (now_ms() < until_ms)
        uv_run(&lab->loop, UV_RUN_NOWAIT);
    client_await_end(&client);
    assert_null(strstr(client.got.data, "\"c0699\""));
    client_close(&client);
}

static void test_long_header(void **slot)
{
    struct lab *lab = *slot;
    struct text head;
    serve_as_usual(lab);
    text_init(&head, 0);
    text_add(&head, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ");
    text_add_char(&head, 'x', 100000);
    text_add(&head, "\r\n");
    cleanup_free char *answer = ask(lab, head.data, NULL, 0);
    text_done(&head);
    assert_true(status_of(answer) == 0 || status_of(answer) == 431 || status_of(answer) == 413);
    cleanup_free char *health = NULL;
    assert_int_equal(get(lab, "/healthz", &health), 200);
}

static void test_nonsense(void **slot)
{
    struct lab *lab = *slot;
    static const char *const rows[] = {
        "\r\n\r\n\r\n",
        "GET\r\n",
        "\x16\x03\x01\x02",
        "GET / HTTP/9.9\r\nHost: x\r\n",
    };
    serve_as_usual(lab);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        test_row("nonsense");
        cleanup_free char *answer = ask(lab, rows[i], "\r\n\r\n", 4);
        assert_int_not_equal(status_of(answer), 200);
    }
    cleanup_free char *health = NULL;
    assert_int_equal(get(lab, "/healthz", &health), 200);
}

/* --- Serving, for whoever looks. --- */

static int serve_story(const char *address, const char *clusters)
{
    struct lab lab = {0};
    struct error *failure = NULL;
    uv_loop_init(&lab.loop);
    story_open(&lab.story, uv_now(&lab.loop));
    story_run(&lab.story);
    for (unsigned long i = 0; i < strtoul(clusters, NULL, 10); i++) {
        cleanup_free char *name = memory_format("team-%c-%02lu", (char)('a' + i % 8), i / 8 + 1);
        if (i % 17 == 5)
            story_works(&lab.story, name);
        else
            story_well(&lab.story, name, 1 + i % 4);
    }
    struct service_options options = options_of(&lab);
    options.listen = address;
    options.hook_secret_file = NULL;
    if (service_open(&options, &lab.service, &failure)) {
        fprintf(stderr, "%s\n", failure->message);
        return 1;
    }
    printf("listening at http://%s/\n", service_address(lab.service));
    fflush(stdout);
    return uv_run(&lab.loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(test_paths),
        SERVICE_TEST(test_methods),
        SERVICE_TEST(test_host),
        SERVICE_TEST(test_token),
        SERVICE_TEST(test_refused_options),
        SERVICE_TEST(test_slow_client),
        SERVICE_TEST(test_slow_reader),
        SERVICE_TEST(test_long_header),
        SERVICE_TEST(test_nonsense),
    };
    if (argc > 1)
        return serve_story(argv[1], argc > 2 ? argv[2] : "0");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
