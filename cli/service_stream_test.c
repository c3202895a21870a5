/* Streams of events over a real socket: all that is so, then all that changes, and coming back. */
#include "cli/service_client_test.h"

static void open_stream(struct client *client, struct lab *lab, const char *last_id)
{
    client_open(client, lab);
    cleanup_free char *head = memory_format(
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n",
        last_id ? "Last-Event-ID: " : "", last_id ? last_id : "", last_id ? "\r\n" : "");
    client_send(client, head, strlen(head));
    client_await(client, "event: hello");
}

/* The id of the last whole event, the caller's. */
static char *last_id(const struct client *client)
{
    const char *found = NULL;
    for (const char *at = client->got.data; (at = strstr(at, "id: ")); at++)
        if (strstr(at, "\n\n"))
            found = at + 4;
    assert_non_null(found);
    return memory_string_n(found, strcspn(found, "\n"));
}

static void test_stream(void **slot)
{
    struct lab *lab = *slot;
    struct client client;
    serve_as_usual(lab);
    open_stream(&client, lab, NULL);
    expect_in(client.got.data, "Content-Type: text/event-stream\r\n");
    client_await(&client, "\"name\":\"queued\"");
    client_await(&client, "event: current");
    expect_in(client.got.data, "\"reset\":true");
    expect_in(client.got.data, "event: source\ndata: {\"kind\":\"git\"");
    expect_in(client.got.data, "\"type\":\"stalled\"");
    text_clear(&client.got);
    story_well(&lab->story, "nightly", 3);
    client_await(&client, "\"name\":\"nightly\"");
    client_await(&client, "\"type\":\"settled\"");
    cleanup_free char *id = last_id(&client);
    client_close(&client);
    /* While it was away. */
    story_well(&lab->story, "storage", 3);
    open_stream(&client, lab, id);
    client_await(&client, "\"name\":\"storage\"");
    expect_in(client.got.data, "\"reset\":false");
    assert_null(strstr(client.got.data, "\"name\":\"ci\""));
    client_close(&client);
    /* Of another run of the program, or nonsense. */
    static const char *const strangers[] = {"0123456789abcdef-5", "5", "-", "0123456789abcdef--1"};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        open_stream(&client, lab, strangers[i]);
        expect_in(client.got.data, "\"reset\":true");
        client_close(&client);
    }
}

static void test_keep_alive(void **slot)
{
    struct lab *lab = *slot;
    struct service_options options = options_of(lab);
    struct client client;
    options.keep_alive_ms = SHORT_MS;
    serve(lab, &options);
    open_stream(&client, lab, NULL);
    assert_true(client_await(&client, "\n: still here\n"));
    client_close(&client);
}

/* More happened than is remembered: the reader begins anew. */
static void test_stream_left_behind(void **slot)
{
    struct lab *lab = *slot;
    struct client client;
    serve_as_usual(lab);
    open_stream(&client, lab, NULL);
    client_await(&client, "\"name\":\"queued\"");
    cleanup_free char *id = last_id(&client);
    client_close(&client);
    for (int i = 0; i <= STATUS_EVENTS_MAX; i++)
        story_tell(&lab->story, "ci", 3, (struct report){.kind = REPORT_NOTE, .text = "x"});
    open_stream(&client, lab, id);
    expect_in(client.got.data, "\"reset\":true");
    client_close(&client);
}

static void test_too_many_streams(void **slot)
{
    struct lab *lab = *slot;
    struct client clients[64];
    serve_as_usual(lab);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        open_stream(&clients[i], lab, NULL);
    cleanup_free char *answer = NULL, *health = NULL;
    assert_int_equal(get(lab, "/api/v1/events", &answer), 503);
    assert_int_equal(get(lab, "/healthz", &health), 200);
    story_well(&lab->story, "nightly", 3);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        client_await(&clients[i], "\"type\":\"settled\",\"cluster\":\"nightly\"");
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        client_close(&clients[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(test_stream),
        SERVICE_TEST(test_keep_alive),
        SERVICE_TEST(test_stream_left_behind),
        SERVICE_TEST(test_too_many_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
