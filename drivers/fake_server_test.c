/* The fake engine over its real socket, and a cluster's API over real TLS. */
#include "base/memory.h"
#include "base/test.h"
#include "drivers/fake_server.h"
#include <curl/curl.h>
#include <jansson.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct peer {
    struct fake_server *server;
    char folder[32], *socket;
    CURL *curl;
    struct text body;
    long status; /* of the last reply; 0 if there was none */
};

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    text_add_bytes(context, bytes, size * count);
    return size * count;
}

static struct peer *new_peer(void)
{
    struct peer *peer = memory_new(sizeof(*peer));
    struct error *err = NULL;
    memcpy(peer->folder, "/tmp/fake-server-XXXXXX", 24);
    assert_non_null(mkdtemp(peer->folder));
    peer->socket = memory_format("%s/s", peer->folder);
    const struct fake_server_options options = {.socket_path = peer->socket};
    peer->server = fake_server_start(&options, &err);
    assert_non_null(peer->server);
    peer->curl = curl_easy_init();
    text_init(&peer->body, 0);
    return peer;
}

static void free_peer(struct peer *peer)
{
    struct stat stat_buffer;
    fake_server_stop(peer->server);
    assert_int_equal(stat(peer->socket, &stat_buffer), -1);
    rmdir(peer->folder);
    curl_easy_cleanup(peer->curl);
    text_done(&peer->body);
    free(peer->socket);
    free(peer);
}

static void perform(struct peer *peer, const char *method, const char *url, const char *body)
{
    CURL *curl = peer->curl;
    text_clear(&peer->body);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L); /* it sends again on an old one that died */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &peer->body);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    }
    peer->status = 0;
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &peer->status);
}

static const char *ask(struct peer *peer, const char *method, const char *path, const char *body)
{
    cleanup_free char *url = memory_format("http://localhost%s", path);
    curl_easy_setopt(peer->curl, CURLOPT_UNIX_SOCKET_PATH, peer->socket);
    perform(peer, method, url, body);
    return peer->body.data;
}

static void plain(void **state)
{
    (void)state;
    struct peer *peer = new_peer();
    assert_string_equal(ask(peer, "GET", "/_ping", NULL), "OK");
    ask(peer, "GET", "/v1.41/containers/x/json", NULL);
    assert_int_equal(peer->status, 404);
    ask(peer, "POST", "/_fake/fault", "{\"action\":\"drop\"}");
    ask(peer, "GET", "/info", NULL);
    assert_int_equal(peer->status, 0);
    ask(peer, "POST", "/_fake/fault", "{\"action\":\"delay\",\"delay_ms\":30}");
    ask(peer, "GET", "/info", NULL);
    assert_int_equal(peer->status, 200);
    free_peer(peer);
}

#define NODE "{\"Image\":\"kind.local/node:v1.20.2\",\"Tty\":true}"

static void streams(void **state)
{
    (void)state;
    struct peer *peer = new_peer();
    ask(peer, "POST", "/containers/create?name=n1", NODE);
    ask(peer, "POST", "/containers/n1/start", "");
    assert_int_equal(peer->status, 204);
    ask(peer, "POST", "/_fake/settings", "{\"exec_ms\":20}");
    json_t *exec =
        json_loads(ask(peer, "POST", "/containers/n1/exec", "{\"Cmd\":[\"true\"]}"), 0, NULL);
    cleanup_free char *start =
        memory_format("/exec/%s/start", json_string_value(json_object_get(exec, "Id")));
    json_decref(exec);
    assert_string_equal(ask(peer, "POST", start, "{}"), "");
    assert_int_equal(peer->status, 200);
    ask(peer, "POST", "/containers/n1/stop", "");
    ask(peer, "POST", "/containers/n1/wait", "");
    assert_non_null(strstr(peer->body.data, "130"));
    ask(peer, "GET", "/containers/n1/logs?stdout=1&follow=1", NULL);
    assert_non_null(strstr(peer->body.data, "detected cgroup v1"));
    free_peer(peer);
}

