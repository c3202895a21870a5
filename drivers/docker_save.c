/*
 * What etcd holds is kept as a file, before one of several control planes is made anew.
 *
 * DESIGN: the file lies in another control plane, the last by name: of those
 * that are to go still it goes last, and when it goes itself, the next file lies
 * in one that has been made anew already. So there is always one in a container
 * that stays, and the last one outlasts the change. Only the newest are kept.
 */
#include "drivers/docker_etcd.h"

#include <string.h>

enum { SAVE_MS = 6 * 60 * 1000 };

#define FOLDER "/kind/etcd-snapshots"

static const char script[] =
    "pid=$(pgrep -xo etcd) || { echo 'etcd does not run here'; exit 3; }\n"
    "mkdir -p -m 700 " FOLDER " && cd " FOLDER " || exit 1\n"
    "rm -f ./*.part\n"
    "file=$(date -u +%Y%m%dT%H%M%SZ)-before-$2.db\n"
    "ETCDCTL_API=3 timeout 240 " ETCDCTL " snapshot save \"$PWD/$file\" && test -s \"$file\" ||"
    " { rm -f \"$file\"; exit 1; }\n"
    "ls -1 | sort -r | tail -n +4 | while read -r old; do rm -f \"$old\"; done";

/* Names that end in numbers, as people count. */
static bool is_later(const char *name, const char *other)
{
    size_t length = strlen(name), others = strlen(other);
    return length != others ? length > others : strcmp(name, other) > 0;
}

static enum step_status choose(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    const struct node_state *keeper = NULL;
    for (size_t i = 0; i < df->seen->node_count; i++) {
        const struct node_state *node = &df->seen->nodes[i];
        bool may = docker_is_control_plane(node) && node->status == CONTAINER_RUNNING &&
                   docker_is_ours(df, node) && strcmp(node->name, df->input.action->subject) != 0;
        if (may && (!keeper || is_later(node->name, keeper->name)))
            keeper = node;
    }
    df->speaker = keeper;
    if (keeper)
        return STEP_DONE;
    error_set(err, ERROR_CONFLICT, "no control plane of %s but %s runs", df->cluster,
              df->input.action->subject);
    return STEP_FAILED;
}

static enum step_status save(struct flow *flow, const struct answer *answer, struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        const char *const argv[] = {"sh", "-c", script, "etcd", "save", df->input.action->subject,
                                    NULL};
        flow_exec(flow, df->speaker->id, argv);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->exit_code == 0)
        return STEP_DONE;
    flow->waiting_for =
        arena_format(flow->arena, "etcd of %s: %s", df->speaker->name,
                     answer->failure ? answer->failure->message : docker_last_words(flow, answer));
    df->speaker = docker_next_speaker(df);
    return STEP_AGAIN;
}

const struct step docker_save_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "choose who keeps it", .run = choose, .timeout_ms = 1000},
    {.name = "save what etcd holds",
     .run = save,
     .timeout_ms = SAVE_MS,
     .poll_ms = 1000,
     .tolerant = true},
    {0},
};
