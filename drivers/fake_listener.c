#include "drivers/fake_listener.h"

#include "base/memory.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake_listener {
    struct fake_site site;
    char *address, *certificate, *key;
    unsigned port;
    struct MHD_Daemon *daemon;
    bool wanted;
    struct fake_listener *next;
};

struct fake_listener *fake_listener_next(const struct fake_listener *listener)
{
    return listener->next;
}

struct MHD_Daemon *fake_listener_daemon(const struct fake_listener *listener)
{
    return listener->daemon;
}

static int bind_to(const struct sockaddr *name, socklen_t length)
{
    int descriptor = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(descriptor, name, length) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

static int bind_address(const char *address, unsigned port)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return bind_to((struct sockaddr *)&four, sizeof(four));
    if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1)
        return bind_to((struct sockaddr *)&six, sizeof(six));
    return -1;
}

static int open_port(const char *address, unsigned port)
{
    int descriptor = bind_address(address, port);
    if (descriptor >= 0 && listen(descriptor, 64) == 0)
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

bool fake_listener_port_free(void *context, const char *address, unsigned port)
{
    int descriptor = open_port(address, port);
    (void)context;
    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

static void free_listener(struct fake_listener *listener)
{
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon);
    free(listener->site.api_of);
    free(listener->address);
    free(listener->certificate);
    free(listener->key);
    free(listener);
}

static struct fake_listener *new_listener(struct fake_hub *hub, const struct fake_api *api)
{
    int descriptor = open_port(api->address, api->port);
    if (descriptor < 0) {
        fprintf(stderr, "fake-engine: cannot listen on %s port %u\n", api->address, api->port);
        return NULL;
    }
    struct fake_listener *listener = memory_new(sizeof(*listener));
    listener->site = (struct fake_site){hub, memory_string(api->container_id)};
    listener->address = memory_string(api->address);
    listener->certificate = memory_string(api->certificate);
    listener->key = memory_string(api->key);
    listener->port = api->port;
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TLS, 0, NULL, NULL,
        fake_connection_handle, &listener->site, MHD_OPTION_LISTEN_SOCKET, descriptor,
        MHD_OPTION_NOTIFY_COMPLETED, fake_connection_completed, &listener->site,
        MHD_OPTION_URI_LOG_CALLBACK, fake_connection_started, &listener->site,
        MHD_OPTION_HTTPS_MEM_CERT, listener->certificate, MHD_OPTION_HTTPS_MEM_KEY, listener->key,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)128 * 1024, MHD_OPTION_END);
    if (listener->daemon)
        return listener;
    close(descriptor);
    free_listener(listener);
    return NULL;
}

static bool is_for(const struct fake_listener *listener, const struct fake_api *api)
{
    return strcmp(listener->site.api_of, api->container_id) == 0 && listener->port == api->port &&
           strcmp(listener->address, api->address) == 0 &&
           strcmp(listener->certificate, api->certificate) == 0;
}

static void mark(struct fake_listener *list, const struct fake_api *apis, size_t count)
{
    for (; list; list = list->next) {
        list->wanted = false;
        for (size_t i = 0; i < count && !list->wanted; i++)
            list->wanted = is_for(list, &apis[i]);
    }
}

static bool is_open(const struct fake_listener *list, const struct fake_api *api)
{
    while (list && !is_for(list, api))
        list = list->next;
    return list != NULL;
}

void fake_listeners_sync(struct fake_listener **list, struct fake_hub *hub)
{
    cleanup_arena struct arena *arena = arena_new();
    struct fake_api *apis;
    size_t count = fake_world_apis(hub->world, arena, &apis);
    mark(*list, apis, count);
    for (struct fake_listener **link = list; *link;) {
        struct fake_listener *listener = *link;
        if (listener->wanted) {
            link = &listener->next;
        } else {
            *link = listener->next;
            fake_connections_release(hub, &listener->site);
            free_listener(listener);
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct fake_listener *listener =
            is_open(*list, &apis[i]) ? NULL : new_listener(hub, &apis[i]);
        if (!listener)
            continue;
        listener->next = *list;
        *list = listener;
    }
}

void fake_listeners_free(struct fake_listener **list)
{
    while (*list) {
        struct fake_listener *listener = *list;
        *list = listener->next;
        free_listener(listener);
    }
}
