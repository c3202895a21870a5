#include "drivers/fake_portrait.h"

#include "base/memory.h"
#include "drivers/fake_call.h"
#include "drivers/fake_container.h"
#include "drivers/fake_node.h"
#include <stdlib.h>

/* Ports from here on are picked by whoever makes a container. */
enum { PICKED_PORTS = 32768 };

struct lines {
    char **items;
    size_t count;
};

/* Takes over the line. */
static void add_line(struct lines *lines, char *line)
{
    lines->items = memory_resize(lines->items, lines->count + 1, sizeof(*lines->items));
    lines->items[lines->count++] = line;
}

static void add_json(struct lines *lines, const char *what, const char *name, const json_t *value)
{
    cleanup_free char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    add_line(lines, memory_format("%s %s %s", what, name, text ? text : ""));
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print(struct lines *lines, struct text *out)
{
    qsort(lines->items, lines->count, sizeof(*lines->items), compare);
    for (size_t i = 0; i < lines->count; i++) {
        text_add_format(out, "%s\n", lines->items[i]);
        free(lines->items[i]);
    }
    free(lines->items);
}

/* --- containers --- */

static void hide_ports(json_t *host_config)
{
    json_t *list, *binding;
    const char *port;
    size_t i;
    json_object_foreach(json_object_get(host_config, "PortBindings"), port, list)
    {
        json_array_foreach(list, i, binding)
        {
            if (strtoul(fake_json_string(binding, "HostPort"), NULL, 10) >= PICKED_PORTS)
                json_object_set_new(binding, "HostPort", json_string("picked"));
        }
    }
}

static void hide_addresses(json_t *networking)
{
    json_t *endpoint;
    const char *name;
    json_object_foreach(json_object_get(networking, "EndpointsConfig"), name, endpoint)
    {
        if (json_object_del(endpoint, "IPAMConfig") == 0)
            json_object_set_new(endpoint, "IPAMConfig", json_string("fixed"));
    }
}

static void add_container(struct lines *lines, struct fake_container *container)
{
    json_t *request = json_deep_copy(container->request);
    hide_ports(json_object_get(request, "HostConfig"));
    hide_addresses(json_object_get(request, "NetworkingConfig"));
    cleanup_free char *what = memory_format("container %s%s%s", fake_container_state(container),
                                            container->node.kubelet_at_ms ? ", kubelet" : "",
                                            container->node.etcd ? ", etcd" : "");
    add_json(lines, what, container->name, request);
    json_decref(request);
    for (struct fake_file *file = container->files; file; file = file->hh.next) {
        if (strncmp(file->path, FAKE_SNAPSHOTS, strlen(FAKE_SNAPSHOTS)) == 0)
            continue; /* a try more is a snapshot more */
        bool told = strncmp(file->path, "/kind/fleet", 11) == 0 && file->bytes;
        add_line(lines, memory_format("file %s:%s %s", container->name, file->path,
                                      told ? file->bytes : ""));
    }
}

/* --- clusters --- */

/* Tokens come and go with joins, and who signs them writes them down. */
static bool is_passing(const struct fake_object *object)
{
    return object->deleted || strncmp(object->name, "bootstrap-token-", 16) == 0 ||
           strcmp(object->name, "cluster-info") == 0;
}

static void add_object(struct lines *lines, const char *cluster, const struct fake_object *object)
{
    static const char *const servers[] = {"uid", "resourceVersion", "creationTimestamp",
                                          "generation", "managedFields"};
    if (is_passing(object))
        return;
    json_t *value = json_deep_copy(object->value), *metadata = json_object_get(value, "metadata");
    for (size_t i = 0; i < COUNT_OF(servers); i++)
        json_object_del(metadata, servers[i]);
    json_object_del(value, "status");
    cleanup_free char *what = memory_format("object of %s", cluster);
    add_json(lines, what, object->path, value);
    json_decref(value);
}

static void add_cluster(struct lines *lines, const struct fake_cluster *cluster)
{
    size_t i;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        add_line(lines, memory_format("member of %s %s", cluster->name, json_string_value(member)));
    }
    for (const struct fake_object *object = cluster->objects; object; object = object->hh.next)
        add_object(lines, cluster->name, object);
}

void fake_portrait(struct fake_world *world, struct text *out)
{
    struct lines lines = {0};
    for (struct fake_network *network = world->networks; network; network = network->next)
        add_json(&lines, "network", network->name, network->request);
    for (struct fake_container *each = world->containers; each; each = each->by_id.next)
        add_container(&lines, each);
    for (struct fake_cluster *cluster = world->clusters; cluster; cluster = cluster->next)
        add_cluster(&lines, cluster);
    add_line(&lines, memory_format("volumes %zu", json_object_size(world->volumes)));
    print(&lines, out);
}
