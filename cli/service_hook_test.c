/* The hook over a real socket: whose calls are believed, and what a thousand of them cost. */
#include "cli/service_client_test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static char *signature_of(const char *key, const char *body, size_t length)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_length = 0;
    HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)body, length, mac,
         &mac_length);
    char *hex = memory_new(2 * mac_length + 1);
    for (unsigned i = 0; i < mac_length; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", mac[i]);
    return hex;
}

static int call_hook(struct lab *lab, const char *header, const char *body, size_t length)
{
    cleanup_free char *head =
        memory_format("POST /hook HTTP/1.1\r\nHost: hooks.example\r\nContent-Length: %zu\r\n%s\r\n",
                      length, header);
    head[strlen(head) - 2] = '\0';
    cleanup_free char *answer = ask(lab, head, body, length);
    return status_of(answer);
}

static void test_hook(void **slot)
{
    struct lab *lab = *slot;
    static const char body[] = "{\"ref\":\"refs/heads/main\"}";
    cleanup_free char *right = signature_of(SECRET, body, strlen(body));
    cleanup_free char *wrong = signature_of("another secret", body, strlen(body));
    static const struct {
        const char *name, *format;
        bool wrong;
        int status;
    } rows[] = {
        {"GitHub", "X-Hub-Signature-256: sha256=%s\r\n", false, 202},
        {"Gitea", "X-Gitea-Signature: %s\r\n", false, 202},
        {"generic", "X-Signature: sha256=%s\r\n", false, 202},
        {"GitLab", "X-Gitlab-Token: " SECRET "\r\n", false, 202},
        {"GitLab, another", "X-Gitlab-Token: it is not\r\n", false, 403},
        {"another secret", "X-Hub-Signature-256: sha256=%s\r\n", true, 403},
        {"no prefix", "X-Hub-Signature-256: %s\r\n", false, 403},
        {"cut", "X-Hub-Signature-256: sha256=%.10s\r\n", false, 403},
        {"empty", "X-Hub-Signature-256: \r\n", false, 403},
        {"old sha1 alone", "X-Hub-Signature: sha1=%s\r\n", false, 401},
        {"none", "", false, 401},
        {"a wrong one before a right one",
         "X-Hub-Signature-256: sha256=00\r\nX-Gitlab-Token: " SECRET "\r\n", false, 403},
    };
    serve_as_usual(lab);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_text struct text header;
        test_row(rows[i].name);
        text_init(&header, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text_add_format(&header, rows[i].format, rows[i].wrong ? wrong : right);
#pragma GCC diagnostic pop
        assert_int_equal(call_hook(lab, header.data, body, strlen(body)), rows[i].status);
    }
    assert_int_equal(lab->polls, 1);
    /* The same signature for another body, and no body at all. */
    cleanup_free char *header = memory_format("X-Hub-Signature-256: sha256=%s\r\n", right);
    assert_int_equal(call_hook(lab, header, "{}", 2), 403);
    assert_int_equal(call_hook(lab, header, "", 0), 403);
}

static void test_hook_off(void **slot)
{
    struct lab *lab = *slot;
    struct service_options options = options_of(lab);
    options.hook_secret_file = NULL;
    serve(lab, &options);
    cleanup_free char *answer = ask(
        lab, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-Gitlab-Token: \r\n", "", 0);
    assert_int_equal(status_of(answer), 404);
    expect_in(answer, "--hook-secret");
    assert_int_equal(lab->polls, 0);
}

static void test_hook_sizes(void **slot)
{
    struct lab *lab = *slot;
    enum { MOST = 1024 * 1024 };
    cleanup_free char *body = memory_new(MOST + 2);
    memset(body, 'x', MOST + 1);
    serve_as_usual(lab);
    cleanup_free char *most = signature_of(SECRET, body, MOST);
    cleanup_free char *header = memory_format("X-Signature: sha256=%s\r\n", most);
    assert_int_equal(call_hook(lab, header, body, MOST), 202);
    assert_int_equal(call_hook(lab, header, body, MOST + 1), 413);
    /* Without saying before how long it is. */
    cleanup_free char *more = signature_of(SECRET, body, MOST + 1);
    cleanup_free char *head = memory_format("POST /hook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                            "chunked\r\nX-Signature: sha256=%s\r\n",
                                            more);
    struct text chunked;
    text_init(&chunked, 0);
    text_add_format(&chunked, "%x\r\n", (unsigned)MOST + 1);
    text_add_bytes(&chunked, body, MOST + 1);
    text_add(&chunked, "\r\n0\r\n\r\n");
    cleanup_free char *answer = ask(lab, head, chunked.data, chunked.length);
    text_done(&chunked);
    assert_int_equal(status_of(answer), 413);
}

/* A thousand calls, the same one each time: one look at once, one more afterwards. */
static void test_hook_storm(void **slot)
{
    struct lab *lab = *slot;
    cleanup_free char *right = signature_of(SECRET, "{}", 2);
    cleanup_free char *call = memory_format(
        "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Signature: sha256=%s\r\n\r\n{}",
        right);
    struct client client;
    serve_as_usual(lab);
    client_open(&client, lab);
    uint64_t began_ms = now_ms();
    for (int i = 0; i < 1000; i++) {
        text_clear(&client.got);
        client_send(&client, call, strlen(call));
        client_await(&client, "looking at the sources");
    }
    uint64_t took_ms = now_ms() - began_ms;
    assert_in_range(lab->polls, 1, took_ms / 1000 + 1);
    unsigned before = lab->polls;
    while (lab->polls == before && now_ms() < began_ms + took_ms + 2000)
        turn(&client);
    assert_int_equal(lab->polls, before + 1);
    client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(test_hook),
        SERVICE_TEST(test_hook_off),
        SERVICE_TEST(test_hook_sizes),
        SERVICE_TEST(test_hook_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
