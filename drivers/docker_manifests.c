/* The user's own manifests, and no more of them than there are now. */
#include "drivers/docker_flow.h"

#include "model/document.h"
#include <string.h>

enum { ASK_MS = 60 * 1000, APPLY_MS = 5 * 60 * 1000 };

/* One file after the other, all checked when they were read. */
static enum step_status read_manifests(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    json_decref(df->objects);
    df->objects = json_array();
    for (size_t i = 0; i < df->input.spec->manifest_count; i++) {
        const struct manifest_spec *manifest = &df->input.spec->manifests[i];
        struct problem_list problems;
        problem_list_init(&problems, flow->arena);
        json_t *objects =
            document_parse(manifest->path, manifest->text, strlen(manifest->text), &problems);
        if (!objects) {
            error_set(err, ERROR_INVALID, "%s: %s", manifest->path,
                      problems.count ? problems.items[0].message : "no YAML");
            return STEP_FAILED;
        }
        json_array_extend(df->objects, objects);
        json_decref(objects);
    }
    df->next_object = 0;
    return STEP_DONE;
}

#define ASK(what, how, limit_ms)                                                                   \
    {                                                                                              \
        .name = what, .run = how, .timeout_ms = (limit_ms), .poll_ms = 200, .tolerant = true       \
    }

const struct step docker_manifests_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    {.name = "read the manifests", .run = read_manifests, .timeout_ms = 1000},
    ASK("read the list of earlier ones", kube_read_inventory, ASK_MS),
    ASK("add to the list", kube_add_inventory, ASK_MS),
    ASK("apply the manifest", kube_apply_objects, APPLY_MS),
    ASK("delete what they no longer hold", kube_prune_objects, ASK_MS),
    ASK("write the list", kube_keep_inventory, ASK_MS),
    {0},
};
