#include "drivers/fake_kube.h"

#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_controller.h"
#include "drivers/fake_node.h"
#include "drivers/fake_patch.h"
#include "drivers/fake_pods.h"
#include "drivers/fake_resource.h"
#include "drivers/fake_selector.h"
#include "drivers/fake_store.h"
#include "drivers/fake_stream.h"
#include "model/document.h"

/* A Status object, as every failure is told. */
static void refuse(struct fake_call *call, int code, const char *reason, const char *message)
{
    fake_call_reply(call, code,
                    json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status",
                              "apiVersion", "v1", "metadata", "status", "Failure", "message",
                              message, "reason", reason, "code", code));
}

static void refuse_missing(struct fake_call *call, const struct fake_place *place)
{
    refuse(call, 404, "NotFound",
           arena_format(call->arena, "%s \"%s\" not found", place->resource,
                        place->name ? place->name : ""));
}

/* Takes "/apis/apps/v1/namespaces/x/deployments/y/status" apart; false if it is no such path. */
static bool read_place(struct arena *arena, const char *path, struct fake_place *place)
{
    const char *parts[8] = {0};
    size_t count = 0;
    for (const char *at = path; *at && count < COUNT_OF(parts);) {
        at += *at == '/';
        size_t length = strcspn(at, "/");
        if (length > 0)
            parts[count++] = arena_string_n(arena, at, length);
        at += length;
    }
    bool core = count > 0 && strcmp(parts[0], "api") == 0;
    size_t i = core ? 2 : 3;
    if (count <= i || (!core && strcmp(parts[0], "apis") != 0))
        return false;
    *place = (struct fake_place){0};
    place->group_version = core ? parts[1] : arena_format(arena, "%s/%s", parts[1], parts[2]);
    /* "namespaces/x" alone is a Namespace, and so are its own subresources. */
    bool own = count <= i + 2 || strcmp(parts[i + 2], "status") == 0 ||
               strcmp(parts[i + 2], "finalize") == 0;
    if (strcmp(parts[i], "namespaces") == 0 && !own) {
        place->namespace = parts[i + 1];
        i += 2;
    }
    place->resource = parts[i];
    place->name = i + 1 < count ? parts[i + 1] : NULL;
    place->subresource = i + 2 < count ? parts[i + 2] : NULL;
    return true;
}

/* --- reading --- */

static bool in_collection(const struct fake_object *object, const struct fake_place *place)
{
    return strcmp(object->group_version, place->group_version) == 0 &&
           strcmp(object->resource, place->resource) == 0 &&
           (!place->namespace || strcmp(object->namespace, place->namespace) == 0) &&
           (!place->name || strcmp(object->name, place->name) == 0);
}

static void list_objects(struct fake_call *call, struct fake_cluster *cluster,
                         const struct fake_place *place, const char *kind)
{
    const char *labels = fake_call_query(call, "labelSelector");
    const char *fields = fake_call_query(call, "fieldSelector");
    json_t *items = json_array();
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
        if (!object->deleted && in_collection(object, place) &&
            fake_selector_matches(object->value, labels, fields))
            json_array_append(items, object->value);
    fake_call_reply(call, 200,
                    json_pack("{s:s+, s:s, s:{s:o}, s:o}", "kind", kind, "List", "apiVersion",
                              place->group_version, "metadata", "resourceVersion",
                              json_sprintf("%llu", (unsigned long long)cluster->version), "items",
                              items));
}

static void get_object(struct fake_call *call, struct fake_cluster *cluster,
                       const struct fake_place *place)
{
    struct fake_object *object = fake_store_get(cluster, place);
    if (object)
        fake_call_reply(call, 200, json_incref(object->value));
    else
        refuse_missing(call, place);
}

static void watch_objects(struct fake_call *call, struct fake_container *container)
{
    const char *version = fake_call_query(call, "resourceVersion");
    fake_call_text(call, 200, "application/json", "");
    call->reply->stream = fake_stream_watch(container, call->request->target,
                                            version ? strtoull(version, NULL, 10) : 0);
}

/* --- writing --- */

