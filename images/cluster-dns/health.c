#include "health.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../cluster-api/memory.h"

enum {
    VISITORS_MAX = 32,
    REQUEST_MAX = 4096,
    REQUEST_TIMEOUT_MS = 3000,
    HOLD_BACK_MS = 800,
    METRICS_MAX = 4096,
};

enum page { PAGE_HEALTH, PAGE_READY, PAGE_METRICS, PAGE_COUNT };

static const struct {
    uint16_t port;
    const char *path;
} pages[PAGE_COUNT] = {
    [PAGE_HEALTH] = {8080, "/health"},
    [PAGE_READY] = {8181, "/ready"},
    [PAGE_METRICS] = {9153, "/metrics"},
};

struct visitor {
    int fd; /* -1: free */
    enum page page;
    bool held_back; /* has asked for readiness, and waits */
    uint64_t deadline_ms;
    size_t size;
    char request[REQUEST_MAX + 1];
};

struct health {
    struct loop *loop;
    void (*print_metrics)(void *context, char *text, size_t size);
    void *context;
    bool ready;
    int listeners[PAGE_COUNT]; /* -1: none */
    struct visitor visitors[VISITORS_MAX];
};

static void visitor_close(struct health *health, struct visitor *visitor)
{
    loop_remove(health->loop, visitor->fd);
    close(visitor->fd);
    visitor->fd = -1;
}

static void visitor_reply(struct health *health, struct visitor *visitor, const char *status,
                          const char *body)
{
    char reply[METRICS_MAX + 256];
    int size = snprintf(reply, sizeof(reply),
                        "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        status, strlen(body), body);
    if (size > 0 && (size_t)size < sizeof(reply))
        (void)send(visitor->fd, reply, (size_t)size, MSG_NOSIGNAL);
    visitor_close(health, visitor);
}

static void visitor_answer(struct health *health, struct visitor *visitor)
{
    const char *path = pages[visitor->page].path;
    size_t length = strlen(path);
    const char *request = visitor->request;
    if (strncmp(request, "GET ", 4) != 0 || strncmp(request + 4, path, length) != 0 ||
        !strchr(" ?", request[4 + length])) {
        visitor_reply(health, visitor, "404 Not Found", "no such page\n");
        return;
    }
    switch (visitor->page) {
    case PAGE_HEALTH:
        visitor_reply(health, visitor, "200 OK", "OK");
        return;
    case PAGE_READY:
        visitor->held_back = !health->ready;
        visitor->deadline_ms = loop_now_ms() + HOLD_BACK_MS;
        if (health->ready)
            visitor_reply(health, visitor, "200 OK", "OK");
        return;
    case PAGE_METRICS: {
        char text[METRICS_MAX] = "";
        health->print_metrics(health->context, text, sizeof(text));
        visitor_reply(health, visitor, "200 OK", text);
        return;
    }
    case PAGE_COUNT:
        break;
    }
}

static void visitor_readable(void *context, int fd)
{
    struct health *health = context;
    struct visitor *visitor = health->visitors;
    while (visitor->fd != fd)
        visitor++;
    ssize_t got = recv(fd, visitor->request + visitor->size, REQUEST_MAX - visitor->size, 0);
    if (got <= 0) {
        visitor_close(health, visitor);
        return;
    }
    visitor->size += (size_t)got;
    visitor->request[visitor->size] = '\0';
    if (!visitor->held_back && strstr(visitor->request, "\r\n\r\n"))
        visitor_answer(health, visitor);
}

static void listener_readable(void *context, int listener)
{
    struct health *health = context;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor *visitor = &health->visitors[i];
        if (visitor->fd >= 0 || loop_add(health->loop, fd, visitor_readable, health) < 0)
            continue;
        visitor->fd = fd;
        visitor->size = 0;
        visitor->held_back = false;
        visitor->deadline_ms = loop_now_ms() + REQUEST_TIMEOUT_MS;
        for (unsigned page = 0; page < PAGE_COUNT; page++)
            if (health->listeners[page] == listener)
                visitor->page = (enum page)page;
        return;
    }
    close(fd);
}

/* IPv6's any-address takes IPv4 too; a kernel without IPv6 gets IPv4's. */
static int listen_on(uint16_t port)
{
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, off = 0;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
        if (bind(fd, (struct sockaddr *)&any6, sizeof(any6)) == 0 && listen(fd, 16) == 0)
            return fd;
        close(fd);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&any4, sizeof(any4)) == 0 && listen(fd, 16) == 0)
        return fd;
    close(fd);
    return -1;
}

struct health *health_new(struct loop *loop,
                          void (*print_metrics)(void *context, char *text, size_t size),
                          void *context)
{
    struct health *health = must(calloc(1, sizeof(*health)));
    health->loop = loop;
    health->print_metrics = print_metrics;
    health->context = context;
    for (size_t i = 0; i < VISITORS_MAX; i++)
        health->visitors[i].fd = -1;
    for (size_t page = 0; page < PAGE_COUNT; page++) {
        int fd = listen_on(pages[page].port);
        if (fd < 0)
            loop_log("port %u for %s: %s, going on without it", pages[page].port, pages[page].path,
                     strerror(errno));
        else
            (void)loop_add(loop, fd, listener_readable, health);
        health->listeners[page] = fd;
    }
    return health;
}

void health_free(struct health *health)
{
    if (!health)
        return;
    for (size_t i = 0; i < VISITORS_MAX; i++)
        if (health->visitors[i].fd >= 0)
            visitor_close(health, &health->visitors[i]);
    for (size_t page = 0; page < PAGE_COUNT; page++)
        if (health->listeners[page] >= 0) {
            loop_remove(health->loop, health->listeners[page]);
            close(health->listeners[page]);
        }
    free(health);
}

void health_set_ready(struct health *health, bool ready)
{
    health->ready = ready;
    for (size_t i = 0; i < VISITORS_MAX && ready; i++) {
        struct visitor *visitor = &health->visitors[i];
        if (visitor->fd >= 0 && visitor->held_back)
            visitor_reply(health, visitor, "200 OK", "OK");
    }
}

uint64_t health_tick(struct health *health, uint64_t now_ms)
{
    uint64_t next_ms = LOOP_NEVER;
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor *visitor = &health->visitors[i];
        if (visitor->fd >= 0 && visitor->deadline_ms <= now_ms) {
            if (visitor->held_back)
                visitor_reply(health, visitor, "503 Service Unavailable", "not yet\n");
            else
                visitor_close(health, visitor);
        }
        if (visitor->fd >= 0 && visitor->deadline_ms < next_ms)
            next_ms = visitor->deadline_ms;
    }
    return next_ms;
}
