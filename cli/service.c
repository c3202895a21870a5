#include "cli/service.h"

#include "base/hex.h"
#include "base/memory.h"
#include "cli/listen_address.h"
#include "cli/service_parts.h"
#include <openssl/rand.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * DESIGN: libmicrohttpd in epoll mode has no thread; its one descriptor stands
 * in our loop. A turn runs the daemon, then does what has fallen due: streams
 * that have news, connections that took too long, the poll that a hook asked
 * for. One timer is set to whatever comes next.
 */

static void turn(struct service *service);

uint64_t service_now_ms(const struct service *service)
{
    return uv_now(service->options.loop);
}

struct status_clock service_clock(const struct service *service)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uv_update_time(service->options.loop);
    return (struct status_clock){
        .now_ms = uv_now(service->options.loop),
        .unix_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
    };
}

/* --- Connections. --- */

static uint64_t deadline_of(const struct service *service, const struct peer *peer)
{
    switch (peer->state) {
    case PEER_ASKING:
        return peer->since_ms + service->options.ask_ms;
    case PEER_ANSWERED:
        return peer->since_ms + service->options.reply_ms;
    case PEER_STREAMING:
        return UINT64_MAX;
    }
    return UINT64_MAX;
}

static void connection_changes(void *context, struct MHD_Connection *connection, void **slot,
                               enum MHD_ConnectionNotificationCode code)
{
    struct service *service = context;
    struct peer *peer = *slot;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        peer = *slot = memory_new(sizeof(*peer));
        peer->fd =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        peer->since_ms = service_now_ms(service);
        peer->next = service->peers;
        if (peer->next)
            peer->next->previous = peer;
        service->peers = peer;
        service->counts.connections++;
        return;
    }
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        service->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    service->counts.connections--;
    free(peer);
    *slot = NULL;
}

static void request_completed(void *context, struct MHD_Connection *connection, void **slot,
                              enum MHD_RequestTerminationCode code)
{
    struct service *service = context;
    struct asked *asked = *slot;
    (void)connection;
    (void)code;
    if (!asked)
        return;
    asked->peer->state = PEER_ASKING;
    asked->peer->since_ms = service_now_ms(service);
    service_asked_free(asked);
    *slot = NULL;
}

/* The daemon sees the end of the connection, and does the rest. */
static void cut_slow(struct service *service)
{
    uint64_t now_ms = service_now_ms(service);
    for (struct peer *peer = service->peers; peer; peer = peer->next) {
        if (peer->cut || deadline_of(service, peer) > now_ms)
            continue;
        peer->cut = true;
        (void)shutdown(peer->fd, SHUT_RDWR);
    }
}

/* --- The loop. --- */

static uint64_t next_due_ms(const struct service *service)
{
    uint64_t now_ms = service_now_ms(service), due_ms = UINT64_MAX;
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(service->daemon, &wait_ms) == MHD_YES)
        due_ms = now_ms + wait_ms;
    uint64_t stream_ms = service_streams_due_ms(service);
    due_ms = stream_ms < due_ms ? stream_ms : due_ms;
    if (service->poll_wanted && service->polled_at_ms + SERVICE_POLL_MS < due_ms)
        due_ms = service->polled_at_ms + SERVICE_POLL_MS;
    for (const struct peer *peer = service->peers; peer; peer = peer->next)
        if (!peer->cut && deadline_of(service, peer) < due_ms)
            due_ms = deadline_of(service, peer);
    return due_ms;
}

static void timer_came(uv_timer_t *timer)
{
    turn(timer->data);
}

