#include "model/spec_copy.h"

#include "base/text.h"
#include "model/spec_print.h"
#include <string.h>

/* A copy of count items of size, to be mended by the caller. */
static void *copy_items(struct arena *arena, const void *items, size_t count, size_t size)
{
    if (!count)
        return NULL;
    void *copy = arena_array(arena, count, size);
    memcpy(copy, items, count * size);
    return copy;
}

static struct place copy_place(struct arena *arena, struct place place)
{
    place.file = arena_string(arena, place.file);
    return place;
}

static struct string_list copy_strings(struct arena *arena, const struct string_list *list)
{
    const char **items = copy_items(arena, list->items, list->count, sizeof(*items));
    for (size_t i = 0; i < list->count; i++)
        items[i] = arena_string(arena, list->items[i]);
    return (struct string_list){items, list->count};
}

static struct pair_list copy_pairs(struct arena *arena, const struct pair_list *list)
{
    struct pair *items = copy_items(arena, list->items, list->count, sizeof(*items));
    for (size_t i = 0; i < list->count; i++)
        items[i] = (struct pair){arena_string(arena, list->items[i].key),
                                 arena_string(arena, list->items[i].value)};
    return (struct pair_list){items, list->count};
}

static struct json6902_list copy_patches(struct arena *arena, const struct json6902_list *list)
{
    struct json6902_spec *items = copy_items(arena, list->items, list->count, sizeof(*items));
    for (size_t i = 0; i < list->count; i++) {
        items[i].group = arena_string(arena, items[i].group);
        items[i].version = arena_string(arena, items[i].version);
        items[i].kind = arena_string(arena, items[i].kind);
        items[i].patch = arena_string(arena, items[i].patch);
        items[i].place = copy_place(arena, items[i].place);
    }
    return (struct json6902_list){items, list->count};
}

static const struct mount_spec *copy_mounts(struct arena *arena, const struct node_spec *node)
{
    struct mount_spec *items = copy_items(arena, node->mounts, node->mount_count, sizeof(*items));
    for (size_t i = 0; i < node->mount_count; i++) {
        items[i].host_path = arena_string(arena, items[i].host_path);
        items[i].container_path = arena_string(arena, items[i].container_path);
        items[i].checked_path = arena_string(arena, items[i].checked_path);
        items[i].place = copy_place(arena, items[i].place);
    }
    return items;
}

static const struct port_spec *copy_ports(struct arena *arena, const struct node_spec *node)
{
    struct port_spec *items = copy_items(arena, node->ports, node->port_count, sizeof(*items));
    for (size_t i = 0; i < node->port_count; i++) {
        items[i].listen_address = arena_string(arena, items[i].listen_address);
        items[i].place = copy_place(arena, items[i].place);
    }
    return items;
}

static const struct taint_spec *copy_taints(struct arena *arena, const struct node_spec *node)
{
    struct taint_spec *items = copy_items(arena, node->taints, node->taint_count, sizeof(*items));
    for (size_t i = 0; i < node->taint_count; i++)
        items[i] = (struct taint_spec){arena_string(arena, node->taints[i].key),
                                       arena_string(arena, node->taints[i].value),
                                       arena_string(arena, node->taints[i].effect)};
    return items;
}

static struct node_spec copy_node(struct arena *arena, const struct node_spec *node)
{
    struct node_spec copy = *node;
    copy.name = arena_string(arena, node->name);
    copy.image = arena_string(arena, node->image);
    copy.labels = copy_pairs(arena, &node->labels);
    copy.mounts = copy_mounts(arena, node);
    copy.ports = copy_ports(arena, node);
    copy.kubeadm_patches = copy_strings(arena, &node->kubeadm_patches);
    copy.kubeadm_patches_6902 = copy_patches(arena, &node->kubeadm_patches_6902);
    copy.taints = copy_taints(arena, node);
    copy.place = copy_place(arena, node->place);
    return copy;
}

static const struct node_spec *copy_nodes(struct arena *arena, const struct cluster_spec *spec)
{
    struct node_spec *items = arena_array(arena, spec->node_count, sizeof(*items));
    for (size_t i = 0; i < spec->node_count; i++)
        items[i] = copy_node(arena, &spec->nodes[i]);
    return items;
}

