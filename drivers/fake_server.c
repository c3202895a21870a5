/*
 * DESIGN. libmicrohttpd daemons in epoll mode have no threads; each offers
 * one descriptor. Our thread polls those and an eventfd, runs the daemons
 * that are ready, wakes exchanges that are due, and opens and closes HTTPS
 * listeners whenever the world says that the published APIs changed.
 */
#include "drivers/fake_server.h"

#include "base/memory.h"
#include "drivers/fake_connection.h"
#include "drivers/fake_listener.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_server {
    char *socket_path;
    struct fake_hub hub;
    struct fake_site site;
    struct MHD_Daemon *daemon;
    struct fake_listener *listeners;
    uint64_t apis_version;
    int stop; /* eventfd */
    pthread_t thread;
};

/* --- loop --- */

/* The daemon in turn: the engine's, then the listeners'. */
static size_t list_daemons(struct fake_server *server, struct arena *arena,
                           struct MHD_Daemon ***daemons)
{
    size_t count = 0;
    *daemons = arena_grow(arena, NULL, count, sizeof(struct MHD_Daemon *));
    (*daemons)[count++] = server->daemon;
    for (struct fake_listener *listener = server->listeners; listener;
         listener = fake_listener_next(listener)) {
        *daemons = arena_grow(arena, *daemons, count, sizeof(struct MHD_Daemon *));
        (*daemons)[count++] = fake_listener_daemon(listener);
    }
    return count;
}

static int daemon_descriptor(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

static int sooner(int a, int b)
{
    if (a < 0 || b < 0)
        return a < 0 ? b : a;
    return a < b ? a : b;
}

static int daemon_timeout(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (MHD_get_timeout(daemon, &timeout_ms) != MHD_YES)
        return -1;
    return timeout_ms > 60000 ? 60000 : (int)timeout_ms;
}

static void sync_listeners(struct fake_server *server)
{
    uint64_t version = fake_world_apis_version(server->hub.world);
    if (version == server->apis_version)
        return;
    server->apis_version = version;
    fake_listeners_sync(&server->listeners, &server->hub);
}

/* One turn; false when the server is to stop. */
static bool turn(struct fake_server *server)
{
    cleanup_arena struct arena *arena = arena_new();
    struct MHD_Daemon **daemons;
    int timeout_ms = fake_connections_wake(&server->hub, fake_now_ms());
    size_t count = list_daemons(server, arena, &daemons);
    struct pollfd *polls = arena_array(arena, count + 1, sizeof(*polls));
    for (size_t i = 0; i < count; i++) {
        polls[i] = (struct pollfd){daemon_descriptor(daemons[i]), POLLIN, 0};
        timeout_ms = sooner(timeout_ms, daemon_timeout(daemons[i]));
    }
    polls[count] = (struct pollfd){server->stop, POLLIN, 0};
    if (poll(polls, count + 1, timeout_ms) < 0 && errno != EINTR)
        return false;
    for (size_t i = 0; i < count; i++)
        MHD_run(daemons[i]);
    sync_listeners(server);
    return !(polls[count].revents & POLLIN);
}

static void *run(void *context)
{
    struct fake_server *server = context;
    while (turn(server))
        ;
    return NULL;
}

/* --- life --- */

static int open_socket(const char *path, struct error **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof(address.sun_path))
        return error_set(err, ERROR_INVALID, "socket path %s is too long", path);
    memcpy(address.sun_path, path, length);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead = connect(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0 &&
                errno == ECONNREFUSED;
    close(descriptor);
    if (dead)
        unlink(path);
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(descriptor, 128) < 0) {
        error_set(err, ERROR_UNAVAILABLE, "listen on %s: %s", path, strerror(errno));
        close(descriptor);
        return -1;
    }
    return descriptor;
}

/*
 * Where this process begins to pick ports: far from where others of its kind begin, and below those
 * that the kernel gives to connections, so that nobody takes one before its API listens there.
 */
static unsigned first_port(void)
{
    return 12000 + (unsigned)getpid() * 37 % 16000;
}

static struct fake_world *new_world(const struct fake_server_options *options, struct error **err)
{
    struct fake_settings settings = options->settings;
    if (!settings.port_free)
        settings.port_free = fake_listener_port_free;
    if (!settings.first_port)
        settings.first_port = first_port();
    struct fake_world *world = fake_world_new(&settings);
    for (size_t i = 0; options->faults && options->faults[i]; i++) {
        const struct fake_request request = {.method = "POST",
                                             .target = "/_fake/fault",
                                             .body = options->faults[i],
                                             .length = strlen(options->faults[i])};
        struct fake_reply reply;
        fake_world_handle(world, 0, &request, &reply);
        if (reply.status != 204)
            error_set(err, ERROR_INVALID, "not a fault: %s", options->faults[i]);
        fake_reply_done(&reply);
        if (*err)
            break;
    }
    return world;
}

static int start_daemon(struct fake_server *server, struct error **err)
{
    int descriptor = open_socket(server->socket_path, err);
    if (descriptor < 0)
        return -1;
    server->site = (struct fake_site){&server->hub, NULL};
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, fake_connection_handle,
        &server->site, MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_NOTIFY_COMPLETED,
        fake_connection_completed, &server->site, MHD_OPTION_URI_LOG_CALLBACK,
        fake_connection_started, &server->site, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)128 * 1024, MHD_OPTION_END);
    if (server->daemon)
        return 0;
    close(descriptor);
    return error_set(err, ERROR_INTERNAL, "libmicrohttpd does not start");
}

struct fake_server *fake_server_start(const struct fake_server_options *options, struct error **err)
{
    struct fake_server *server = memory_new(sizeof(*server));
    server->socket_path = memory_string(options->socket_path);
    server->stop = eventfd(0, EFD_CLOEXEC);
    server->hub.world = new_world(options, err);
    if (options->log_path && !(server->hub.log = fopen(options->log_path, "ae")))
        error_set(err, ERROR_INVALID, "open %s: %s", options->log_path, strerror(errno));
    if (!*err && start_daemon(server, err) == 0 &&
        pthread_create(&server->thread, NULL, run, server) == 0)
        return server;
    server->thread = 0;
    fake_server_stop(server);
    return NULL;
}

void fake_server_stop(struct fake_server *server)
{
    if (!server)
        return;
    if (server->thread) {
        (void)eventfd_write(server->stop, 1);
        pthread_join(server->thread, NULL);
    }
    fake_connections_release(&server->hub, NULL);
    fake_listeners_free(&server->listeners);
    if (server->daemon) {
        MHD_stop_daemon(server->daemon);
        unlink(server->socket_path);
    }
    if (server->hub.log)
        fclose(server->hub.log);
    fake_world_free(server->hub.world);
    close(server->stop);
    free(server->socket_path);
    free(server);
}
