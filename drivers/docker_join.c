/*
 * A node joins a cluster whose API answers.
 *
 * DESIGN: kubeadm's own join, in one go, since its phases are named otherwise
 * in every few versions. What it needs is made before, and taken away again
 * after: a token, the certificates of a control plane. A node is joined if its
 * kubelet has its credentials (and a control plane its etcd) and the cluster
 * knows it; all rows after the look pass over it then. A kubeadm that another
 * process left running holds the lock in the node; ours waits for it, and
 * looks again before it begins.
 *
 * On our node image the Node object is made here, with its pod range, before
 * the kubelet registers: so the CNI's file can be in place when it starts, and
 * the node is Ready seconds sooner.
 */
#include "drivers/docker_flow.h"

#include "base/memory.h"
#include "drivers/docker_etcd.h"
#include "drivers/docker_info.h"
#include "model/kubeadm.h"
#include <string.h>

enum { JOIN_MS = 300 * 1000, ETCD_MS = 120 * 1000, RANGES_MAX = 1024, CERTIFICATES = 9 };

#define KUBELET_CONF "/etc/kubernetes/kubelet.conf"
#define ETCD_MANIFEST "/etc/kubernetes/manifests/etcd.yaml"
#define UNLESS_ETCD "test -s " ETCD_MANIFEST " || "
#define LOCKED "flock", "-w", "240", "/run/kind-join.lock"

static bool is_control_plane(const struct docker_flow *df)
{
    return df->node->role == NODE_CONTROL_PLANE;
}

/*
 * A control plane whose etcd never came, or is none of the cluster's any more:
 * kubeadm cannot go on from there, only begin again.
 */
static bool is_half(const struct docker_flow *df)
{
    return is_control_plane(df) && docker_has_file(df, "kubernetes/kubelet.conf") &&
           (!df->is_member || !docker_has_file(df, "kubernetes/manifests/etcd.yaml"));
}

static enum step_status begin_again(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    static const char script[] = UNLESS_ETCD "kubeadm reset --force";
    static const char *const unless_etcd[] = {LOCKED, "sh", "-c", script, NULL};
    static const char *const always[] = {LOCKED, "kubeadm", "reset", "--force", NULL};
    struct docker_flow *df = docker_flow_of(flow);
    if (flow->turn == 0) {
        bool has_etcd = docker_has_file(df, "kubernetes/manifests/etcd.yaml");
        if (!is_half(df))
            return STEP_DONE;
        flow_exec(flow, df->found->id, has_etcd ? always : unless_etcd);
        return STEP_WAITING;
    }
    if (flow->turn > 1)
        return docker_files(flow, answer, err) ? STEP_FAILED : STEP_DONE;
    if (answer->exit_code != 0) {
        error_set(err, ERROR_UNAVAILABLE, "kubeadm reset failed with exit code %d: %s",
                  answer->exit_code, docker_last_words(flow, answer));
        return STEP_FAILED;
    }
    docker_read_files(flow, df->found->id, "/etc/kubernetes");
    return STEP_WAITING;
}

static bool names_range(const struct answer *answer)
{
    json_t *node = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *range = json_object_get(json_object_get(node, "spec"), "podCIDR");
    bool named = json_string_length(range) > 0;
    json_decref(node);
    return named;
}

/*
 * Does the cluster know it? A Node without credentials in the container is of
 * an older one of that name, or of a try that was cut short: it goes. A
 * kubelet that the cluster forgot registers when it is started again.
 */
static enum step_status look_joined(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    static const char *const restart[] = {"systemctl", "restart", "kubelet.service", NULL};
    struct docker_flow *df = docker_flow_of(flow);
    bool has_conf = docker_has_file(df, "kubernetes/kubelet.conf");
    const char *path = arena_format(flow->arena, "/api/v1/nodes/%s", df->found->name);
    if (flow->turn == 0) {
        kube_send(flow, "GET", path, NULL, NULL);
        return STEP_WAITING;
    }
    bool known = flow->turn == 1 && !answer->failure && answer->status == 200;
    bool unknown = flow->turn == 1 && !answer->failure && answer->status == 404;
    df->joined = has_conf;
    df->has_range = has_conf && (df->has_range || (known && names_range(answer)));
    if (flow->turn > 1 && has_conf) {
        if (answer->failure || answer->exit_code != 0)
            return docker_refused(flow, answer, "start kubelet again", err);
        return STEP_DONE;
    }
    if (flow->turn > 1 && !answer->failure && (answer->status == 200 || answer->status == 404))
        return STEP_DONE;
    if (has_conf ? known : unknown)
        return STEP_DONE;
    if (has_conf && unknown) {
        flow_exec(flow, df->found->id, restart);
        return STEP_WAITING;
    }
    if (known) {
        kube_send(flow, "DELETE", path, NULL, NULL);
        return STEP_WAITING;
    }
    flow->waiting_for = docker_message(flow, answer);
    return STEP_AGAIN;
}

