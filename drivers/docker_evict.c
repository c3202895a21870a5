/* The pods of a node go, one of a controller at a time. */
#include "drivers/docker_drain.h"

#include "base/memory.h"
#include <string.h>

/*
 * DESIGN: one row is run again and again. Each run lists the node's pods and
 * goes over them once; for each it does what can be done now, with one request
 * or a few, and remembers of those that cannot go yet why. When no pod is left
 * that has to go, the row is done. So what an earlier try has done already is
 * simply seen, and a pod that comes meanwhile is no surprise.
 *
 *   for each pod:  the node's own ------------------------------> stays
 *                  finished ------------------------------------> DELETE
 *                  ending ------> wait; DELETE at once where nobody will confirm,
 *                                 or all of its containers have ended
 *                  another of its controller is ending ---------> wait
 *                  Ready -------> GET controller: all replicas Ready, or
 *                                 60 s over? else wait
 *                  else, then --> POST eviction (429: wait)
 *
 * A controller is asked before each eviction, the first too: an earlier try,
 * or the drain of another node, may just have evicted one of its pods. A pod
 * that is not Ready serves nobody, so for that one nobody waits.
 *
 * A node does not confirm that its pods have ended when its container stands
 * still, or (LOST) when the cluster has not heard of it. One that is well may
 * take a minute to clear away a pod whose containers have ended (Kubernetes
 * 1.20): since nothing of it runs, nobody waits for that.
 */
enum {
    REPLICAS_MS = 60 * 1000, /* so long a controller may be short of replicas */
    OVERDUE_MS = 30 * 1000,  /* beyond its grace period a pod may take to end */
};

/* --- waits --- */

static uint64_t now_ms(struct flow *flow)
{
    return flow->transport->now_ms(flow->transport);
}

static void forget_wait(struct drain *drain, const char *key)
{
    for (size_t i = 0; i < drain->wait_count; i++)
        if (drain->waits[i].key && strcmp(drain->waits[i].key, key) == 0)
            drain->waits[i].key = NULL;
}

/* How long that has been waited for; the wait begins with the first call. */
static uint64_t waited_ms(struct flow *flow, const char *key)
{
    struct drain *drain = drain_of(flow);
    struct drain_wait *slot = NULL;
    for (size_t i = 0; i < drain->wait_count; i++) {
        if (!drain->waits[i].key)
            slot = &drain->waits[i];
        else if (strcmp(drain->waits[i].key, key) == 0)
            return now_ms(flow) - drain->waits[i].since_ms;
    }
    if (!slot) {
        drain->waits =
            arena_grow(flow->arena, drain->waits, drain->wait_count, sizeof(*drain->waits));
        slot = &drain->waits[drain->wait_count++];
    }
    *slot = (struct drain_wait){.key = arena_string(flow->arena, key), .since_ms = now_ms(flow)};
    return 0;
}

/* --- the pods, one after the other --- */

static const json_t *this_pod(struct flow *flow)
{
    const struct docker_flow *df = docker_flow_of(flow);
    return json_array_get(df->objects, df->next_object);
}

/* Goes on to the next pod; this one cannot go yet, and why is told if the row's time is over. */
static void pass(struct flow *flow, const char *reason)
{
    struct drain *drain = drain_of(flow);
    if (!drain->why)
        drain->why = arena_format(flow->arena, "pod %s: %s",
                                  kube_pod_title(flow->arena, this_pod(flow)), reason);
    docker_flow_of(flow)->next_object++;
}

/* Another pod of its controller has not gone yet. */
static bool another_goes(struct flow *flow, const json_t *pod)
{
    const struct docker_flow *df = docker_flow_of(flow);
    size_t index;
    const json_t *other;
    json_array_foreach(df->objects, index, other)
    {
        if (other != pod && kube_pod_same_controller(pod, other) &&
            (df->drain->going[index] || kube_pod_fate(other) == POD_ENDING ||
             kube_pod_fate(other) == POD_ENDED))
            return true;
    }
    return false;
}

/*
 * The uid belongs to every deletion: a StatefulSet's next pod has the name of
 * the last.
 */
