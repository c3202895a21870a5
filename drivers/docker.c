#include "drivers/docker_flow.h"

#include "base/memory.h"
#include <assert.h>
#include <string.h>

/* Versions we speak: CgroupnsMode needs 1.41; nothing after 1.44 is used. */
enum { API_MINOR_MIN = 41, API_MINOR_MAX = 44 };

static struct docker *docker_of(struct driver *driver)
{
    return (struct docker *)(void *)driver;
}

static void forget_snapshot(struct docker *docker)
{
    arena_free(docker->snapshot.arena);
    docker->snapshot = (struct snapshot){0};
}

static void release_flow(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->lines_open)
        line_reader_done(&df->lines);
    if (df->access_known)
        kubeconfig_access_done(&df->access);
    if (df->state && --df->docker->looks == 0)
        kubeconfig_reader_forget(df->docker->kubeconfigs);
    port_release(&df->port_hold);
    text_done(&df->tail);
    json_decref(df->objects);
    json_decref(df->resources);
    arena_free(flow->arena);
    free(df);
}

static struct docker_flow *new_flow(struct docker *docker, struct op *op, const struct step *steps)
{
    struct docker_flow *df = memory_new(sizeof(*df));
    df->docker = docker;
    text_init(&df->tail, 0);
    df->flow = (struct flow){
        .transport = docker->transport,
        .unix_path = docker->endpoint.unix_path,
        .base_url = docker->base_url,
        .engine_tls = docker->tls.ca ? &docker->tls : NULL,
        .op = op,
        .arena = arena_new(),
        .steps = steps,
        .release = release_flow,
    };
    return df;
}

static void docker_close(struct driver *driver)
{
    struct docker *docker = docker_of(driver);
    forget_snapshot(docker);
    docker_forget_deaths(docker);
    endpoint_done(&docker->endpoint);
    kubeconfig_reader_free(docker->kubeconfigs);
    free(docker->base_url);
    free(docker);
}

static void docker_list(struct driver *driver, struct op *op, struct arena *arena,
                        struct fleet_state *fleet)
{
    struct docker_flow *df = new_flow(docker_of(driver), op, docker_list_steps);
    df->into = arena;
    df->fleet = fleet;
    flow_begin(&df->flow);
}

static void observe_by(const struct step *steps, struct driver *driver, struct op *op,
                       const char *cluster, const struct cluster_spec *desired, struct arena *arena,
                       struct cluster_state *state)
{
    struct docker_flow *df = new_flow(docker_of(driver), op, steps);
    df->into = arena;
    df->state = state;
    df->input.spec = desired;
    df->docker->looks++;
    df->cluster = arena_string(df->flow.arena, cluster);
    flow_begin(&df->flow);
}

static void docker_observe(struct driver *driver, struct op *op, const char *cluster,
                           const struct cluster_spec *desired, struct arena *arena,
                           struct cluster_state *state)
{
    observe_by(docker_observe_steps, driver, op, cluster, desired, arena, state);
}

static void docker_look(struct driver *driver, struct op *op, const char *cluster,
                        struct arena *arena, struct cluster_state *state)
{
    observe_by(docker_look_steps, driver, op, cluster, NULL, arena, state);
}

static const struct step *table_of(enum action_kind kind)
{
    switch (kind) {
    case ACTION_NETWORK:
        return docker_network_steps;
    case ACTION_IMAGE:
        return docker_image_steps;
    case ACTION_CREATE_NODE:
        return docker_create_steps;
    case ACTION_START_NODE:
        return docker_start_steps;
    case ACTION_REVIVE:
        return docker_revive_steps;
    case ACTION_BALANCER:
        return docker_balancer_steps;
    case ACTION_ENDPOINT:
        return docker_alias_steps;
    case ACTION_PRELOAD:
        return docker_preload_steps;
    case ACTION_BOOTSTRAP:
        return docker_bootstrap_steps;
    case ACTION_UPLOAD_CONFIG:
        return docker_upload_config_steps;
    case ACTION_MARK_CONTROL_PLANE:
        return docker_mark_steps;
    case ACTION_TOKEN:
        return docker_token_steps;
    case ACTION_PROXY:
        return docker_proxy_steps;
    case ACTION_DNS:
        return docker_dns_steps;
    case ACTION_CNI:
        return docker_cni_steps;
    case ACTION_STORAGE:
        return docker_storage_steps;
    case ACTION_MANIFESTS:
        return docker_manifests_steps;
    case ACTION_JOIN:
        return docker_join_steps;
    case ACTION_REROUTE:
        return docker_reroute_steps;
    case ACTION_READDRESS:
        return docker_readdress_steps;
    case ACTION_NODE_SETTINGS:
        return docker_settings_steps;
    case ACTION_DRAIN:
        return docker_drain_steps;
    case ACTION_LEAVE_ETCD:
        return docker_leave_steps;
    case ACTION_KUBECONFIG:
        return docker_kubeconfig_steps;
    case ACTION_AWAIT_READY:
        return docker_ready_steps;
    case ACTION_RECORD:
        return docker_record_steps;
    case ACTION_MARKS:
        return docker_marks_steps;
    case ACTION_FORGET:
        return docker_forget_steps;
    case ACTION_STOP_NODE:
        return docker_stop_steps;
    case ACTION_DELETE_NODE:
        return docker_delete_steps;
    case ACTION_CHECK_VERSION:
        return docker_check_version_steps;
    case ACTION_SET_ASIDE:
        return docker_set_aside_steps;
    case ACTION_CARRY:
        return docker_carry_steps;
    case ACTION_SAVE_ETCD:
        return docker_save_steps;
    case ACTION_ADOPT:
        return docker_adopt_steps;
    }
    assert(false);
}

