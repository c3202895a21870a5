/*
 * service_client_test.h - a service for tests, with a fleet's story to tell, and a client that
 * talks to it over a real socket in the same thread: the loop turns while it waits.
 */
#ifndef CLI_SERVICE_CLIENT_TEST_H
#define CLI_SERVICE_CLIENT_TEST_H

#include "cli/service.h"

#include "base/memory.h"
#include "base/test.h"
#include "cli/fleet_story_test.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET "it is a secret to everybody"
enum { WAIT_MS = 5000, SHORT_MS = 60 };

struct lab {
    uv_loop_t loop;
    struct fleet_story story;
    struct service *service;
    char folder[32], *secret;
    unsigned polls;
    uint64_t polled_at_ms;
    const char *unready;
};

static inline void poll_now(void *context)
{
    struct lab *lab = context;
    lab->polls++;
    lab->polled_at_ms = uv_now(&lab->loop);
}

static inline const char *unready(void *context)
{
    return ((struct lab *)context)->unready;
}

static inline int open_lab(void **slot)
{
    struct lab *lab = *slot = memory_new(sizeof(*lab));
    snprintf(lab->folder, sizeof(lab->folder), "/tmp/kind-service-XXXXXX");
    if (uv_loop_init(&lab->loop) || !mkdtemp(lab->folder))
        return -1;
    lab->secret = memory_format("%s/secret", lab->folder);
    int fd = open(lab->secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, SECRET, strlen(SECRET)) < 0)
        return -1;
    close(fd);
    story_open(&lab->story, uv_now(&lab->loop));
    story_run(&lab->story);
    return 0;
}

static inline int close_lab(void **slot)
{
    struct lab *lab = *slot;
    service_close(lab->service);
    uv_run(&lab->loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&lab->loop);
    story_close(&lab->story);
    unlink(lab->secret);
    rmdir(lab->folder);
    free(lab->secret);
    free(lab);
    return busy;
}

static inline struct service_options options_of(struct lab *lab)
{
    return (struct service_options){
        .loop = &lab->loop,
        .listen = "127.0.0.1:0",
        .hook_secret_file = lab->secret,
        .fleet = "lab",
        .status = lab->story.status,
        .poll_now = poll_now,
        .unready = unready,
        .context = lab,
    };
}

static inline void serve(struct lab *lab, const struct service_options *options)
{
    struct error *failure = NULL;
    if (service_open(options, &lab->service, &failure))
        fail_msg("%s", failure->message);
}

static inline void serve_as_usual(struct lab *lab)
{
    const struct service_options options = options_of(lab);
    serve(lab, &options);
}

/* --- A client. The loop turns while it waits. --- */

struct client {
    struct lab *lab;
    int fd;
    struct text got;
    bool ended;
};

static inline void client_open(struct client *client, struct lab *lab)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *port = strrchr(service_address(lab->service), ':') + 1;
    address.sin_port = htons((in_port_t)strtoul(port, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct client){.lab = lab};
    text_init(&client->got, 0);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

static inline void client_close(struct client *client)
{
    close(client->fd);
    text_done(&client->got);
}

static inline void take_bytes(struct client *client)
{
    char bytes[16384];
    for (;;) {
        ssize_t length = recv(client->fd, bytes, sizeof(bytes), 0);
        if (length <= 0) {
            client->ended |= length == 0 || (errno != EAGAIN && errno != EINTR);
            return;
        }
        text_add_bytes(&client->got, bytes, (size_t)length);
    }
}

static inline uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static inline void turn(struct client *client)
{
    struct pollfd one = {client->fd, POLLIN, 0};
    uv_run(&client->lab->loop, UV_RUN_NOWAIT);
    (void)poll(&one, 1, 1);
    take_bytes(client);
}

/* Sends all of it, as far as somebody reads. */
static inline void client_send(struct client *client, const char *bytes, size_t length)
{
    uint64_t until_ms = now_ms() + WAIT_MS;
    while (length && !client->ended && now_ms() < until_ms) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
        turn(client);
    }
}

/* True if it came; false if the connection ended without it. */
static inline bool client_await(struct client *client, const char *part)
{
    uint64_t until_ms = now_ms() + WAIT_MS;
    while (!strstr(client->got.data, part)) {
        if (client->ended)
            return false;
        if (now_ms() > until_ms)
            fail_msg("no '%s' in: %s", part, client->got.data);
        turn(client);
    }
    return true;
}

static inline void client_await_end(struct client *client)
{
    uint64_t until_ms = now_ms() + WAIT_MS;
    while (!client->ended) {
        if (now_ms() > until_ms)
            fail_msg("the connection does not end: %s", client->got.data);
        turn(client);
    }
}

/* One request on a connection of its own; the whole answer is the caller's. */
static inline char *ask(struct lab *lab, const char *head, const char *body, size_t length)
{
    struct client client;
    client_open(&client, lab);
    cleanup_free char *whole = memory_format("%sConnection: close\r\n\r\n", head);
    client_send(&client, whole, strlen(whole));
    client_send(&client, body, length);
    client_await_end(&client);
    char *answer = text_take(&client.got);
    client_close(&client);
    return answer;
}

static inline int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static inline int get(struct lab *lab, const char *path, char **answer)
{
    cleanup_free char *head = memory_format("GET %s HTTP/1.1\r\nHost: localhost:9440\r\n", path);
    *answer = ask(lab, head, NULL, 0);
    return status_of(*answer);
}

static inline void expect_in(const char *answer, const char *part)
{
    if (!strstr(answer, part))
        fail_msg("no '%s' in: %s", part, answer);
}

#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)

#endif