static enum step_status delete_pod(struct flow *flow, int grace_s)
{
    const json_t *pod = this_pod(flow);
    json_t *options = json_pack("{s:s,s:s,s:{s:s}}", "kind", "DeleteOptions", "apiVersion", "v1",
                                "preconditions", "uid", kube_pod_uid(pod));
    if (grace_s >= 0)
        json_object_set_new(options, "gracePeriodSeconds", json_integer(grace_s));
    cleanup_free char *body = json_dumps(options, JSON_COMPACT);
    json_decref(options);
    drain_of(flow)->ask = ASK_DELETION;
    kube_send(flow, "DELETE", kube_pod_path(flow->arena, pod), "application/json", body);
    return STEP_WAITING;
}

static enum step_status evict_pod(struct flow *flow)
{
    const json_t *pod = this_pod(flow);
    struct drain *drain = drain_of(flow);
    const json_t *metadata = json_object_get(pod, "metadata");
    json_t *eviction =
        json_pack("{s:s,s:s,s:{s:O?,s:O?},s:{s:{s:s}}}", "apiVersion", drain->eviction_version,
                  "kind", "Eviction", "metadata", "name", json_object_get(metadata, "name"),
                  "namespace", json_object_get(metadata, "namespace"), "deleteOptions",
                  "preconditions", "uid", kube_pod_uid(pod));
    cleanup_free char *body = json_dumps(eviction, JSON_COMPACT);
    json_decref(eviction);
    drain->ask = ASK_EVICTION;
    kube_send(flow, "POST",
              arena_format(flow->arena, "%s/eviction", kube_pod_path(flow->arena, pod)),
              "application/json", body);
    return STEP_WAITING;
}

/* STEP_DONE: it cannot go yet, and was passed over. */
static enum step_status end_pod(struct flow *flow)
{
    struct drain *drain = drain_of(flow);
    const json_t *pod = this_pod(flow);
    bool overdue = waited_ms(flow, kube_pod_uid(pod)) >= kube_pod_grace_ms(pod) + OVERDUE_MS;
    if (drain->confirms == NODE_STILL || (overdue && drain->confirms == NODE_LOST))
        return delete_pod(flow, 0);
    if (overdue && !drain->looked && drain->container) {
        drain->looked = true;
        drain->ask = ASK_CONTAINER;
        flow_send(flow, "GET",
                  arena_format(flow->arena, "/containers/%s/json", drain->container->id), NULL);
        return STEP_WAITING;
    }
    pass(flow, overdue ? "it was to end, and does not" : "it has not ended yet");
    return STEP_DONE;
}

static enum step_status move_pod(struct flow *flow)
{
    const json_t *pod = this_pod(flow);
    if (another_goes(flow, pod)) {
        pass(flow, "another one of its controller has not ended yet");
        return STEP_DONE;
    }
    const char *replicas = kube_pod_replicas_path(flow->arena, pod);
    if (!replicas || !kube_is_ready(pod) || drain_of(flow)->confirms == NODE_STILL)
        return evict_pod(flow);
    drain_of(flow)->ask = ASK_REPLICAS;
    kube_send(flow, "GET", replicas, NULL, NULL);
    return STEP_WAITING;
}

/* From the pod that is next, until something is asked; at the end of the list the run is over. */
static enum step_status go_on(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    enum step_status status = STEP_DONE;
    const json_t *pod;
    while (status == STEP_DONE && (pod = this_pod(flow))) {
        switch (kube_pod_fate(pod)) {
        case POD_STAYS:
            df->next_object++;
            break;
        case POD_FINISHED:
            status = delete_pod(flow, -1);
            break;
        case POD_ENDING:
            status = end_pod(flow);
            break;
        case POD_ENDED:
            status = delete_pod(flow, 0);
            break;
        case POD_EVICTED:
            status = move_pod(flow);
            break;
        }
    }
    if (status == STEP_WAITING)
        return status;
    flow->waiting_for = df->drain->why;
    return df->drain->why ? STEP_AGAIN : STEP_DONE;
}

/* --- answers --- */

static enum step_status list_pods(struct flow *flow)
{
    struct drain *drain = drain_of(flow);
    drain->ask = ASK_PODS;
    drain->why = NULL;
    drain->looked = false;
    kube_send(flow, "GET",
              arena_format(flow->arena, "/api/v1/pods?fieldSelector=spec.nodeName%%3D%s",
                           drain_subject(flow)),
              NULL, NULL);
    return STEP_WAITING;
}

