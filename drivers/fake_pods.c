#include "drivers/fake_pods.h"

#include "base/memory.h"
#include "drivers/fake_controller.h"
#include "drivers/fake_store.h"

enum { GRACE_S = 30, MS = 1000 };

static bool is_pod(const struct fake_object *object)
{
    return !object->deleted && strcmp(object->resource, "pods") == 0;
}

static const json_t *metadata_of(const struct fake_object *object)
{
    return json_object_get(object->value, "metadata");
}

static const char *node_of(const struct fake_object *pod)
{
    return fake_json_string(json_object_get(pod->value, "spec"), "nodeName");
}

static bool is_ending(const struct fake_object *pod)
{
    return json_object_get(metadata_of(pod), "deletionTimestamp");
}

static bool is_ready(const struct fake_object *pod)
{
    size_t i;
    const json_t *condition;
    json_array_foreach(json_object_get(json_object_get(pod->value, "status"), "conditions"), i,
                       condition)
    {
        if (strcmp(fake_json_string(condition, "type"), "Ready") == 0)
            return strcmp(fake_json_string(condition, "status"), "True") == 0;
    }
    return false;
}

static struct fake_place place_of(const struct fake_object *object)
{
    return (struct fake_place){object->group_version, object->resource, object->namespace,
                               object->name, NULL};
}

/* --- ending --- */

static bool kubelet_runs(const struct fake_world *world, const char *name)
{
    struct fake_container *container;
    HASH_FIND(by_name, world->container_names, name, strlen(name), container);
    return container && container->run == FAKE_RUNNING && container->node.kubelet_at_ms &&
           !container->node.kubelet_frozen;
}

void fake_pods_end(struct fake_call *call, struct fake_cluster *cluster, struct fake_object *pod,
                   json_int_t grace_s)
{
    const char *phase = fake_json_string(json_object_get(pod->value, "status"), "phase");
    bool finished = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
    const json_t *own =
        json_object_get(json_object_get(pod->value, "spec"), "terminationGracePeriodSeconds");
    if (grace_s < 0)
        grace_s = own ? json_integer_value(own) : GRACE_S;
    if (grace_s == 0 || finished || !*node_of(pod)) {
        fake_store_delete(cluster, pod);
        return;
    }
    if (is_ending(pod))
        return;
    uint64_t grace_ms = (uint64_t)grace_s * MS, own_ms = call->world->settings.ready_ms;
    const struct fake_place place = place_of(pod);
    json_t *value = json_deep_copy(pod->value);
    json_t *metadata = json_object_get(value, "metadata");
    json_object_set_new(metadata, "deletionTimestamp",
                        json_string(fake_time_seconds(call->arena, call->now_ms + grace_ms)));
    json_object_set_new(metadata, "deletionGracePeriodSeconds", json_integer(grace_s));
    pod->ends_at_ms = call->now_ms + (own_ms < grace_ms ? own_ms : grace_ms);
    pod->ended = false; /* another of that name may have been here */
    fake_store_put(call, cluster, &place, value);
}

/* What kubelet tells of each container of the pod: {"running": {}} or the like. */
static json_t *container_statuses(const json_t *pod, json_t *state)
{
    json_t *statuses = json_array();
    size_t i;
    const json_t *container;
    json_array_foreach(json_object_get(json_object_get(pod, "spec"), "containers"), i, container)
    {
        json_array_append_new(
            statuses,
            json_pack("{s:s,s:O}", "name", fake_json_string(container, "name"), "state", state));
    }
    json_decref(state);
    return statuses;
}

static void tell_end(struct fake_call *call, struct fake_cluster *cluster, struct fake_object *pod)
{
    const struct fake_place place = place_of(pod);
    json_t *value = json_deep_copy(pod->value), *status = json_object_get(value, "status");
    const char *at = fake_time_seconds(call->arena, pod->ends_at_ms);
    if (!status)
        json_object_set_new(value, "status", status = json_object());
    json_object_set_new(
        status, "containerStatuses",
        container_statuses(pod->value, json_pack("{s:{s:i,s:s}}", "terminated", "exitCode", 137,
                                                 "finishedAt", at)));
    pod->ended = true;
    fake_store_put(call, cluster, &place, value);
}

static bool is_stubborn(const struct fake_object *pod)
{
    return json_object_get(json_object_get(metadata_of(pod), "annotations"), "fake/stubborn");
}

static void let_end(struct fake_call *call, struct fake_cluster *cluster)
{
    for (struct fake_object *pod = cluster->objects; pod; pod = pod->hh.next) {
        if (!is_pod(pod) || !is_ending(pod) || is_stubborn(pod) || call->now_ms < pod->ends_at_ms ||
            !kubelet_runs(call->world, node_of(pod)))
            continue;
        if (call->now_ms >= pod->ends_at_ms + call->world->settings.clear_ms)
            fake_store_delete(cluster, pod);
        else if (!pod->ended)
            tell_end(call, cluster, pod);
    }
}

/* --- ReplicaSets --- */

static bool is_of(const struct fake_object *pod, const struct fake_object *set)
{
    const char *uid = fake_json_string(metadata_of(set), "uid");
    const json_t *owner = json_array_get(json_object_get(metadata_of(pod), "ownerReferences"), 0);
    return is_pod(pod) && strcmp(fake_json_string(owner, "uid"), uid) == 0;
}