/* One that has joined has a kubelet, which may have died since. */
static enum step_status start_kubelet(struct flow *flow, const struct answer *answer,
                                      struct error **err)
{
    static const char *const argv[] = {"systemctl", "start", "containerd.service",
                                       "kubelet.service", NULL};
    const struct docker_flow *df = docker_flow_of(flow);
    if (!df->joined)
        return STEP_DONE;
    if (!answer) {
        flow_exec(flow, df->found->id, argv);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "%s", docker_last_words(flow, answer));
    return STEP_FAILED;
}

/*
 * Is the Node made here? Not for another image than ours, of which nothing is
 * known; nor for a control plane, whose kubelet judges by the Node it finds
 * whether there is room for etcd; and with a patch only kubelet's own
 * registration knows what the user wants of the node. Then it gets its range
 * when it has registered.
 */
static bool announces(const struct docker_flow *df)
{
    const struct cluster_spec *spec = df->input.spec;
    bool is_patched = spec->kubeadm_patches.count || spec->kubeadm_patches_6902.count ||
                      df->node->kubeadm_patches.count || df->node->kubeadm_patches_6902.count;
    return !df->joined && df->pod_ranges.count && df->cni_template && !is_patched &&
           !is_control_plane(df);
}

static bool range_is_taken(const json_t *nodes, const char *range)
{
    size_t index;
    const json_t *node;
    json_array_foreach(json_object_get(nodes, "items"), index, node)
    {
        const char *has =
            json_string_value(json_object_get(json_object_get(node, "spec"), "podCIDR"));
        if (has && strcmp(has, range) == 0)
            return true;
    }
    return false;
}

static bool range_is_free(struct docker_flow *df, const json_t *nodes, unsigned number)
{
    struct pod_ranges ranges = docker_pod_ranges(&df->flow, number);
    return ranges.count && !range_is_taken(nodes, ranges.items[0]);
}

/* Its place in the spec, after the first control plane, wherever that stands. */
static unsigned place_of(const struct docker_flow *df)
{
    const struct node_spec *first = spec_first_control_plane(df->input.spec);
    return (unsigned)(df->node - df->input.spec->nodes) + (df->node < first);
}

/*
 * Nodes that join at the same time must not choose the same: the first choice
 * is a node's place in the spec, and where another node sits there, the same
 * place from the end; then any, but for 0: the first control plane gets that
 * when it is marked, which may be later.
 */
static struct pod_ranges choose_ranges(struct docker_flow *df, const json_t *nodes)
{
    unsigned place = place_of(df), count = 0;
    while (count < RANGES_MAX && docker_pod_ranges(&df->flow, count).count)
        count++;
    if (place < count && range_is_free(df, nodes, place))
        return docker_pod_ranges(&df->flow, place);
    if (place < count && range_is_free(df, nodes, count - 1 - place))
        return docker_pod_ranges(&df->flow, count - 1 - place);
    for (unsigned number = 1; number < count; number++)
        if (range_is_free(df, nodes, number))
            return docker_pod_ranges(&df->flow, number);
    return (struct pod_ranges){.count = 0};
}

static enum step_status choose_pods(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (df->has_range || !docker_pod_ranges(flow, 0).count)
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "GET", "/api/v1/nodes", NULL, NULL);
        return STEP_WAITING;
    }
    if (answer->failure || answer->status != 200) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    json_t *nodes = json_loadb(answer->body, answer->length, 0, NULL);
    bool is_list = json_is_array(json_object_get(nodes, "items"));
    if (is_list)
        df->pod_ranges = choose_ranges(df, nodes);
    json_decref(nodes);
    flow->waiting_for = "the cluster's answer is no list of nodes";
    return is_list ? STEP_DONE : STEP_AGAIN;
}

static enum step_status place_cni(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "place the CNI's file", err);
    if (df->has_range || !df->pod_ranges.count || !df->cni_template)
        return STEP_DONE;
    return docker_put_cni(flow, df->cni_template, &df->pod_ranges, err) ? STEP_FAILED
                                                                        : STEP_WAITING;
}

