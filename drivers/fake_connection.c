#include "drivers/fake_connection.h"

#include "base/memory.h"
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

enum exchange_state { EXCHANGE_READING, EXCHANGE_DELAYED, EXCHANGE_ANSWERED };

struct fake_exchange {
    struct fake_site *site;
    struct MHD_Connection *connection;
    enum exchange_state state;
    char *target, *method, *content_type;
    struct text body;
    struct fake_reply reply;
    struct text pending; /* of the stream, not yet sent */
    size_t sent;         /* of pending */
    bool stream_ended, suspended;
    uint64_t wake_ms;
    pid_t victim; /* to be killed when the reply is out */
    struct fake_exchange *next;
};

uint64_t fake_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void *fake_connection_started(void *site, const char *target, struct MHD_Connection *connection)
{
    struct fake_exchange *exchange = memory_new(sizeof(*exchange));
    exchange->site = site;
    exchange->connection = connection;
    exchange->target = memory_string(target);
    text_init(&exchange->body, (size_t)1 << 30);
    text_init(&exchange->pending, (size_t)1 << 30);
    return exchange;
}

/* --- waiting --- */

static void suspend(struct fake_exchange *exchange, uint64_t wake_ms)
{
    struct fake_hub *hub = exchange->site->hub;
    exchange->wake_ms = wake_ms;
    exchange->suspended = true;
    exchange->next = hub->waiting;
    hub->waiting = exchange;
    MHD_suspend_connection(exchange->connection);
}

static void forget(struct fake_exchange *exchange)
{
    struct fake_exchange **link = &exchange->site->hub->waiting;
    while (*link && *link != exchange)
        link = &(*link)->next;
    if (*link)
        *link = exchange->next;
    exchange->suspended = false;
}

/* Who followed a stream and went away: nothing is read from a suspended connection, so nobody else
 * would notice, and there is a limit of connections. */
static bool is_left(const struct fake_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd peer = {.fd = info ? info->connect_fd : -1, .events = POLLRDHUP};
    return exchange->state == EXCHANGE_ANSWERED && poll(&peer, 1, 0) > 0;
}

int fake_connections_wake(struct fake_hub *hub, uint64_t now_ms)
{
    bool changed = hub->seen_version != fake_world_version(hub->world);
    struct fake_exchange **link = &hub->waiting;
    uint64_t next_ms = UINT64_MAX;
    bool resumed = false;
    hub->seen_version = fake_world_version(hub->world);
    while (*link) {
        struct fake_exchange *exchange = *link;
        bool due = exchange->wake_ms <= now_ms || (changed && exchange->state == EXCHANGE_ANSWERED);
        bool left = !due && is_left(exchange);
        if (due || left) {
            exchange->stream_ended = exchange->stream_ended || left;
            *link = exchange->next;
            exchange->suspended = false;
            MHD_resume_connection(exchange->connection);
            resumed = true;
        } else {
            next_ms = exchange->wake_ms < next_ms ? exchange->wake_ms : next_ms;
            link = &exchange->next;
        }
    }
    uint64_t left_ms = next_ms - now_ms;
    return resumed ? 0 : next_ms == UINT64_MAX ? -1 : left_ms > 60000 ? 60000 : (int)left_ms;
}

void fake_connections_release(struct fake_hub *hub, const struct fake_site *site)
{
    struct fake_exchange **link = &hub->waiting;
    while (*link) {
        struct fake_exchange *exchange = *link;
        if (site && exchange->site != site) {
            link = &exchange->next;
            continue;
        }
        *link = exchange->next;
        exchange->suspended = false;
        exchange->stream_ended = true;
        MHD_resume_connection(exchange->connection);
    }
}

/* --- replies --- */

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size)
{
    struct fake_exchange *exchange = context;
    uint64_t next_ms = UINT64_MAX, now_ms = fake_now_ms();
    (void)position;
    if (exchange->sent == exchange->pending.length && !exchange->stream_ended) {
        text_clear(&exchange->pending);
        exchange->sent = 0;
        exchange->stream_ended =
            !fake_stream_read(exchange->site->hub->world, exchange->reply.stream, now_ms,
                              &exchange->pending, &next_ms);
    }
    size_t left = exchange->pending.length - exchange->sent;
    if (left == 0 && exchange->stream_ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0) {
        suspend(exchange, next_ms);
        return 0;
    }
    size_t length = left < size ? left : size;
    memcpy(buffer, exchange->pending.data + exchange->sent, length);
    exchange->sent += length;
    return (ssize_t)length;
}

static void release_bytes(void *bytes)
{
    fake_bytes_unref(bytes);
}

