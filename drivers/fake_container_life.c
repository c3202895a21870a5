#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"
#include "drivers/fake_stream.h"

#define HELD "/kind/held"

enum { HOLD_MS = 60 * 1000 };

/* --- host ports --- */

static bool is_wildcard(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static char *port_key(const struct fake_port *port, unsigned number)
{
    const char *slash = strchr(port->container_port, '/');
    return memory_format("%u%s", number, slash ? slash : "/tcp");
}

static bool is_taken(struct fake_world *world, const struct fake_port *port, unsigned number)
{
    cleanup_free char *key = port_key(port, number);
    json_t *addresses = json_object_get(world->ports, key), *owner;
    const char *address;
    json_object_foreach(addresses, address, owner)
    {
        if (strcmp(address, port->address) == 0 || is_wildcard(address) ||
            is_wildcard(port->address))
            return true;
    }
    return false;
}

static bool is_free_on_host(struct fake_world *world, const struct fake_port *port, unsigned number)
{
    const struct fake_settings *settings = &world->settings;
    return !settings->port_free ||
           settings->port_free(settings->port_context, port->address, number);
}

static unsigned pick_port(struct fake_world *world, const struct fake_port *port)
{
    unsigned first = world->settings.first_port ? world->settings.first_port : 32768;
    for (unsigned tries = 0; tries < 28000; tries++) {
        unsigned number = first + world->next_port++ % 28000;
        if (!is_taken(world, port, number) && is_free_on_host(world, port, number))
            return number;
    }
    return 0;
}

static void release_ports(struct fake_world *world, struct fake_container *container)
{
    for (size_t i = 0; i < container->port_count; i++) {
        struct fake_port *port = &container->ports[i];
        if (port->port == 0)
            continue;
        cleanup_free char *key = port_key(port, port->port);
        json_t *addresses = json_object_get(world->ports, key);
        json_object_del(addresses, port->address);
        if (json_object_size(addresses) == 0)
            json_object_del(world->ports, key);
        port->port = 0;
    }
}

static struct fake_refusal refuse_port(struct fake_call *call, struct fake_container *container,
                                       const char *reason)
{
    const char *endpoint = container->endpoint_count ? container->endpoints[0].id : NULL;
    return (struct fake_refusal){
        500, arena_format(call->arena,
                          "driver failed programming external connectivity on endpoint %s (%s): %s",
                          container->name, endpoint ? endpoint : "", reason)};
}

static struct fake_refusal take_port(struct fake_call *call, struct fake_container *container,
                                     struct fake_port *port)
{
    unsigned number = port->asked ? port->asked : pick_port(call->world, port);
    if (is_taken(call->world, port, number))
        return refuse_port(call, container,
                           arena_format(call->arena,
                                        "Bind for %s:%u failed: port is already allocated",
                                        port->address, number));
    if (port->asked && !is_free_on_host(call->world, port, number))
        return refuse_port(
            call, container,
            arena_format(
                call->arena,
                "Error starting userland proxy: listen tcp4 %s:%u: bind: address already in use",
                port->address, number));
    cleanup_free char *key = port_key(port, number);
    json_t *addresses = json_object_get(call->world->ports, key);
    if (!addresses) {
        addresses = json_object();
        json_object_set_new(call->world->ports, key, addresses);
    }
    json_object_set_new(addresses, port->address, json_string(container->id));
    port->port = number;
    return (struct fake_refusal){0};
}

/* --- log --- */

static void log_line(struct fake_container *container, uint64_t at_ms, const char *line)
{
    container->log =
        memory_resize(container->log, container->log_count + 1, sizeof(*container->log));
    container->log[container->log_count++] =
        (struct fake_log_line){at_ms, memory_format("%s\r\n", line)};
}

/* Our node images wait for a signal before their first boot if they are asked to. */
static bool is_held(struct fake_container *container)
{
    size_t i;
    json_t *variable;
    json_array_foreach(json_object_get(container->request, "Env"), i, variable)
    {
        const char *text = json_string_value(variable);
        if (text && strcmp(text, "KIND_HOLD=1") == 0)
            return container->node.is_node && !fake_file_get(container, HELD);
    }
    return false;
}

static void boot(struct fake_call *call, struct fake_container *container, uint64_t from_ms)
{
    container->booted_at_ms = from_ms + call->world->settings.boot_ms;
    log_line(container, container->booted_at_ms, "INFO: detected cgroup v1");
    log_line(container, container->booted_at_ms,
             "[\033[0;32m  OK  \033[0m] Reached target \033[0;1;39mMulti-User System\033[0m.");
    fake_node_boot(call->world, container);
}

static void begin(struct fake_call *call, struct fake_container *container)
{
    bool held = is_held(container);
    if (!container->node.is_node)
        return;
    log_line(container, call->now_ms,
             "INFO: ensuring we can execute mount/umount even with userns-remap");
    if (held) {
        fake_file_put_text(container, HELD, "");
        log_line(container, call->now_ms, "INFO: holding before init until SIGUSR1, at most 60 s");
    }
    boot(call, container, call->now_ms + (held ? HOLD_MS : 0));
}

/* What has not been printed yet never will be. */
static void log_cut(struct fake_container *container, uint64_t now_ms)
{
    while (container->log_count > 0 && container->log[container->log_count - 1].at_ms > now_ms)
        free(container->log[--container->log_count].text);
}

/* SIGUSR1: a node that is held goes on. */
static void release(struct fake_call *call, struct fake_container *container)
{
    uint64_t held_until_ms = call->now_ms + call->world->settings.boot_ms;
    if (!container->node.is_node || container->booted_at_ms <= held_until_ms)
        return;
    log_cut(container, call->now_ms);
    boot(call, container, call->now_ms);
}

/* --- life --- */

void fake_container_alias(struct fake_container *container, struct fake_endpoint *endpoint)
{
    if (strcmp(endpoint->network, "bridge") == 0)
        return;
    size_t i;
    json_t *alias;
    if (!endpoint->aliases)
        endpoint->aliases = json_array();
    json_array_foreach(endpoint->aliases, i, alias)
    {
        if (strncmp(json_string_value(alias), container->id, 12) == 0)
            return;
    }
    json_array_append_new(endpoint->aliases, json_stringn(container->id, 12));
}

static struct fake_refusal take_all(struct fake_call *call, struct fake_container *container)
{
    struct fake_refusal refusal = {0};
    for (size_t i = 0; i < container->endpoint_count && !refusal.status; i++) {
        refusal = fake_network_attach(call, &container->endpoints[i]);
        if (!refusal.status)
            fake_container_alias(container, &container->endpoints[i]);
    }
    for (size_t i = 0; i < container->port_count && !refusal.status; i++)
        refusal = take_port(call, container, &container->ports[i]);
    return refusal;
}

static void release_all(struct fake_call *call, struct fake_container *container)
{
    for (size_t i = 0; i < container->endpoint_count; i++)
        fake_network_detach(call->world, &container->endpoints[i]);
    release_ports(call->world, container);
}

struct fake_refusal fake_container_run(struct fake_call *call, struct fake_container *container)
{
    struct fake_refusal refusal = take_all(call, container);
    free(TAKE(container->error));
    if (refusal.status) {
        release_all(call, container);
        container->error = memory_string(refusal.message);
        container->exit_code = 128;
    } else {
        container->run = FAKE_RUNNING;
        container->exit_code = 0;
        container->started_at_ms = call->now_ms;
        begin(call, container);
    }
    fake_container_changed(call->world, container);
    return refusal;
}

/* An engine tells of a death before its lists know of it. */
static void keep_before(struct fake_call *call, struct fake_container *container)
{
    free(TAKE(container->before));
    if (!call->world->settings.late_ms)
        return;
    container->before = memory_string(fake_container_fragment(call, container));
    container->before_until_ms = call->now_ms + call->world->settings.late_ms;
}

void fake_container_end(struct fake_call *call, struct fake_container *container, int exit_code)
{
    if (container->run != FAKE_RUNNING && container->run != FAKE_PAUSED)
        return;
    keep_before(call, container);
    container->run = FAKE_EXITED;
    container->exit_code = exit_code;
    container->finished_at_ms = call->now_ms;
    release_all(call, container);
    log_cut(container, call->now_ms);
    fake_node_halt(container);
    fake_container_changed(call->world, container);
    fake_container_event(call, container, "die");
}

static void start(struct fake_call *call, struct fake_container *container)
{
    struct fake_refusal refusal = fake_container_run(call, container);
    if (refusal.status) {
        fake_call_error(call, refusal.status, "%s", refusal.message);
        return;
    }
    fake_container_event(call, container, "start");
    fake_call_status(call, 204);
}

void fake_container_start(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    if (container->run == FAKE_RUNNING)
        fake_call_status(call, 304);
    else if (container->run == FAKE_PAUSED)
        fake_call_error(call, 409, "cannot start a paused container, try unpause instead");
    else
        start(call, container);
}

/* systemd leaves with 130 when it is asked to halt by SIGRTMIN+3. */
static void stop(struct fake_call *call, struct fake_container *container)
{
    fake_container_end(call, container, container->node.is_node ? 130 : 137);
    fake_container_event(call, container, "stop");
}

void fake_container_stop(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    if (container->run == FAKE_RUNNING || container->run == FAKE_PAUSED) {
        stop(call, container);
        fake_call_status(call, 204);
    } else {
        fake_call_status(call, 304);
    }
}

void fake_container_restart(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    if (container->run == FAKE_RUNNING || container->run == FAKE_PAUSED)
        stop(call, container);
    start(call, container);
}

static bool is_deadly(const char *signal)
{
    static const char *const deadly[] = {"",        "KILL", "SIGKILL",    "9", "TERM",
                                         "SIGTERM", "15",   "SIGRTMIN+3", "37"};
    for (size_t i = 0; i < COUNT_OF(deadly); i++)
        if (strcmp(signal, deadly[i]) == 0)
            return true;
    return false;
}

/* Is it the name of a signal, or a number that may be one? */
static bool is_signal(const char *signal)
{
    static const char *const known[] = {"HUP",  "INT",  "QUIT", "KILL", "USR1",  "USR2",
                                        "TERM", "CONT", "STOP", "PIPE", "WINCH", "RTMIN+3"};
    char *end;
    unsigned long number = strtoul(signal, &end, 10);
    if (*signal && !*end)
        return number > 0;
    const char *name = strncmp(signal, "SIG", 3) == 0 ? signal + 3 : signal;
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

void fake_container_kill(struct fake_call *call)
{
    struct fake_container *container = fake_container_find(call->world, call->subject);
    const char *signal = fake_call_query(call, "signal");
    if (signal && *signal && !is_signal(signal)) {
        fake_call_error(call, 400, "Invalid signal: %s", signal);
        return;
    }
    if (!container) {
        fake_call_error(call, 404, "Cannot kill container: %s: No such container: %s",
                        call->subject, call->subject);
        return;
    }
    if (container->run != FAKE_RUNNING && container->run != FAKE_PAUSED) {
        fake_call_error(call, 409, "Cannot kill container: %s: Container %s is not running",
                        call->subject, container->id);
        return;
    }
    fake_container_event(call, container, "kill");
    if (is_deadly(signal ? signal : ""))
        fake_container_end(call, container, 137);
    else if (strstr(signal, "USR1") || strcmp(signal, "10") == 0)
        release(call, container);
    fake_call_status(call, 204);
}

/* Answers pause and unpause. */
static void turn(struct fake_call *call, enum fake_run from, enum fake_run to)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    if (container->run != from) {
        fake_call_error(call, to == FAKE_PAUSED ? 409 : 500, "Container %s is %s", container->id,
                        to == FAKE_RUNNING              ? "not paused"
                        : container->run == FAKE_PAUSED ? "already paused"
                                                        : "not running");
        return;
    }
    container->run = to;
    fake_container_changed(call->world, container);
    fake_container_event(call, container, to == FAKE_PAUSED ? "pause" : "unpause");
    fake_call_status(call, 204);
}

void fake_container_pause(struct fake_call *call)
{
    turn(call, FAKE_RUNNING, FAKE_PAUSED);
}

void fake_container_unpause(struct fake_call *call)
{
    turn(call, FAKE_PAUSED, FAKE_RUNNING);
}

void fake_container_wait(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    const char *condition = fake_call_query(call, "condition");
    if (!container)
        return;
    fake_call_text(call, 200, "application/json", "");
    call->reply->stream = fake_stream_wait(container, condition ? condition : "not-running");
}

void fake_container_logs(struct fake_call *call)
{
    struct fake_container *container = fake_container_of(call, call->subject);
    if (!container)
        return;
    if (!fake_call_flag(call, "stdout") && !fake_call_flag(call, "stderr")) {
        fake_call_error(call, 400, "Bad parameters: you must choose at least one stream");
        return;
    }
    const char *since = fake_call_query(call, "since"), *tail = fake_call_query(call, "tail");
    fake_call_text(call, 200, "application/octet-stream", "");
    call->reply->stream =
        fake_stream_logs(container, fake_call_flag(call, "follow"),
                         since ? (uint64_t)(strtod(since, NULL) * 1000) : 0, tail ? tail : "all");
}
