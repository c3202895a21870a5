#include "drivers/fake_control.h"

#include "base/memory.h"
#include "drivers/fake_container.h"
#include "drivers/fake_fault.h"
#include "drivers/fake_file.h"
#include "drivers/fake_populate.h"

static void reply_requests(struct fake_call *call)
{
    fake_call_reply(call, 200, json_incref(call->world->log));
}

static void reset_log(struct fake_call *call)
{
    json_array_clear(call->world->log);
    json_array_clear(call->world->scripts);
    call->world->request_count = 0;
    fake_call_status(call, 204);
}

static json_t *container_json(struct fake_container *container)
{
    json_t *files = json_array();
    for (struct fake_file *file = container->files; file; file = file->hh.next)
        json_array_append_new(files, json_string(file->path));
    return json_pack("{s:s, s:s, s:s, s:s, s:O, s:o, s:b, s:s*}", "id", container->id, "name",
                     container->name, "image", container->image, "state",
                     fake_container_state(container), "labels", container->labels, "files", files,
                     "kubelet", container->node.kubelet_at_ms != 0, "cluster",
                     container->node.cluster ? container->node.cluster->name : NULL);
}

static json_t *clusters_json(struct fake_world *world)
{
    json_t *list = json_array();
    for (struct fake_cluster *cluster = world->clusters; cluster; cluster = cluster->next) {
        json_t *objects = json_object();
        for (struct fake_object *object = cluster->objects; object; object = object->hh.next)
            if (!object->deleted)
                json_object_set(objects, object->path, object->value);
        json_array_append_new(list,
                              json_pack("{s:s, s:O, s:o}", "name", cluster->name, "etcd_members",
                                        cluster->etcd_members, "objects", objects));
    }
    return list;
}

static void reply_state(struct fake_call *call)
{
    struct fake_world *world = call->world;
    json_t *containers = json_array(), *networks = json_array(), *images = json_array();
    for (struct fake_container *item = world->containers; item; item = item->by_id.next)
        json_array_append_new(containers, container_json(item));
    for (struct fake_network *item = world->networks; item; item = item->next)
        json_array_append_new(networks, json_string(item->name));
    for (struct fake_image *item = world->images; item; item = item->hh.next)
        json_array_append_new(images, json_string(item->name));
    fake_call_reply(call, 200,
                    json_pack("{s:o, s:o, s:o, s:O, s:o, s:O}", "containers", containers,
                              "networks", networks, "images", images, "volumes", world->volumes,
                              "clusters", clusters_json(world), "scripts", world->scripts));
}

static void order_faults(struct fake_call *call)
{
    json_t *body = fake_call_json(call), *fault;
    json_t *list = json_is_array(body) ? json_incref(body) : json_pack("[O?]", body);
    bool known = json_array_size(list) > 0;
    size_t i;
    json_array_foreach(list, i, fault)
    {
        known &= fake_fault_add(call->world, fault);
    }
    json_decref(list);
    json_decref(body);
    if (known)
        fake_call_status(call, 204);
    else
        fake_call_error(call, 400, "no such action");
}

static void clear_faults(struct fake_call *call)
{
    json_array_clear(call->world->faults);
    fake_call_status(call, 204);
}

static void change_settings(struct fake_call *call)
{
    struct fake_settings *settings = &call->world->settings;
    const struct {
        const char *name;
        uint64_t *value;
    } rows[] = {
        {"boot_ms", &settings->boot_ms}, {"exec_ms", &settings->exec_ms},
        {"api_ms", &settings->api_ms},   {"ready_ms", &settings->ready_ms},
        {"lost_ms", &settings->lost_ms}, {"clear_ms", &settings->clear_ms},
        {"late_ms", &settings->late_ms},
    };
    json_t *body = fake_call_json(call);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *value = json_object_get(body, rows[i].name);
        if (value)
            *rows[i].value = (uint64_t)json_integer_value(value);
    }
    json_decref(body);
    fake_call_status(call, 204);
}

static void change_info(struct fake_call *call)
{
    json_t *body = fake_call_json(call);
    json_object_update(call->world->info, body);
    json_decref(body);
    fake_call_status(call, 204);
}

static void change_journal(struct fake_call *call)
{
    json_t *body = fake_call_json(call);
    json_object_update(call->world->journal, body);
    json_decref(body);
    fake_call_status(call, 204);
}

static void end_container(struct fake_call *call)
{
    const char *name = fake_call_query(call, "container"), *code = fake_call_query(call, "code");
    struct fake_container *container = fake_container_of(call, name ? name : "");
    if (!container)
        return;
    fake_container_end(call, container, code ? (int)strtol(code, NULL, 10) : 137);
    fake_call_status(call, 204);
}

static void end_events(struct fake_call *call)
{
    call->world->event_ends++;
    fake_call_status(call, 204);
}

static void disown_container(struct fake_call *call)
{
    const char *name = fake_call_query(call, "container"), *key;
    struct fake_container *container = fake_container_of(call, name ? name : "");
    if (!container)
        return;
    json_t *labels = json_object(), *value;
    json_object_foreach(container->labels, key, value)
    {
        if (strncmp(key, "fleet.kind/", strlen("fleet.kind/")) != 0)
            json_object_set(labels, key, value);
    }
    json_decref(container->labels);
    container->labels = labels;
    (void)fake_file_remove(container, "/kind/fleet.json");
    (void)fake_file_remove(container, "/kind/fleet.digest");
    fake_container_changed(call->world, container);
    fake_call_status(call, 204);
}

static const struct {
    const char *method, *path;
    fake_handler *run;
} routes[] = {
    {"GET", "/_fake/requests", reply_requests},  {"POST", "/_fake/reset-log", reset_log},
    {"GET", "/_fake/state", reply_state},        {"POST", "/_fake/fault", order_faults},
    {"POST", "/_fake/clear", clear_faults},      {"POST", "/_fake/settings", change_settings},
    {"POST", "/_fake/info", change_info},        {"POST", "/_fake/journal", change_journal},
    {"POST", "/_fake/exit", end_container},      {"POST", "/_fake/populate", fake_populate},
    {"POST", "/_fake/disown", disown_container}, {"POST", "/_fake/end-events", end_events},
};

bool fake_control_is_path(const char *path)
{
    return strncmp(path, "/_fake/", 7) == 0;
}

void fake_control_run(struct fake_call *call)
{
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (strcmp(routes[i].path, call->path) == 0 &&
            strcmp(routes[i].method, call->request->method) == 0) {
            routes[i].run(call);
            return;
        }
    }
    fake_call_error(call, 404, "page not found");
}
