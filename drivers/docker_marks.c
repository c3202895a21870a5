/* What a cluster knows of itself beside its record, and a node that is to stand still. */
#include "drivers/docker_flow.h"

#include "base/base64.h"
#include "base/memory.h"
#include <string.h>

/*
 * systemd gets so long to end what runs in a node; most need a few seconds.
 * Then the engine kills what is left.
 */
enum { STOP_GRACE_S = 30, STOP_MS = 60 * 1000, LOOK_MS = 10 * 1000 };

const char *docker_link_target(struct arena *arena, const struct answer *answer)
{
    cleanup_text struct text text;
    text_init(&text, 0);
    if (answer->status != 200 || !answer->path_stat || !base64_decode(answer->path_stat, &text))
        return NULL;
    json_t *stat = json_loadb(text.data, text.length, 0, NULL);
    const char *target = json_string_value(json_object_get(stat, "linkTarget"));
    const char *slash = target ? strrchr(target, '/') : NULL;
    const char *copy = arena_string(arena, slash ? slash + 1 : target);
    json_decref(stat);
    return copy && *copy ? copy : NULL;
}

void docker_look_at_link(struct flow *flow, const char *container_id)
{
    const char *base = arena_format(flow->arena, "/containers/%s/archive?path=", container_id);
    flow_send(flow, "HEAD", docker_path(flow, base, "/kind/" FACET_DIGEST_LINK), NULL);
}

bool docker_is_readable(const struct node_state *node)
{
    return docker_is_control_plane(node) && node->status != CONTAINER_REMOVING &&
           node->status != CONTAINER_DEAD;
}

/* --- Marks. --- */

/* The control planes from the last by name to the first, which is the one that is asked. */
static enum step_status look_next(struct flow *flow, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    while (df->next > 0) {
        df->found = &df->seen->nodes[--df->next];
        if (!docker_is_readable(df->found))
            continue;
        if (docker_check_owner(flow, err) == STEP_FAILED)
            return STEP_FAILED;
        docker_look_at_link(flow, df->found->id);
        return STEP_WAITING;
    }
    return STEP_DONE;
}

/* The digest before them stays what it is: each plane's own. */
static int send_marks(struct docker_flow *df, const struct answer *answer, struct error **err)
{
    static const struct marks none;
    struct marks old;
    struct arena *arena = df->flow.arena;
    const char *target = docker_link_target(arena, answer);
    const char *digest = target ? marks_parse(arena, target, &old) : NULL;
    const struct archive_file link = {
        .path = FACET_DIGEST_LINK,
        .link = marks_print(arena, digest, df->input.marks ? df->input.marks : &none),
        .mode = 0777,
    };
    return docker_write_files(&df->flow, df->found->id, "/kind", &link, 1, err);
}

static enum step_status write_marks(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        df->next = df->seen->node_count;
        return look_next(flow, err);
    }
    bool looked = flow->turn % 2 == 1;
    if (answer->status != 200 && !(looked && answer->status == 404))
        return docker_refused(flow, answer, looked ? "look at the record" : "take note", err);
    if (!looked)
        return look_next(flow, err);
    return send_marks(df, answer, err) ? STEP_FAILED : STEP_WAITING;
}

const struct step docker_marks_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "take note", .run = write_marks, .timeout_ms = LOOK_MS},
    {0},
};

/* --- Standing still. --- */

static enum step_status stop_container(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        flow_send(
            flow, "POST",
            arena_format(flow->arena, "/containers/%s/stop?t=%d", df->found->id, STOP_GRACE_S),
            NULL);
        return STEP_WAITING;
    }
    if (answer->status == 204 || answer->status == 304)
        return STEP_DONE;
    return docker_refused(flow, answer, "stop the container", err);
}

const struct step docker_stop_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "stop the container", .run = stop_container, .timeout_ms = STOP_MS},
    {0},
};