static struct networking_spec copy_networking(struct arena *arena,
                                              const struct networking_spec *networking)
{
    struct networking_spec copy = *networking;
    copy.api_server_address = arena_string(arena, networking->api_server_address);
    copy.pod_subnet = arena_string(arena, networking->pod_subnet);
    copy.service_subnet = arena_string(arena, networking->service_subnet);
    copy.dns_search = copy_strings(arena, &networking->dns_search);
    copy.place = copy_place(arena, networking->place);
    return copy;
}

static const struct manifest_spec *copy_manifests(struct arena *arena,
                                                  const struct cluster_spec *spec)
{
    struct manifest_spec *items =
        copy_items(arena, spec->manifests, spec->manifest_count, sizeof(*items));
    for (size_t i = 0; i < spec->manifest_count; i++) {
        items[i].path = arena_string(arena, items[i].path);
        items[i].text = arena_string(arena, items[i].text);
        items[i].place = copy_place(arena, items[i].place);
    }
    return items;
}

static const struct dependency_spec *copy_dependencies(struct arena *arena,
                                                       const struct cluster_spec *spec)
{
    struct dependency_spec *items =
        copy_items(arena, spec->depends_on, spec->dependency_count, sizeof(*items));
    for (size_t i = 0; i < spec->dependency_count; i++) {
        items[i].name = arena_string(arena, items[i].name);
        items[i].place = copy_place(arena, items[i].place);
    }
    return items;
}

static const struct spec_refusal *copy_refusals(struct arena *arena,
                                                const struct cluster_spec *spec)
{
    struct spec_refusal *items =
        copy_items(arena, spec->refusals, spec->refusal_count, sizeof(*items));
    for (size_t i = 0; i < spec->refusal_count; i++) {
        items[i].subject = arena_string(arena, items[i].subject);
        items[i].rule = arena_string(arena, items[i].rule);
        items[i].place = copy_place(arena, items[i].place);
        items[i].reason = arena_string(arena, items[i].reason);
    }
    return items;
}

struct cluster_spec *spec_copy(struct arena *arena, const struct cluster_spec *spec)
{
    struct cluster_spec *copy = arena_alloc(arena, sizeof(*copy));
    *copy = *spec;
    copy->name = arena_string(arena, spec->name);
    copy->nodes = copy_nodes(arena, spec);
    copy->balancer = arena_string(arena, spec->balancer);
    copy->networking = copy_networking(arena, &spec->networking);
    copy->feature_gates = copy_pairs(arena, &spec->feature_gates);
    copy->runtime_config = copy_pairs(arena, &spec->runtime_config);
    copy->kubeadm_patches = copy_strings(arena, &spec->kubeadm_patches);
    copy->kubeadm_patches_6902 = copy_patches(arena, &spec->kubeadm_patches_6902);
    copy->containerd_patches = copy_strings(arena, &spec->containerd_patches);
    copy->containerd_patches_6902 = copy_strings(arena, &spec->containerd_patches_6902);
    copy->preload = copy_strings(arena, &spec->preload);
    copy->manifests = copy_manifests(arena, spec);
    copy->depends_on = copy_dependencies(arena, spec);
    copy->unsupported = copy_strings(arena, &spec->unsupported);
    copy->refusals = copy_refusals(arena, spec);
    copy->place = copy_place(arena, spec->place);
    return copy;
}

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

/* What a policy has to say of them; the nodes are known to be alike. */
static bool are_judged_alike(const struct cluster_spec *left, const struct cluster_spec *right)
{
    bool alike = left->refusal_count == right->refusal_count;
    for (size_t i = 0; alike && i < left->refusal_count; i++)
        alike = strcmp(left->refusals[i].reason, right->refusals[i].reason) == 0;
    for (size_t i = 0; alike && i < left->node_count; i++)
        for (size_t j = 0; alike && j < left->nodes[i].mount_count; j++)
            alike = strcmp(or_empty(left->nodes[i].mounts[j].checked_path),
                           or_empty(right->nodes[i].mounts[j].checked_path)) == 0;
    return alike;
}

bool spec_equal(const struct cluster_spec *left, const struct cluster_spec *right)
{
    cleanup_text struct text a, b;
    text_init(&a, 0);
    text_init(&b, 0);
    spec_print(left, &a);
    spec_print(right, &b);
    bool equal = strcmp(a.data, b.data) == 0 && left->manifest_count == right->manifest_count;
    for (size_t i = 0; equal && i < left->manifest_count; i++)
        equal = strcmp(left->manifests[i].text, right->manifests[i].text) == 0;
    return equal && are_judged_alike(left, right);
}
