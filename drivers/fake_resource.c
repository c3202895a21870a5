#include "drivers/fake_resource.h"

#include "base/memory.h"

static const struct {
    const char *group_version, *resource, *kind;
    bool namespaced;
} builtin[] = {
    {"v1", "namespaces", "Namespace", false},
    {"v1", "nodes", "Node", false},
    {"v1", "pods", "Pod", true},
    {"v1", "services", "Service", true},
    {"v1", "configmaps", "ConfigMap", true},
    {"v1", "secrets", "Secret", true},
    {"v1", "serviceaccounts", "ServiceAccount", true},
    {"v1", "endpoints", "Endpoints", true},
    {"v1", "events", "Event", true},
    {"v1", "limitranges", "LimitRange", true},
    {"v1", "resourcequotas", "ResourceQuota", true},
    {"v1", "podtemplates", "PodTemplate", true},
    {"v1", "replicationcontrollers", "ReplicationController", true},
    {"v1", "persistentvolumes", "PersistentVolume", false},
    {"v1", "persistentvolumeclaims", "PersistentVolumeClaim", true},
    {"apps/v1", "deployments", "Deployment", true},
    {"apps/v1", "daemonsets", "DaemonSet", true},
    {"apps/v1", "statefulsets", "StatefulSet", true},
    {"apps/v1", "replicasets", "ReplicaSet", true},
    {"apps/v1", "controllerrevisions", "ControllerRevision", true},
    {"batch/v1", "jobs", "Job", true},
    {"batch/v1beta1", "cronjobs", "CronJob", true},
    {"autoscaling/v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true},
    {"rbac.authorization.k8s.io/v1", "roles", "Role", true},
    {"rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding", true},
    {"rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", false},
    {"rbac.authorization.k8s.io/v1", "clusterrolebindings", "ClusterRoleBinding", false},
    {"storage.k8s.io/v1", "storageclasses", "StorageClass", false},
    {"storage.k8s.io/v1", "csidrivers", "CSIDriver", false},
    {"storage.k8s.io/v1", "csinodes", "CSINode", false},
    {"storage.k8s.io/v1", "volumeattachments", "VolumeAttachment", false},
    {"networking.k8s.io/v1", "ingresses", "Ingress", true},
    {"networking.k8s.io/v1", "ingressclasses", "IngressClass", false},
    {"networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", true},
    {"policy/v1beta1", "poddisruptionbudgets", "PodDisruptionBudget", true},
    {"policy/v1beta1", "podsecuritypolicies", "PodSecurityPolicy", false},
    {"coordination.k8s.io/v1", "leases", "Lease", true},
    {"discovery.k8s.io/v1beta1", "endpointslices", "EndpointSlice", true},
    {"scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", false},
    {"node.k8s.io/v1", "runtimeclasses", "RuntimeClass", false},
    {"certificates.k8s.io/v1", "certificatesigningrequests", "CertificateSigningRequest", false},
    {"apiregistration.k8s.io/v1", "apiservices", "APIService", false},
    {"apiextensions.k8s.io/v1", "customresourcedefinitions", "CustomResourceDefinition", false},
    {"admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations",
     "MutatingWebhookConfiguration", false},
    {"admissionregistration.k8s.io/v1", "validatingwebhookconfigurations",
     "ValidatingWebhookConfiguration", false},
};

typedef void resource_visitor(void *context, const char *group_version, const char *resource,
                              const char *kind, bool namespaced);

static void visit_custom(const json_t *definition, resource_visitor *visit, void *context)
{
    json_t *spec = json_object_get(definition, "spec"), *version;
    json_t *names = json_object_get(spec, "names");
    bool namespaced = strcmp(fake_json_string(spec, "scope"), "Cluster") != 0;
    size_t i;
    json_array_foreach(json_object_get(spec, "versions"), i, version)
    {
        cleanup_free char *group_version = memory_format("%s/%s", fake_json_string(spec, "group"),
                                                         fake_json_string(version, "name"));
        visit(context, group_version, fake_json_string(names, "plural"),
              fake_json_string(names, "kind"), namespaced);
    }
}

static void visit_all(struct fake_cluster *cluster, resource_visitor *visit, void *context)
{
    for (size_t i = 0; i < COUNT_OF(builtin); i++)
        visit(context, builtin[i].group_version, builtin[i].resource, builtin[i].kind,
              builtin[i].namespaced);
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (!object->deleted && strcmp(object->resource, "customresourcedefinitions") == 0)
            visit_custom(object->value, visit, context);
}

struct search {
    const struct fake_place *place;
    const char *kind;
    bool namespaced;
};

static void match(void *context, const char *group_version, const char *resource, const char *kind,
                  bool namespaced)
{
    struct search *search = context;
    if (strcmp(group_version, search->place->group_version) != 0 ||
        strcmp(resource, search->place->resource) != 0)
        return;
    search->kind = kind; /* static, or in the definition that stays while the call lasts */
    search->namespaced = namespaced;
}

const char *fake_resource_kind(struct fake_cluster *cluster, const struct fake_place *place,
                               bool *namespaced)
{
    struct search search = {.place = place};
    visit_all(cluster, match, &search);
    *namespaced = search.namespaced;
    return search.kind;
}

/* --- discovery --- */

struct listing {
    const char *group_version;
    json_t *resources, *groups;
};

static json_t *resource_json(const char *name, const char *kind, bool namespaced)
{
    json_t *verbs = json_pack("[s, s, s, s, s, s, s, s]", "create", "delete", "deletecollection",
                              "get", "list", "patch", "update", "watch");
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name, "singularName", "", "namespaced",
                     namespaced, "kind", kind, "verbs", verbs);
}

