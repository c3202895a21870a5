/* What makes a cluster of a bare API: CNI, storage, the user's entry, Ready, the record. */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "model/document.h"
#include <string.h>

enum { APPLY_MS = 60 * 1000, READY_MS = 300 * 1000 };

static enum step_status read_manifests(struct flow *flow, const struct answer *answer,
                                       struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        docker_read_files(flow, df->found->id, "/kind/manifests");
        return STEP_WAITING;
    }
    return docker_files(flow, answer, err) ? STEP_FAILED : STEP_DONE;
}

static int parse_manifest(struct docker_flow *df, const char *file, const char *text,
                          struct error **err)
{
    struct problem_list problems;
    problem_list_init(&problems, df->flow.arena);
    json_decref(df->objects);
    df->next_object = 0;
    df->objects = document_parse(file, text, strlen(text), &problems);
    if (df->objects)
        return 0;
    return error_set(err, ERROR_INVALID, "/kind/manifests/%s of the image, line %u: %s", file,
                     problems.count ? problems.items[0].place.line : 0,
                     problems.count ? problems.items[0].message : "no YAML");
}

/* Upstream's marker in CNI manifests that want to know where the API is. */
static void patch_endpoint(struct docker_flow *df)
{
    const char *endpoint = docker_endpoint(df);
    size_t index;
    json_t *object;
    json_array_foreach(df->objects, index, object)
    {
        const char *kind = json_string_value(json_object_get(object, "kind"));
        if (!kind || strcmp(kind, "DaemonSet") != 0)
            continue;
        json_t *pod =
            json_object_get(json_object_get(json_object_get(object, "spec"), "template"), "spec");
        json_t *container = json_array_get(json_object_get(pod, "containers"), 0);
        json_t *environment = json_object_get(container, "env");
        if (!environment && json_is_object(container)) {
            environment = json_array();
            json_object_set_new(container, "env", environment);
        }
        json_array_append_new(environment, json_pack("{s:s,s:s}", "name", "CONTROL_PLANE_ENDPOINT",
                                                     "value", endpoint));
    }
}

static enum step_status prepare_cni(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    const struct archive_file *file = archive_find(&df->files, "manifests/default-cni.yaml");
    if (!file || !file->bytes) {
        error_set(err, ERROR_INVALID,
                  "the image has no /kind/manifests/default-cni.yaml; "
                  "with networking.disableDefaultCNI none is needed");
        return STEP_FAILED;
    }
    const char *plain = arena_string_n(flow->arena, file->bytes, file->length);
    const char *filled = plain;
    if (strstr(plain, "would you kindly template this file"))
        filled =
            docker_fill(flow, plain, "{{ .PodSubnet }}", df->input.spec->networking.pod_subnet);
    if (parse_manifest(df, "default-cni.yaml", filled, err))
        return STEP_FAILED;
    if (strstr(plain, "would you kindly patch this file"))
        patch_endpoint(df);
    return STEP_DONE;
}

static const char fallback_storage[] = "apiVersion: storage.k8s.io/v1\n"
                                       "kind: StorageClass\n"
                                       "metadata:\n"
                                       "  name: standard\n"
                                       "  annotations:\n"
                                       "    storageclass.kubernetes.io/is-default-class: \"true\"\n"
                                       "provisioner: kubernetes.io/host-path\n";

static enum step_status prepare_storage(struct flow *flow, const struct answer *answer,
                                        struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    const struct archive_file *file = archive_find(&df->files, "manifests/default-storage.yaml");
    cleanup_free char *text = file && file->bytes ? memory_string_n(file->bytes, file->length)
                                                  : memory_string(fallback_storage);
    return parse_manifest(df, "default-storage.yaml", text, err) ? STEP_FAILED : STEP_DONE;
}

#define MANIFESTS                                                                                  \
    {                                                                                              \
        .name = "read the manifests", .run = read_manifests, .timeout_ms = DOCKER_REQUEST_MS       \
    }
#define APPLY_OBJECTS                                                                              \
    {                                                                                              \
        .name = "apply the manifest", .run = kube_apply_objects, .timeout_ms = APPLY_MS,           \
        .poll_ms = 200, .tolerant = true                                                           \
    }

const struct step docker_cni_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    MANIFESTS,
    {.name = "prepare the CNI", .run = prepare_cni, .timeout_ms = 1000},
    APPLY_OBJECTS,
    {0},
};

const struct step docker_storage_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    MANIFESTS,
    {.name = "prepare the storage class", .run = prepare_storage, .timeout_ms = 1000},
    APPLY_OBJECTS,
    {0},
};

/*
 * The file's lock is tried once a turn: to wait for it here would hold up all
 * other clusters.
 */
static struct kubeconfig_paths impatient(const struct docker_flow *df)
{
    struct kubeconfig_paths paths = *df->docker->options.kubeconfig;
    paths.lock_timeout_ms = 1;
    return paths;
}

/* Not yet, if another has the lock; else it failed. */
static enum step_status locked_or_failed(struct flow *flow, struct error **err)
{
    if ((*err)->kind != ERROR_TIMEOUT)
        return STEP_FAILED;
    flow->waiting_for = arena_string(flow->arena, (*err)->message);
    error_free(*err);
    *err = NULL;
    return STEP_AGAIN;
}

