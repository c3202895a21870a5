#include "drivers/fake_populate.h"

#include "base/memory.h"
#include "drivers/fake_command.h"
#include "drivers/fake_container.h"
#include "drivers/fake_controller.h"
#include "drivers/fake_file.h"
#include "drivers/fake_image.h"
#include "drivers/fake_node.h"
#include "drivers/fake_store.h"
#include <sys/stat.h>

/* How long ago it all happened, so that everything is Ready by now. */
enum { HISTORY_MS = 10 * 60 * 1000 };

struct population {
    struct fake_call *call;
    json_t *body;
    struct fake_image *image;
    json_t *first_request, *other_request; /* of control planes and workers, shared by all */
    size_t nodes;
    bool api;
};

/* Replaces "%s" by the cluster's name. */
static json_t *fill(const char *pattern, const char *cluster)
{
    struct text text;
    text_init(&text, 0);
    const char *hole;
    for (; (hole = strstr(pattern, "%s")); pattern = hole + 2) {
        text_add_bytes(&text, pattern, (size_t)(hole - pattern));
        text_add(&text, cluster);
    }
    text_add(&text, pattern);
    json_t *value = json_stringn(text.data, text.length);
    text_done(&text);
    return value;
}

static json_t *request_json(const struct population *population, bool first)
{
    json_t *request =
        json_pack("{s:s, s:b, s:{s:{}}, s:{s:b, s:s, s:{s:s, s:s}, s:{s:i, s:s}}}", "Image",
                  population->image->name, "Tty", 1, "Volumes", "/var", "HostConfig", "Privileged",
                  1, "NetworkMode", "kind", "Tmpfs", "/tmp", "", "/run", "", "RestartPolicy",
                  "MaximumRetryCount", 1, "Name", "on-failure");
    if (first) {
        json_object_set_new(
            json_object_get(request, "HostConfig"), "PortBindings",
            json_pack("{s:[{s:s, s:s}]}", "6443/tcp", "HostIp", "127.0.0.1", "HostPort", "0"));
        json_object_set_new(request, "ExposedPorts", json_pack("{s:{}}", "6443/tcp"));
    }
    return request;
}

static json_t *labels_json(const struct population *population, const char *cluster,
                           const char *name, bool first)
{
    json_t *shape = json_object_get(json_object_get(population->body, "shapes"), name);
    json_t *labels = json_pack("{s:s, s:s}", "io.x-k8s.kind.cluster", cluster, "io.x-k8s.kind.role",
                               first ? "control-plane" : "worker");
    json_t *value;
    const char *key;
    json_object_foreach(json_object_get(population->body, "labels"), key, value)
    {
        json_object_set_new(labels, key, fill(json_string_value(value), cluster));
    }
    if (shape)
        json_object_set(labels, "fleet.kind/shape", shape);
    return labels;
}

static struct fake_container *add_node(const struct population *population, const char *cluster,
                                       size_t index)
{
    bool first = index == 0;
    cleanup_free char *name =
        index < 2 ? memory_format("%s-%s", cluster, first ? "control-plane" : "worker")
                  : memory_format("%s-worker%zu", cluster, index);
    json_t *labels = labels_json(population, cluster, name, first);
    struct fake_container *container = NULL;
    if (!fake_container_find(population->call->world, name)) {
        container = fake_container_new(
            population->call, name, population->image,
            first ? population->first_request : population->other_request, labels);
        fake_container_run(population->call, container);
        container->unserved = !population->api;
    }
    json_decref(labels);
    return container;
}

static void run(const struct population *population, struct fake_container *container,
                const char *const *arguments)
{
    struct text out, err;
    text_init(&out, 0);
    text_init(&err, 0);
    struct fake_command command = {population->call, container, arguments, &out, &err, 0};
    (void)fake_command_run(&command);
    text_done(&out);
    text_done(&err);
}