void service_schedule(struct service *service)
{
    if (service->closing)
        return;
    uint64_t now_ms = service_now_ms(service), due_ms = next_due_ms(service);
    if (due_ms == UINT64_MAX)
        uv_timer_stop(&service->timer);
    else
        uv_timer_start(&service->timer, timer_came, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void turn(struct service *service)
{
    uv_update_time(service->options.loop);
    cut_slow(service);
    service_streams_wake(service);
    MHD_run(service->daemon);
    service_poll_if_due(service);
    service_schedule(service);
}

static void descriptor_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    turn(poll->data);
}

static void status_changed(void *context)
{
    struct service *service = context;
    if (service->push_at_ms || !service->streams)
        return;
    uint64_t now_ms = service_now_ms(service);
    uint64_t next_ms = service->pushed_at_ms + SERVICE_PUSH_MS;
    service->push_at_ms = now_ms + SERVICE_SETTLE_MS;
    if (service->push_at_ms < next_ms)
        service->push_at_ms = next_ms;
    service_schedule(service);
}

/* --- Life. --- */

static int check_access(const struct service *service, const struct listen_address *address,
                        struct error **err)
{
    if (address->loopback || service->options.token_file)
        return 0;
    return error_set(err, ERROR_INVALID,
                     "--listen=%s: others than this machine get there, so it needs a token: "
                     "--listen-token FILE (openssl rand -hex 32 >FILE; chmod 600 FILE)",
                     service->options.listen);
}

static int open_secrets(struct service *service, struct error **err)
{
    uint64_t now_ms = service_now_ms(service);
    if (secret_file_open(&service->token, service->options.token_file, now_ms, err))
        return error_wrap(err, "--listen-token");
    if (secret_file_open(&service->hook, service->options.hook_secret_file, now_ms, err))
        return error_wrap(err, "--hook-secret");
    return 0;
}

static int start_daemon(struct service *service, int fd, struct error **err)
{
    service->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, service_handle, service,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, request_completed, service,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changes, service, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)SERVICE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)SERVICE_HEADER_BYTES_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVICE_IDLE_S,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (service->daemon)
        return 0;
    close(fd);
    return error_set(err, ERROR_INTERNAL, "--listen: libmicrohttpd does not start");
}

static int start(struct service *service, struct error **err)
{
    struct listen_address address;
    if (listen_address_parse(service->options.listen, &address, err) ||
        check_access(service, &address, err) || open_secrets(service, err))
        return -1;
    service->loopback = address.loopback;
    int fd = listen_address_open(&address, &service->address, err);
    if (fd < 0)
        return -1;
    return start_daemon(service, fd, err);
}

static void handle_closed(uv_handle_t *handle)
{
    struct service *service = handle->data;
    if (--service->handles)
        return;
    page_done(&service->page);
    free(service->address);
    free(service);
}

static void watch_descriptor(struct service *service)
{
    int fd = MHD_get_daemon_info(service->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(service->options.loop, &service->poll, fd);
    uv_timer_init(service->options.loop, &service->timer);
    service->poll.data = service->timer.data = service;
    service->handles = 2;
    uv_poll_start(&service->poll, UV_READABLE, descriptor_ready);
}

static void take_limit(uint32_t *limit_ms, uint32_t usual_ms)
{
    if (!*limit_ms)
        *limit_ms = usual_ms;
}

int service_open(const struct service_options *options, struct service **ret_service,
                 struct error **err)
{
    struct service *service = memory_new(sizeof(*service));
    unsigned char random[8] = {0};
    service->options = *options;
    take_limit(&service->options.ask_ms, SERVICE_ASK_MS);
    take_limit(&service->options.reply_ms, SERVICE_REPLY_MS);
    take_limit(&service->options.keep_alive_ms, SERVICE_KEEP_ALIVE_MS);
    if (start(service, err)) {
        secret_file_close(&service->token);
        secret_file_close(&service->hook);
        free(service->address);
        free(service);
        return -1;
    }
    RAND_bytes(random, sizeof(random));
    hex_write(service->boot, random, sizeof(random));
    page_init(&service->page);
    watch_descriptor(service);
    fleet_status_listen(options->status, status_changed, service);
    *ret_service = service;
    return 0;
}

void service_close(struct service *service)
{
    if (!service)
        return;
    fleet_status_listen(service->options.status, NULL, NULL);
    service->closing = true;
    service_streams_wake(service);
    uv_poll_stop(&service->poll);
    MHD_run(service->daemon);
    MHD_stop_daemon(service->daemon);
    secret_file_close(&service->token);
    secret_file_close(&service->hook);
    uv_close((uv_handle_t *)&service->poll, handle_closed);
    uv_close((uv_handle_t *)&service->timer, handle_closed);
}

const char *service_address(const struct service *service)
{
    return service->address;
}
