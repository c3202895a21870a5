/* Labels and taints of a node that is there already. */
#include "drivers/docker_flow.h"
#include "drivers/kube_settings.h"

#include "base/memory.h"

enum { SETTINGS_MS = 60 * 1000 };

static const char *node_path(struct flow *flow)
{
    return arena_format(flow->arena, "/api/v1/nodes/%s", docker_flow_of(flow)->node->name);
}

/* Sends what is to be changed of the Node that was read; STEP_DONE: nothing. */
static enum step_status change_node(struct flow *flow, const struct answer *answer)
{
    const struct docker_flow *df = docker_flow_of(flow);
    const struct facet_list *applied = df->input.observed ? &df->input.observed->applied : NULL;
    json_t *node = json_loadb(answer->body, answer->length, 0, NULL);
    if (!json_is_object(json_object_get(node, "metadata"))) {
        json_decref(node);
        flow->waiting_for = "the API's answer is no Node";
        return STEP_AGAIN;
    }
    json_t *patch = kube_settings_patch(node, df->node, applied);
    json_decref(node);
    if (!patch)
        return STEP_DONE;
    cleanup_free char *body = json_dumps(patch, JSON_COMPACT);
    json_decref(patch);
    kube_send(flow, "PATCH", node_path(flow), "application/merge-patch+json", body);
    return STEP_WAITING;
}

/* Reads, then changes; a Node that somebody else changed in between is read again. */
static enum step_status set_labels(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    const struct docker_flow *df = docker_flow_of(flow);
    if (!df->node) {
        error_set(err, ERROR_CONFLICT, "node %s is not in the spec", df->input.action->subject);
        return STEP_FAILED;
    }
    if (!answer) {
        kube_send(flow, "GET", node_path(flow), NULL, NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return flow->turn == 1 ? change_node(flow, answer) : STEP_DONE;
    flow->waiting_for =
        arena_format(flow->arena, "node %s: %s", df->node->name, docker_message(flow, answer));
    if (answer->status != 400 && answer->status != 422)
        return STEP_AGAIN;
    error_set(err, ERROR_INVALID, "%s", flow->waiting_for);
    return STEP_FAILED;
}

const struct step docker_settings_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    {.name = "set labels and taints",
     .run = set_labels,
     .timeout_ms = SETTINGS_MS,
     .poll_ms = 200,
     .tolerant = true},
    {0},
};