/* A whole kubeadm init, joins and CNI. */
static void bring_up(const struct population *population, const char *cluster,
                     struct fake_container **nodes)
{
    static const char *const init[] = {"kubeadm", "init", "--config", "/kind/kubeadm.conf", NULL};
    const char *endpoint = arena_format(population->call->arena, "%s:6443", nodes[0]->name);
    const char *join[] = {"kubeadm", "join", endpoint, "--token", "abcdef.0123456789abcdef", NULL};
    cleanup_free char *config = memory_format(
        "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nclusterName: %s\n"
        "controlPlaneEndpoint: %s\n",
        cluster, endpoint);
    struct fake_call *call = population->call;
    uint64_t now_ms = call->now_ms;
    fake_file_put_text(nodes[0], "/kind/kubeadm.conf", config);
    run(population, nodes[0], init);
    call->now_ms = now_ms + call->world->settings.api_ms;
    for (size_t i = 1; i < population->nodes; i++)
        run(population, nodes[i], join);
    const struct fake_place place = {"apps/v1", "daemonsets", "kube-system", "kindnet", NULL};
    fake_store_make(call, nodes[0]->node.cluster, &place, "DaemonSet", json_pack("{s:{}}", "spec"));
    fake_controller_run(call, nodes[0]->node.cluster);
    call->now_ms = now_ms;
}

static void add_files(const struct population *population, const char *cluster,
                      struct fake_container *container)
{
    json_t *value;
    const char *path;
    json_object_foreach(json_object_get(population->body, "files"), path, value)
    {
        json_t *text = fill(json_string_value(value), cluster);
        fake_file_put_text(container, path, json_string_value(text));
        json_decref(text);
    }
}

/* The digest of what was applied, as the record's link tells it. */
static void add_link(const struct population *population, const char *cluster,
                     struct fake_container *container)
{
    const char *target = fake_json_string(json_object_get(population->body, "links"), cluster);
    if (*target)
        fake_file_put(container, "/kind/fleet.digest", target, strlen(target), S_IFLNK | 0777);
}

static bool add_cluster(const struct population *population, const char *name)
{
    struct fake_container **nodes =
        arena_array(population->call->arena, population->nodes, sizeof(struct fake_container *));
    for (size_t i = 0; i < population->nodes; i++) {
        nodes[i] = add_node(population, name, i);
        if (!nodes[i]) {
            fake_call_error(population->call, 409, "cluster %s is there already", name);
            return false;
        }
    }
    if (population->api)
        bring_up(population, name, nodes);
    add_files(population, name, nodes[0]);
    add_link(population, name, nodes[0]);
    return true;
}

static void make_network(struct fake_call *call)
{
    static const char body[] =
        "{\"Name\":\"kind\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.200.0.0/16\"}]}}";
    const struct fake_request request = {"POST", "/networks/create", NULL,
                                         body,   strlen(body),       NULL};
    struct fake_reply reply;
    if (!fake_network_find(call->world, "kind")) {
        fake_world_handle(call->world, call->now_ms, &request, &reply);
        fake_reply_done(&reply);
    }
}

static size_t number(struct fake_call *call, const char *key, size_t otherwise)
{
    const char *value = fake_call_query(call, key);
    return value ? strtoul(value, NULL, 10) : otherwise;
}

void fake_populate(struct fake_call *call)
{
    const char *prefix = fake_call_query(call, "prefix");
    size_t clusters = number(call, "clusters", 1);
    uint64_t now_ms = call->now_ms;
    call->now_ms = now_ms > HISTORY_MS ? now_ms - HISTORY_MS : 1;
    struct population population = {
        .call = call, .body = fake_call_json(call), .nodes = number(call, "nodes", 1)};
    const char *image = fake_json_string(population.body, "image");
    population.image = *image ? fake_image_find(call->world, image) : call->world->images;
    population.api = fake_call_flag(call, "api");
    make_network(call);
    if (population.image && population.nodes > 0) {
        population.first_request = request_json(&population, true);
        population.other_request = request_json(&population, false);
        fake_call_status(call, 204);
        for (size_t i = 1; i <= clusters; i++)
            if (!add_cluster(&population,
                             arena_format(call->arena, "%s%04zu", prefix ? prefix : "c", i)))
                break;
    } else {
        fake_call_error(call, 400, "no such image, or no nodes");
    }
    call->now_ms = now_ms;
    json_decref(population.first_request);
    json_decref(population.other_request);
    json_decref(population.body);
}
