/*
 * fake_engine_main.c - the fake engine as a program, for tests and benchmarks of other programs.
 *
 * Prints "ready" when it listens, and ends on SIGTERM or SIGINT, removing its
 * socket.
 */
#include "base/arena.h"
#include "base/memory.h"
#include "drivers/fake_server.h"
#include <argp.h>
#include <signal.h>
#include <unistd.h>

struct list {
    const char **items; /* ended by NULL */
    size_t count;
};

struct settings {
    struct arena *arena;
    struct fake_server_options options;
    struct list node_images, images, registry, faults;
};

enum key {
    KEY_SOCKET = 's',
    KEY_LOG = 'l',
    KEY_BOOT_MS = 256,
    KEY_EXEC_MS,
    KEY_API_MS,
    KEY_READY_MS,
    KEY_LOST_MS,
    KEY_NODE_IMAGE,
    KEY_IMAGE,
    KEY_REGISTRY,
    KEY_FAULT,
    KEY_KILL_CLIENT_AFTER,
    KEY_SEED,
};

static const struct argp_option options[] = {
    {"socket", KEY_SOCKET, "PATH", 0, "listen on this unix socket", 0},
    {"log", KEY_LOG, "FILE", 0, "append a JSON line for each request", 0},
    {"boot-ms", KEY_BOOT_MS, "N", 0, "from start of a node to booted (5)", 0},
    {"exec-ms", KEY_EXEC_MS, "N", 0, "duration of each exec (1)", 0},
    {"api-ms", KEY_API_MS, "N", 0, "from kubelet and manifests to a healthy API (20)", 0},
    {"ready-ms", KEY_READY_MS, "N", 0, "from CNI and kubelet to Ready (20)", 0},
    {"lost-ms", KEY_LOST_MS, "N", 0, "from stopped to Unknown (40000)", 0},
    {"node-image", KEY_NODE_IMAGE, "NAME", 0, "a node image that is there; may be repeated", 0},
    {"image", KEY_IMAGE, "NAME", 0, "another image that is there; may be repeated", 0},
    {"registry", KEY_REGISTRY, "NAME", 0, "an image that can be pulled; may be repeated", 0},
    {"fault", KEY_FAULT, "JSON", 0, "a fault, see drivers/fake_fault.h; may be repeated", 0},
    {"kill-client-after", KEY_KILL_CLIENT_AFTER, "N", 0,
     "kill the client when its Nth change has been applied, before it is answered", 0},
    {"seed", KEY_SEED, "N", 0, "of ids", 0},
    {0},
};

static void add(struct settings *settings, struct list *list, const char *item)
{
    list->items = arena_grow(settings->arena, list->items, list->count, sizeof(*list->items));
    list->items[list->count++] = item;
    list->items = arena_grow(settings->arena, list->items, list->count, sizeof(*list->items));
}

static uint64_t number(struct argp_state *state, const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (!*text || *end)
        argp_error(state, "not a number: %s", text);
    return value;
}

static uint64_t *duration(struct settings *settings, int key)
{
    struct fake_settings *world = &settings->options.settings;
    switch (key) {
    case KEY_BOOT_MS:
        return &world->boot_ms;
    case KEY_EXEC_MS:
        return &world->exec_ms;
    case KEY_API_MS:
        return &world->api_ms;
    case KEY_READY_MS:
        return &world->ready_ms;
    case KEY_LOST_MS:
        return &world->lost_ms;
    case KEY_SEED:
        return &world->seed;
    }
    return NULL;
}

static struct list *repeated(struct settings *settings, int key)
{
    switch (key) {
    case KEY_NODE_IMAGE:
        return &settings->node_images;
    case KEY_IMAGE:
        return &settings->images;
    case KEY_REGISTRY:
        return &settings->registry;
    case KEY_FAULT:
        return &settings->faults;
    }
    return NULL;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    uint64_t *value = duration(settings, key);
    struct list *list = repeated(settings, key);
    if (value)
        *value = number(state, argument);
    else if (list)
        add(settings, list, argument);
    else if (key == KEY_SOCKET)
        settings->options.socket_path = argument;
    else if (key == KEY_LOG)
        settings->options.log_path = argument;
    else if (key == KEY_KILL_CLIENT_AFTER)
        add(settings, &settings->faults,
            arena_format(settings->arena, "{\"action\":\"kill\",\"mutating\":true,\"at\":%llu}",
                         (unsigned long long)number(state, argument)));
    else if (key == ARGP_KEY_END && !settings->options.socket_path)
        argp_error(state, "--socket is needed");
    else if (key != ARGP_KEY_END)
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static void connect_lists(struct settings *settings)
{
    settings->options.settings.node_images = settings->node_images.items;
    settings->options.settings.images = settings->images.items;
    settings->options.settings.registry = settings->registry.items;
    settings->options.faults = settings->faults.items;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse, NULL, "A Docker Engine and kind nodes in memory.", NULL, NULL, NULL};
    cleanup_arena struct arena *arena = arena_new();
    cleanup_error struct error *err = NULL;
    struct settings settings = {.arena = arena};
    argp_parse(&argp, argc, argv, 0, NULL, &settings);
    connect_lists(&settings);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct fake_server *server = fake_server_start(&settings.options, &err);
    if (!server) {
        fprintf(stderr, "fake-engine: %s\n", err->message);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    int received;
    sigwait(&signals, &received);
    fake_server_stop(server);
    return 0;
}
