/*
 * May a node be made of its new image? Asked before the old one is touched.
 *
 * Only the image itself knows for sure which Kubernetes it holds, and the
 * engine shows files of containers only. So one is made that is never started,
 * looked into, and removed; one that an earlier try has left is removed first.
 */
#include "drivers/docker_flow.h"

#include "drivers/docker_info.h"
#include "model/upgrade.h"
#include <string.h>

enum { PROBE_MS = 60 * 1000 };

static const char *probe_name(struct docker_flow *df)
{
    return arena_format(df->flow.arena, "%s" STATE_PROBE_SUFFIX, df->node->name);
}

/*
 * Whose version the new one is held against: of a control plane its own,
 * wherever that is by now, of a worker that of the one that speaks.
 */
static const struct node_state *counterpart(struct docker_flow *df)
{
    const struct node_state *own = NULL;
    if (df->node->role != NODE_CONTROL_PLANE)
        return df->speaker;
    for (size_t i = 0; i < df->seen->node_count; i++) {
        const struct node_state *node = &df->seen->nodes[i];
        if (node_state_is_carrier(node))
            return node;
        if (strcmp(node->name, df->node->name) == 0)
            own = node;
    }
    return own ? own : df->speaker;
}

static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct fleet_state fleet;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    docker_take_seen(df, &fleet);
    df->found = counterpart(df);
    if (df->found)
        return STEP_DONE;
    error_set(err, ERROR_CONFLICT, "no control plane of %s is there", df->cluster);
    return STEP_FAILED;
}

/* What an earlier try has left; only if it is ours. */
static const struct node_state *left_over(struct docker_flow *df)
{
    const char *name = probe_name(df);
    for (size_t i = 0; i < df->seen->node_count; i++) {
        const struct node_state *node = &df->seen->nodes[i];
        if (strcmp(node->name, name) == 0 && strcmp(node->role, ROLE_PROBE) == 0)
            return node;
    }
    return NULL;
}

static void remove_probe(struct flow *flow, const char *id)
{
    flow_send(flow, "DELETE", arena_format(flow->arena, "/containers/%s?force=1&v=1", id), NULL);
}

static enum step_status clear(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct node_state *old = left_over(df);
    if (!old)
        return STEP_DONE;
    if (!answer) {
        const struct node_state *found = df->found;
        df->found = old;
        enum step_status ours = docker_check_owner(flow, err);
        df->found = found;
        if (ours == STEP_FAILED)
            return STEP_FAILED;
        remove_probe(flow, old->id);
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 404)
        return STEP_DONE;
    return docker_refused(flow, answer, "remove the container of an earlier look", err);
}

static enum step_status make_probe(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        json_t *body =
            json_pack("{s:s,s:{s:s,s:s,s:s}}", "Image", df->image, "Labels", LABEL_CLUSTER,
                      df->cluster, LABEL_ROLE, ROLE_PROBE, LABEL_OWNER, df->docker->options.fleet);
        char *text = json_dumps(body, JSON_COMPACT);
        flow_send(flow, "POST", docker_path(flow, "/containers/create?name=", probe_name(df)),
                  text);
        free(text);
        json_decref(body);
        return STEP_WAITING;
    }
    json_t *made = json_loadb(answer->body, answer->length, 0, NULL);
    df->probe_id = arena_string(flow->arena, json_string_value(json_object_get(made, "Id")));
    json_decref(made);
    if (answer->status == 201 && df->probe_id)
        return STEP_DONE;
    return docker_refused(flow, answer, "make a container to look into the image", err);
}

/* The first line of /kind/version, or NULL. */
static const char *version_in(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (docker_files(flow, answer, err))
        return NULL;
    const struct archive_file *file = archive_find(&df->files, "version");
    if (file && file->bytes && file->length)
        return arena_string_n(flow->arena, file->bytes, strcspn(file->bytes, "\r\n \t"));
    error_set(err, ERROR_INVALID, "image %s is no kind node image: it has no /kind/version",
              df->image);
    return NULL;
}

/* Whatever it says, the container goes; then what it said is looked at. */
static enum step_status read_image(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    switch (flow->turn) {
    case 0:
        docker_read_files(flow, df->probe_id, "/kind/version");
        return STEP_WAITING;
    case 1: {
        struct error *why = NULL;
        df->version = version_in(flow, answer, &why);
        df->trouble = why ? arena_string(flow->arena, why->message) : NULL;
        error_free(why);
        remove_probe(flow, df->probe_id);
        return STEP_WAITING;
    }
    default:
        if (answer->status != 204 && answer->status != 404)
            return docker_refused(flow, answer, "remove the container of the look", err);
        if (df->version)
            return engine_info_check_version(df->info, df->version, err) ? STEP_FAILED : STEP_DONE;
        error_set(err, ERROR_INVALID, "%s", df->trouble);
        return STEP_FAILED;
    }
}

static enum step_status compare(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/version");
        return STEP_WAITING;
    }
    const char *have = version_in(flow, answer, err);
    if (!have)
        return STEP_FAILED;
    bool plane = df->node->role == NODE_CONTROL_PLANE;
    const struct upgrade upgrade = {
        .role = df->node->role,
        .from = plane ? have : NULL,
        .to = df->version,
        .control_plane = plane ? NULL : have,
    };
    const char *refusal = upgrade_refusal(flow->arena, &upgrade);
    if (!refusal)
        return STEP_DONE;
    error_set(err, ERROR_INVALID, "%s cannot be made of image %s: %s; nothing was changed",
              df->node->name, df->image, refusal);
    return STEP_FAILED;
}

const struct step docker_check_version_steps[] = {
    DOCKER_REACH,
    DOCKER_INFO,
    {.name = "look for the node", .run = look, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "choose the image", .run = docker_choose_image, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "clear what an earlier look left", .run = clear, .timeout_ms = 30000},
    {.name = "make a container of the image", .run = make_probe, .timeout_ms = PROBE_MS},
    {.name = "read its Kubernetes version", .run = read_image, .timeout_ms = PROBE_MS},
    {.name = "compare with the present one", .run = compare, .timeout_ms = DOCKER_REQUEST_MS},
    {0},
};
