/* A node is closed, emptied, and the cluster forgets it. */
#include "drivers/docker_drain.h"

#include <string.h>

enum { ASK_MS = 60 * 1000, DRAIN_MS = 10 * 60 * 1000 };

static const char *node_path(struct flow *flow)
{
    return arena_format(flow->arena, "/api/v1/nodes/%s", drain_subject(flow));
}

/* The subject's own container, which may be gone, or another fleet's. */
static enum step_status look_container(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    struct drain *drain = arena_alloc(flow->arena, sizeof(*drain));
    df->drain = drain;
    drain->confirms = NODE_STILL;
    for (size_t i = 0; i < df->seen->node_count; i++)
        if (strcmp(df->seen->nodes[i].name, drain_subject(flow)) == 0)
            drain->container = &df->seen->nodes[i];
    if (!drain->container)
        return STEP_DONE;
    if (drain->container->status == CONTAINER_RUNNING)
        drain->confirms = NODE_CONFIRMS;
    df->found = drain->container;
    return docker_check_owner(flow, err);
}

static enum step_status cordon(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    struct drain *drain = drain_of(flow);
    if (!answer) {
        kube_send(flow, "PATCH", node_path(flow), "application/merge-patch+json",
                  "{\"spec\":{\"unschedulable\":true}}");
        return STEP_WAITING;
    }
    bool gone = !answer->failure && answer->status == 404;
    if (gone && flow->turn == 1) { /* asked twice, since then no pod is moved at all */
        kube_send(flow, "GET", node_path(flow), NULL, NULL);
        return STEP_WAITING;
    }
    json_t *node = json_loadb(answer->body, answer->length, 0, NULL);
    bool known = flow->turn == 1 && answer->status == 200 && json_is_object(node);
    if (known && drain->confirms == NODE_CONFIRMS && !kube_is_ready(node))
        drain->confirms = NODE_LOST;
    json_decref(node);
    drain->unknown = gone;
    if (known || drain->unknown)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

/* "policy/v1beta1" until Kubernetes 1.21, and "policy/v1" since; as the API says itself. */
static enum step_status learn_eviction(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    (void)err;
    struct drain *drain = drain_of(flow);
    if (drain->unknown)
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "GET", "/api/v1", NULL, NULL);
        return STEP_WAITING;
    }
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    size_t index;
    const json_t *resource;
    json_array_foreach(json_object_get(list, "resources"), index, resource)
    {
        const char *name = json_string_value(json_object_get(resource, "name"));
        const char *group = json_string_value(json_object_get(resource, "group"));
        const char *version = json_string_value(json_object_get(resource, "version"));
        if (name && group && version && strcmp(name, "pods/eviction") == 0)
            drain->eviction_version = arena_format(flow->arena, "%s/%s", group, version);
    }
    json_decref(list);
    flow->waiting_for = answer->failure || answer->status != 200
                            ? docker_message(flow, answer)
                            : "the API does not know of evictions";
    return drain->eviction_version ? STEP_DONE : STEP_AGAIN;
}

static enum step_status delete_node(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    (void)err;
    if (drain_of(flow)->unknown)
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "DELETE", node_path(flow), NULL, NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && (answer->status == 200 || answer->status == 404))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

#define ASK(what, how, limit_ms)                                                                   \
    {                                                                                              \
        .name = what, .run = how, .timeout_ms = (limit_ms), .poll_ms = 200, .tolerant = true       \
    }

const struct step docker_drain_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "look at its container", .run = look_container, .timeout_ms = 1000},
    DOCKER_ACCESS,
    ASK("close the node for pods", cordon, ASK_MS),
    ASK("learn how to evict", learn_eviction, ASK_MS),
    ASK("move its pods", docker_empty_node, DRAIN_MS),
    ASK("forget the node", delete_node, ASK_MS),
    {0},
};
