#include "drivers/fake_look.h"

#include "base/memory.h"
#include "drivers/fake_call.h"
#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"

size_t fake_look_containers(const struct fake_world *world)
{
    return HASH_CNT(by_id, world->containers);
}

const json_t *fake_look_container(struct fake_world *world, const char *name)
{
    const struct fake_container *container = fake_container_find(world, name);
    return container ? container->request : NULL;
}

const char *fake_look_label(struct fake_world *world, const char *container, const char *key)
{
    const struct fake_container *found = fake_container_find(world, container);
    return found ? fake_container_label(found, key) : NULL;
}

bool fake_look_registered(struct fake_world *world, const char *container)
{
    const struct fake_container *found = fake_container_find(world, container);
    return found && found->node.registered && found->node.kubelet_at_ms;
}

const char *fake_look_name_of(struct fake_world *world, const char *container)
{
    const struct fake_container *found = fake_container_find(world, container);
    return found ? found->name : NULL;
}

const char *fake_look_id(struct fake_world *world, const char *container)
{
    const struct fake_container *found = fake_container_find(world, container);
    return found ? found->id : NULL;
}

const char *fake_look_state(struct fake_world *world, const char *container)
{
    const struct fake_container *found = fake_container_find(world, container);
    return found ? fake_container_state(found) : NULL;
}

const char *fake_look_name(const struct fake_world *world, size_t index)
{
    const struct fake_container *container = world->containers;
    while (container && index-- > 0)
        container = container->by_id.next;
    return container ? container->name : NULL;
}

const char *fake_look_exec(const struct fake_world *world, const char *exec)
{
    const struct fake_exec *found = NULL;
    HASH_FIND_STR(world->execs, exec, found);
    return found ? found->container_id : NULL;
}

size_t fake_look_execs(const struct fake_world *world)
{
    return HASH_COUNT(world->execs);
}

const json_t *fake_look_network(struct fake_world *world, const char *network)
{
    const struct fake_network *found = fake_network_find(world, network);
    return found ? json_object_get(found->request, "Labels") : NULL;
}

bool fake_look_has_network(struct fake_world *world, const char *network)
{
    return fake_network_find(world, network) != NULL;
}

size_t fake_look_networks(const struct fake_world *world, const char *name)
{
    size_t count = 0;
    for (const struct fake_network *each = world->networks; each; each = each->next)
        count += strcmp(each->name, name) == 0;
    return count;
}

bool fake_look_etcd(struct fake_world *world, const char *cluster, size_t *running, size_t *all)
{
    bool found = false;
    *running = *all = 0;
    for (const struct fake_cluster *each = world->clusters; each; each = each->next) {
        size_t up = strcmp(each->name, cluster) == 0 ? fake_etcd_running(world, each) : 0;
        if (strcmp(each->name, cluster) != 0 || (found && up < *running))
            continue;
        found = true;
        *running = up;
        *all = json_array_size(each->etcd_members);
    }
    return found;
}

const char *fake_look_file(struct fake_world *world, const char *container, const char *path)
{
    struct fake_container *found = fake_container_find(world, container);
    return found ? fake_file_text(found, path) : NULL;
}

size_t fake_look_files(struct fake_world *world, const char *container, const char *prefix)
{
    struct fake_container *found = fake_container_find(world, container);
    size_t count = 0;
    for (struct fake_file *file = found ? found->files : NULL; file; file = file->hh.next)
        count += strncmp(file->path, prefix, strlen(prefix)) == 0;
    return count;
}

const json_t *fake_look_object(const struct fake_world *world, const char *path)
{
    struct fake_object *object = NULL;
    if (world->clusters)
        HASH_FIND_STR(world->clusters->objects, path, object);
    return object && !object->deleted ? object->value : NULL;
}

const json_t *fake_look_object_of(const struct fake_world *world, const char *cluster,
                                  const char *path)
{
    for (const struct fake_cluster *each = world->clusters; each; each = each->next) {
        struct fake_object *object = NULL;
        if (strcmp(each->name, cluster) == 0)
            HASH_FIND_STR(each->objects, path, object);
        if (object && !object->deleted)
            return object->value;
    }
    return NULL;
}

bool fake_look_is_member(struct fake_world *world, const char *cluster, const char *node)
{
    const struct fake_container *container = fake_container_find(world, node);
    if (!container || !container->node.etcd)
        return false;
    for (const struct fake_cluster *each = world->clusters; each; each = each->next) {
        size_t i;
        json_t *member;
        json_array_foreach(each->etcd_members, i, member)
        {
            if (strcmp(each->name, cluster) == 0 && strcmp(json_string_value(member), node) == 0)
                return true;
        }
    }
    return false;
}

size_t fake_look_objects(const struct fake_world *world, const char *prefix)
{
    const struct fake_object *object = world->clusters ? world->clusters->objects : NULL;
    size_t count = 0;
    for (; object; object = object->hh.next)
        count += !object->deleted && strncmp(object->path, prefix, strlen(prefix)) == 0;
    return count;
}

const char *fake_look_path(const struct fake_world *world, const char *prefix)
{
    const struct fake_object *object = world->clusters ? world->clusters->objects : NULL;
    for (; object; object = object->hh.next)
        if (!object->deleted && strncmp(object->path, prefix, strlen(prefix)) == 0)
            return object->path;
    return NULL;
}

const json_t *fake_look_members(const struct fake_world *world)
{
    return world->clusters ? world->clusters->etcd_members : NULL;
}

size_t fake_look_requests(const struct fake_world *world, const char *match)
{
    size_t i, count = 0;
    const json_t *entry;
    json_array_foreach(world->log, i, entry)
    {
        cleanup_free char *line = memory_format("%s %s", fake_json_string(entry, "method"),
                                                fake_json_string(entry, "path"));
        count += strstr(line, match) != NULL;
    }
    return count;
}

size_t fake_look_commands(const struct fake_world *world, const char *match)
{
    size_t i, j, count = 0;
    const json_t *entry, *word;
    json_array_foreach(world->log, i, entry)
    {
        struct text line;
        text_init(&line, 0);
        json_array_foreach(json_object_get(entry, "command"), j, word)
        {
            text_add_format(&line, "%s%s", j ? " " : "", json_string_value(word));
        }
        count += line.length && strstr(line.data, match);
        text_done(&line);
    }
    return count;
}