static json_t *read_body(struct fake_call *call)
{
    json_t *body = fake_call_json(call);
    if (body || !call->request->body)
        return body;
    struct problem_list problems;
    problem_list_init(&problems, call->arena);
    json_t *documents =
        document_parse("body", call->request->body, call->request->length, &problems);
    body = json_incref(json_array_get(documents, 0));
    json_decref(documents);
    return body;
}

static bool namespace_exists(struct fake_cluster *cluster, const struct fake_place *place)
{
    const struct fake_place namespace = {"v1", "namespaces", NULL, place->namespace, NULL};
    return !place->namespace || fake_store_get(cluster, &namespace);
}

/* Puts value unless it is a dry run or changes nothing, and answers with it; steals value. */
static void store(struct fake_call *call, struct fake_cluster *cluster,
                  const struct fake_place *place, json_t *value, int status)
{
    struct fake_object *old = fake_store_get(cluster, place);
    if (fake_call_query(call, "dryRun") || (old && json_equal(old->value, value))) {
        fake_call_reply(call, status, value);
        return;
    }
    struct fake_object *object = fake_store_put(call, cluster, place, value);
    fake_controller_run(call, cluster);
    fake_call_reply(call, status, json_incref(object->value));
}

/* "apiVersion" and "kind" where the body leaves them out. */
static void name_kind(json_t *value, const struct fake_place *place, const char *kind)
{
    if (!json_object_get(value, "apiVersion"))
        json_object_set_new(value, "apiVersion", json_string(place->group_version));
    if (!json_object_get(value, "kind"))
        json_object_set_new(value, "kind", json_string(kind));
}

/* False after answering that another object has that name now. */
static bool uid_holds(struct fake_call *call, const struct fake_object *object,
                      const json_t *options)
{
    const char *uid = fake_json_string(json_object_get(options, "preconditions"), "uid");
    if (!*uid ||
        strcmp(uid, fake_json_string(json_object_get(object->value, "metadata"), "uid")) == 0)
        return true;
    refuse(call, 409, "Conflict", "Precondition failed: UID in precondition");
    return false;
}

static void evict(struct fake_call *call, struct fake_cluster *cluster,
                  const struct fake_place *place, const json_t *body)
{
    struct fake_object *object = fake_store_get(cluster, place);
    if (!object) {
        refuse_missing(call, place);
        return;
    }
    const char *budget = fake_pods_budget(cluster, object);
    if (budget) {
        refuse(call, 429, "TooManyRequests",
               "Cannot evict pod as it would violate the pod's disruption budget.");
        return;
    }
    if (!uid_holds(call, object, json_object_get(body, "deleteOptions")))
        return;
    fake_pods_end(call, cluster, object, -1);
    fake_call_reply(
        call, 201,
        json_pack("{s:s, s:s, s:s}", "kind", "Status", "apiVersion", "v1", "status", "Success"));
}

static void create_object(struct fake_call *call, struct fake_cluster *cluster,
                          const struct fake_place *place, const char *kind, json_t *body)
{
    struct fake_place at = *place;
    json_t *metadata = json_object_get(body, "metadata");
    cleanup_free char *id = fake_new_id(call->world);
    const char *name = fake_json_string(metadata, "name");
    const char *prefix = fake_json_string(metadata, "generateName");
    at.name = *name ? name : *prefix ? arena_format(call->arena, "%s%.5s", prefix, id) : NULL;
    if (!at.name) {
        refuse(call, 422, "Invalid",
               "metadata.name: Required value: name or generateName is required");
    } else if (fake_store_get(cluster, &at)) {
        refuse(call, 409, "AlreadyExists",
               arena_format(call->arena, "%s \"%s\" already exists", at.resource, at.name));
    } else {
        name_kind(body, &at, kind);
        at.name = arena_string(call->arena, at.name);
        store(call, cluster, &at, json_deep_copy(body), 201);
    }
}

static void replace_object(struct fake_call *call, struct fake_cluster *cluster,
                           const struct fake_place *place, const char *kind, json_t *body)
{
    struct fake_object *old = fake_store_get(cluster, place);
    const char *version = fake_json_string(json_object_get(body, "metadata"), "resourceVersion");
    if (!old) {
        refuse_missing(call, place);
        return;
    }
    if (*version && strtoull(version, NULL, 10) != old->version) {
        refuse(call, 409, "Conflict",
               "the object has been modified; please apply your changes to the latest version and "
               "try again");
        return;
    }
    name_kind(body, place, kind);
    store(call, cluster, place, json_deep_copy(body), 200);
}

