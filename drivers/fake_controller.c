#include "drivers/fake_controller.h"

#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"
#include "drivers/fake_peers.h"
#include "drivers/fake_pods.h"
#include "drivers/fake_store.h"
#include "model/document.h"

static struct fake_object *find_node(struct fake_cluster *cluster, const char *name)
{
    const struct fake_place place = {"v1", "nodes", NULL, name, NULL};
    return fake_store_get(cluster, &place);
}

/* "True", "False", "Unknown", or "" before the first report. */
static const char *ready_status(const json_t *node)
{
    size_t i;
    json_t *condition;
    json_t *conditions = json_object_get(json_object_get(node, "status"), "conditions");
    json_array_foreach(conditions, i, condition)
    {
        if (strcmp(fake_json_string(condition, "type"), "Ready") == 0)
            return fake_json_string(condition, "status");
    }
    return "";
}

bool fake_controller_node_ready(struct fake_cluster *cluster, const char *name)
{
    struct fake_object *object = find_node(cluster, name);
    return object && strcmp(ready_status(object->value), "True") == 0;
}

/* --- a kubelet's Node --- */

static void add_labels(struct fake_call *call, struct fake_container *container, json_t *labels)
{
    struct problem_list problems;
    problem_list_init(&problems, call->arena);
    const struct fake_file *file = fake_file_get(container, "/kind/kubeadm.conf");
    json_t *documents = file ? document_parse("", file->bytes, file->length, &problems) : NULL;
    json_t *document;
    size_t i;
    const char *list = "";
    json_array_foreach(documents, i, document)
    {
        json_t *extra =
            json_object_get(json_object_get(document, "nodeRegistration"), "kubeletExtraArgs");
        if (*fake_json_string(extra, "node-labels"))
            list = fake_json_string(extra, "node-labels");
    }
    while (*list) {
        size_t length = strcspn(list, ","), key = strcspn(list, "=,");
        if (key > 0)
            json_object_set_new(
                labels, arena_string_n(call->arena, list, key),
                json_stringn(list + key + (key < length), length - key - (key < length)));
        list += length + (list[length] == ',');
    }
    json_decref(documents);
}

static json_t *node_json(struct fake_call *call, struct fake_container *container)
{
    const char *address = container->endpoint_count && container->endpoints[0].ipv4
                              ? container->endpoints[0].ipv4
                              : "";
    json_t *labels = json_pack("{s:s, s:s, s:s}", "kubernetes.io/hostname", container->name,
                               "kubernetes.io/os", "linux", "kubernetes.io/arch", "amd64");
    add_labels(call, container, labels);
    const char *provider =
        arena_format(call->arena, "kind://docker/%s/%s",
                     fake_container_label(container, "io.x-k8s.kind.cluster"), container->name);
    return json_pack(
        "{s:{s:o, s:{s:s}}, s:{s:s}, s:{s:[{s:s, s:s}, {s:s, s:s}], s:{s:s, s:s, s:s}, s:{s:s, "
        "s:s, s:s}}}",
        "metadata", "labels", labels, "annotations", "node.alpha.kubernetes.io/ttl", "0", "spec",
        "providerID", provider, "status", "addresses", "type", "InternalIP", "address", address,
        "type", "Hostname", "address", container->name, "capacity", "cpu", "2", "memory",
        "8000000Ki", "ephemeral-storage", "90000000Ki", "nodeInfo", "kubeletVersion",
        container->node.version, "osImage", "Debian GNU/Linux 12 (bookworm)",
        "containerRuntimeVersion", "containerd://1.6.20");
}

/* One that was told an address which its node does not have reports nothing. */
static bool kubelet_runs(struct fake_container *container, uint64_t now_ms)
{
    return container->run == FAKE_RUNNING && container->node.kubelet_at_ms &&
           !container->node.kubelet_frozen && now_ms >= container->node.kubelet_at_ms &&
           fake_peers_reports(container);
}

/* Of a Node that somebody made before, a kubelet writes the status and its own labels alone. */
static void complete_node(struct fake_call *call, struct fake_cluster *cluster,
                          struct fake_object *object, json_t *own)
{
    const struct fake_place place = {"v1", "nodes", NULL, object->name, NULL};
    json_t *value = json_deep_copy(object->value), *labels;
    labels = json_object_get(json_object_get(value, "metadata"), "labels");
    json_object_update_missing(labels, json_object_get(json_object_get(own, "metadata"), "labels"));
    json_object_set(value, "status", json_object_get(own, "status"));
    json_decref(own);
    fake_store_put(call, cluster, &place, value);
}