static json_t *taints_of(const struct node_spec *node)
{
    json_t *taints = json_array();
    for (size_t i = 0; i < node->taint_count; i++) {
        const struct taint_spec *taint = &node->taints[i];
        json_array_append_new(taints, json_pack("{s:s,s:s,s:s}", "key", taint->key, "value",
                                                taint->value, "effect", taint->effect));
    }
    return taints;
}

/*
 * As kubelet would register it: labels and taints of the spec, and upstream's
 * provider id. kubelet 1.20 writes into the capacity of the Node it finds, and
 * panics if there is none.
 */
static char *node_body(struct docker_flow *df)
{
    const char *provider_id =
        arena_format(df->flow.arena, "kind://docker/%s/%s", df->cluster, df->node->name);
    json_t *labels = json_object();
    for (size_t i = 0; i < df->node->labels.count; i++)
        json_object_set_new(labels, df->node->labels.items[i].key,
                            json_string(df->node->labels.items[i].value));
    json_t *ranges = json_array();
    for (size_t i = 0; i < df->pod_ranges.count; i++)
        json_array_append_new(ranges, json_string(df->pod_ranges.items[i]));
    json_t *node = json_pack(
        "{s:s,s:s,s:{s:s,s:o},s:{s:s,s:o,s:s,s:o},s:{s:{s:s},s:{s:s}}}", "apiVersion", "v1", "kind",
        "Node", "metadata", "name", df->node->name, "labels", labels, "spec", "podCIDR",
        df->pod_ranges.items[0], "podCIDRs", ranges, "providerID", provider_id, "taints",
        taints_of(df->node), "status", "capacity", "pods", "0", "allocatable", "pods", "0");
    char *text = json_dumps(node, JSON_COMPACT);
    json_decref(node);
    return text;
}

static enum step_status make_node(struct flow *flow, const struct answer *answer,
                                  struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!announces(df))
        return STEP_DONE;
    if (!answer) {
        char *body = node_body(df);
        kube_send(flow, "POST", "/api/v1/nodes", "application/json", body);
        free(body);
        return STEP_WAITING;
    }
    if (!answer->failure && (answer->status == 201 || answer->status == 409))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || answer->status >= 500)
        return STEP_AGAIN;
    return docker_refused(flow, answer, "make the Node object", err);
}

static enum step_status write_config(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "write kubeadm.conf", err);
    if (df->joined)
        return STEP_DONE;
    const char *hash = kube_ca_hash(flow->arena, df->access.ca);
    if (!hash) {
        error_set(err, ERROR_CONFLICT, "the CA in admin.conf of %s cannot be read",
                  df->speaker->name);
        return STEP_FAILED;
    }
    return docker_write_config(df, hash, err) ? STEP_FAILED : STEP_WAITING;
}

/* What all control planes must have alike; kubeadm makes the rest of it for each. */
static const char *const certificates[CERTIFICATES] = {
    "kubernetes/admin.conf",
    "kubernetes/pki/ca.crt",
    "kubernetes/pki/ca.key",
    "kubernetes/pki/front-proxy-ca.crt",
    "kubernetes/pki/front-proxy-ca.key",
    "kubernetes/pki/sa.pub",
    "kubernetes/pki/sa.key",
    "kubernetes/pki/etcd/ca.crt",
    "kubernetes/pki/etcd/ca.key",
};

static int put_certificates(struct docker_flow *df, struct error **err)
{
    struct archive_file files[2 + CERTIFICATES] = {
        {.path = "kubernetes/pki/", .mode = 0755},
        {.path = "kubernetes/pki/etcd/", .mode = 0755},
    };
    for (size_t i = 0; i < CERTIFICATES; i++) {
        const struct archive_file *file = archive_find(&df->files, certificates[i]);
        if (!file || !file->bytes || !file->length)
            return error_set(err, ERROR_CONFLICT, "%s has no /etc/%s", df->speaker->name,
                             certificates[i]);
        files[2 + i] = *file;
    }
    return docker_write_files(&df->flow, df->found->id, "/etc", files, COUNT_OF(files), err);
}

static enum step_status copy_certificates(struct flow *flow, const struct answer *answer,
                                          struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->joined || !is_control_plane(df))
        return STEP_DONE;
    switch (flow->turn) {
    case 0:
        docker_read_files(flow, df->speaker->id, "/etc/kubernetes");
        return STEP_WAITING;
    case 1:
        if (docker_files(flow, answer, err) || put_certificates(df, err))
            return STEP_FAILED;
        return STEP_WAITING;
    default:
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "copy the certificates", err);
    }
}

/*
 * What the other control planes say of the cluster, so that it is never one of
 * them without a record: they may be gone when this one is asked.
 */
