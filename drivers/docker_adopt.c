/* A cluster that another tool made becomes ours: what it is like is seen, recorded and noted. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "model/portrait.h"
#include <string.h>

/*
 * Nothing in the cluster is changed but two small files on its control plane.
 * Each look before that is a fresh one; the one after it tells whether nobody
 * else adopted it at the same time, since an engine cannot compare and write.
 */

enum { LOOK_MS = 10 * 1000, NODES_MS = 60 * 1000 };

/* Another tool's, or ours already: then an earlier try was cut short. */
static enum step_status check_strange(struct docker_flow *df, struct error **err)
{
    const char *fleet = df->docker->options.fleet;
    for (size_t i = 0; i < df->seen->node_count; i++) {
        const struct node_state *node = &df->seen->nodes[i];
        if (!node->owner || (strcmp(node->owner, fleet) == 0 && !node->shape))
            continue;
        error_set(err, ERROR_CONFLICT, "%s is of fleet '%s'; left alone", node->name, node->owner);
        return STEP_FAILED;
    }
    df->found = df->speaker;
    if (df->found && docker_is_readable(df->found))
        return STEP_DONE;
    error_set(err, ERROR_CONFLICT, "no control plane of %s is there", df->cluster);
    return STEP_FAILED;
}

static enum step_status look(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    struct fleet_state fleet;
    enum step_status listed = docker_list_cluster(flow, answer, &fleet, err);
    if (listed != STEP_DONE)
        return listed;
    docker_take_seen(df, &fleet);
    return check_strange(df, err);
}

static enum step_status read_configuration(struct flow *flow, const struct answer *answer,
                                           struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/kubeadm.conf");
        return STEP_WAITING;
    }
    if (docker_files(flow, answer, err))
        return STEP_FAILED;
    const struct archive_file *file = archive_find(&df->files, "kubeadm.conf");
    if (!file || !file->bytes) {
        error_set(err, ERROR_INVALID,
                  "%s has no /kind/kubeadm.conf, so nobody can tell how the cluster was set up",
                  df->found->name);
        return STEP_FAILED;
    }
    df->portrait = arena_alloc(flow->arena, sizeof(*df->portrait));
    portrait_init(flow->arena, df->input.spec, df->portrait);
    if (portrait_add_configuration(flow->arena, df->portrait, file->bytes, file->length, err) == 0)
        return STEP_DONE;
    error_wrap(err, "/kind/kubeadm.conf of %s", df->found->name);
    return STEP_FAILED;
}

static enum step_status look_at_containers(struct flow *flow, const struct answer *answer,
                                           struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer && answer->status != 200)
        return docker_refused(flow, answer, "look at a container", err);
    if (!answer)
        df->next = 0;
    if (answer) {
        json_t *inspected = json_loadb(answer->body, answer->length, 0, NULL);
        portrait_add_container(flow->arena, df->portrait, df->seen->nodes[df->next++].name,
                               inspected);
        json_decref(inspected);
    }
    if (df->next == df->seen->node_count)
        return STEP_DONE;
    flow_send(flow, "GET",
              arena_format(flow->arena, "/containers/%s/json", df->seen->nodes[df->next].id), NULL);
    return STEP_WAITING;
}

/* Record and owner at once; what was marked by hand stays. */
static enum step_status take_over(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE : docker_refused(flow, answer, "take note", err);
    struct facet_list facets;
    struct marks marks = df->input.marks ? *df->input.marks : (struct marks){0};
    marks.owner = df->docker->options.fleet;
    spec_facets(flow->arena, &df->portrait->spec, &facets);
    return docker_send_record(df, df->found->id, &facets, &marks, err) ? STEP_FAILED : STEP_WAITING;
}

static enum step_status look_again(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    enum step_status looked = look(flow, answer, err);
    if (looked != STEP_DONE || (df->found->owner && docker_is_ours(df, df->found)))
        return looked;
    error_set(err, ERROR_CONFLICT, "the note of %s is not there", df->found->name);
    return STEP_FAILED;
}

const struct step docker_adopt_steps[] = {
    DOCKER_REACH,
    {.name = "look at the cluster", .run = look, .timeout_ms = LOOK_MS},
    {.name = "read its configuration", .run = read_configuration, .timeout_ms = LOOK_MS},
    {.name = "look at its containers", .run = look_at_containers, .timeout_ms = NODES_MS},
    {.name = "take note", .run = take_over, .timeout_ms = LOOK_MS},
    {.name = "look again", .run = look_again, .timeout_ms = LOOK_MS},
    {0},
};
