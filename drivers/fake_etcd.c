/* etcdctl of the fake nodes: who the members are, and fewer of them. */
#include "base/memory.h"
#include "drivers/fake_command.h"
#include "drivers/fake_container.h"
#include "drivers/fake_file.h"
#include "drivers/fake_node.h"
#include <inttypes.h>

/* A member's id is made of its name, so that it is the same everywhere (FNV-1a). */
uint64_t fake_etcd_id(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash;
}

static const char *address(struct fake_world *world, const char *name)
{
    struct fake_container *container = fake_container_find(world, name);
    bool known = container && container->endpoint_count && container->endpoints[0].ipv4;
    return known ? container->endpoints[0].ipv4 : "0.0.0.0";
}

static void list_text(struct fake_command *command, const struct fake_cluster *cluster)
{
    size_t i;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member), *ip = address(command->call->world, name);
        text_add_format(command->out,
                        "%016" PRIx64 ", started, %s, https://%s:2380, https://%s:2379, false\n",
                        fake_etcd_id(name), name, ip, ip);
    }
}

static void list_json(struct fake_command *command, const struct fake_cluster *cluster)
{
    json_t *members = json_array(), *member;
    size_t i;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member), *ip = address(command->call->world, name);
        json_array_append_new(members,
                              json_pack("{s:I, s:s, s:[o], s:[o]}", "ID",
                                        (json_int_t)(fake_etcd_id(name) & INT64_MAX), "name", name,
                                        "peerURLs", json_sprintf("https://%s:2380", ip),
                                        "clientURLs", json_sprintf("https://%s:2379", ip)));
    }
    json_t *value = json_pack("{s:{}, s:o}", "header", "members", members);
    cleanup_free char *text = json_dumps(value, JSON_COMPACT);
    text_add_format(command->out, "%s\n", text);
    json_decref(value);
}

/* Of all members, as far as they run and are a majority. */
static void tell_health(struct fake_command *command, const struct fake_cluster *cluster)
{
    struct fake_world *world = command->call->world;
    size_t i;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = json_string_value(member);
        if (fake_etcd_runs(world, name) && fake_etcd_has_quorum(world, cluster))
            text_add_format(command->out,
                            "https://%s:2379 is healthy: successfully committed proposal: took = "
                            "9.4ms\n",
                            address(world, name));
        else
            text_add_format(command->err,
                            "https://%s:2379 is unhealthy: failed to commit proposal: context "
                            "deadline exceeded\n",
                            address(world, name));
    }
}

static int remove_member(struct fake_command *command, struct fake_cluster *cluster, const char *id)
{
    if (!fake_etcd_has_quorum(command->call->world, cluster))
        return fake_command_fail(command, "Error: context deadline exceeded");
    uint64_t wanted = strtoull(id, NULL, 16);
    size_t i;
    json_t *member;
    json_array_foreach(cluster->etcd_members, i, member)
    {
        const char *name = arena_string(command->call->arena, json_string_value(member));
        if (fake_etcd_id(name) != wanted && (fake_etcd_id(name) & INT64_MAX) != wanted)
            continue;
        struct fake_container *container = fake_container_find(command->call->world, name);
        fake_etcd_remove(cluster, name);
        if (container)
            container->node.etcd = false;
        text_add_format(command->out, "Member %s removed from cluster\n", id);
        return 0;
    }
    return fake_command_fail(command, "Error: etcdserver: member not found");
}

enum { SNAPSHOTS_KEPT = 5 };

static void remove_oldest(struct fake_container *container)
{
    const char *oldest = NULL;
    size_t count = 0;
    for (const struct fake_file *file = container->files; file; file = file->hh.next) {
        if (strncmp(file->path, FAKE_SNAPSHOTS "/", strlen(FAKE_SNAPSHOTS "/")) != 0)
            continue;
        count++;
        if (!oldest || strcmp(file->path, oldest) < 0)
            oldest = file->path;
    }
    if (count > SNAPSHOTS_KEPT)
        fake_file_remove(container, oldest);
}

/* A file that sorts by its time, as the real script makes it. */
static int save(struct fake_command *command, const char *subject)
{
    const char *path = arena_format(command->call->arena, FAKE_SNAPSHOTS "/%013" PRIu64 "-%s.db",
                                    command->call->now_ms, subject);
    fake_file_put(command->container, path, "snapshot", strlen("snapshot"), 0600);
    remove_oldest(command->container);
    return 0;
}

/* The word after "member", or after "etcd" as the driver's script is called, and the next. */
static bool find_member_words(struct fake_command *command, const char **verb, const char **id)
{
    for (const char *const *word = command->arguments; *word; word++) {
        if ((strcmp(*word, "member") == 0 || strcmp(*word, "etcd") == 0) && word[1]) {
            *verb = word[1];
            *id = word[2] ? word[2] : "";
            return true;
        }
    }
    return false;
}

static bool wants_json(struct fake_command *command)
{
    for (const char *const *word = command->arguments; *word; word++)
        if (strcmp(*word, "json") == 0 || strcmp(*word, "--write-out=json") == 0 ||
            strcmp(*word, "-wjson") == 0)
            return true;
    return false;
}

int fake_etcd_run(struct fake_command *command)
{
    const char *verb, *id;
    struct fake_cluster *cluster = command->container->node.cluster;
    if (!find_member_words(command, &verb, &id))
        return 0;
    if (!cluster || !command->container->node.etcd)
        return fake_command_fail(command, "etcd does not run here") + 2;
    if (strcmp(verb, "look") == 0) {
        list_text(command, cluster);
        tell_health(command, cluster);
        return 0;
    }
    if (strcmp(verb, "remove") == 0)
        return remove_member(command, cluster, id);
    if (strcmp(verb, "save") == 0)
        return save(command, id);
    if (wants_json(command))
        list_json(command, cluster);
    else
        list_text(command, cluster);
    return 0;
}
