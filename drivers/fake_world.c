#include "drivers/fake_world.h"

#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_control.h"
#include "drivers/fake_event.h"
#include "drivers/fake_exec.h"
#include "drivers/fake_fault.h"
#include "drivers/fake_file.h"
#include "drivers/fake_image.h"
#include "drivers/fake_kube.h"
#include "drivers/fake_network.h"
#include "drivers/fake_node.h"
#include "drivers/fake_route.h"
#include "drivers/fake_store.h"

static void or_default(uint64_t *value, uint64_t otherwise)
{
    if (*value == 0)
        *value = otherwise;
}

struct fake_world *fake_world_new(const struct fake_settings *settings)
{
    struct fake_world *world = memory_new(sizeof(*world));
    if (settings)
        world->settings = *settings;
    or_default(&world->settings.boot_ms, 5);
    or_default(&world->settings.exec_ms, 1);
    or_default(&world->settings.api_ms, 20);
    or_default(&world->settings.ready_ms, 20);
    or_default(&world->settings.lost_ms, 40000);
    or_default(&world->settings.clear_ms, 60000);
    world->prng.state = world->settings.seed;
    world->ports = json_object();
    world->volumes = json_object();
    world->scripts = json_array();
    world->log = json_array();
    world->faults = json_array();
    world->info = json_object();
    world->journal = json_object();
    fake_image_init(world);
    fake_network_init(world);
    return world;
}

void fake_world_free(struct fake_world *world)
{
    if (!world)
        return;
    fake_containers_free(world);
    fake_networks_free(world);
    fake_images_free(world);
    fake_execs_free(world);
    fake_events_free(world);
    while (world->clusters)
        fake_cluster_free(world, world->clusters);
    for (size_t i = 0; i < FAKE_LISTS_MAX; i++) {
        free(world->lists[i].key);
        fake_bytes_unref(world->lists[i].bytes);
    }
    json_decref(world->ports);
    json_decref(world->volumes);
    json_decref(world->scripts);
    json_decref(world->log);
    json_decref(world->faults);
    json_decref(world->info);
    json_decref(world->journal);
    free(world);
}

/* --- bodies --- */

struct fake_bytes *fake_bytes_new(void)
{
    struct fake_bytes *bytes = memory_new(sizeof(*bytes));
    bytes->references = 1;
    text_init(&bytes->text, (size_t)2 << 30); /* a list of 100,000 containers fits */
    return bytes;
}

struct fake_bytes *fake_bytes_ref(struct fake_bytes *bytes)
{
    bytes->references++;
    return bytes;
}

void fake_bytes_unref(struct fake_bytes *bytes)
{
    if (!bytes || --bytes->references > 0)
        return;
    text_done(&bytes->text);
    free(bytes);
}

void fake_reply_done(struct fake_reply *reply)
{
    fake_bytes_unref(TAKE(reply->body));
    fake_stream_free(TAKE(reply->stream));
    free(TAKE(reply->path_stat));
}

/* --- requests --- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_mutating(const struct fake_call *call)
{
    const char *method = call->request->method;
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           !(ends_with(call->path, "/wait") && !call->request->api_of);
}

/* The command of an exec's creation or start, for the log. */
static json_t *command_of(struct fake_call *call)
{
    struct fake_exec *exec = NULL;
    if (ends_with(call->path, "/start") && call->subject)
        HASH_FIND_STR(call->world->execs, call->subject, exec);
    json_t *command = exec ? json_object_get(exec->request, "Cmd") : NULL;
    return json_incref(command);
}

static void log_request(struct fake_call *call, bool mutating)
{
    struct fake_world *world = call->world;
    struct fake_container *server =
        call->request->api_of ? fake_container_find(world, call->request->api_of) : NULL;
    world->request_count++;
    if (world->settings.quiet || json_array_size(world->log) >= FAKE_LOG_MAX)
        return;
    json_array_append_new(
        world->log,
        json_pack("{s:I, s:I, s:s, s:s, s:s, s:i, s:b, s:o*}", "number",
                  (json_int_t)world->request_count, "at_ms", (json_int_t)call->now_ms, "where",
                  server ? server->name : "engine", "method", call->request->method, "path",
                  call->request->target, "status", call->reply->status, "mutating", mutating,
                  "command", command_of(call)));
}

static void handle(struct fake_call *call)
{
    bool mutating = is_mutating(call);
    const json_t *fault = fake_fault_meet(call, mutating);
    if (fake_fault_lets_apply(fault)) {
        if (call->request->api_of)
            fake_kube_handle(call);
        else
            fake_route_run(call);
        call->world->version += mutating;
    }
    if (fault)
        fake_fault_spoil(call, fault);
    log_request(call, mutating);
}

void fake_world_handle(struct fake_world *world, uint64_t now_ms,
                       const struct fake_request *request, struct fake_reply *reply)
{
    cleanup_arena struct arena *arena = arena_new();
    struct fake_call call = {
        .world = world, .now_ms = now_ms, .request = request, .reply = reply, .arena = arena};
    *reply = (struct fake_reply){.status = 500, .body = fake_bytes_new()};
    fake_call_init(&call);
    if (!request->api_of && fake_control_is_path(call.path)) {
        fake_control_run(&call);
        world->version++;
    } else {
        handle(&call);
    }
}

uint64_t fake_world_version(const struct fake_world *world)
{
    return world->version;
}

/* --- published APIs --- */

uint64_t fake_world_apis_version(const struct fake_world *world)
{
    return world->apis_version;
}

/* The node whose certificate the container's port 6443 shows, or NULL. */
static struct fake_container *certified(struct fake_world *world, struct fake_container *container)
{
    static const char path[] = "/etc/kubernetes/pki/apiserver.crt";
    if (container->files && fake_file_get(container, path))
        return container;
    return container->node.is_node ? NULL : fake_node_behind(world, container, UINT64_MAX);
}

static bool is_api_port(const struct fake_port *port)
{
    return port->port && strcmp(port->container_port, "6443/tcp") == 0;
}

/* The node that serves at the container's published port, or NULL. */
static struct fake_container *server_of(struct fake_world *world, struct fake_container *container)
{
    bool closed = container->run != FAKE_RUNNING || container->unserved;
    return closed ? NULL : certified(world, container);
}

const char *fake_world_api_at(struct fake_world *world, unsigned port)
{
    for (struct fake_container *container = world->containers; container;
         container = container->by_id.next)
        for (size_t i = 0; i < container->port_count; i++)
            if (container->ports[i].port == port && is_api_port(&container->ports[i]) &&
                server_of(world, container))
                return container->id;
    return NULL;
}

size_t fake_world_apis(struct fake_world *world, struct arena *arena, struct fake_api **apis)
{
    size_t count = 0;
    *apis = NULL;
    for (struct fake_container *container = world->containers; container;
         container = container->by_id.next) {
        struct fake_container *server = server_of(world, container);
        for (size_t i = 0; server && i < container->port_count; i++) {
            const struct fake_port *port = &container->ports[i];
            if (!is_api_port(port))
                continue;
            *apis = arena_grow(arena, *apis, count, sizeof(**apis));
            (*apis)[count++] = (struct fake_api){
                arena_string(arena, container->id), arena_string(arena, port->address), port->port,
                arena_string(arena, fake_file_text(server, "/etc/kubernetes/pki/apiserver.crt")),
                arena_string(arena, fake_file_text(server, "/etc/kubernetes/pki/apiserver.key"))};
        }
    }
    return count;
}
