/*
 * http_test_server.h - a scripted HTTP server for http's tests, in the same loop.
 *
 * Request number N, counted over all connections, gets answer number N of the
 * script; what it sent is kept as text. After the script's end requests get
 * no answer. Included by test files only, hence all is static.
 * A test opens a world, sends through it, looks at the outcome, and closes it.
 */
#ifndef DRIVERS_HTTP_TEST_SERVER_H
#define DRIVERS_HTTP_TEST_SERVER_H

#include "base/test.h"

#include "base/memory.h"
#include "base/text.h"
#include "drivers/http.h"
#include <netinet/in.h>
#include <strings.h>
#include <unistd.h>

enum afterwards { KEEP, CLOSE, RESET };

struct answer {
    const char *bytes; /* all of the reply, or a part of it; NULL: none */
    enum afterwards afterwards;
    uint32_t drip_ms; /* one byte after the other, so far apart */
    bool head_at_once;
};

enum { REQUESTS_MAX = 16 };

struct server {
    uv_loop_t *loop;
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } listener;
    const struct answer *script;
    size_t script_length, request_count, connection_count, open_count;
    char *requests[REQUESTS_MAX];
    char *path; /* of the socket, or NULL */
    int port;   /* of TCP, or 0 */
};

struct client {
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } peer;
    uv_timer_t drip;
    struct server *server;
    struct text request;
    struct answer answer;
    char buffer[65536];
    int handles;
};

struct piece {
    uv_write_t write;
    struct client *client;
};

static inline void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    if (--client->handles > 0)
        return;
    client->server->open_count--;
    text_done(&client->request);
    free(client);
}

static inline void client_close(struct client *client)
{
    if (uv_is_closing((uv_handle_t *)&client->peer))
        return;
    uv_close((uv_handle_t *)&client->drip, on_client_closed);
    if (client->answer.afterwards == RESET)
        uv_tcp_close_reset(&client->peer.tcp, on_client_closed);
    else
        uv_close((uv_handle_t *)&client->peer, on_client_closed);
}

static inline void on_written(uv_write_t *write, int status)
{
    struct piece *piece = (struct piece *)write;
    struct client *client = piece->client;
    free(piece);
    bool last = !client->answer.bytes || !client->answer.bytes[0];
    if (status < 0 || (last && client->answer.afterwards != KEEP))
        client_close(client);
}

static inline void client_write(struct client *client, size_t length)
{
    struct piece *piece = memory_new(sizeof(*piece));
    piece->client = client;
    char *bytes = (char *)(uintptr_t)client->answer.bytes;
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)length);
    client->answer.bytes += length;
    uv_write(&piece->write, &client->peer.stream, &buffer, 1, on_written);
}

static inline void on_drip(uv_timer_t *timer)
{
    struct client *client = timer->data;
    if (client->answer.bytes[0])
        client_write(client, 1);
    else
        uv_timer_stop(timer);
}

static inline void client_answer(struct client *client)
{
    struct server *server = client->server;
    size_t number = server->request_count++;
    assert_true(number < REQUESTS_MAX);
    server->requests[number] = text_take(&client->request);
    client->answer = (struct answer){0};
    if (number < server->script_length)
        client->answer = server->script[number];
    if (client->answer.head_at_once)
        client_write(client,
                     (size_t)(strstr(client->answer.bytes, "\r\n\r\n") + 4 - client->answer.bytes));
    if (client->answer.drip_ms)
        uv_timer_start(&client->drip, on_drip, 0, client->answer.drip_ms);
    else if (client->answer.bytes)
        client_write(client, strlen(client->answer.bytes));
    else if (client->answer.afterwards != KEEP)
        client_close(client);
}

/* Head and as many bytes of a body as it says. */
static inline bool request_complete(const struct text *request)
{
    const char *end = strstr(request->data, "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strcasestr(request->data, "\r\nContent-Length: ");
    size_t body = length && length < end ? strtoul(length + 18, NULL, 10) : 0;
    return request->length >= (size_t)(end + 4 - request->data) + body;
}

static inline void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    struct client *client = handle->data;
    (void)size;
    *buffer = uv_buf_init(client->buffer, sizeof(client->buffer));
}

static inline void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    if (length < 0) {
        client_close(client);
        return;
    }
    text_add_bytes(&client->request, buffer->base, (size_t)length);
    if (request_complete(&client->request))
        client_answer(client);
}

static inline void on_connection(uv_stream_t *listener, int status)
{
    assert_int_equal(status, 0);
    struct server *server = listener->data;
    struct client *client = memory_new(sizeof(*client));
    client->server = server;
    client->handles = 2;
    text_init(&client->request, 0);
    if (server->port)
        uv_tcp_init(server->loop, &client->peer.tcp);
    else
        uv_pipe_init(server->loop, &client->peer.pipe, 0);
    uv_timer_init(server->loop, &client->drip);
    client->peer.stream.data = client->drip.data = client;
    assert_int_equal(uv_accept(listener, &client->peer.stream), 0);
    server->connection_count++;
    server->open_count++;
    uv_read_start(&client->peer.stream, on_room, on_read);
}

