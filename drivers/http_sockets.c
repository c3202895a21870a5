#include "drivers/http_sockets.h"

#include "base/memory.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* One socket in the loop; freed in its close callback. */
struct watch {
    uv_poll_t poll;
    struct sockets *sockets;
    curl_socket_t fd;
    int events;  /* what curl waits for, as libuv's mask */
    bool failed; /* the last event was an error */
    LIST_ENTRY(watch) link;
};

static struct watch *find_watch(struct sockets *sockets, curl_socket_t fd)
{
    struct watch *watch = LIST_FIRST(&sockets->watches);
    while (watch && watch->fd != fd)
        watch = LIST_NEXT(watch, link);
    return watch;
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    struct sockets *sockets = watch->sockets;
    free(watch);
    sockets->open_count--;
    sockets->on_closed(sockets->context);
}

/* Takes the socket out of epoll at once. */
static void watch_close(struct watch *watch)
{
    LIST_REMOVE(watch, link);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

/* An event mask of curl's as one of libuv's. */
static int poll_events(int what)
{
    return (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
}

static struct watch *watch_new(struct sockets *sockets, curl_socket_t fd)
{
    struct watch *stale = find_watch(sockets, fd);
    if (stale)
        watch_close(stale);
    struct watch *watch = memory_new(sizeof(*watch));
    watch->sockets = sockets;
    watch->fd = fd;
    watch->poll.data = watch;
    if (uv_poll_init_socket(sockets->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    sockets->open_count++;
    LIST_INSERT_HEAD(&sockets->watches, watch, link);
    curl_multi_assign(sockets->multi, fd, watch);
    return watch;
}

/*
 * libuv stops a poll that has met an error. Reading and writing find out what
 * it was, and bytes that came before it are not lost; so curl is told to try
 * both. An error that this does not clear ends the transfer the second time.
 */
static int select_bits(struct watch *watch, int status, int events)
{
    bool again = watch->failed && status < 0;
    watch->failed = status < 0;
    if (status < 0)
        return CURL_CSELECT_ERR | (again ? 0 : CURL_CSELECT_IN | CURL_CSELECT_OUT);
    return (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
           (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
}

/* The watch stays in memory at least until its close callback, whatever curl does with it. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct sockets *sockets = watch->sockets;
    sockets->on_ready(sockets->context, watch->fd, select_bits(watch, status, events));
    if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
        uv_poll_start(poll, watch->events, on_poll);
}

/* CURLMOPT_SOCKETFUNCTION. The context is ours as long as curl has it assigned. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct sockets *sockets = context;
    struct watch *watch = socket_context;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            curl_multi_assign(sockets->multi, fd, NULL);
            watch_close(watch);
        }
        return 0;
    }
    if (!watch)
        watch = watch_new(sockets, fd);
    if (!watch)
        return -1;
    watch->events = poll_events(what);
    return uv_poll_start(&watch->poll, watch->events, on_poll);
}

/* A socket whose number curl does not take for another's. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct sockets *sockets = context;
    (void)purpose;
    int type = address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
    int fd = socket(address->family, type, address->protocol);
    while (fd >= 0 && find_watch(sockets, fd)) {
        int higher = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
        close(fd);
        fd = higher;
    }
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int on_close_socket(void *context, curl_socket_t fd)
{
    struct sockets *sockets = context;
    struct watch *watch = find_watch(sockets, fd);
    if (watch) {
        curl_multi_assign(sockets->multi, fd, NULL);
        watch_close(watch);
    }
    return close(fd);
}

void sockets_init(struct sockets *sockets)
{
    LIST_INIT(&sockets->watches);
    curl_multi_setopt(sockets->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(sockets->multi, CURLMOPT_SOCKETDATA, sockets);
}

void sockets_adopt(struct sockets *sockets, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}

void sockets_done(struct sockets *sockets)
{
    while (!LIST_EMPTY(&sockets->watches))
        watch_close(LIST_FIRST(&sockets->watches));
}
