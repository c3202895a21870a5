#include "sim/wishes.h"

#include "base/arena.h"
#include "base/memory.h"
#include "model/load.h"
#include <assert.h>

#define NODE "kind.local/node:v1.20.2"
#define OTHER "kind.local/node:v1.20.3"

const char *const wish_node_images[] = {NODE, OTHER, NULL};
const char *const wish_images[] = {"docker.io/library/busybox:v1", "kind.local/haproxy:v1", NULL};

#define CLUSTER(NAME, IMAGE)                                                                       \
    "---\napiVersion: fleet.kind/v1alpha1\nkind: Cluster\nmetadata: {name: " NAME                  \
    "}\nspec:\n  version: " IMAGE "\n"
#define IMAGES                                                                                     \
    "---\napiVersion: fleet.kind/v1alpha1\nkind: Fleet\nspec:\n"                                   \
    "  images: {v1.20.2: \"" NODE "\", v1.20.3: \"" OTHER "\"}\n"
#define A CLUSTER("a", "v1.20.2")
#define NEW_A CLUSTER("a", "v1.20.3")
#define B CLUSTER("b", "v1.20.2")
#define C CLUSTER("c", "v1.20.2")
#define NODES "  nodes:\n"
#define CP "  - {role: control-plane}\n"
#define W "  - {role: worker}\n"

static const struct wish wishes[] = {
    {.name = "a: cp", .text = IMAGES A NODES CP},
    {.name = "a: cp w", .text = IMAGES A NODES CP W},
    {.name = "a: cp w w", .text = IMAGES A NODES CP W W},
    {.name = "a: cp cp cp", .text = IMAGES A NODES CP CP CP},
    {.name = "a: cp cp cp w", .text = IMAGES A NODES CP CP CP W},
    {.name = "a: cp cp cp, no cni",
     .text = IMAGES A "  networking: {disableDefaultCNI: true}\n" NODES CP CP CP},
    {.name = "a: cp cp cp, ports",
     .text =
         IMAGES A NODES CP CP "  - {role: control-plane, extraPortMappings: [{containerPort: 80, "
                              "hostPort: 8081}]}\n"},
    {.name = "a: cp cp cp w, upgraded", .text = IMAGES NEW_A NODES CP CP CP W},
    {.name = "a: cp w, upgraded", .text = IMAGES NEW_A NODES CP W},
    {.name = "a: cp w, labels",
     .text = IMAGES A NODES "  - {role: control-plane, labels: {tier: "
                            "front}}\n  - {role: worker, labels: {tier: "
                            "db}, taints: [\"gpu=yes:NoSchedule\"]}\n"},
    {.name = "a: cp w, other labels",
     .text = IMAGES A NODES CP "  - {role: worker, labels: {tier: web}}\n"},
    {.name = "a: cp w, ports",
     .text = IMAGES A NODES CP "  - {role: worker, extraPortMappings: [{containerPort: 80, "
                               "hostPort: 8080}]}\n"},
    {.name = "a: cp, manifest", .text = IMAGES A "  manifests: [one.yaml]\n" NODES CP},
    {.name = "a: cp, other manifest", .text = IMAGES A "  manifests: [two.yaml]\n" NODES CP},
    {.name = "a: cp w, preload", .text = IMAGES A "  preload: [\"busybox:v1\"]\n" NODES CP W},
    {.name = "a: cp, dual", .text = IMAGES A "  networking: {ipFamily: dual}\n" NODES CP},
    {.name = "a: cp w, ipv6", .text = IMAGES A "  networking: {ipFamily: ipv6}\n" NODES CP W},
    {.name = "a: cp, no cni",
     .text = IMAGES A "  networking: {disableDefaultCNI: true}\n" NODES CP},
    {.name = "a: cp, other pods",
     .text = IMAGES A "  networking: {podSubnet: 10.8.0.0/16}\n" NODES CP},
    {.name = "a: cp, b: cp", .text = IMAGES A NODES CP B NODES CP},
    {.name = "a: cp w, b: cp w", .text = IMAGES A NODES CP W B NODES CP W},
    {.name = "a: cp, b: cp, c: cp", .text = IMAGES A NODES CP B NODES CP C NODES CP},
    {.name = "b: cp", .text = IMAGES B NODES CP},
    {.name = "nothing", .text = "# nothing\n", .empty = true},
    {.name = "no YAML", .text = "a: [b\n", .invalid = true},
    {.name = "unknown field", .text = IMAGES A "  nodez: []\n", .invalid = true},
    {.name = "two alike", .text = IMAGES A NODES CP A NODES CP, .invalid = true},
    {.name = "bad name", .text = IMAGES CLUSTER("A_b", "v1.20.2") NODES CP, .invalid = true},
};

static const struct {
    const char *path, *text;
} files[] = {
    {"one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: default}\n"
                 "data: {a: b}\n---\napiVersion: v1\nkind: ConfigMap\n"
                 "metadata: {name: both, namespace: default}\ndata: {a: b}\n"},
    {"two.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: both, namespace: default}\n"
                 "data: {a: c}\n"},
};

size_t wish_count(void)
{
    return COUNT_OF(wishes);
}

const struct wish *wish_at(size_t index)
{
    assert(index < COUNT_OF(wishes));
    return &wishes[index];
}

size_t wish_index(const char *name)
{
    size_t index = 0;
    while (index < COUNT_OF(wishes) && strcmp(wishes[index].name, name) != 0)
        index++;
    assert(index < COUNT_OF(wishes));
    return index;
}

static int read_file(void *context, struct arena *arena, const char *base, const char *path,
                     struct load_text *text, struct error **err)
{
    (void)context, (void)arena, (void)base;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (strcmp(files[i].path, path) != 0)
            continue;
        *text = (struct load_text){path, files[i].text, strlen(files[i].text)};
        return 0;
    }
    return error_set(err, ERROR_INVALID, "%s: no such file", path);
}

const struct fleet_spec *wish_fleet(size_t index)
{
    static struct {
        bool known, good;
        struct fleet_spec fleet;
    } loaded[COUNT_OF(wishes)];
    static struct arena *arena;
    const struct wish *wish = wish_at(index);
    if (!loaded[index].known) {
        arena = arena ? arena : arena_new();
        const struct load_text text = {"fleet.yaml", wish->text, strlen(wish->text)};
        const struct load_options options = {
            .base_folder = "/", .allow_empty = true, .read_file = read_file};
        struct problem_list problems;
        problem_list_init(&problems, arena);
        loaded[index].known = true;
        loaded[index].good = load_fleet(&text, 1, &options, &loaded[index].fleet, &problems) == 0;
        assert(loaded[index].good == !wish->invalid);
    }
    return loaded[index].good ? &loaded[index].fleet : NULL;
}