/* Writes the user's entry. */
static enum step_status write_kubeconfig(struct flow *flow, const struct answer *answer,
                                         struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct archive_file *file;
    enum step_status read = docker_admin_conf(flow, answer, &file, err);
    if (read != STEP_DONE)
        return read;
    const char *server = docker_user_server(df, err);
    if (!server)
        return STEP_FAILED;
    struct kubeconfig_paths paths = impatient(df);
    struct text renamed;
    text_init(&renamed, 0);
    int result = kubeconfig_from_admin(file->bytes, df->cluster, server, &renamed, err);
    if (result == 0)
        result =
            kubeconfig_file_put(&paths, df->cluster, renamed.data, KUBECONFIG_KEEP_CONTEXT, err);
    text_done(&renamed);
    return result == 0 ? STEP_DONE : locked_or_failed(flow, err);
}

const struct step docker_kubeconfig_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    {.name = "write the kubeconfig",
     .run = write_kubeconfig,
     .timeout_ms = DOCKER_REQUEST_MS,
     .poll_ms = 100},
    {0},
};

/* When each node was started: what it said before does not count. */
static enum step_status look_started(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!answer) {
        kube_expect_nodes(df, df->seen, df->input.spec);
        df->next = 0;
    } else if (answer->status != 200) {
        return docker_refused(flow, answer, "look at the container", err);
    } else {
        df->nodes[df->next++].since_s = docker_started_at(answer->body, answer->length);
    }
    if (df->next == df->node_count)
        return STEP_DONE;
    flow_send(flow, "GET",
              arena_format(flow->arena, "/containers/%s/json", df->nodes[df->next].name), NULL);
    return STEP_WAITING;
}

static enum step_status await_nodes(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    (void)err;
    if (!answer) {
        kube_send(flow, "GET", "/api/v1/nodes?resourceVersion=0", NULL, NULL);
        return STEP_WAITING;
    }
    if (answer->failure || answer->status != 200) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    const struct docker_flow *df = docker_flow_of(flow);
    struct kube_readiness readiness = {0};
    struct error *odd = NULL;
    if (kube_read_nodes(flow->arena, answer->body, answer->length, df->nodes, df->node_count,
                        &readiness, &odd)) {
        readiness.message = arena_string(flow->arena, odd->message);
        error_free(odd);
    }
    flow->waiting_for = readiness.message;
    return readiness.message ? STEP_AGAIN : STEP_DONE;
}

/* Cluster DNS is up when a replica says that it is. */
static enum step_status await_dns(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    (void)err;
    if (!answer) {
        kube_send(flow, "GET", "/apis/apps/v1/namespaces/kube-system/deployments/coredns", NULL,
                  NULL);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 404)
        return STEP_DONE; /* removed by the user: nothing of ours to wait for */
    json_t *deployment = json_loadb(answer->body, answer->length, 0, NULL);
    json_int_t available = json_integer_value(
        json_object_get(json_object_get(deployment, "status"), "availableReplicas"));
    json_decref(deployment);
    flow->waiting_for = answer->failure || answer->status != 200
                            ? docker_message(flow, answer)
                            : "cluster DNS has no available replica yet";
    return available > 0 ? STEP_DONE : STEP_AGAIN;
}

const struct step docker_ready_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    DOCKER_ACCESS,
    {.name = "look when it started", .run = look_started, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "wait for the nodes",
     .run = await_nodes,
     .timeout_ms = READY_MS,
     .poll_ms = 100,
     .tolerant = true},
    {.name = "wait for cluster DNS",
     .run = await_dns,
     .timeout_ms = READY_MS,
     .poll_ms = 100,
     .tolerant = true},
    {0},
};

int docker_send_record(struct docker_flow *df, const char *container_id,
                       const struct facet_list *facets, const struct marks *marks,
                       struct error **err)
{
    static const struct marks none;
    struct text record;
    text_init(&record, 0);
    facet_record_print(df->cluster, facets, &record);
    const char *target =
        marks_print(df->flow.arena, facet_digest(df->flow.arena, facets), marks ? marks : &none);
    const struct archive_file files[] = {
        {.path = FACET_RECORD_FILE, .bytes = record.data, .length = record.length, .mode = 0644},
        {.path = FACET_DIGEST_LINK, .link = target, .mode = 0777},
    };
    int result = docker_write_files(&df->flow, container_id, "/kind", files, COUNT_OF(files), err);
    text_done(&record);
    return result;
}

/*
 * To every control plane, the first by name last: it is the one that is asked,
 * and what it says must hold for all.
 */
static enum step_status write_record(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer && answer->status != 200)
        return docker_refused(flow, answer, "write fleet.json", err);
    if (!answer)
        df->next = df->seen->node_count;
    while (df->next > 0) {
        const struct node_state *node = &df->seen->nodes[--df->next];
        if (!docker_is_control_plane(node))
            continue;
        df->found = node;
        if (docker_check_owner(flow, err) == STEP_FAILED)
            return STEP_FAILED;
        struct facet_list facets = docker_facets(df);
        return docker_send_record(df, node->id, &facets, df->input.marks, err) ? STEP_FAILED
                                                                               : STEP_WAITING;
    }
    return STEP_DONE;
}

const struct step docker_record_steps[] = {
    DOCKER_REACH,
    DOCKER_FIND,
    {.name = "write the record", .run = write_record, .timeout_ms = DOCKER_REQUEST_MS},
    {0},
};

static enum step_status remove_kubeconfig(struct flow *flow, const struct answer *answer,
                                          struct error **err)
{
    (void)answer;
    struct docker_flow *df = docker_flow_of(flow);
    bool changed = false;
    struct kubeconfig_paths paths = impatient(df);
    return kubeconfig_file_remove(&paths, df->cluster, &changed, err) ? locked_or_failed(flow, err)
                                                                      : STEP_DONE;
}

const struct step docker_forget_steps[] = {
    {.name = "remove the kubeconfig entry",
     .run = remove_kubeconfig,
     .timeout_ms = DOCKER_REQUEST_MS,
     .poll_ms = 100},
    {0},
};
