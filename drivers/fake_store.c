#include "drivers/fake_store.h"

#include "base/memory.h"

struct fake_cluster *fake_cluster_new(struct fake_world *world, const char *name)
{
    struct fake_cluster *cluster = memory_new(sizeof(*cluster));
    cluster->name = memory_string(name);
    cluster->serial = ++world->last_cluster;
    cluster->etcd_members = json_array();
    cluster->peer_urls = json_object();
    cluster->next = world->clusters;
    world->clusters = cluster;
    return cluster;
}

static void free_object(struct fake_object *object)
{
    free(object->path);
    free(object->group_version);
    free(object->resource);
    free(object->namespace);
    free(object->name);
    json_decref(object->value);
    free(object);
}

void fake_cluster_free(struct fake_world *world, struct fake_cluster *cluster)
{
    struct fake_object *object, *next;
    HASH_ITER(hh, cluster->objects, object, next)
    {
        HASH_DEL(cluster->objects, object);
        free_object(object);
    }
    struct fake_cluster **link = &world->clusters;
    while (*link != cluster)
        link = &(*link)->next;
    *link = cluster->next;
    json_decref(cluster->etcd_members);
    json_decref(cluster->peer_urls);
    free(cluster->kubernetes_version);
    free(cluster->name);
    free(cluster);
}

static char *object_path(const struct fake_place *place)
{
    bool core = !strchr(place->group_version, '/');
    return memory_format("/%s/%s%s%s/%s/%s", core ? "api" : "apis", place->group_version,
                         place->namespace ? "/namespaces/" : "",
                         place->namespace ? place->namespace : "", place->resource, place->name);
}

static struct fake_object *find(struct fake_cluster *cluster, const char *path)
{
    struct fake_object *object;
    HASH_FIND_STR(cluster->objects, path, object);
    return object;
}

struct fake_object *fake_store_get(struct fake_cluster *cluster, const struct fake_place *place)
{
    if (!place->name)
        return NULL;
    cleanup_free char *path = object_path(place);
    struct fake_object *object = find(cluster, path);
    return object && !object->deleted ? object : NULL;
}

static struct fake_object *new_object(struct fake_cluster *cluster, const char *path,
                                      const struct fake_place *place)
{
    struct fake_object *object = memory_new(sizeof(*object));
    object->path = memory_string(path);
    object->group_version = memory_string(place->group_version);
    object->resource = memory_string(place->resource);
    object->namespace = memory_string(place->namespace);
    object->name = memory_string(place->name);
    object->deleted = true;
    HASH_ADD_KEYPTR(hh, cluster->objects, object->path, strlen(object->path), object);
    return object;
}

static json_t *member(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_object(value)) {
        value = json_object();
        json_object_set_new(object, key, value);
    }
    return value;
}

/* What the server writes: uid, times, versions. */
static void complete(struct fake_call *call, struct fake_object *object, json_t *value)
{
    json_t *metadata = member(value, "metadata");
    json_t *old = object->deleted ? NULL : json_object_get(object->value, "metadata");
    cleanup_free char *id = fake_new_id(call->world);
    const char *uid = arena_format(call->arena, "%.8s-%.4s-4%.3s-a%.3s-%.12s", id, id + 8, id + 12,
                                   id + 15, id + 18);
    json_object_set_new(metadata, "name", json_string(object->name));
    if (object->namespace)
        json_object_set_new(metadata, "namespace", json_string(object->namespace));
    json_object_set_new(metadata, "uid", json_string(old ? fake_json_string(old, "uid") : uid));
    json_object_set_new(metadata, "creationTimestamp",
                        json_string(old ? fake_json_string(old, "creationTimestamp")
                                        : fake_time_seconds(call->arena, call->now_ms)));
    json_int_t generation = json_integer_value(json_object_get(old, "generation"));
    bool same =
        old && json_equal(json_object_get(value, "spec"), json_object_get(object->value, "spec"));
    if (json_object_get(value, "spec"))
        json_object_set_new(metadata, "generation",
                            json_integer(same ? generation : generation + 1));
    json_object_set_new(metadata, "resourceVersion",
                        json_sprintf("%llu", (unsigned long long)object->version));
}

struct fake_object *fake_store_put(struct fake_call *call, struct fake_cluster *cluster,
                                   const struct fake_place *place, json_t *value)
{
    cleanup_free char *path = object_path(place);
    struct fake_object *object = find(cluster, path);
    if (!object)
        object = new_object(cluster, path, place);
    object->version = ++cluster->version;
    complete(call, object, value);
    if (object->deleted)
        object->created_version = object->version;
    json_decref(object->value);
    object->value = value;
    object->deleted = false;
    call->world->version++;
    return object;
}

void fake_store_delete(struct fake_cluster *cluster, struct fake_object *object)
{
    object->deleted = true;
    object->version = ++cluster->version;
}

struct fake_object *fake_store_make(struct fake_call *call, struct fake_cluster *cluster,
                                    const struct fake_place *place, const char *kind, json_t *rest)
{
    json_t *value = json_pack("{s:s, s:s}", "apiVersion", place->group_version, "kind", kind);
    json_object_update_new(value, rest);
    return fake_store_put(call, cluster, place, value);
}