static size_t pods_on(struct fake_cluster *cluster, const char *node)
{
    size_t count = 0;
    for (struct fake_object *pod = cluster->objects; pod; pod = pod->hh.next)
        count += is_pod(pod) && strcmp(node_of(pod), node) == 0;
    return count;
}

/* The open, Ready node with the fewest pods; NULL: there is none. */
static const char *choose_node(struct fake_cluster *cluster)
{
    const char *best = NULL;
    size_t fewest = SIZE_MAX;
    for (struct fake_object *node = cluster->objects; node; node = node->hh.next) {
        if (node->deleted || strcmp(node->resource, "nodes") != 0 ||
            json_is_true(json_object_get(json_object_get(node->value, "spec"), "unschedulable")) ||
            !fake_controller_node_ready(cluster, node->name))
            continue;
        size_t count = pods_on(cluster, node->name);
        if (count < fewest) {
            fewest = count;
            best = node->name;
        }
    }
    return best;
}

static void make_pod(struct fake_call *call, struct fake_cluster *cluster,
                     const struct fake_object *set)
{
    const char *node = choose_node(cluster);
    cleanup_free char *id = fake_new_id(call->world);
    if (!node)
        return;
    const struct fake_place place = {"v1", "pods", set->namespace,
                                     arena_format(call->arena, "%s-%.5s", set->name, id), NULL};
    json_t *template = json_object_get(json_object_get(set->value, "spec"), "template");
    json_t *labels = json_object_get(json_object_get(template, "metadata"), "labels");
    struct fake_object *pod = fake_store_make(
        call, cluster, &place, "Pod",
        json_pack("{s:{s:O*,s:[{s:s,s:s,s:s,s:s,s:b}]},s:{s:s,s:[{s:s}]},s:{s:s}}", "metadata",
                  "labels", labels, "ownerReferences", "apiVersion", set->group_version, "kind",
                  "ReplicaSet", "name", set->name, "uid", fake_json_string(metadata_of(set), "uid"),
                  "controller", 1, "spec", "nodeName", node, "containers", "name", "app", "status",
                  "phase", "Running"));
    pod->ready_at_ms = call->now_ms + call->world->settings.ready_ms;
}

static void report_pod(struct fake_call *call, struct fake_cluster *cluster,
                       struct fake_object *pod)
{
    if (!pod->ready_at_ms || call->now_ms < pod->ready_at_ms || is_ready(pod) || is_ending(pod))
        return;
    const struct fake_place place = place_of(pod);
    json_t *value = json_deep_copy(pod->value);
    json_t *status = json_object_get(value, "status");
    json_object_set_new(status, "conditions",
                        json_pack("[{s:s,s:s}]", "type", "Ready", "status", "True"));
    json_object_set_new(status, "containerStatuses",
                        container_statuses(pod->value, json_pack("{s:{}}", "running")));
    fake_store_put(call, cluster, &place, value);
}

static void keep_set(struct fake_call *call, struct fake_cluster *cluster, struct fake_object *set)
{
    const json_t *replicas = json_object_get(json_object_get(set->value, "spec"), "replicas");
    json_int_t want = replicas ? json_integer_value(replicas) : 1, have = 0, ready = 0;
    for (struct fake_object *pod = cluster->objects; pod; pod = pod->hh.next)
        if (is_of(pod, set) && !is_ending(pod)) {
            have++;
            ready += is_ready(pod);
        }
    for (json_int_t i = have; i < want; i++)
        make_pod(call, cluster, set);
    json_t *status = json_pack("{s:I,s:I}", "replicas", have, "readyReplicas", ready);
    if (!json_equal(status, json_object_get(set->value, "status"))) {
        const struct fake_place place = place_of(set);
        json_t *value = json_deep_copy(set->value);
        json_object_set(value, "status", status);
        fake_store_put(call, cluster, &place, value);
    }
    json_decref(status);
}

void fake_pods_run(struct fake_call *call, struct fake_cluster *cluster)
{
    let_end(call, cluster);
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (is_pod(object))
            report_pod(call, cluster, object);
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (!object->deleted && strcmp(object->resource, "replicasets") == 0)
            keep_set(call, cluster, object);
}

/* --- budgets --- */

static bool selects(const struct fake_object *budget, const struct fake_object *pod)
{
    json_t *selector = json_object_get(json_object_get(budget->value, "spec"), "selector");
    json_t *labels = json_object_get(metadata_of(pod), "labels"), *value;
    const char *key;
    if (strcmp(budget->namespace, pod->namespace) != 0)
        return false;
    json_object_foreach(json_object_get(selector, "matchLabels"), key, value)
    {
        if (!json_equal(value, json_object_get(labels, key)))
            return false;
    }
    return true;
}

const char *fake_pods_budget(struct fake_cluster *cluster, const struct fake_object *pod)
{
    for (struct fake_object *budget = cluster->objects; budget; budget = budget->hh.next) {
        if (budget->deleted || strcmp(budget->resource, "poddisruptionbudgets") != 0 ||
            !selects(budget, pod))
            continue;
        json_int_t least = json_integer_value(
            json_object_get(json_object_get(budget->value, "spec"), "minAvailable"));
        json_int_t ready = 0;
        for (struct fake_object *other = cluster->objects; other; other = other->hh.next)
            ready +=
                is_pod(other) && selects(budget, other) && is_ready(other) && !is_ending(other);
        if (ready - 1 < least)
            return budget->name;
    }
    return NULL;
}