static struct MHD_Response *make_response(struct fake_exchange *exchange)
{
    struct fake_reply *reply = &exchange->reply;
    if (reply->stream)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, (size_t)64 * 1024, read_stream,
                                                 exchange, NULL);
    struct fake_bytes *bytes = fake_bytes_ref(reply->body);
    return MHD_create_response_from_buffer_with_free_callback_cls(
        bytes->text.length, bytes->text.data, release_bytes, bytes);
}

/*
 * The end of the connection is the end of the stream. libmicrohttpd then waits for the client to
 * close as well, and does not hear that from a connection that was suspended before: so not for
 * long.
 */
static void end_with_reply(struct fake_exchange *exchange, struct MHD_Response *response)
{
    MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    MHD_set_connection_option(exchange->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

static enum MHD_Result answer(struct fake_exchange *exchange)
{
    struct fake_reply *reply = &exchange->reply;
    struct MHD_Response *response = make_response(exchange);
    if (reply->content_type)
        MHD_add_response_header(response, "Content-Type", reply->content_type);
    if (reply->path_stat)
        MHD_add_response_header(response, "X-Docker-Container-Path-Stat", reply->path_stat);
    if (!exchange->site->api_of) {
        MHD_add_response_header(response, "Api-Version", "1.41");
        MHD_add_response_header(response, "Docker-Experimental", "false");
        MHD_add_response_header(response, "Ostype", "linux");
        MHD_add_response_header(response, "Server", "Docker/20.10.24+dfsg1 (linux)");
    }
    if (reply->hijacked) /* no chunks */
        end_with_reply(exchange, response);
    exchange->state = EXCHANGE_ANSWERED;
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* The process at the other end of a unix socket, or 0. */
static pid_t peer(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred credentials;
    socklen_t length = sizeof(credentials);
    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
        return 0;
    return credentials.pid;
}

static void kill_client(pid_t client)
{
    if (client > 1)
        kill(client, SIGKILL);
}

static void log_request(const struct fake_exchange *exchange, uint64_t now_ms)
{
    FILE *log = exchange->site->hub->log;
    if (!log)
        return;
    fprintf(log, "{\"at_ms\":%llu,\"api\":%s,\"method\":\"%s\",\"path\":\"%s\",\"status\":%d}\n",
            (unsigned long long)now_ms, exchange->site->api_of ? "true" : "false", exchange->method,
            exchange->target, exchange->reply.status);
    fflush(log);
}

static enum MHD_Result finish(struct fake_exchange *exchange)
{
    switch (exchange->reply.ending) {
    case FAKE_ENDING_ANSWER:
        return answer(exchange);
    case FAKE_ENDING_DROP:
        return MHD_NO;
    case FAKE_ENDING_KILL:
        kill_client(peer(exchange->connection));
        return MHD_NO;
    case FAKE_ENDING_KILL_AFTER:
        exchange->victim = peer(exchange->connection);
        return answer(exchange);
    }
    return MHD_NO;
}

static enum MHD_Result handle(struct fake_exchange *exchange)
{
    uint64_t now_ms = fake_now_ms();
    const struct fake_request request = {exchange->method,       exchange->target,
                                         exchange->content_type, exchange->body.data,
                                         exchange->body.length,  exchange->site->api_of};
    fake_world_handle(exchange->site->hub->world, now_ms, &request, &exchange->reply);
    log_request(exchange, now_ms);
    if (exchange->reply.delay_ms == 0)
        return finish(exchange);
    exchange->state = EXCHANGE_DELAYED;
    suspend(exchange, now_ms + exchange->reply.delay_ms);
    return MHD_YES;
}

enum MHD_Result fake_connection_handle(void *site, struct MHD_Connection *connection,
                                       const char *url, const char *method, const char *version,
                                       const char *upload, size_t *upload_length, void **context)
{
    struct fake_exchange *exchange = *context;
    (void)site;
    (void)url;
    (void)version;
    if (!exchange->method) {
        exchange->method = memory_string(method);
        exchange->content_type =
            memory_string(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type"));
        return MHD_YES;
    }
    if (*upload_length > 0) {
        text_add_bytes(&exchange->body, upload, *upload_length);
        *upload_length = 0;
        return MHD_YES;
    }
    return exchange->state == EXCHANGE_DELAYED ? finish(exchange) : handle(exchange);
}

void fake_connection_completed(void *site, struct MHD_Connection *connection, void **context,
                               enum MHD_RequestTerminationCode code)
{
    struct fake_exchange *exchange = *context;
    (void)site;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    *context = NULL;
    forget(exchange);
    kill_client(exchange->victim);
    fake_reply_done(&exchange->reply);
    free(exchange->target);
    free(exchange->method);
    free(exchange->content_type);
    text_done(&exchange->body);
    text_done(&exchange->pending);
    free(exchange);
}