static void list_resource(void *context, const char *group_version, const char *resource,
                          const char *kind, bool namespaced)
{
    struct listing *listing = context;
    if (strcmp(group_version, listing->group_version) == 0)
        json_array_append_new(listing->resources, resource_json(resource, kind, namespaced));
}

static json_t *find_group(json_t *groups, const char *name)
{
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group)
    {
        if (strcmp(fake_json_string(group, "name"), name) == 0)
            return group;
    }
    return NULL;
}

static void list_group(void *context, const char *group_version, const char *resource,
                       const char *kind, bool namespaced)
{
    struct listing *listing = context;
    const char *slash = strchr(group_version, '/');
    (void)resource;
    (void)kind;
    (void)namespaced;
    if (!slash)
        return;
    cleanup_free char *name = memory_string_n(group_version, (size_t)(slash - group_version));
    json_t *version = json_pack("{s:s, s:s}", "groupVersion", group_version, "version", slash + 1);
    json_t *group = find_group(listing->groups, name);
    if (!group) {
        group =
            json_pack("{s:s, s:[], s:O}", "name", name, "versions", "preferredVersion", version);
        json_array_append_new(listing->groups, group);
    }
    json_t *versions = json_object_get(group, "versions");
    size_t i = 0;
    while (i < json_array_size(versions) && !json_equal(json_array_get(versions, i), version))
        i++;
    if (i == json_array_size(versions))
        json_array_append(versions, version);
    json_decref(version);
}

static void reply_resources(struct fake_call *call, struct fake_cluster *cluster,
                            const char *group_version)
{
    struct listing listing = {group_version, json_array(), NULL};
    visit_all(cluster, list_resource, &listing);
    if (strcmp(group_version, "v1") == 0)
        json_array_append_new(listing.resources,
                              json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:[s]}", "name",
                                        "pods/eviction", "singularName", "", "namespaced", 1,
                                        "group", "policy", "version", "v1beta1", "kind", "Eviction",
                                        "verbs", "create"));
    if (json_array_size(listing.resources) == 0) {
        json_decref(listing.resources);
        fake_call_text(call, 404, "text/plain", "404 page not found\n");
        return;
    }
    fake_call_reply(call, 200,
                    json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion", "v1",
                              "groupVersion", group_version, "resources", listing.resources));
}

static void reply_groups(struct fake_call *call, struct fake_cluster *cluster, const char *name)
{
    struct listing listing = {NULL, NULL, json_array()};
    visit_all(cluster, list_group, &listing);
    json_t *group = name ? find_group(listing.groups, name) : NULL;
    if (!name) {
        fake_call_reply(call, 200,
                        json_pack("{s:s, s:s, s:O}", "kind", "APIGroupList", "apiVersion", "v1",
                                  "groups", listing.groups));
    } else if (group) {
        json_t *value = json_pack("{s:s, s:s}", "kind", "APIGroup", "apiVersion", "v1");
        json_object_update(value, group);
        fake_call_reply(call, 200, value);
    } else {
        fake_call_text(call, 404, "text/plain", "404 page not found\n");
    }
    json_decref(listing.groups);
}

bool fake_resource_discover(struct fake_call *call, struct fake_cluster *cluster)
{
    const char *path = call->path;
    if (strcmp(path, "/api") == 0) {
        fake_call_reply(call, 200,
                        json_pack("{s:s, s:[s]}", "kind", "APIVersions", "versions", "v1"));
    } else if (strcmp(path, "/api/v1") == 0) {
        reply_resources(call, cluster, "v1");
    } else if (strcmp(path, "/apis") == 0) {
        reply_groups(call, cluster, NULL);
    } else if (strncmp(path, "/apis/", 6) == 0) {
        const char *slash = strchr(path + 6, '/');
        if (slash && strchr(slash + 1, '/'))
            return false;
        if (slash)
            reply_resources(call, cluster, path + 6);
        else
            reply_groups(call, cluster, path + 6);
    } else {
        return false;
    }
    return true;
}