static void register_node(struct fake_call *call, struct fake_cluster *cluster,
                          struct fake_container *container)
{
    const struct fake_place place = {"v1", "nodes", NULL, container->name, NULL};
    if (container->node.registered || !kubelet_runs(container, call->now_ms) ||
        !fake_file_get(container, "/etc/kubernetes/kubelet.conf"))
        return;
    struct fake_object *object = fake_store_get(cluster, &place);
    if (!object)
        fake_store_make(call, cluster, &place, "Node", node_json(call, container));
    else
        complete_node(call, cluster, object, node_json(call, container));
    container->node.registered = true;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When a running node's kubelet says Ready; UINT64_MAX without a CNI. */
static uint64_t ready_at_ms(const struct fake_world *world, const struct fake_cluster *cluster,
                            const struct fake_container *container)
{
    if (!cluster->cni_at_ms)
        return UINT64_MAX;
    return later(cluster->cni_at_ms, container->node.kubelet_at_ms) + world->settings.ready_ms;
}

static const char *wanted_status(struct fake_call *call, const struct fake_cluster *cluster,
                                 struct fake_container *container, const char *have)
{
    if (container && kubelet_runs(container, call->now_ms) && container->node.containerd_stopped)
        return "False";
    if (container && kubelet_runs(container, call->now_ms))
        return call->now_ms >= ready_at_ms(call->world, cluster, container) ? "True" : "False";
    uint64_t gone_ms =
        container ? later(container->node.silent_at_ms, container->finished_at_ms) : 0;
    bool lost = call->now_ms >= gone_ms + call->world->settings.lost_ms;
    return lost || !*have ? "Unknown" : have;
}

/* The node lifecycle controller's taint on a node that is not Ready. */
static void set_taint(json_t *spec, bool ready)
{
    static const char key[] = "node.kubernetes.io/not-ready";
    json_t *taints = json_object_get(spec, "taints");
    if (!taints && ready)
        return;
    if (!taints) {
        taints = json_array();
        json_object_set_new(spec, "taints", taints);
    }
    for (size_t i = json_array_size(taints); i-- > 0;)
        if (strcmp(fake_json_string(json_array_get(taints, i), "key"), key) == 0)
            json_array_remove(taints, i);
    if (!ready)
        json_array_append_new(taints, json_pack("{s:s, s:s}", "key", key, "effect", "NoSchedule"));
    if (json_array_size(taints) == 0)
        json_object_del(spec, "taints");
}

static json_t *condition_json(struct fake_call *call, const char *type, const char *status,
                              const char *reason)
{
    const char *now = fake_time_seconds(call->arena, call->now_ms);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", type, "status", status, "reason",
                     reason, "message", "", "lastHeartbeatTime", now, "lastTransitionTime", now);
}

static void report_node(struct fake_call *call, struct fake_cluster *cluster,
                        struct fake_object *object)
{
    struct fake_container *container;
    HASH_FIND(by_name, call->world->container_names, object->name, strlen(object->name), container);
    const char *have = ready_status(object->value);
    const char *want = wanted_status(call, cluster, container, have);
    if (strcmp(have, want) == 0)
        return;
    bool ready = strcmp(want, "True") == 0;
    json_t *value = json_deep_copy(object->value);
    json_t *status = json_object_get(value, "status"), *spec = json_object_get(value, "spec");
    if (!status)
        json_object_set_new(value, "status", status = json_object());
    if (!spec)
        json_object_set_new(value, "spec", spec = json_object());
    json_object_set_new(
        status, "conditions",
        json_pack("[o, o, o, o]",
                  condition_json(call, "MemoryPressure", "False", "KubeletHasSufficientMemory"),
                  condition_json(call, "DiskPressure", "False", "KubeletHasNoDiskPressure"),
                  condition_json(call, "PIDPressure", "False", "KubeletHasSufficientPID"),
                  condition_json(call, "Ready", want, ready ? "KubeletReady" : "KubeletNotReady")));
    set_taint(spec, ready);
    const struct fake_place place = {"v1", "nodes", NULL, object->name, NULL};
    fake_store_put(call, cluster, &place, value);
}

/* --- workloads --- */

static size_t ready_nodes(struct fake_cluster *cluster, size_t *all)
{
    size_t ready = 0;
    *all = 0;
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next) {
        if (object->deleted || strcmp(object->resource, "nodes") != 0)
            continue;
        *all += 1;
        ready += strcmp(ready_status(object->value), "True") == 0;
    }
    return ready;
}

static json_t *workload_status(const struct fake_object *object, size_t ready, size_t nodes)
{
    json_t *spec = json_object_get(object->value, "spec");
    json_t *generation = json_object_get(json_object_get(object->value, "metadata"), "generation");
    json_t *replicas = json_object_get(spec, "replicas");
    json_int_t wanted = replicas ? json_integer_value(replicas) : 1, running = ready ? wanted : 0;
    if (strcmp(object->resource, "daemonsets") == 0)
        return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:O*}", "desiredNumberScheduled",
                         (json_int_t)nodes, "currentNumberScheduled", (json_int_t)nodes,
                         "updatedNumberScheduled", (json_int_t)nodes, "numberReady",
                         (json_int_t)ready, "numberAvailable", (json_int_t)ready,
                         "numberMisscheduled", (json_int_t)0, "observedGeneration", generation);
    if (strcmp(object->resource, "deployments") == 0)
        return json_pack("{s:I, s:I, s:I, s:I, s:O*, s:[{s:s, s:s}]}", "replicas", wanted,
                         "updatedReplicas", wanted, "readyReplicas", running, "availableReplicas",
                         running, "observedGeneration", generation, "conditions", "type",
                         "Available", "status", running >= wanted ? "True" : "False");
    return NULL;
}

