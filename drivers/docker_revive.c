/*
 * A node whose container runs, but which the cluster holds for lost: its
 * containerd and kubelet are started.
 *
 * DESIGN: first a look, so that a node that is well, or about to boot, is left
 * alone. One that never joined has nothing to start, and is given up at once.
 * What does not run is started, also when somebody masked it. If the
 * node is not Ready a minute later, both are killed, for they may hang; systemd
 * starts them again, and containers live on without them. When even that is of
 * no avail, and they do not run or kubelet stays silent, it is written on the
 * Node: the next plan gives a worker up for it. A kubelet that does speak says
 * itself what is wrong.
 */
#include "drivers/docker_flow.h"
#include "drivers/kube_pods.h"

#include "base/memory.h"
#include <string.h>

enum {
    EXEC_MS = 30 * 1000,
    JOIN_MS = 250 * 1000, /* of a join that goes on without us, at the longest */
    ASK_MS = 60 * 1000,
    PATIENCE_MS = 60 * 1000, /* from running to Ready, twice */
    STARTS_MAX = 3,
};

#define UNITS "containerd.service", "kubelet.service"

/* In the flow's arena. */
struct revival {
    bool running; /* both units, when they were looked at last */
    bool stuck;   /* they do not start */
    bool killed;  /* by us */
    bool well;
    uint64_t since_ms;   /* of the patience; 0: not begun */
    const char *trouble; /* what the units, or the Node, said last */
    const char *not_ready_since;
    bool silent;
};

static struct revival *revival_of(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!df->revival)
        df->revival = arena_alloc(flow->arena, sizeof(*df->revival));
    return df->revival;
}

/* "active\nfailed\n", in the order of the units. */
static void take_units(struct flow *flow, const char *text)
{
    static const char *const names[] = {"containerd", "kubelet"};
    struct revival *revival = revival_of(flow);
    revival->running = true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t length = strcspn(text, "\r\n");
        if (length != strlen("active") || strncmp(text, "active", length) != 0) {
            if (revival->running)
                revival->trouble = arena_format(flow->arena, "%s is %.*s", names[i], (int)length,
                                                length ? text : "not known");
            revival->running = false;
        }
        text += length;
        text += strspn(text, "\r\n");
    }
}

static enum step_status look_units(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    static const char *const argv[] = {"systemctl", "is-active", UNITS, NULL};
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (revival_of(flow)->well || revival_of(flow)->stuck)
        return STEP_DONE;
    if (!answer) {
        flow_exec(flow, df->found->id, argv);
        return STEP_WAITING;
    }
    take_units(flow, answer->body);
    return STEP_DONE;
}

/*
 * A process that died in a join leaves a Node without a kubelet. A join that goes on in the node is
 * waited for.
 */
static enum step_status look_joined(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    static const char *const argv[] = {"flock", "-w", "240",
                                       "-E",    "75", "/run/kind-join.lock",
                                       "test",  "-s", "/etc/kubernetes/kubelet.conf",
                                       NULL};
    (void)err;
    struct revival *revival = revival_of(flow);
    if (revival->running)
        return STEP_DONE;
    if (!answer) {
        flow_exec(flow, docker_flow_of(flow)->found->id, argv);
        return STEP_WAITING;
    }
    if (answer->exit_code == 1) {
        revival->trouble = "it has never joined";
        revival->stuck = true;
    }
    return STEP_DONE;
}

