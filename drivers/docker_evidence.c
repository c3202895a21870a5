/*
 * docker_evidence.c - what there is to be seen after an action has failed.
 *
 * DESIGN: only looks, never changes anything. Each row is short, bounded and
 * tolerant: what cannot be had is left out, and what was had so far stays
 * when a later row meets its deadline. The nodes are those that the failure
 * speaks of, else the one that speaks for the cluster.
 */
#include "drivers/docker_flow.h"

#include "drivers/docker_info.h"
#include "model/evidence.h"
#include <ctype.h>
#include <string.h>

enum { NODES_MAX = 2, ROW_MS = 4000, LOG_BYTES_MAX = 64 * 1024, LOG_LINES = 60 };

/* The working memory of a look, docker_flow's `sight`. */
struct sight {
    struct evidence *evidence;
    const struct error *failure;
    const struct node_state *nodes[NODES_MAX];
    size_t count, next; /* the node that is looked at now */
    bool tty[NODES_MAX];
};

static struct sight *sight_of(struct flow *flow)
{
    return docker_flow_of(flow)->sight;
}

/* Is the name in the text, and not only as the beginning of a longer one? */
static bool names(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += length)
        if (!isalnum((unsigned char)at[length]) && at[length] != '-')
            return true;
    return false;
}

/* Commands are run in them: what belongs to others is not looked at. */
static void choose(const struct docker_flow *df, const struct node_state *node)
{
    struct sight *sight = df->sight;
    for (size_t i = 0; i < sight->count; i++)
        if (sight->nodes[i] == node)
            return;
    if (node && docker_is_ours(df, node) && sight->count < NODES_MAX)
        sight->nodes[sight->count++] = node;
}

static void choose_nodes(struct docker_flow *df)
{
    struct sight *sight = df->sight;
    const struct cluster_state *seen = df->seen;
    const char *subject = df->input.action->subject;
    for (size_t i = 0; i < seen->node_count; i++)
        if (strcmp(seen->nodes[i].name, subject) == 0)
            choose(df, &seen->nodes[i]);
    for (size_t i = 0; i < seen->node_count; i++)
        if (names(sight->failure->message, seen->nodes[i].name))
            choose(df, &seen->nodes[i]);
    if (!sight->count && strcmp(subject, df->cluster) == 0)
        choose(df, df->speaker);
}

static enum step_status find_nodes(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct fleet_state fleet;
    if (answer && answer->failure)
        return STEP_DONE;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    docker_take_seen(df, &fleet);
    choose_nodes(df);
    return STEP_DONE;
}

/* --- rows that go through the nodes, one request or command each --- */

static void add(struct flow *flow, enum evidence_source source, const char *bytes, size_t length)
{
    struct sight *sight = sight_of(flow);
    evidence_add(sight->evidence, source, sight->nodes[sight->next]->name, bytes, length);
}

static void add_container(struct flow *flow, const struct answer *answer)
{
    struct sight *sight = sight_of(flow);
    json_t *seen = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *state = json_object_get(seen, "State");
    const char *status = json_string_value(json_object_get(state, "Status"));
    const char *said = json_string_value(json_object_get(state, "Error"));
    const char *started = json_string_value(json_object_get(state, "StartedAt"));
    const char *ended = json_string_value(json_object_get(state, "FinishedAt"));
    cleanup_text struct text text;
    text_init(&text, 0);
    text_add_format(&text, "is %s", status ? status : "in no known state");
    if (status && strcmp(status, "running") != 0)
        text_add_format(&text, ", exit code %lld",
                        (long long)json_integer_value(json_object_get(state, "ExitCode")));
    text_add_format(&text, "\nOOMKilled: %s\n",
                    json_is_true(json_object_get(state, "OOMKilled")) ? "yes" : "no");
    if (said && *said)
        text_add_format(&text, "error: %s\n", said);
    if (started && kube_time(started) > 0)
        text_add_format(&text, "started %s\n", started);
    if (ended && kube_time(ended) > 0)
        text_add_format(&text, "ended %s\n", ended);
    const json_t *config = json_object_get(seen, "Config");
    sight->tty[sight->next] = json_is_true(json_object_get(config, "Tty"));
    if (state)
        add(flow, EVIDENCE_CONTAINER, text.data, text.length);
    json_decref(seen);
}

static enum step_status look_at_containers(struct flow *flow, const struct answer *answer,
                                           struct error **err)
{
    (void)err;
    struct sight *sight = sight_of(flow);
    if (answer && !answer->failure && answer->status == 200)
        add_container(flow, answer);
    sight->next = answer ? sight->next + 1 : 0;
    if (sight->next >= sight->count)
        return STEP_DONE;
    flow_send(flow, "GET",
              arena_format(flow->arena, "/containers/%s/json", sight->nodes[sight->next]->id),
              NULL);
    return STEP_WAITING;
}

