/* The cluster's own API, over HTTPS from the host with the admin's certificate. */
#include "drivers/docker_flow.h"
#include "drivers/kube_object.h"

#include "drivers/kube_defaults.h"
#include <string.h>

enum { KUBE_CALL_MS = 10000, APPLY_TRIES_MAX = 20, UNKNOWN_KIND_MS = 60 * 1000 };

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
    if (node && !docker_is_balancer(node))
        node = df->speaker; /* the one that has credentials */
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

const char *kube_group_path(struct arena *arena, const char *api_version)
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

const char *kube_object_path(struct docker_flow *df, const struct kube_object *object)
{
    const json_t *resource = resource_of(df->resources, object->api_version, object->kind);
    if (!resource)
        return NULL;
    struct arena *arena = df->flow.arena;
    const char *base = kube_group_path(arena, object->api_version);
    if (json_is_true(json_object_get(resource, "namespaced")))
        base = arena_format(arena, "%s/namespaces/%s", base,
                            object->namespace ? object->namespace : "default");
    return arena_format(arena, "%s/%s/%s", base,
                        json_string_value(json_object_get(resource, "name")), object->name);
}

bool kube_knows_group(struct docker_flow *df, const char *api_version)
{
    if (!df->resources)
        df->resources = json_object();
    return json_object_get(df->resources, api_version);
}

void kube_learn_group(struct docker_flow *df, const char *api_version, const struct answer *answer)
{
    json_t *list = json_loadb(answer->body, answer->length, 0, NULL);
    json_t *resources = json_incref(json_object_get(list, "resources"));
    json_object_set_new(df->resources, api_version, resources ? resources : json_array());
    json_decref(list);
}

struct kube_object kube_object_of(const json_t *object)
{
    const json_t *metadata = json_object_get(object, "metadata");
    return (struct kube_object){
        .api_version = json_string_value(json_object_get(object, "apiVersion")),
        .kind = json_string_value(json_object_get(object, "kind")),
        .namespace = json_string_value(json_object_get(metadata, "namespace")),
        .name = json_string_value(json_object_get(metadata, "name")),
    };
}

static enum step_status apply_failed(struct flow *flow, const struct answer *answer,
                                     const json_t *object, struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    const char *kind = json_string_value(json_object_get(object, "kind"));
    flow->waiting_for = arena_format(flow->arena, "%s %s: the API says: %s", kind, name_of(object),
                                     docker_message(flow, answer));
    /* A young API server refuses for a moment (namespaces, discovery, admission). */
    bool permanent = !answer->failure && (answer->status == 400 || answer->status == 422);
    if (!permanent && df->apply_tries++ < APPLY_TRIES_MAX)
        return STEP_AGAIN;
    error_set(err, permanent ? ERROR_INVALID : ERROR_UNAVAILABLE, "apply %s", flow->waiting_for);
    return STEP_FAILED;
}

/* The object as the API has it now: its uid tells later which one that is. False: it is none. */
static bool learn_uid(json_t *object, const struct answer *answer)
{
    json_t *applied = json_loadb(answer->body, answer->length, 0, NULL);
    json_t *uid = json_object_get(json_object_get(applied, "metadata"), "uid");
    if (uid)
        json_object_set(json_object_get(object, "metadata"), "uid", uid);
    json_decref(applied);
    return uid;
}

/*
 * An object of a kind that is not known: its definition may be among those
 * that follow, so it goes to the end of the list. When only such are left,
 * discovery is begun anew, for a while.
 */
static enum step_status put_off(struct flow *flow, const struct kube_object *object,
                                struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    uint64_t now_ms = flow->transport->now_ms(flow->transport);
    flow->waiting_for = arena_format(flow->arena, "the cluster does not know %s %s",
                                     object->api_version, object->kind);
    json_object_del(df->resources, object->api_version);
    size_t left = json_array_size(df->objects) - df->next_object;
    if (left > 1) {
        json_t *later = json_incref(json_array_get(df->objects, df->next_object));
        json_array_remove(df->objects, df->next_object);
        json_array_append_new(df->objects, later);
    }
    if (++df->put_off < left)
        return STEP_DONE;
    if (df->put_off == left)
        df->put_off_at_ms = now_ms;
    if (now_ms - df->put_off_at_ms < UNKNOWN_KIND_MS)
        return STEP_AGAIN;
    error_set(err, ERROR_INVALID, "%s", flow->waiting_for);
    return STEP_FAILED;
}

/* Takes the answer to what was asked for the object; STEP_DONE: go on with the next. */
static enum step_status take_applied(struct flow *flow, const struct answer *answer,
                                     struct error **err)
{
    struct docker_flow *df = docker_flow_of(flow);
    json_t *object = json_array_get(df->objects, df->next_object);
    struct kube_object title = kube_object_of(object);
    bool known = title.api_version && kube_knows_group(df, title.api_version);
    bool no_group = !known && !answer->failure && answer->status == 404;
    if ((answer->failure || answer->status >= 300) && !no_group)
        return apply_failed(flow, answer, object, err);
    if (!known) {
        kube_learn_group(df, title.api_version, answer);
        return STEP_DONE;
    }
    if (!learn_uid(object, answer))
        return apply_failed(flow, answer, object, err);
    df->next_object++;
    df->put_off = 0;
    df->apply_tries = 0;
    return STEP_DONE;
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
    enum step_status status = answer ? take_applied(flow, answer, err) : STEP_DONE;
    const json_t *object = NULL;
    while (status == STEP_DONE && (object = json_array_get(df->objects, df->next_object))) {
        struct kube_object title = kube_object_of(object);
        if (!title.api_version || !title.kind || !title.name) {
            error_set(err, ERROR_INVALID, "a manifest has no apiVersion, kind or metadata.name");
            return STEP_FAILED;
        }
        if (!kube_knows_group(df, title.api_version)) {
            kube_send(flow, "GET", kube_group_path(flow->arena, title.api_version), NULL, NULL);
            return STEP_WAITING;
        }
        const char *path = kube_object_path(df, &title);
        if (!path) {
            status = put_off(flow, &title, err);
            continue;
        }
        char *body = json_dumps(object, JSON_COMPACT);
        kube_send(flow, "PATCH", arena_format(flow->arena, "%s?fieldManager=kind&force=true", path),
                  "application/apply-patch+yaml", body);
        free(body);
        return STEP_WAITING;
    }
    return status;
}
