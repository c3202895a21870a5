#include "model/load_old.h"

#include "base/memory.h"
#include "model/load_cluster.h"
#include "model/load_types.h"

/* Names and namespaces of patches never had an effect. */
static const struct field_type type_ignored = {NULL, FIELD_JSON, "true"};

static const struct field json6902_old_rows[] = {
    {"name", &type_ignored, 0, NULL, NULL},
    {"namespace", &type_ignored, 0, NULL, NULL},
    {0},
};
static const struct field_table json6902_old_table = {json6902_old_rows, &json6902_table};
static const struct item_type json6902_old_item = {sizeof(struct json6902_spec),
                                                   &json6902_old_table, json6902_finish};

/* v1alpha3: as v1alpha4, with less. */

static const struct item_type v1alpha3_node = {sizeof(struct node_draft), &node_ports_table,
                                               node_finish};

static const struct field v1alpha3_rows[] = {
    {"apiVersion", &type_header, 0, NULL, NULL},
    {"kind", &type_header, 0, NULL, NULL},
    {"nodes", &type_items, offsetof(struct cluster_draft, nodes), &v1alpha3_node, NULL},
    {"networking", &type_mapping, offsetof(struct cluster_spec, networking), &networking_old_table,
     NULL},
    {"kubeadmConfigPatches", &type_texts, offsetof(struct cluster_spec, kubeadm_patches),
     &kubeadm_patch_texts, NULL},
    {"kubeadmConfigPatchesJson6902", &type_items,
     offsetof(struct cluster_spec, kubeadm_patches_6902), &json6902_old_item, NULL},
    {0},
};
static const struct field_table v1alpha3_table = {v1alpha3_rows, NULL};

/* v1alpha2: nodes with replicas, and load balancers that had to be asked for. */

enum { OLD_ROLE_BALANCER = NODE_WORKER + 1 };
static const char *const old_roles[] = {"control-plane", "worker", "external-load-balancer", NULL};

static const struct field v1alpha2_node_rows[] = {
    {"replicas", &type_replicas, offsetof(struct node_draft, replicas), NULL, NULL},
    {"role", &type_word, offsetof(struct node_draft, old_role), old_roles, NULL},
    {"image", &type_string, offsetof(struct node_spec, image), NULL, NULL},
    {"kubeadmConfigPatches", &type_texts, offsetof(struct node_spec, kubeadm_patches),
     &kubeadm_patch_texts, NULL},
    {"kubeadmConfigPatchesJson6902", &type_items, offsetof(struct node_spec, kubeadm_patches_6902),
     &json6902_old_item, NULL},
    {0},
};
static const struct field_table v1alpha2_node_table = {v1alpha2_node_rows, &node_mounts_table};

/* Several control planes have a load balancer by themselves today. */
static void finish_v1alpha2_node(struct loader *loader, const struct cursor *at, void *item)
{
    struct node_draft *draft = item;
    node_finish(loader, at, draft);
    draft->dropped = draft->old_role == OLD_ROLE_BALANCER;
    draft->spec.role = draft->old_role == NODE_WORKER ? NODE_WORKER : NODE_CONTROL_PLANE;
}

static const struct item_type v1alpha2_node = {sizeof(struct node_draft), &v1alpha2_node_table,
                                               finish_v1alpha2_node};

static const struct field v1alpha2_rows[] = {
    {"apiVersion", &type_header, 0, NULL, NULL},
    {"kind", &type_header, 0, NULL, NULL},
    {"nodes", &type_items, offsetof(struct cluster_draft, nodes), &v1alpha2_node, NULL},
    {0},
};
static const struct field_table v1alpha2_table = {v1alpha2_rows, NULL};

/* v1alpha1: the document is the only node. */

static void report_hooks(struct loader *loader, const struct cursor *at, const struct field *field,
                         void *object)
{
    (void)field, (void)object;
    load_error(loader, at,
               "hooks have no counterpart today; what they did belongs into the node image, or "
               "into manifests of a fleet.kind/v1alpha1 Cluster");
}

static const struct field_type type_hooks = {report_hooks, FIELD_JSON, "true"};

static const struct field control_plane_rows[] = {
    {"nodeLifecycle", &type_hooks, 0, NULL, NULL},
    {0},
};
static const struct field_table control_plane_table = {control_plane_rows, NULL};

static const struct field v1alpha1_rows[] = {
    {"apiVersion", &type_header, 0, NULL, NULL},
    {"kind", &type_header, 0, NULL, NULL},
    {"image", &type_string, offsetof(struct node_spec, image), NULL, NULL},
    {"kubeadmConfigPatches", &type_texts, offsetof(struct node_spec, kubeadm_patches),
     &kubeadm_patch_texts, NULL},
    {"kubeadmConfigPatchesJson6902", &type_items, offsetof(struct node_spec, kubeadm_patches_6902),
     &json6902_old_item, NULL},
    {"controlPlane", &type_mapping, 0, &control_plane_table, NULL},
    {0},
};
static const struct field_table v1alpha1_table = {v1alpha1_rows, NULL};

static const char *const advice[] = {
    [OLD_V1ALPHA3] = "write kubeadmConfigPatchesJson6902 as kubeadmConfigPatchesJSON6902, without "
                     "name and namespace",
    [OLD_V1ALPHA2] = "write kind: Cluster, an entry of nodes for each replica, none for "
                     "external-load-balancer, and kubeadmConfigPatchesJSON6902",
    [OLD_V1ALPHA1] = "write kind: Cluster, and image and patches of the only node below nodes",
};

static void warn(struct loader *loader, const struct cursor *at, enum old_format format)
{
    struct cursor field = cursor_field(at, "apiVersion");
    load_warning(loader, &field,
                 "%s is an old format; write apiVersion: kind.x-k8s.io/v1alpha4 instead (%s)",
                 problem_quote(loader->problems, field.tree->scalar), advice[format]);
}

static void read_only_node(struct loader *loader, const struct cursor *at,
                           struct cluster_draft *draft)
{
    struct node_draft *node = arena_alloc(loader->arena, sizeof(*node));
    fields_read(loader, at, &v1alpha1_table, node);
    node_finish(loader, at, node);
    draft->spec.place = at->place;
    draft->nodes = node;
    draft->node_count = 1;
}

void load_old_cluster(struct loader *loader, const struct cursor *at, enum old_format format,
                      struct cluster_spec *spec)
{
    struct cluster_draft draft = {0};
    struct cursor name = {.parent = at, .name = "name", .place = at->place};
    warn(loader, at, format);
    switch (format) {
    case OLD_V1ALPHA3:
        cluster_read(loader, at, &v1alpha3_table, &draft);
        break;
    case OLD_V1ALPHA2:
        cluster_read(loader, at, &v1alpha2_table, &draft);
        break;
    case OLD_V1ALPHA1:
        read_only_node(loader, at, &draft);
        break;
    }
    cluster_finish(loader, at, &name, &draft);
    *spec = draft.spec;
}