/* The object after the patch (own reference), or NULL if it does not apply. */
static json_t *patched(const char *type, json_t *value, json_t *body)
{
    json_t *result = json_deep_copy(value);
    if (strncmp(type, "application/json-patch+json", 27) == 0) {
        if (fake_patch_operations(result, body) < 0) {
            json_decref(result);
            return NULL;
        }
    } else {
        fake_patch_merge(result, body);
    }
    return result;
}

static void patch_object(struct fake_call *call, struct fake_cluster *cluster,
                         const struct fake_place *place, const char *kind, json_t *body)
{
    struct fake_object *old = fake_store_get(cluster, place);
    const char *type = call->request->content_type ? call->request->content_type : "";
    bool apply = strncmp(type, "application/apply-patch+yaml", 28) == 0;
    if (!old && !apply) {
        refuse_missing(call, place);
        return;
    }
    if (apply && !fake_call_query(call, "fieldManager")) {
        refuse(call, 400, "BadRequest",
               "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is "
               "required for apply patch");
        return;
    }
    const char *version = fake_json_string(json_object_get(body, "metadata"), "resourceVersion");
    if (old && *version && strtoull(version, NULL, 10) != old->version) {
        refuse(call, 409, "Conflict", "the object has been modified");
        return;
    }
    json_t *empty = json_object();
    json_t *value = patched(type, old ? old->value : empty, body);
    json_decref(empty);
    if (!value) {
        refuse(call, 422, "Invalid",
               "the server rejected our request due to an error in our request");
        return;
    }
    name_kind(value, place, kind);
    store(call, cluster, place, value, old ? 200 : 201);
}

static void delete_object(struct fake_call *call, struct fake_cluster *cluster,
                          const struct fake_place *place)
{
    struct fake_object *object = fake_store_get(cluster, place);
    if (!object) {
        refuse_missing(call, place);
        return;
    }
    json_t *options = fake_call_json(call);
    const json_t *grace = json_object_get(options, "gracePeriodSeconds");
    bool holds = uid_holds(call, object, options);
    if (holds && strcmp(place->resource, "pods") == 0)
        fake_pods_end(call, cluster, object, grace ? json_integer_value(grace) : -1);
    else if (holds)
        fake_store_delete(cluster, object);
    json_decref(options);
    if (!holds)
        return;
    for (struct fake_object *other = cluster->objects;
         other && strcmp(place->resource, "namespaces") == 0; other = other->hh.next)
        if (!other->deleted && other->namespace && strcmp(other->namespace, place->name) == 0)
            fake_store_delete(cluster, other);
    fake_controller_run(call, cluster);
    fake_call_reply(call, 200,
                    json_pack("{s:s, s:s, s:{}, s:s}", "kind", "Status", "apiVersion", "v1",
                              "metadata", "status", "Success"));
}

static void write_object(struct fake_call *call, struct fake_cluster *cluster,
                         const struct fake_place *place, const char *kind)
{
    const char *method = call->request->method;
    json_t *body = read_body(call);
    bool patch = strcmp(method, "PATCH") == 0;
    if (!json_is_object(body) && !(patch && json_is_array(body)))
        refuse(call, 400, "BadRequest", "the object provided is unrecognized");
    else if (!namespace_exists(cluster, place))
        refuse(call, 404, "NotFound",
               arena_format(call->arena, "namespaces \"%s\" not found", place->namespace));
    else if (place->subresource && strcmp(place->subresource, "eviction") == 0)
        evict(call, cluster, place, body);
    else if (patch)
        patch_object(call, cluster, place, kind, body);
    else if (strcmp(method, "PUT") == 0)
        replace_object(call, cluster, place, kind, body);
    else
        create_object(call, cluster, place, kind, body);
    json_decref(body);
}