static enum step_status start_units(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    static const char script[] = "systemctl unmask containerd.service kubelet.service; "
                                 "systemctl reset-failed containerd.service kubelet.service; "
                                 "systemctl start containerd.service kubelet.service";
    static const char *const argv[] = {"sh", "-c", script, NULL};
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    struct revival *revival = revival_of(flow);
    if (revival->running || revival->stuck || revival->well)
        return STEP_DONE;
    if (!answer) {
        if (flow->tries == 0 && !revival->killed)
            flow_note(flow, arena_format(flow->arena, "%s: %s; is started", df->found->name,
                                         revival->trouble));
        flow_exec(flow, df->found->id, argv);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    revival->trouble = docker_last_words(flow, answer);
    revival->stuck = flow->tries + 1 >= STARTS_MAX;
    return revival->stuck ? STEP_DONE : STEP_AGAIN;
}

static const char *node_path(struct flow *flow)
{
    return arena_format(flow->arena, "/api/v1/nodes/%s", docker_flow_of(flow)->found->name);
}

static const char *copy_of(struct flow *flow, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return arena_string(flow->arena, value ? value : "");
}

/* What the Node says; false if the answer is none. */
static bool take_node(struct flow *flow, const struct answer *answer)
{
    struct revival *revival = revival_of(flow);
    json_t *node = json_loadb(answer->body, answer->length, 0, NULL);
    bool known = !answer->failure && answer->status == 200 && json_is_object(node);
    if (known) {
        const json_t *ready = kube_ready_condition(node);
        revival->well = kube_is_ready(node);
        revival->silent = strcmp(copy_of(flow, ready, "status"), "Unknown") == 0;
        revival->not_ready_since = copy_of(flow, ready, "lastTransitionTime");
        revival->trouble = copy_of(flow, ready, "message");
    }
    json_decref(node);
    return known;
}

/* Until it is Ready, or for so long. One that is there no more is no concern of ours. */
static enum step_status await_node(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)err;
    struct revival *revival = revival_of(flow);
    uint64_t now_ms = flow->transport->now_ms(flow->transport);
    if (revival->well || revival->stuck)
        return STEP_DONE;
    if (!answer) {
        if (flow->tries == 0)
            revival->since_ms = now_ms;
        kube_send(flow, "GET", node_path(flow), NULL, NULL);
        return STEP_WAITING;
    }
    bool known = take_node(flow, answer);
    if (!answer->failure && answer->status == 404)
        revival->well = true;
    flow->waiting_for = known ? revival->trouble : docker_message(flow, answer);
    return revival->well || now_ms - revival->since_ms >= PATIENCE_MS ? STEP_DONE : STEP_AGAIN;
}

static enum step_status kill_units(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    static const char *const argv[] = {"systemctl", "kill", "-s", "KILL", UNITS, NULL};
    (void)err;
    struct revival *revival = revival_of(flow);
    if (revival->well || revival->stuck || answer)
        return STEP_DONE; /* one that does not run cannot be killed */
    revival->running = false;
    revival->killed = true;
    flow_exec(flow, docker_flow_of(flow)->found->id, argv);
    return STEP_WAITING;
}

/* For the plan, by what is seen there; the node itself may be beyond reach. */
static enum step_status give_up(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct revival *revival = revival_of(flow);
    if (revival->well)
        return STEP_DONE;
    bool lost = !revival->running || revival->silent;
    if (!answer && lost && !docker_is_control_plane(df->found)) {
        json_t *patch =
            json_pack("{s:{s:{s:o}}}", "metadata", "annotations", KUBE_GIVEN_UP,
                      json_string(arena_format(flow->arena, "%s %s", revival->not_ready_since,
                                               revival->trouble)));
        cleanup_free char *body = json_dumps(patch, JSON_COMPACT);
        json_decref(patch);
        kube_send(flow, "PATCH", node_path(flow), "application/merge-patch+json", body);
        return STEP_WAITING;
    }
    if (answer && (answer->failure || answer->status != 200)) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    error_set(err, ERROR_UNAVAILABLE, "node %s does not come back: %s", df->found->name,
              revival->trouble);
    return STEP_FAILED;
}

/* The trouble of its units counts more than that the Node is silent. */
static enum step_status ask_node(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    struct revival *revival = revival_of(flow);
    if (revival->well)
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "GET", node_path(flow), NULL, NULL);
        return STEP_WAITING;
    }
    const char *trouble = revival->trouble;
    if (!take_node(flow, answer)) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    if (!revival->running)
        revival->trouble = trouble;
    return STEP_DONE;
}

#define START_UNITS                                                                                \
    {                                                                                              \
        .name = "start its units", .run = start_units, .timeout_ms = STARTS_MAX * EXEC_MS,         \
        .poll_ms = 500                                                                             \
    }
#define AWAIT_NODE                                                                                 \
    {                                                                                              \
        .name = "wait for the node", .run = await_node, .timeout_ms = PATIENCE_MS + ASK_MS,        \
        .poll_ms = 200, .tolerant = true                                                           \
    }
#define LOOK(what)                                                                                 \
    {                                                                                              \
        .name = (what), .run = look_units, .timeout_ms = EXEC_MS                                   \
    }

const struct step docker_revive_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    LOOK("look at its units"),
    {.name = "look whether it has joined", .run = look_joined, .timeout_ms = JOIN_MS},
    START_UNITS,
    AWAIT_NODE,
    {.name = "kill what hangs", .run = kill_units, .timeout_ms = EXEC_MS},
    START_UNITS,
    AWAIT_NODE,
    LOOK("look at its units again"),
    {.name = "ask the cluster",
     .run = ask_node,
     .timeout_ms = ASK_MS,
     .poll_ms = 200,
     .tolerant = true},
    {.name = "give it up", .run = give_up, .timeout_ms = ASK_MS, .poll_ms = 200, .tolerant = true},
    {0},
};
