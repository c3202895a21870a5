#include "drivers/kube_pods.h"

#include "base/memory.h"
#include "drivers/docker_flow.h"
#include <string.h>

enum { GRACE_S = 30 }; /* Kubernetes' own default */

static const char *word(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static const json_t *metadata_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

const json_t *kube_pod_controller(const json_t *pod)
{
    size_t index;
    const json_t *owner;
    json_array_foreach(json_object_get(metadata_of(pod), "ownerReferences"), index, owner)
    {
        if (json_is_true(json_object_get(owner, "controller")))
            return owner;
    }
    return NULL;
}

/* Of each container of the list is told that it has ended, and not before then. */
static bool all_ended(const json_t *pod, const char *list, const char *statuses, long long since_s)
{
    const json_t *told = json_object_get(json_object_get(pod, "status"), statuses), *status;
    size_t index;
    json_array_foreach(told, index, status)
    {
        const json_t *end = json_object_get(json_object_get(status, "state"), "terminated");
        if (!end || kube_time(word(end, "finishedAt")) < since_s)
            return false;
    }
    return json_array_size(told) ==
           json_array_size(json_object_get(json_object_get(pod, "spec"), list));
}

/* When it was deleted: the timestamp is of the end of its grace period. */
static long long deleted_at_s(const json_t *pod)
{
    const json_t *metadata = metadata_of(pod);
    return kube_time(word(metadata, "deletionTimestamp")) -
           json_integer_value(json_object_get(metadata, "deletionGracePeriodSeconds"));
}

/* A container that ended before the pod was deleted may have been started again since. */
static bool has_ended(const json_t *pod, bool finished)
{
    long long since_s = deleted_at_s(pod);
    return since_s > 0 &&
           json_array_size(json_object_get(json_object_get(pod, "spec"), "containers")) > 0 &&
           all_ended(pod, "containers", "containerStatuses", finished ? 0 : since_s) &&
           all_ended(pod, "initContainers", "initContainerStatuses", 0) &&
           all_ended(pod, "ephemeralContainers", "ephemeralContainerStatuses", 0);
}

enum pod_fate kube_pod_fate(const json_t *pod)
{
    const char *phase = word(json_object_get(pod, "status"), "phase");
    bool finished = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
    const json_t *annotations = json_object_get(metadata_of(pod), "annotations");
    if (json_object_get(annotations, "kubernetes.io/config.mirror") ||
        strcmp(word(kube_pod_controller(pod), "kind"), "DaemonSet") == 0)
        return POD_STAYS;
    if (json_is_string(json_object_get(metadata_of(pod), "deletionTimestamp")))
        return has_ended(pod, finished) ? POD_ENDED : POD_ENDING;
    return finished ? POD_FINISHED : POD_EVICTED;
}

const char *kube_pod_title(struct arena *arena, const json_t *pod)
{
    return arena_format(arena, "%s/%s", word(metadata_of(pod), "namespace"),
                        word(metadata_of(pod), "name"));
}

const char *kube_pod_path(struct arena *arena, const json_t *pod)
{
    return arena_format(arena, "/api/v1/namespaces/%s/pods/%s", word(metadata_of(pod), "namespace"),
                        word(metadata_of(pod), "name"));
}

const char *kube_pod_uid(const json_t *pod)
{
    return word(metadata_of(pod), "uid");
}

bool kube_pod_same_controller(const json_t *a, const json_t *b)
{
    const char *uid = word(kube_pod_controller(a), "uid");
    return *uid && strcmp(uid, word(kube_pod_controller(b), "uid")) == 0;
}

const char *kube_pod_replicas_path(struct arena *arena, const json_t *pod)
{
    static const struct {
        const char *kind, *path, *resource;
    } rows[] = {
        {"ReplicaSet", "/apis/apps/v1", "replicasets"},
        {"StatefulSet", "/apis/apps/v1", "statefulsets"},
        {"ReplicationController", "/api/v1", "replicationcontrollers"},
    };
    const json_t *controller = kube_pod_controller(pod);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].kind, word(controller, "kind")) == 0)
            return arena_format(arena, "%s/namespaces/%s/%s/%s", rows[i].path,
                                word(metadata_of(pod), "namespace"), rows[i].resource,
                                word(controller, "name"));
    return NULL;
}

bool kube_is_ready(const json_t *object)
{
    size_t index;
    const json_t *condition;
    json_array_foreach(json_object_get(json_object_get(object, "status"), "conditions"), index,
                       condition)
    {
        if (strcmp(word(condition, "type"), "Ready") == 0)
            return strcmp(word(condition, "status"), "True") == 0;
    }
    return false;
}

uint64_t kube_pod_grace_ms(const json_t *pod)
{
    enum { MS = 1000 };
    const json_t *grace = json_object_get(metadata_of(pod), "deletionGracePeriodSeconds");
    json_int_t seconds = json_is_integer(grace) ? json_integer_value(grace) : GRACE_S;
    return seconds > 0 ? (uint64_t)seconds * MS : 0;
}