/* Without a terminal a log comes in frames. */
static void add_log(struct flow *flow, const struct answer *answer)
{
    struct sight *sight = sight_of(flow);
    if (sight->tty[sight->next]) {
        add(flow, EVIDENCE_BOOT, answer->body, answer->length);
        return;
    }
    struct demux demux;
    struct error *odd = NULL;
    demux_init(&demux, LOG_BYTES_MAX);
    if (demux_feed(&demux, answer->body, answer->length, &odd) == 0) {
        text_add_bytes(&demux.out, demux.err.data, demux.err.length);
        add(flow, EVIDENCE_BOOT, demux.out.data, demux.out.length);
    }
    error_free(odd);
    demux_done(&demux);
}

static enum step_status read_logs(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    (void)err;
    struct sight *sight = sight_of(flow);
    if (answer && !answer->failure && answer->status == 200)
        add_log(flow, answer);
    sight->next = answer ? sight->next + 1 : 0;
    if (sight->next >= sight->count)
        return STEP_DONE;
    const char *path = arena_format(flow->arena, "/containers/%s/logs?stdout=1&stderr=1&tail=%d",
                                    sight->nodes[sight->next]->id, LOG_LINES);
    flow_send(flow, "GET", path, NULL);
    return STEP_WAITING;
}

/* A command in each node that runs, and what its output is. */
struct probe {
    enum evidence_source source;
    const char *argv[12];
};

static bool can_run(const struct node_state *node)
{
    return node->status == CONTAINER_RUNNING && !docker_is_balancer(node);
}

static enum step_status probe_nodes(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    (void)err;
    struct sight *sight = sight_of(flow);
    const struct probe *probe = flow_row_data(flow);
    if (answer && !answer->failure && answer->length)
        add(flow, probe->source, answer->body, answer->length);
    sight->next = answer ? sight->next + 1 : 0;
    while (sight->next < sight->count && !can_run(sight->nodes[sight->next]))
        sight->next++;
    if (sight->next >= sight->count)
        return STEP_DONE;
    flow_exec(flow, sight->nodes[sight->next]->id, probe->argv);
    return STEP_WAITING;
}

static const struct probe kubelet_probe = {
    EVIDENCE_KUBELET,
    {"journalctl", "--no-pager", "-q", "-u", "kubelet", "-n", "200", "-o", "short-iso", NULL}};
static const struct probe containerd_probe = {
    EVIDENCE_CONTAINERD,
    {"journalctl", "--no-pager", "-q", "-u", "containerd", "-n", "60", "-o", "short-iso", NULL}};
/* The scripts are the same for all: nothing from outside is in them. */
static const struct probe pods_probe = {
    EVIDENCE_PODS,
    {"sh", "-c",
     "for f in $(ls -t /var/log/pods/kube-system_*/*/*.log | head -n 8); do\n"
     "echo \"-- $f\"; tail -n 12 \"$f\" | cut -c1-400; done 2>/dev/null",
     NULL}};
static const struct probe node_probe = {
    EVIDENCE_NODE,
    {"sh", "-c",
     "systemctl --failed --plain --no-legend --no-pager 2>/dev/null | head -n 8\n"
     "df -P /var | tail -n 1; cat /sys/fs/cgroup/memory.events 2>/dev/null",
     NULL}};

/* --- the host, where it is this one --- */

static enum step_status look_at_host(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        flow_send(flow, "GET", "/info", NULL);
        return STEP_WAITING;
    }
    struct engine_info info;
    if (answer->failure || answer->status != 200)
        return STEP_DONE;
    if (engine_info_parse(flow->arena, answer->body, answer->length, &info, err))
        return STEP_FAILED;
    struct host_limits limits;
    cleanup_text struct text text;
    text_init(&text, 0);
    if (docker_read_host(df, &info, &limits))
        host_limits_print(&limits, &text);
    evidence_add(df->sight->evidence, EVIDENCE_HOST, "", text.data, text.length);
    return STEP_DONE;
}

#define PROBE(what, from)                                                                          \
    {                                                                                              \
        .name = what, .run = probe_nodes, .timeout_ms = ROW_MS, .tolerant = true, .data = &(from)  \
    }

const struct step docker_evidence_steps[] = {
    DOCKER_REACH,
    {.name = "find the nodes", .run = find_nodes, .timeout_ms = ROW_MS, .tolerant = true},
    {.name = "look at the host", .run = look_at_host, .timeout_ms = ROW_MS, .tolerant = true},
    {.name = "look at the containers",
     .run = look_at_containers,
     .timeout_ms = ROW_MS,
     .tolerant = true},
    {.name = "read their logs", .run = read_logs, .timeout_ms = ROW_MS, .tolerant = true},
    PROBE("read kubelet's journal", kubelet_probe),
    PROBE("read containerd's journal", containerd_probe),
    PROBE("read the pods' logs", pods_probe),
    PROBE("look into the nodes", node_probe),
    {0},
};

void docker_begin_sight(struct docker_flow *df, const struct error *failure,
                        struct evidence *evidence)
{
    df->sight = arena_alloc(df->flow.arena, sizeof(*df->sight));
    *df->sight = (struct sight){.evidence = evidence, .failure = failure};
    const struct error *said = failure;
    evidence_add(evidence, EVIDENCE_FAILURE, "", said->message, strlen(said->message));
}