static const struct node_spec *subject_node(const struct apply_input *input)
{
    for (size_t i = 0; input->spec && i < input->spec->node_count; i++)
        if (strcmp(input->spec->nodes[i].name, input->action->subject) == 0)
            return &input->spec->nodes[i];
    return NULL;
}

static void docker_apply(struct driver *driver, struct op *op, const struct apply_input *input)
{
    struct docker *docker = docker_of(driver);
    forget_snapshot(docker);
    struct docker_flow *df = new_flow(docker, op, table_of(input->action->kind));
    df->input = *input;
    df->cluster = input->cluster;
    df->node = subject_node(input);
    flow_begin(&df->flow);
}

static void docker_collect(struct driver *driver, struct op *op, const struct apply_input *input,
                           const struct error *failure, struct evidence *evidence)
{
    struct docker_flow *df = new_flow(docker_of(driver), op, docker_evidence_steps);
    df->input = *input;
    df->cluster = input->cluster;
    docker_begin_sight(df, failure, evidence);
    flow_begin(&df->flow);
}

static void docker_read_admin(struct driver *driver, struct op *op, const char *cluster,
                              struct arena *arena, struct admin_access *admin)
{
    /* The rows that find a node ask what it is for. */
    static const struct action look = {.kind = ACTION_KUBECONFIG, .subject = ""};
    struct docker_flow *df = new_flow(docker_of(driver), op, docker_admin_steps);
    df->into = arena;
    df->admin = admin;
    df->input = (struct apply_input){.cluster = cluster, .action = &look};
    df->cluster = cluster;
    flow_begin(&df->flow);
}

static void docker_follow(struct driver *driver, struct op *op, const struct driver_ear *ear)
{
    struct docker_flow *df = new_flow(docker_of(driver), op, docker_follow_steps);
    df->ear = *ear;
    flow_begin(&df->flow);
}

static void docker_drain(struct driver *driver, struct op *op)
{
    (void)driver;
    if (op->running)
        flow_drain(op->running);
}

static void docker_cancel(struct driver *driver, struct op *op)
{
    (void)driver;
    if (op->running)
        flow_cancel(op->running);
}

static const struct driver_vtable docker_vtable = {
    .name = "docker",
    .close = docker_close,
    .list = docker_list,
    .observe = docker_observe,
    .look = docker_look,
    .apply = docker_apply,
    .collect = docker_collect,
    .read_admin = docker_read_admin,
    .follow = docker_follow,
    .drain = docker_drain,
    .cancel = docker_cancel,
};

struct driver *docker_open(struct transport *transport, struct endpoint *endpoint,
                           const struct docker_options *options)
{
    struct docker *docker = memory_new(sizeof(*docker));
    docker->driver.vtable = &docker_vtable;
    docker->transport = transport;
    docker->endpoint = *endpoint;
    *endpoint = (struct endpoint){0};
    docker->tls = (struct transport_tls){
        .ca = docker->endpoint.ca,
        .certificate = docker->endpoint.certificate,
        .key = docker->endpoint.key,
    };
    docker->options = *options;
    docker->kubeconfigs = kubeconfig_reader_new();
    return &docker->driver;
}

void docker_skip_preflight(struct driver *driver)
{
    docker_of(driver)->skip_preflight = true;
}

/* The engine's newest minor version of API 1.x, or -1. */
static int api_minor(const char *version)
{
    if (!version || strncmp(version, "1.", 2) != 0)
        return -1;
    char *end = NULL;
    long minor = strtol(version + 2, &end, 10);
    return *end == '\0' && minor > 0 && minor < 1000 ? (int)minor : -1;
}

/* Nothing answers: where, who said so, why, and what to do. */
static enum step_status unreachable(const struct docker *docker, const struct error *why,
                                    struct error **err)
{
    bool denied = strstr(why->message, "permission denied") != NULL;
    error_set(err, why->kind,
              "no engine answers at %s (from %s): %s; %s, or name another one with "
              "--engine or DOCKER_HOST",
              docker->endpoint.display, docker->endpoint.origin, why->message,
              denied ? "ask for access to it (the group docker, usually)"
                     : "start it (systemctl start docker, usually)");
    return STEP_FAILED;
}

enum step_status docker_reach(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker *docker = docker_flow_of(flow)->docker;
    if (docker->base_url) {
        flow->base_url = docker->base_url;
        return STEP_DONE;
    }
    if (!answer) {
        flow->base_url = docker->endpoint.base_url; /* unversioned, to ask for the version */
        flow_send(flow, "GET", "/_ping", NULL);
        return STEP_WAITING;
    }
    if (answer->failure)
        return unreachable(docker, answer->failure, err);
    int minor = api_minor(answer->api_version);
    if (answer->status != 200 || minor < API_MINOR_MIN) {
        error_set(err, ERROR_INVALID, "%s (from %s) is no Docker engine with API 1.%d or newer: %s",
                  docker->endpoint.display, docker->endpoint.origin, API_MINOR_MIN,
                  docker_message(flow, answer));
        return STEP_FAILED;
    }
    docker->base_url = memory_format("%s/v1.%d", docker->endpoint.base_url,
                                     minor < API_MINOR_MAX ? minor : API_MINOR_MAX);
    flow->base_url = docker->base_url;
    return STEP_DONE;
}