static enum step_status take_pods(struct flow *flow, const struct answer *answer)
{
    struct docker_flow *df = docker_flow_of(flow);
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    json_t *items = json_object_get(list, "items");
    bool known = !answer->failure && answer->status == 200 && json_is_array(items);
    json_decref(df->objects);
    df->objects = known ? json_incref(items) : NULL;
    df->next_object = 0;
    json_decref(list);
    if (known) {
        df->drain->going = arena_array(flow->arena, json_array_size(df->objects) + 1, sizeof(bool));
        return go_on(flow);
    }
    flow->waiting_for =
        arena_format(flow->arena, "the list of its pods: %s", docker_message(flow, answer));
    return STEP_AGAIN;
}

/* As the engine says it now; what is not known changes nothing. */
static enum step_status take_container(struct flow *flow, const struct answer *answer)
{
    json_t *seen = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *running = json_object_get(json_object_get(seen, "State"), "Running");
    if (!answer->failure &&
        (answer->status == 404 || (answer->status == 200 && json_is_false(running))))
        drain_of(flow)->confirms = NODE_STILL;
    json_decref(seen);
    return go_on(flow);
}

static json_int_t number_of(const json_t *object, const char *part, const char *key,
                            json_int_t none)
{
    const json_t *value = json_object_get(json_object_get(object, part), key);
    return json_is_integer(value) ? json_integer_value(value) : none;
}

static enum step_status take_replicas(struct flow *flow, const struct answer *answer)
{
    const char *path = kube_pod_replicas_path(flow->arena, this_pod(flow));
    json_t *controller = json_loadb(answer->body, answer->length, 0, NULL);
    json_int_t want = number_of(controller, "spec", "replicas", 1);
    json_int_t have = number_of(controller, "status", "readyReplicas", 0);
    bool known = !answer->failure && answer->status == 200 && json_is_object(controller);
    json_decref(controller);
    bool gone = !answer->failure && answer->status == 404;
    if (gone || (known && have >= want) || waited_ms(flow, path) >= REPLICAS_MS) {
        forget_wait(drain_of(flow), path);
        return evict_pod(flow);
    }
    pass(flow, known ? arena_format(flow->arena, "its controller has %lld of %lld replicas ready",
                                    (long long)have, (long long)want)
                     : docker_message(flow, answer));
    return go_on(flow);
}

/* Evicted, or gone already. */
static void take_leave(struct flow *flow)
{
    struct docker_flow *df = docker_flow_of(flow);
    const json_t *pod = this_pod(flow);
    if (!kube_pod_controller(pod))
        flow_note(flow, arena_format(flow->arena, "pod %s had no controller and is gone",
                                     kube_pod_title(flow->arena, pod)));
    df->drain->going[df->next_object] = true;
    (void)waited_ms(flow, kube_pod_uid(pod));
}

static enum step_status take_eviction(struct flow *flow, const struct answer *answer)
{
    struct drain *drain = drain_of(flow);
    bool done = !answer->failure && (answer->status == 200 || answer->status == 201);
    /* A budget protects what runs: where the container stands still nothing does. */
    bool idle_budget = answer->status == 429 && drain->confirms == NODE_STILL;
    if (done || idle_budget)
        take_leave(flow);
    if ((done || idle_budget) && drain->confirms != NODE_CONFIRMS)
        return delete_pod(flow, 0);
    pass(flow, done ? "it has not ended yet" : docker_message(flow, answer));
    return go_on(flow);
}

static enum step_status take_deletion(struct flow *flow, const struct answer *answer)
{
    bool done = !answer->failure && (answer->status == 200 || answer->status == 202);
    pass(flow, done ? "it has not gone yet" : docker_message(flow, answer));
    return go_on(flow);
}

enum step_status docker_empty_node(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    (void)err;
    if (drain_of(flow)->unknown)
        return STEP_DONE;
    if (!answer)
        return list_pods(flow);
    switch (drain_of(flow)->ask) {
    case ASK_PODS:
        return take_pods(flow, answer);
    case ASK_CONTAINER:
        return take_container(flow, answer);
    case ASK_REPLICAS:
        return take_replicas(flow, answer);
    case ASK_EVICTION:
        return take_eviction(flow, answer);
    case ASK_DELETION:
        return take_deletion(flow, answer);
    }
    return STEP_AGAIN;
}
