/*
 * The load balancer before several control planes: there, with the backends of
 * the spec, and running.
 *
 * Its files are placed before it starts, and kept in the container's layer, so
 * that it has them after every restart. haproxy reads them again at SIGHUP;
 * Envoy only notices a file that is moved into place.
 */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "drivers/docker_info.h"
#include "model/balancer.h"
#include <string.h>

static bool is_envoy(const struct docker_flow *df)
{
    return strstr(df->found && df->found->image ? df->found->image : df->image, "envoy") != NULL;
}

static bool is_backend(const char *const *backends, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(backends[i], name) == 0)
            return true;
    return false;
}

/* It is deleted later in the same plan. */
static bool is_leaving(const struct docker_flow *df, const char *name)
{
    const struct plan *plan = df->input.plan;
    for (size_t i = 0; plan && i < plan->count; i++)
        if (plan->actions[i].kind == ACTION_DELETE_NODE &&
            strcmp(plan->actions[i].subject, name) == 0)
            return true;
    return false;
}

/* All that the spec has, made or not, and any other that is there; but none that leaves. */
static struct balancer_input input_of(struct docker_flow *df)
{
    const struct cluster_spec *spec = df->input.spec;
    const char **backends =
        arena_array(df->flow.arena, spec->node_count + df->seen->node_count, sizeof(*backends));
    size_t count = 0;
    for (size_t i = 0; i < spec->node_count; i++)
        if (spec->nodes[i].role == NODE_CONTROL_PLANE && !is_leaving(df, spec->nodes[i].name))
            backends[count++] = spec->nodes[i].name;
    for (size_t i = 0; i < df->seen->node_count; i++)
        if (docker_is_control_plane(&df->seen->nodes[i]) &&
            !is_backend(backends, count, df->seen->nodes[i].name) &&
            !is_leaving(df, df->seen->nodes[i].name))
            backends[count++] = df->seen->nodes[i].name;
    return (struct balancer_input){
        .cluster = spec->name,
        .name = df->input.action->subject,
        .family = spec->networking.family,
        .backends = backends,
        .backend_count = count,
    };
}

const char *docker_balancer_script(struct docker_flow *df)
{
    if (!is_envoy(df))
        return NULL;
    struct balancer_input input = input_of(df);
    struct text text;
    text_init(&text, 0);
    balancer_envoy_script(&input, &text);
    const char *script = arena_string(df->flow.arena, text.data);
    text_done(&text);
    return script;
}

static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct fleet_state fleet;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    docker_take_seen(df, &fleet);
    for (size_t i = 0; i < df->seen->node_count; i++)
        if (strcmp(df->seen->nodes[i].name, df->input.action->subject) == 0)
            df->found = &df->seen->nodes[i];
    return df->found ? docker_check_owner(flow, err) : STEP_DONE;
}

static enum step_status choose_address(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    return docker_flow_of(flow)->found ? STEP_DONE : docker_choose_address(flow, answer, err);
}

static enum step_status create(struct flow *flow, const struct answer *answer, struct error **err)
{
    return docker_flow_of(flow)->found && !answer ? STEP_DONE : docker_create(flow, answer, err);
}

static int put_haproxy(struct docker_flow *df, const struct balancer_input *input,
                       struct error **err)
{
    cleanup_text struct text config;
    text_init(&config, 0);
    balancer_haproxy(input, &config);
    const struct archive_file files[] = {{
        .path = &BALANCER_HAPROXY_CONFIG[1],
        .bytes = config.data,
        .length = config.length,
        .mode = 0644,
    }};
    return docker_write_files(&df->flow, df->found->id, "/", files, COUNT_OF(files), err);
}

/* Into a running one beside their names, to be moved there; into a new one at once. */
static int put_envoy(struct docker_flow *df, const struct balancer_input *input, bool running,
                     struct error **err)
{
    cleanup_text struct text clusters, listeners;
    text_init(&clusters, 0);
    text_init(&listeners, 0);
    balancer_envoy_cds(input, &clusters);
    balancer_envoy_lds(input, &listeners);
    const struct archive_file files[] = {
        {.path = &BALANCER_ENVOY_FOLDER "/"[1], .mode = 0777},
        {.path = running ? &BALANCER_ENVOY_CDS ".tmp"[1] : &BALANCER_ENVOY_CDS[1],
         .bytes = clusters.data,
         .length = clusters.length,
         .mode = 0666},
        {.path = running ? &BALANCER_ENVOY_LDS ".tmp"[1] : &BALANCER_ENVOY_LDS[1],
         .bytes = listeners.data,
         .length = listeners.length,
         .mode = 0666},
    };
    return docker_write_files(&df->flow, df->found->id, "/", files, COUNT_OF(files), err);
}

/* Its program has read a configuration already, if it also stands still. */
static bool is_alive(const struct docker_flow *df)
{
    return df->found->status == CONTAINER_RUNNING || df->found->status == CONTAINER_PAUSED;
}

static enum step_status configure(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "write its files", err);
    struct balancer_input input = input_of(df);
    int result =
        is_envoy(df) ? put_envoy(df, &input, is_alive(df), err) : put_haproxy(df, &input, err);
    return result ? STEP_FAILED : STEP_WAITING;
}

static enum step_status start(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->found->status == CONTAINER_RUNNING)
        return STEP_DONE;
    return df->is_new ? docker_start_new(flow, answer, err) : docker_start_found(flow, answer, err);
}

static enum step_status tell(struct flow *flow, const struct answer *answer, struct error **err)
{
    const char *const move[] = {"sh", "-c", balancer_envoy_activation, NULL};
    struct docker_flow *df = docker_flow_of(flow);
    if (!is_alive(df))
        return STEP_DONE;
    if (!answer && is_envoy(df)) {
        flow_exec(flow, df->found->id, move);
        return STEP_WAITING;
    }
    if (!answer) {
        flow_send(flow, "POST",
                  arena_format(flow->arena, "/containers/%s/kill?signal=HUP", df->found->id), NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204 || (answer->status == 200 && answer->exit_code == 0))
        return STEP_DONE;
    return docker_refused(flow, answer, "reload", err);
}

const struct step docker_balancer_steps[] = {
    DOCKER_REACH,
    DOCKER_INFO,
    {.name = "look for the container", .run = look, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "get the image", .run = docker_balancer_image, .timeout_ms = 600000, .tolerant = true},
    {.name = "choose an address", .run = choose_address, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "create the container", .run = create, .timeout_ms = 60000},
    {.name = "write its configuration", .run = configure, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "start it", .run = start, .timeout_ms = 60000},
    {.name = "tell it of its backends", .run = tell, .timeout_ms = 60000},
    {0},
};