static void handle_object(struct fake_call *call, struct fake_container *container,
                          struct fake_cluster *cluster, const struct fake_place *place)
{
    const char *method = call->request->method;
    bool namespaced, read = strcmp(method, "GET") == 0;
    const char *kind = fake_resource_kind(cluster, place, &namespaced);
    if (!kind)
        fake_call_text(call, 404, "text/plain", "404 page not found\n");
    else if (read && fake_call_flag(call, "watch"))
        watch_objects(call, container);
    else if (read && place->name)
        get_object(call, cluster, place);
    else if (read)
        list_objects(call, cluster, place, kind);
    else if (strcmp(method, "DELETE") == 0)
        delete_object(call, cluster, place);
    else
        write_object(call, cluster, place, arena_string(call->arena, kind));
}

/* --- the rest --- */

static bool is_health(const char *path)
{
    static const char *const paths[] = {"/healthz", "/livez", "/readyz"};
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        if (strcmp(path, paths[i]) == 0)
            return true;
    return false;
}

static void reply_version(struct fake_call *call, const struct fake_cluster *cluster)
{
    const char *version = cluster->kubernetes_version ? cluster->kubernetes_version : "v1.20.2";
    const char *minor = strchr(version, '.');
    int length = minor ? (int)strcspn(minor + 1, ".") : 0;
    fake_call_reply(call, 200,
                    json_pack("{s:s, s:s%, s:s, s:s}", "major", "1", "minor",
                              minor ? minor + 1 : "", (size_t)length, "gitVersion", version,
                              "platform", "linux/amd64"));
}

void fake_kube_handle(struct fake_call *call)
{
    struct fake_container *front = fake_container_find(call->world, call->request->api_of);
    struct fake_container *node = front ? fake_node_behind(call->world, front, call->now_ms) : NULL;
    struct fake_place place;
    if (!node) {
        call->reply->ending = FAKE_ENDING_DROP;
        return;
    }
    struct fake_cluster *cluster = node->node.cluster;
    fake_controller_run(call, cluster);
    fake_controller_sign(call, cluster);
    if (is_health(call->path))
        fake_call_text(call, 200, "text/plain", "ok");
    else if (strcmp(call->path, "/version") == 0)
        reply_version(call, cluster);
    else if (fake_resource_discover(call, cluster))
        return;
    else if (read_place(call->arena, call->path, &place))
        handle_object(call, front, cluster, &place);
    else
        fake_call_text(call, 404, "text/plain", "404 page not found\n");
}

/* --- watches --- */

static void add_change(const struct fake_object *object, uint64_t since, struct text *out)
{
    const char *type = object->deleted                   ? "DELETED"
                       : object->created_version > since ? "ADDED"
                                                         : "MODIFIED";
    cleanup_free char *value = json_dumps(object->value, JSON_COMPACT);
    text_add_format(out, "{\"type\":\"%s\",\"object\":%s}\n", type, value);
}

static void add_changes(struct fake_call *call, struct fake_cluster *cluster,
                        const struct fake_place *place, uint64_t since, struct text *out)
{
    const char *labels = fake_call_query(call, "labelSelector");
    const char *fields = fake_call_query(call, "fieldSelector");
    for (struct fake_object *object = cluster->objects; object; object = object->hh.next) {
        bool unseen = object->deleted && object->created_version > since;
        if (object->version > since && !unseen && in_collection(object, place) &&
            fake_selector_matches(object->value, labels, fields))
            add_change(object, since, out);
    }
}

bool fake_kube_watch(struct fake_world *world, struct fake_container *container, const char *target,
                     uint64_t now_ms, uint64_t *version, struct text *out, uint64_t *next_ms)
{
    cleanup_arena struct arena *arena = arena_new();
    const struct fake_request request = {"GET", target, NULL, NULL, 0, container->id};
    struct fake_call call = {.world = world, .now_ms = now_ms, .request = &request, .arena = arena};
    struct fake_container *node = fake_node_behind(world, container, now_ms);
    struct fake_place place;
    if (!node)
        return false;
    fake_call_init(&call);
    struct fake_cluster *cluster = node->node.cluster;
    fake_controller_run(&call, cluster);
    if (read_place(arena, call.path, &place))
        add_changes(&call, cluster, &place, *version, out);
    *version = cluster->version;
    *next_ms = fake_controller_next_ms(world, cluster, now_ms);
    return true;
}
