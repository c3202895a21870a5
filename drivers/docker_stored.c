/*
 * What kubeadm keeps in the cluster, before a control plane of another version joins.
 *
 * DESIGN: kubeadm makes what joins of the version in ClusterConfiguration, but
 * a node image holds the images of its own version alone. So that line is
 * written anew, and nothing else: the rest is what the cluster was made with.
 * Where the minor version changes kubelet's configuration is looked for under
 * another name, too; it is copied there, with the right to read it, as an
 * upgrade by kubeadm does.
 */
#include "drivers/docker_flow.h"

#include "model/kubeadm_stored.h"
#include "model/upgrade.h"
#include <string.h>

#define CONFIG_MAPS "/api/v1/namespaces/kube-system/configmaps/"

struct stored {
    const char *text;    /* for the node's version; NULL: it is so already */
    const char *version; /* what it was for */
};

static bool concerns(const struct docker_flow *df)
{
    return !df->joined && df->node->role == NODE_CONTROL_PLANE;
}

/* 404 is an answer: what is not there kubeadm itself will miss. */
static bool is_told(const struct answer *answer)
{
    return !answer->failure && (answer->status == 200 || answer->status == 404);
}

/* One that is new has not been held against the others yet. */
static enum step_status check_skew(struct docker_flow *df, struct error **err)
{
    const struct upgrade upgrade = {
        .role = NODE_CONTROL_PLANE,
        .from = df->version,
        .to = df->version,
        .control_plane = df->stored->version,
    };
    const char *refusal = upgrade_refusal(df->flow.arena, &upgrade);
    if (!refusal)
        return STEP_DONE;
    error_set(err, ERROR_INVALID, "%s cannot join: %s", df->node->name, refusal);
    return STEP_FAILED;
}

enum step_status docker_look_stored(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!concerns(df))
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "GET", CONFIG_MAPS "kubeadm-config", NULL, NULL);
        return STEP_WAITING;
    }
    if (!is_told(answer)) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    json_t *map = json_loadb(answer->body, answer->length, 0, NULL);
    const char *stored =
        json_string_value(json_object_get(json_object_get(map, "data"), "ClusterConfiguration"));
    if (stored) {
        df->stored = arena_alloc(flow->arena, sizeof(*df->stored));
        df->stored->text = kubeadm_stored_for(flow->arena, stored, df->version);
        df->stored->version = kubeadm_stored_version(flow->arena, stored);
    }
    json_decref(map);
    return df->stored ? check_skew(df, err) : STEP_DONE;
}

/* As kubeadm makes them: kubelet's configuration, and who may read it. */
static json_t *kubelet_objects(const json_t *config, const char *name)
{
    static const char rbac[] = "rbac.authorization.k8s.io", version[] = "/v1";
    const char *space = "kube-system";
    json_t *role = json_sprintf("kubeadm:%s", name);
    json_t *api = json_sprintf("%s%s", rbac, version);
    json_t *objects = json_pack(
        "[{s:s,s:s,s:{s:s,s:s},s:O},"
        "{s:O,s:s,s:{s:O,s:s},s:[{s:[s],s:[s],s:[s],s:[s]}]},"
        "{s:O,s:s,s:{s:O,s:s},s:{s:s,s:s,s:O},s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}]",
        "apiVersion", "v1", "kind", "ConfigMap", "metadata", "name", name, "namespace", space,
        "data", config, "apiVersion", api, "kind", "Role", "metadata", "name", role, "namespace",
        space, "rules", "apiGroups", "", "resources", "configmaps", "resourceNames", name, "verbs",
        "get", "apiVersion", api, "kind", "RoleBinding", "metadata", "name", role, "namespace",
        space, "roleRef", "apiGroup", rbac, "kind", "Role", "name", role, "subjects", "apiGroup",
        rbac, "kind", "Group", "name", "system:nodes", "apiGroup", rbac, "kind", "Group", "name",
        "system:bootstrappers:kubeadm:default-node-token");
    json_decref(role);
    json_decref(api);
    return objects;
}

enum step_status docker_look_kubelet_config(struct flow *flow, const struct answer *answer,
                                            struct error **err)
{
    (void)err;
    struct docker_flow *df = docker_flow_of(flow);
    if (!concerns(df) || !df->stored || !df->stored->text)
        return STEP_DONE;
    const char *have = kubeadm_stored_kubelet_name(flow->arena, df->stored->version);
    const char *want = kubeadm_stored_kubelet_name(flow->arena, df->version);
    if (!have || !want || strcmp(have, want) == 0)
        return STEP_DONE;
    if (!answer) {
        kube_send(flow, "GET", arena_format(flow->arena, CONFIG_MAPS "%s", have), NULL, NULL);
        return STEP_WAITING;
    }
    if (!is_told(answer)) {
        flow->waiting_for = docker_message(flow, answer);
        return STEP_AGAIN;
    }
    json_t *map = json_loadb(answer->body, answer->length, 0, NULL);
    const json_t *data = json_object_get(map, "data");
    json_decref(df->objects);
    df->objects = json_is_object(data) ? kubelet_objects(data, want) : NULL;
    df->next_object = 0;
    json_decref(map);
    return STEP_DONE;
}

enum step_status docker_tell_version(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    const struct docker_flow *df = docker_flow_of(flow);
    if (!concerns(df) || !df->stored || !df->stored->text)
        return STEP_DONE;
    if (!answer) {
        json_t *patch = json_pack("{s:{s:s}}", "data", "ClusterConfiguration", df->stored->text);
        char *body = json_dumps(patch, JSON_COMPACT);
        kube_send(flow, "PATCH", CONFIG_MAPS "kubeadm-config", "application/merge-patch+json",
                  body);
        free(body);
        json_decref(patch);
        return STEP_WAITING;
    }
    if (!answer->failure && answer->status == 200)
        return STEP_DONE;
    flow->waiting_for = docker_message(flow, answer);
    if (answer->failure || answer->status >= 500)
        return STEP_AGAIN;
    return docker_refused(flow, answer, "write the version into kubeadm-config", err);
}
