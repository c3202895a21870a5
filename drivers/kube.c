/* The cluster's own API, over HTTPS from the host with the admin's certificate. */
#include "drivers/docker_flow.h"

#include "drivers/kube_defaults.h"
#include <string.h>

enum { KUBE_CALL_MS = 10000, APPLY_TRIES_MAX = 20 };

const char *docker_api_server(struct arena *arena, const struct node_state *node)
{
    const char *host = node->api_host ? node->api_host : "";
    if (!*host || strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0)
        host = "::1";
    return arena_format(arena, strchr(host, ':') ? "https://[%s]:%u" : "https://%s:%u", host,
                        node->api_port);
}

const char *docker_user_server(struct docker_flow *df, struct error **err)
{
    const struct node_state *node = docker_entrance(df->seen);
    if (node && node->api_port)
        return docker_api_server(df->flow.arena, node);
    error_set(err, ERROR_CONFLICT, "%s does not run, so its API has no port",
              node ? node->name : df->cluster);
    return NULL;
}

void kube_send(struct flow *flow, const char *method, const char *path, const char *content_type,
               const char *body)
{
    kube_send_to(flow, docker_flow_of(flow)->access.server, method, path, content_type, body);
}

void kube_send_to(struct flow *flow, const char *server, const char *method, const char *path,
                  const char *content_type, const char *body)
{
    struct docker_flow *df = docker_flow_of(flow);
    df->access_tls = (struct transport_tls){
        .ca = df->access.ca,
        .certificate = df->access.certificate,
        .key = df->access.key,
    };
    struct request request = {
        .method = method,
        .url = arena_format(flow->arena, "%s%s", server, path),
        .tls = &df->access_tls,
        .content_type = content_type,
        .body = body,
        .body_length = body ? strlen(body) : 0,
        .timeout_ms = KUBE_CALL_MS,
    };
    flow_send_request(flow, path, request);
}

static const char *name_of(const json_t *object)
{
    const char *name =
        json_string_value(json_object_get(json_object_get(object, "metadata"), "name"));
    return name ? name : "?";
}

/* "apps/v1" below /apis, "v1" below /api. */
static const char *group_path(struct arena *arena, const char *api_version)
{
    return strchr(api_version, '/') ? arena_format(arena, "/apis/%s", api_version)
                                    : arena_format(arena, "/api/%s", api_version);
}

/* The resource of a kind in a discovered group version; NULL if it has none. */
static const json_t *resource_of(const json_t *resources, const char *api_version, const char *kind)
{
    size_t index;
    const json_t *resource;
    json_array_foreach(json_object_get(resources, api_version), index, resource)
    {
        const char *have = json_string_value(json_object_get(resource, "kind"));
        const char *name = json_string_value(json_object_get(resource, "name"));
        if (have && name && strcmp(have, kind) == 0 && !strchr(name, '/'))
            return resource;
    }
    return NULL;
}

static const char *object_path(struct flow *flow, const json_t *object, const json_t *resource)
{
    const char *api_version = json_string_value(json_object_get(object, "apiVersion"));
    const json_t *metadata = json_object_get(object, "metadata");
    const char *name = json_string_value(json_object_get(metadata, "name"));
    const char *namespace = json_string_value(json_object_get(metadata, "namespace"));
    const char *plural = json_string_value(json_object_get(resource, "name"));
    const char *base = group_path(flow->arena, api_version);
    if (json_is_true(json_object_get(resource, "namespaced")))
        base =
            arena_format(flow->arena, "%s/namespaces/%s", base, namespace ? namespace : "default");
    return arena_format(flow->arena, "%s/%s/%s?fieldManager=kind&force=true", base, plural, name);
}

static void learn_resources(struct docker_flow *df, const char *api_version,
                            const struct answer *answer)
{
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    json_t *resources = json_incref(json_object_get(list, "resources"));
    json_object_set_new(df->resources, api_version, resources ? resources : json_array());
    json_decref(list);
}

static enum step_status apply_failed(struct flow *flow, const struct answer *answer,
                                     const json_t *object, struct error **err)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    flow->waiting_for = arena_format(flow->arena, "%s %s: the API says: %s", kind, name_of(object),
                                     docker_message(flow, answer));
    /* A young API server refuses for a moment (namespaces, discovery, admission). */
    bool permanent = !answer->failure && (answer->status == 400 || answer->status == 422);
    if (!permanent && flow->tries < APPLY_TRIES_MAX)
        return STEP_AGAIN;
    error_set(err, permanent ? ERROR_INVALID : ERROR_UNAVAILABLE, "apply %s", flow->waiting_for);
    return STEP_FAILED;
}

/*
 * Discovery of a kind comes first, where it is not known; then the object
 * itself, server-side; then the next object. What an answer belongs to shows
 * in whether the kind is known by now.
 */
enum step_status kube_apply_objects(struct flow *flow, const struct answer *answer,
                                    struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    if (!df->resources)
        df->resources = json_object();
    const json_t *object = json_array_get(df->objects, df->next_object);
    const char *api_version = json_string_value(json_object_get(object, "apiVersion"));
    bool known = api_version && json_object_get(df->resources, api_version);
    if (answer && (answer->failure || answer->status >= 300))
        return apply_failed(flow, answer, object, err);
    if (answer && !known)
        learn_resources(df, api_version, answer);
    else if (answer)
        df->next_object++;
    object = json_array_get(df->objects, df->next_object);
    if (!object)
        return STEP_DONE;
    api_version = json_string_value(json_object_get(object, "apiVersion"));
    const char *kind = json_string_value(json_object_get(object, "kind"));
    if (!api_version || !kind) {
        error_set(err, ERROR_INVALID, "a manifest of the image has no apiVersion or kind");
        return STEP_FAILED;
    }
    if (!json_object_get(df->resources, api_version)) {
        kube_send(flow, "GET", group_path(flow->arena, api_version), NULL, NULL);
        return STEP_WAITING;
    }
    const json_t *resource = resource_of(df->resources, api_version, kind);
    if (!resource) {
        error_set(err, ERROR_INVALID, "the cluster does not know %s %s", api_version, kind);
        return STEP_FAILED;
    }
    kube_set_defaults(json_array_get(df->objects, df->next_object));
    char *body = json_dumps(object, JSON_COMPACT);
    kube_send(flow, "PATCH", object_path(flow, object, resource), "application/apply-patch+yaml",
              body);
    free(body);
    return STEP_WAITING;
}