static inline void server_listen(struct server *server)
{
    server->listener.stream.data = server;
    assert_int_equal(uv_listen(&server->listener.stream, 16, on_connection), 0);
    uv_unref((uv_handle_t *)&server->listener);
}

/* On a socket in a folder of its own. */
static inline void server_open(struct server *server, uv_loop_t *loop)
{
    char folder[] = "/tmp/kind-http-XXXXXX";
    assert_non_null(mkdtemp(folder));
    *server = (struct server){.loop = loop};
    server->path = memory_format("%s/engine.sock", folder);
    uv_pipe_init(loop, &server->listener.pipe, 0);
    assert_int_equal(uv_pipe_bind(&server->listener.pipe, server->path), 0);
    server_listen(server);
}

/* On a free port of the loopback address. */
static inline void server_open_tcp(struct server *server, uv_loop_t *loop)
{
    *server = (struct server){.loop = loop};
    struct sockaddr_in address;
    int length = sizeof(address);
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server->listener.tcp);
    uv_tcp_bind(&server->listener.tcp, (struct sockaddr *)&address, 0);
    server_listen(server);
    uv_tcp_getsockname(&server->listener.tcp, (struct sockaddr *)&address, &length);
    server->port = ntohs(address.sin_port);
}

/* Connections end when their client closes them; then, after a run of the loop: server_done. */
static inline void server_close(struct server *server)
{
    uv_close((uv_handle_t *)&server->listener, NULL);
}

static inline void server_done(struct server *server)
{
    assert_int_equal(server->open_count, 0);
    for (size_t i = 0; i < server->request_count; i++)
        free(server->requests[i]);
    if (!server->path)
        return;
    unlink(server->path);
    *strrchr(server->path, '/') = '\0';
    rmdir(server->path);
    free(server->path);
}

/* --- the client's side --- */

/* What an exchange ended with. */
struct outcome {
    int calls;
    int status;
    struct text body; /* of the reply, or what on_data got */
    char *api_version;
    struct error *failure;
    bool stopped;
    size_t stop_after; /* bytes until on_data says so; 0: never */
};

struct world {
    uv_loop_t loop;
    struct server server;
    struct transport *transport;
    struct outcome outcome;
};

static inline void ended(void *context, const struct reply *reply, struct error *failure)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->failure = failure;
    assert_true(!reply != !failure);
    if (!reply)
        return;
    outcome->status = reply->status;
    outcome->stopped = reply->stopped;
    text_add_bytes(&outcome->body, reply->body, reply->length);
    outcome->api_version = memory_string(reply->api_version);
}

static inline bool on_data(void *context, const char *bytes, size_t length)
{
    struct outcome *outcome = context;
    text_add_bytes(&outcome->body, bytes, length);
    return !outcome->stop_after || outcome->body.length < outcome->stop_after;
}

/* Empty again, and ready for another exchange. */
static inline void outcome_done(struct outcome *outcome)
{
    size_t stop_after = outcome->stop_after;
    text_done(&outcome->body);
    free(outcome->api_version);
    error_free(outcome->failure);
    *outcome = (struct outcome){.stop_after = stop_after};
    text_init(&outcome->body, 0);
}

static inline void world_open(struct world *world, const struct answer *script, size_t length,
                              bool tcp)
{
    memset(world, 0, sizeof(*world));
    text_init(&world->outcome.body, 0);
    uv_loop_init(&world->loop);
    if (tcp)
        server_open_tcp(&world->server, &world->loop);
    else
        server_open(&world->server, &world->loop);
    world->server.script = script;
    world->server.script_length = length;
    world->transport = http_open(&world->loop);
}

/* Nothing may be left in the loop. */
static inline void world_close(struct world *world)
{
    outcome_done(&world->outcome);
    if (world->transport)
        http_close(world->transport);
    server_close(&world->server);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    server_done(&world->server);
    assert_int_equal(uv_loop_close(&world->loop), 0);
}

static inline struct request get(const struct world *world)
{
    return (struct request){
        .method = "GET",
        .unix_path = world->server.path,
        .url = "http://localhost/x?all=1",
        .timeout_ms =
            60000, /* long, for machines that are busy; who tests deadlines says his own */
    };
}

static inline void run(struct world *world, const int *calls)
{
    while (!*calls)
        uv_run(&world->loop, UV_RUN_ONCE);
}

/* Sends and waits for the end. */
static inline void exchange(struct world *world, const struct request *request)
{
    outcome_done(&world->outcome);
    world->transport->send(world->transport, request, ended, &world->outcome);
    assert_int_equal(world->outcome.calls, 0);
    run(world, &world->outcome.calls);
    assert_int_equal(world->outcome.calls, 1);
}

#define HEAD "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20 (linux)\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"
#define MOVED "HTTP/1.1 301 Moved\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n"
#define UPGRADED "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
#define CUT "connection closed in the middle of a reply"
#define LATE "no complete reply to GET within 100 ms"
#define CLOSE_AFTER .afterwards = CLOSE
#define OK(length, body) HEAD "Content-Length: " #length "\r\n\r\n" body

#endif
