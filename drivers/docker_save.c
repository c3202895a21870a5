/*
 * What etcd holds is kept as a file, before one of several control planes is made anew.
 *
 * DESIGN: the file lies in another control plane, the last by name: of those
 * that are to go still it goes last. When it goes itself, the files in it are
 * brought along to the one that keeps the next. So there is always one in a
 * container that stays, and the one from before the first change outlasts the
 * last. Only the newest are kept. On their way they are in a file without a
 * name, since they may be large.
 */
#include "drivers/docker_etcd.h"

#include "base/memory.h"
#include "drivers/spool.h"
#include <string.h>

enum { SAVE_MS = 6 * 60 * 1000, BRING_MS = 10 * 60 * 1000, SILENCE_MS = 2 * 60 * 1000 };
/* Of all files together; etcd itself holds at most 8 GiB. */
static const uint64_t snapshots_bytes_max = UINT64_C(16) << 30;

#define PARENT "/kind"
#define FOLDER PARENT "/etcd-snapshots"

static const char script[] =
    "pid=$(pgrep -xo etcd) || { echo 'etcd does not run here'; exit 3; }\n"
    "mkdir -p -m 700 " FOLDER " && cd " FOLDER " || exit 1\n"
    "rm -f ./*.part\n"
    "file=$(date -u +%Y%m%dT%H%M%SZ)-before-$2.db\n"
    "ETCDCTL_API=3 timeout 240 " ETCDCTL " snapshot save \"$PWD/$file\" && test -s \"$file\" ||"
    " { rm -f \"$file\"; exit 1; }\n"
    "ls -1 | sort -r | tail -n +6 | while read -r old; do rm -f \"$old\"; done";

/* docker_flow's `saving`, in its arena. */
struct saving {
    const struct node_state *subject; /* NULL: its container is gone */
    struct spool spool;
    struct error *trouble;
    void (*release)(struct flow *flow); /* of all that is not ours */
};

static struct saving *saving_of(struct flow *flow)
{
    return docker_flow_of(flow)->saving;
}

static void release(struct flow *flow)
{
    struct saving *saving = saving_of(flow);
    spool_close(&saving->spool);
    error_free(saving->trouble);
    saving->release(flow);
}

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
    struct saving *saving = arena_alloc(flow->arena, sizeof(*saving));
    *saving = (struct saving){.release = flow->release};
    df->saving = saving;
    flow->release = release;
    for (size_t i = 0; i < df->seen->node_count; i++) {
        const struct node_state *node = &df->seen->nodes[i];
        bool own = strcmp(node->name, df->input.action->subject) == 0;
        if (!docker_is_control_plane(node) || !docker_is_ours(df, node))
            continue;
        if (own)
            saving->subject = node;
        else if (node->status == CONTAINER_RUNNING &&
                 (!keeper || is_later(node->name, keeper->name)))
            keeper = node;
    }
    df->speaker = keeper;
    if (keeper)
        return STEP_DONE;
    error_set(err, ERROR_CONFLICT, "no control plane of %s but %s runs", df->cluster,
              df->input.action->subject);
    return STEP_FAILED;
}

static bool keep(void *context, const char *bytes, size_t length)
{
    struct saving *saving = saving_of(context);
    return spool_write(&saving->spool, bytes, length, &saving->trouble) == 0;
}

static size_t give(void *context, char *bytes, size_t room)
{
    return spool_read(&saving_of(context)->spool, bytes, room);
}

static enum step_status get(struct flow *flow, struct error **err)
{
    struct saving *saving = saving_of(flow);
    spool_close(&saving->spool);
    if (spool_open(&saving->spool, snapshots_bytes_max, err))
        return STEP_FAILED;
    const char *base =
        arena_format(flow->arena, "/containers/%s/archive?path=", saving->subject->id);
    flow_send_request(
        flow, docker_path(flow, base, FOLDER),
        (struct request){
            .method = "GET", .idle_ms = SILENCE_MS, .on_data = keep, .one_shot = true});
    return STEP_WAITING;
}

static enum step_status put(struct flow *flow, struct error **err)
{
    struct spool *spool = &saving_of(flow)->spool;
    if (spool_seal_tar(spool, err))
        return STEP_FAILED;
    const char *base = arena_format(
        flow->arena, "/containers/%s/archive?path=", docker_flow_of(flow)->speaker->id);
    flow_send_request(flow, docker_path(flow, base, PARENT),
                      (struct request){.method = "PUT",
                                       .content_type = "application/x-tar",
                                       .body_length = (size_t)spool->tar_length,
                                       .read_body = give,
                                       .idle_ms = SILENCE_MS,
                                       .one_shot = true});
    return STEP_WAITING;
}

static enum step_status bring(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct saving *saving = saving_of(flow);
    if (!saving->subject)
        return STEP_DONE;
    if (flow->turn == 0)
        return get(flow, err);
    if (saving->trouble) {
        *err = TAKE(saving->trouble);
        return STEP_FAILED;
    }
    if (flow->turn == 1 && answer->status == 404)
        return STEP_DONE; /* it keeps none */
    if (answer->status != 200)
        return docker_refused(flow, answer, "bring earlier snapshots along", err);
    if (flow->turn == 1)
        return put(flow, err);
    spool_close(&saving->spool);
    return STEP_DONE;
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
    return STEP_AGAIN;
}

const struct step docker_save_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "choose who keeps it", .run = choose, .timeout_ms = 1000},
    {.name = "bring earlier ones along", .run = bring, .timeout_ms = BRING_MS},
    {.name = "save what etcd holds",
     .run = save,
     .timeout_ms = SAVE_MS,
     .poll_ms = 1000,
     .tolerant = true},
    {0},
};