static void report_workload(struct fake_call *call, struct fake_cluster *cluster,
                            struct fake_object *object, size_t ready, size_t nodes)
{
    json_t *status = workload_status(object, ready, nodes);
    if (status && !json_equal(status, json_object_get(object->value, "status"))) {
        json_t *value = json_deep_copy(object->value);
        json_object_set(value, "status", status);
        const struct fake_place place = {object->group_version, object->resource, object->namespace,
                                         object->name, NULL};
        fake_store_put(call, cluster, &place, value);
    }
    json_decref(status);
}

/* The CNI is any DaemonSet of kube-system beside kube-proxy. */
static void look_for_cni(struct fake_call *call, struct fake_cluster *cluster)
{
    bool found = false;
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        found |= !object->deleted && strcmp(object->resource, "daemonsets") == 0 &&
                 object->namespace && strcmp(object->namespace, "kube-system") == 0 &&
                 strcmp(object->name, "kube-proxy") != 0;
    if (!found)
        cluster->cni_at_ms = 0;
    else if (!cluster->cni_at_ms)
        cluster->cni_at_ms = call->now_ms;
}

void fake_controller_sign(struct fake_call *call, struct fake_cluster *cluster)
{
    static const char prefix[] = "bootstrap-token-";
    const struct fake_place place = {"v1", "configmaps", "kube-public", "cluster-info", NULL};
    struct fake_object *info = fake_store_get(cluster, &place);
    if (!info)
        return;
    json_t *data = json_object();
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (!object->deleted && strcmp(object->resource, "secrets") == 0 &&
            strncmp(object->name, prefix, strlen(prefix)) == 0)
            json_object_set_new(
                data, arena_format(call->arena, "jws-kubeconfig-%s", object->name + strlen(prefix)),
                json_string("signed"));
    if (!json_equal(data, json_object_get(info->value, "data"))) {
        json_t *value = json_deep_copy(info->value);
        json_object_set(value, "data", data);
        fake_store_put(call, cluster, &place, value);
    }
    json_decref(data);
}

static void make_basics(struct fake_call *call, struct fake_cluster *cluster)
{
    static const char *const namespaces[] = {"default", "kube-system", "kube-public",
                                             "kube-node-lease"};
    if (cluster->objects)
        return;
    for (size_t i = 0; i < COUNT_OF(namespaces); i++) {
        const struct fake_place place = {"v1", "namespaces", NULL, namespaces[i], NULL};
        fake_store_make(call, cluster, &place, "Namespace",
                        json_pack("{s:{s:s}}", "status", "phase", "Active"));
    }
    const struct fake_place place = {"v1", "services", "default", "kubernetes", NULL};
    fake_store_make(call, cluster, &place, "Service",
                    json_pack("{s:{s:s}}", "spec", "clusterIP", "10.96.0.1"));
}

void fake_controller_run(struct fake_call *call, struct fake_cluster *cluster)
{
    struct fake_world *world = call->world;
    if (!fake_cluster_api(world, cluster, call->now_ms))
        return;
    make_basics(call, cluster);
    look_for_cni(call, cluster);
    for (struct fake_container *container = world->containers; container;
         container = container->by_id.next)
        if (container->node.cluster == cluster)
            register_node(call, cluster, container);
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (!object->deleted && strcmp(object->resource, "nodes") == 0)
            report_node(call, cluster, object);
    size_t nodes, ready = ready_nodes(cluster, &nodes);
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (!object->deleted)
            report_workload(call, cluster, object, ready, nodes);
    fake_pods_run(call, cluster);
}

static void sooner(uint64_t *next_ms, uint64_t at_ms, uint64_t now_ms)
{
    if (at_ms > now_ms && at_ms < *next_ms)
        *next_ms = at_ms;
}

uint64_t fake_controller_next_ms(struct fake_world *world, struct fake_cluster *cluster,
                                 uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;
    for (struct fake_container *container = world->containers; container;
         container = container->by_id.next) {
        if (container->node.cluster != cluster)
            continue;
        sooner(&next_ms, container->node.kubelet_at_ms, now_ms);
        sooner(&next_ms, container->node.api_at_ms, now_ms);
        if (container->node.kubelet_at_ms)
            sooner(&next_ms, ready_at_ms(world, cluster, container), now_ms);
        if (container->run == FAKE_RUNNING && container->node.silent_at_ms)
            sooner(&next_ms, container->node.silent_at_ms + world->settings.lost_ms, now_ms);
        if (container->run == FAKE_EXITED)
            sooner(&next_ms, container->finished_at_ms + world->settings.lost_ms, now_ms);
    }
    return next_ms;
}
