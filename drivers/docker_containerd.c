/* The user's patches of containerd's configuration, in a node that has just booted. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "model/containerd_patch.h"
#include <string.h>

#define ORIGINAL "config.toml.unpatched"
#define PENDING "config.toml.patched" /* as long as it is not in force */

static bool is_patched(const struct cluster_spec *spec)
{
    return spec->containerd_patches.count || spec->containerd_patches_6902.count;
}

static enum step_status write_patched(struct docker_flow *df, struct error **err)
{
    const struct archive_file *now = archive_find(&df->files, "containerd/config.toml");
    const struct archive_file *original = archive_find(&df->files, "containerd/" ORIGINAL);
    if (!now || !now->bytes) {
        error_set(err, ERROR_INVALID, "the image has no /etc/containerd/config.toml to patch");
        return STEP_FAILED;
    }
    if (!original || !original->bytes)
        original = now;
    cleanup_text struct text patched, unmatched;
    text_init(&patched, 0);
    text_init(&unmatched, 0);
    if (containerd_config_patch(original->bytes, original->length, df->input.spec, &patched,
                                &unmatched, err))
        return STEP_FAILED;
    bool is_same =
        patched.length == now->length && memcmp(patched.data, now->bytes, now->length) == 0;
    if (is_same && !archive_find(&df->files, "containerd/" PENDING))
        return STEP_DONE;
    docker_note_lines(&df->flow, unmatched.data);
    const struct archive_file files[] = {
        {.path = ORIGINAL, .bytes = original->bytes, .length = original->length, .mode = 0644},
        {.path = PENDING, .bytes = patched.data, .length = patched.length, .mode = 0644},
    };
    return docker_write_files(&df->flow, df->found->id, "/etc/containerd", files, COUNT_OF(files),
                              err)
               ? STEP_FAILED
               : STEP_WAITING;
}

/*
 * After the boot, as upstream does it: what the entrypoint changes in the file
 * by then it finds by its literal lines. The file as it was stays beside it,
 * so that a second go begins where the first did; and the new one until
 * containerd runs with it, so that a second go knows whether it has to. No pods
 * run yet.
 */
enum step_status docker_patch_containerd(struct flow *flow, const struct answer *answer,
                                         struct error **err)
{
    static const char *const activate[] = {
        "sh", "-c",
        "cp /etc/containerd/" PENDING " /etc/containerd/config.toml && "
        "systemctl restart containerd.service && rm /etc/containerd/" PENDING,
        NULL};
    struct docker_flow *df = docker_flow_of(flow);
    if (df->joined || !is_patched(df->input.spec))
        return STEP_DONE;
    if (flow->turn == 0) {
        docker_read_files(flow, df->found->id, "/etc/containerd");
        return STEP_WAITING;
    }
    if (flow->turn == 1) {
        /* What an earlier row has read is for later rows. */
        const struct archive_files earlier = df->files;
        enum step_status status =
            docker_files(flow, answer, err) ? STEP_FAILED : write_patched(df, err);
        df->files = earlier;
        return status;
    }
    if (flow->turn == 2) {
        if (answer->status != 200)
            return docker_refused(flow, answer, "write config.toml", err);
        flow_exec(flow, df->found->id, activate);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "containerd does not start with the patched file: %s",
              docker_last_words(flow, answer));
    return STEP_FAILED;
}
