/*
 * docker_preflight.c - before nodes are made: do they fit on the engine's host?
 *
 * Only where that host is this one, and only for what is not there yet. What
 * cannot go well is refused, everything else is a warning; judging is pure
 * (model/host_limits.h).
 */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "drivers/docker_info.h"
#include "drivers/host_read.h"
#include <string.h>
#include <unistd.h>

enum { TAKEN_MAX = 16 };

/* A host port is only looked at where the host is; the engine is behind a socket there. */
static bool is_this_host(const struct docker_flow *df, const struct engine_info *info)
{
    return df->docker->endpoint.unix_path && host_is_this(info->host, info->kernel);
}

bool docker_read_host(const struct docker_flow *df, const struct engine_info *info,
                      struct host_limits *limits)
{
    if (!is_this_host(df, info))
        return false;
    /* The containers of a rootless engine are its user's, and that is us. */
    const struct host_read options = {
        .root = "", .folder = info->data_folder, .user = info->rootless ? getuid() : 0};
    host_limits_read(df->flow.arena, &options, limits);
    return true;
}

static bool is_there(const struct docker_flow *df, const char *name)
{
    const struct cluster_state *seen = df->input.observed;
    for (size_t i = 0; seen && i < seen->node_count; i++)
        if (strcmp(seen->nodes[i].name, name) == 0)
            return true;
    return false;
}

struct wanted_ports {
    struct arena *arena;
    struct host_port taken[TAKEN_MAX];
    size_t count;
};

static void want_port(struct wanted_ports *wanted, const char *address, int32_t port,
                      enum port_protocol protocol)
{
    if (port <= 0 || protocol == PORT_SCTP || wanted->count == TAKEN_MAX ||
        !host_port_taken(address, port, protocol == PORT_UDP ? HOST_UDP : HOST_TCP))
        return;
    const char *holder = protocol == PORT_TCP ? host_port_holder(wanted->arena, "", port) : NULL;
    wanted->taken[wanted->count++] =
        (struct host_port){.address = address, .port = port, .holder = holder};
}

/* What the nodes that are not there yet will ask for. */
static void count_need(const struct docker_flow *df, struct host_need *need,
                       struct wanted_ports *wanted)
{
    const struct cluster_spec *spec = df->input.spec;
    const struct networking_spec *networking = &spec->networking;
    bool entrance = spec->balancer && !is_there(df, spec->balancer);
    for (size_t i = 0; i < spec->node_count; i++) {
        const struct node_spec *node = &spec->nodes[i];
        if (is_there(df, node->name))
            continue;
        bool control_plane = node->role == NODE_CONTROL_PLANE;
        need->control_planes += control_plane;
        need->workers += !control_plane;
        entrance |= control_plane && !spec->balancer;
        for (size_t j = 0; j < node->port_count; j++)
            want_port(wanted, node->ports[j].listen_address, node->ports[j].host_port,
                      node->ports[j].protocol);
    }
    if (entrance)
        want_port(wanted, networking->api_server_address, networking->api_server_port, PORT_TCP);
    need->taken = wanted->taken;
    need->taken_count = wanted->count;
}

/* Warnings are told, refusals are joined to one error. */
static enum step_status tell_problems(struct flow *flow, const struct host_problems *problems,
                                      struct error **err)
{
    bool refuses = !docker_flow_of(flow)->docker->skip_preflight;
    cleanup_text struct text refused;
    text_init(&refused, 0);
    for (size_t i = 0; i < problems->count; i++) {
        const struct host_problem *problem = &problems->items[i];
        if (problem->certain && refuses)
            text_add_format(&refused, "%s%s; %s", refused.length ? "; " : "", problem->what,
                            problem->cure);
        else
            flow_note(flow,
                      arena_format(flow->arena, "warning: %s; %s", problem->what, problem->cure));
    }
    if (!refused.length)
        return STEP_DONE;
    error_set(err, ERROR_INVALID, "%s (--skip-preflight goes on all the same)", refused.data);
    return STEP_FAILED;
}

enum step_status docker_check_host(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    struct host_limits limits;
    struct host_need need = {.control_planes = 0};
    struct wanted_ports wanted = {.arena = flow->arena};
    if (!df->input.spec || !df->info || !is_this_host(df, df->info))
        return STEP_DONE;
    count_need(df, &need, &wanted);
    if (!need.control_planes && !need.workers && !need.taken_count)
        return STEP_DONE;
    docker_read_host(df, df->info, &limits);
    struct host_problems problems;
    host_limits_judge(flow->arena, &limits, &need, &problems);
    return tell_problems(flow, &problems, err);
}