/* Reads a member of a kubeconfig and decodes it; caller frees. */
static char *decoded(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    assert_non_null(at);
    at += strlen(key) + 2;
    size_t length = strcspn(at, "\n"), used = 0;
    char *out = memory_new(length + 1);
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i + 3 < length; i += 4) {
        unsigned long bits = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = at[i + j] == '=' ? alphabet : strchr(alphabet, at[i + j]);
            bits = bits << 6 | (unsigned long)(digit - alphabet);
        }
        for (size_t j = 0; j < 3 && at[i + j + 1] != '='; j++)
            out[used++] = (char)(bits >> (16 - 8 * j) & 255);
    }
    return out;
}

static unsigned api_port(struct peer *peer)
{
    json_error_t error;
    json_t *list = json_loads(ask(peer, "GET", "/containers/json", NULL), 0, &error);
    json_t *ports = json_object_get(json_array_get(list, 0), "Ports");
    unsigned port =
        (unsigned)json_integer_value(json_object_get(json_array_get(ports, 0), "PublicPort"));
    json_decref(list);
    return port;
}

static void use_tls(struct peer *peer)
{
    ask(peer, "GET", "/containers/c0001-control-plane/archive?path=/etc/kubernetes/admin.conf",
        NULL);
    assert_int_equal(peer->status, 200);
    const char *text = strstr(peer->body.data + 512, "apiVersion");
    if (!text) /* the tar has more headers */
        text = memmem(peer->body.data, peer->body.length, "apiVersion", 10);
    cleanup_free char *ca = decoded(text, "certificate-authority-data");
    cleanup_free char *certificate = decoded(text, "client-certificate-data");
    cleanup_free char *key = decoded(text, "client-key-data");
    const struct {
        CURLoption option;
        char *pem;
    } rows[] = {
        {CURLOPT_CAINFO_BLOB, ca}, {CURLOPT_SSLCERT_BLOB, certificate}, {CURLOPT_SSLKEY_BLOB, key}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct curl_blob blob = {rows[i].pem, strlen(rows[i].pem), CURL_BLOB_COPY};
        curl_easy_setopt(peer->curl, rows[i].option, &blob);
    }
}

static void cluster_api(void **state)
{
    (void)state;
    struct peer *peer = new_peer();
    ask(peer, "POST", "/_fake/populate?clusters=1&nodes=1&api=1", "{}");
    assert_int_equal(peer->status, 204);
    cleanup_free char *url = memory_format("https://127.0.0.1:%u/api/v1/nodes", api_port(peer));
    use_tls(peer);
    curl_easy_setopt(peer->curl, CURLOPT_UNIX_SOCKET_PATH, NULL);
    perform(peer, "GET", url, NULL);
    assert_int_equal(peer->status, 200);
    assert_non_null(strstr(peer->body.data, "\"c0001-control-plane\""));
    ask(peer, "POST", "/containers/c0001-control-plane/kill", "");
    curl_easy_setopt(peer->curl, CURLOPT_UNIX_SOCKET_PATH, NULL);
    perform(peer, "GET", url, NULL);
    assert_int_equal(peer->status, 0);
    free_peer(peer);
}

/* A client that dies between its request and the reply. */
static void kills_client(void **state)
{
    (void)state;
    struct peer *peer = new_peer();
    ask(peer, "POST", "/_fake/fault", "{\"action\":\"kill\",\"match\":\"create\"}");
    pid_t child = fork();
    if (child == 0) {
        curl_easy_cleanup(peer->curl);
        peer->curl = curl_easy_init();
        ask(peer, "POST", "/containers/create?name=n1", NODE);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ask(peer, "GET", "/containers/n1/json", NULL);
    assert_int_equal(peer->status, 200);
    free_peer(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(streams),
        cmocka_unit_test(cluster_api),
        cmocka_unit_test(kills_client),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