static enum step_status copy_record(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const struct cluster_state *observed = df->input.observed;
    if (answer)
        return answer->status == 200 ? STEP_DONE
                                     : docker_refused(flow, answer, "write fleet.json", err);
    if (df->joined || !is_control_plane(df) || !observed || observed->recorded != SEEN_YES)
        return STEP_DONE;
    return docker_send_record(df, df->found->id, &observed->applied, &observed->marks, err)
               ? STEP_FAILED
               : STEP_WAITING;
}

static enum step_status join(struct flow *flow, const struct answer *answer, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->joined)
        return STEP_DONE;
    if (!answer) {
        struct kubeadm_traits traits;
        if (kubeadm_traits(df->version, &traits, err))
            return STEP_FAILED;
        const char *script = arena_format(
            flow->arena, "test -s %s || exec kubeadm join --config /kind/kubeadm.conf%s",
            is_control_plane(df) ? ETCD_MANIFEST : KUBELET_CONF,
            traits.skip_phases_by_flag ? " --skip-phases=preflight" : "");
        const char *const argv[] = {LOCKED, "sh", "-c", script, NULL};
        flow_exec(flow, df->found->id, argv);
        return STEP_WAITING;
    }
    if (answer->exit_code == 0)
        return STEP_DONE;
    error_set(err, ERROR_UNAVAILABLE, "kubeadm failed with exit code %d: %s", answer->exit_code,
              docker_last_words(flow, answer));
    return STEP_FAILED;
}

/* A Node that kubelet made has no pods to give addresses yet. */
static enum step_status give_range(struct flow *flow, const struct answer *answer,
                                   struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (df->has_range || !df->pod_ranges.count || announces(df))
        return STEP_DONE;
    if (!answer) {
        const char *patch =
            arena_format(flow->arena, "{\"spec\":{%s}}", docker_ranges_json(flow, &df->pod_ranges));
        kube_send(flow, "PATCH", arena_format(flow->arena, "/api/v1/nodes/%s", df->found->name),
                  "application/merge-patch+json", patch);
        return STEP_WAITING;
    }
    /* 422: it has one already, and that stays. */
    if (!answer->failure && (answer->status == 200 || answer->status == 422))
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || answer->status == 404 || answer->status >= 500)
        return STEP_AGAIN;
    return docker_refused(flow, answer, "give the node its pod range", err);
}

#define ASK(what, how)                                                                             \
    {                                                                                              \
        .name = what, .run = how, .timeout_ms = 60000, .poll_ms = 100, .tolerant = true            \
    }

const struct step docker_join_steps[] = {
    DOCKER_REACH,
    DOCKER_INFO,
    DOCKER_FIND,
    {.name = "read the Kubernetes version",
     .run = docker_read_version,
     .timeout_ms = DOCKER_REQUEST_MS},
    DOCKER_ACCESS,
    {.name = "look for earlier progress",
     .run = docker_read_progress,
     .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "look at etcd's members",
     .run = docker_etcd_join,
     .timeout_ms = ETCD_MS,
     .poll_ms = 500,
     .tolerant = true},
    {.name = "clear an unfinished join", .run = begin_again, .timeout_ms = JOIN_MS},
    ASK("look for the node", look_joined),
    {.name = "start kubelet", .run = start_kubelet, .timeout_ms = 60000},
    {.name = "patch containerd", .run = docker_patch_containerd, .timeout_ms = 60000},
    {.name = "read the CNI's file", .run = docker_read_cni, .timeout_ms = DOCKER_REQUEST_MS},
    ASK("choose a pod range", choose_pods),
    {.name = "place the CNI's file", .run = place_cni, .timeout_ms = DOCKER_REQUEST_MS},
    ASK("announce the node", make_node),
    ASK("make a token", kube_add_token),
    {.name = "copy the certificates", .run = copy_certificates, .timeout_ms = 20000},
    {.name = "copy the record", .run = copy_record, .timeout_ms = DOCKER_REQUEST_MS},
    ASK("look at kubeadm's configuration", docker_look_stored),
    ASK("look at kubelet's configuration", docker_look_kubelet_config),
    ASK("keep kubelet's configuration", kube_apply_objects),
    ASK("tell kubeadm the version", docker_tell_version),
    ASK("wait for the token", kube_await_token),
    {.name = "write kubeadm.conf", .run = write_config, .timeout_ms = DOCKER_REQUEST_MS},
    {.name = "kubeadm join", .run = join, .timeout_ms = JOIN_MS},
    ASK("give it its pod range", give_range),
    ASK("remove the token", kube_remove_token),
    {0},
};
