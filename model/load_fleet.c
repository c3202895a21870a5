#include "model/load_fleet.h"

#include "base/memory.h"
#include "model/load_cluster.h"
#include "model/load_fleet_node.h"
#include "model/load_life.h"
#include "model/load_manifests.h"
#include "model/load_policy.h"
#include "model/load_types.h"
#include "model/load_version.h"
#include "model/tree_merge.h"
#include "model/validate.h"

/* A cluster as it is written. */
struct fleet_draft {
    struct cluster_draft cluster; /* first, so that rows of clusters are offsets into it */
    const char *version;
    const char *registry;                 /* known, and without an effect in this version */
    struct pair_list labels, annotations; /* for readers of the file; they change nothing */
};

/* What a Fleet says. */
struct fleet_object {
    struct pair_list images;
    struct fleet_rules rules;
    const struct policy *policy;
    const char *name;
    struct pair_list labels, annotations;
};

static bool is_image(const char *text)
{
    return *text && strlen(text) <= 255 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                        "._-/:@") == strlen(text);
}

/* The names before this one in the list are known to differ from each other. */
static void check_image(struct loader *loader, const struct cursor *at,
                        const struct string_list *list, size_t index)
{
    const char *name = list->items[index];
    if (!is_image(name))
        load_error(loader, at, "%s is not the name of an image",
                   problem_quote(loader->problems, name));
    for (size_t i = 0; i < index; i++) {
        if (strcmp(list->items[i], name) == 0) {
            load_error(loader, at, "%s stands in the list twice",
                       problem_quote(loader->problems, name));
            return;
        }
    }
}

/* Names of images, each once: they are a set, whatever their order. */
static void read_preload(struct loader *loader, const struct cursor *at, const struct field *field,
                         void *object)
{
    struct string_list *list = field_slot(field, object);
    size_t errors = loader->problems->errors, index = 0;
    read_strings(loader, at, field, object);
    if (loader->problems->errors > errors)
        return;
    if (list->count > LOAD_PRELOAD_MAX) {
        load_error(loader, at, "%zu images; a cluster may have %d", list->count, LOAD_PRELOAD_MAX);
        list->count = 0;
        return;
    }
    for (size_t i = 0; i < at->tree->count; i++) {
        struct cursor item = cursor_item(at, i);
        if (item.tree)
            check_image(loader, &item, list, index++);
    }
}

static const struct field_type type_preload = {
    read_preload, FIELD_JSON,
    "{\"type\":\"array\",\"maxItems\":100,\"items\":{\"type\":[\"string\",\"null\"]}}"};
/* Read when it is known what lies under it. */
static const struct field_type type_spec = {NULL, FIELD_MAP, NULL};

static const struct field spec_rows[] = {
    {"version", &type_version, offsetof(struct fleet_draft, version), NULL,
     "Version of Kubernetes, as v1.20.2 or 1.20; picks the node image"},
    {"nodes", &type_items, offsetof(struct cluster_draft, nodes), &fleet_node_item,
     "One control plane by default"},
    {"preload", &type_preload, offsetof(struct cluster_spec, preload), NULL,
     "Images that every node gets"},
    {"manifests", &type_manifests, 0, NULL,
     "Files of Kubernetes objects, relative to this one, applied when the API is up"},
    {"registry", &type_string, offsetof(struct fleet_draft, registry), NULL, "Name of a Registry"},
    {0},
};
static const struct field_table spec_table = {spec_rows, &life_table};

static const struct field metadata_rows[] = {
    {"name", &type_string, offsetof(struct cluster_spec, name), NULL,
     "Unique among all clusters of the engine", .required = true},
    {"labels", &type_pairs, offsetof(struct fleet_draft, labels), NULL, "For readers of the file"},
    {"annotations", &type_pairs, offsetof(struct fleet_draft, annotations), NULL,
     "For readers of the file"},
    {0},
};
static const struct field_table metadata_table = {metadata_rows, NULL};

static const char *const api_versions[] = {"fleet.kind/v1alpha1", NULL};
static const char *const cluster_kinds[] = {"Cluster", NULL};
static const char *const fleet_kinds[] = {"Fleet", NULL};

static const struct field cluster_rows[] = {
    {"apiVersion", &type_header, 0, api_versions, "Which format this is", .required = true},
    {"kind", &type_header, 0, cluster_kinds, "A cluster", .required = true},
    {"metadata", &type_mapping, 0, &metadata_table, "What the cluster is called", .required = true},
    {"spec", &type_spec, 0, &spec_table, "What the cluster is"},
    {0},
};
const struct field_table fleet_cluster_table = {cluster_rows, NULL};

/* --- Fleet --- */

static void read_policy(struct loader *loader, const struct cursor *at, const struct field *field,
                        void *object)
{
    const struct policy **slot = field_slot(field, object);
    *slot = load_policy_spec(loader, at, "the Fleet's policy");
}

static const struct field_type type_policy = {read_policy, FIELD_MAP, NULL};

/* Defaults are read as a spec of nothing, for what is wrong in any cluster. */
static void check_defaults(struct loader *loader, const struct cursor *at,
                           const struct field *field, void *object)
{
    struct fleet_draft scratch = {0};
    (void)field, (void)object;
    loader->hush = true; /* a warning is told by who inherits it */
    cluster_read(loader, at, &spec_table, &scratch.cluster);
    loader->hush = false;
}

static const struct field_type type_defaults = {check_defaults, FIELD_MAP, NULL};

static const struct field fleet_spec_rows[] = {
    {"defaults", &type_defaults, 0, &spec_table,
     "A partial spec that lies under that of every fleet.kind Cluster"},
    {"images", &type_images, offsetof(struct fleet_object, images), NULL,
     "Node images by version of Kubernetes"},
    {"prune", &type_bool, offsetof(struct fleet_object, rules.prune), NULL,
     "Delete clusters of this fleet that left the sources, as --prune does"},
    {"maxDeletions", &type_count, offsetof(struct fleet_object, rules.max_deletions), NULL,
     "How many clusters one pass deletes at most"},
    {"concurrency", &type_count, offsetof(struct fleet_object, rules.concurrency), NULL,
     "How many clusters are worked on at a time"},
    {"policy", &type_policy, offsetof(struct fleet_object, policy), &policy_spec_table,
     "What clusters of these sources may ask for of the host, as the spec of a Policy"},
    {0},
};
static const struct field_table fleet_spec_table = {fleet_spec_rows, NULL};

static const struct field fleet_metadata_rows[] = {
    {"name", &type_string, offsetof(struct fleet_object, name), NULL, "For readers of the file"},
    {"labels", &type_pairs, offsetof(struct fleet_object, labels), NULL, "For readers of the file"},
    {"annotations", &type_pairs, offsetof(struct fleet_object, annotations), NULL,
     "For readers of the file"},
    {0},
};
static const struct field_table fleet_metadata_table = {fleet_metadata_rows, NULL};

static const struct field fleet_rows[] = {
    {"apiVersion", &type_header, 0, api_versions, "Which format this is", .required = true},
    {"kind", &type_header, 0, fleet_kinds, "What all clusters have in common", .required = true},
    {"metadata", &type_mapping, 0, &fleet_metadata_table, "For readers of the file"},
    {"spec", &type_mapping, 0, &fleet_spec_table, "What clusters inherit"},
    {0},
};
const struct field_table fleet_table = {fleet_rows, NULL};

void load_fleet_object(struct loader *loader, const struct cursor *at,
                       struct fleet_inheritance *inheritance)
{
    struct fleet_object fleet = {0};
    size_t errors = loader->problems->errors;
    fields_read(loader, at, &fleet_table, &fleet);
    *inheritance = (struct fleet_inheritance){
        .images = fleet.images, .rules = fleet.rules, .policy = fleet.policy};
    struct cursor spec = cursor_field(at, "spec");
    struct cursor defaults = cursor_field(&spec, "defaults");
    /* What is wrong is told once, not again by every cluster. */
    if (loader->problems->errors == errors)
        inheritance->defaults = defaults.tree;
}

/* --- Cluster --- */

/* A field that has an effect only in a later version, and is given. */
static void note_unsupported(struct loader *loader, const struct cursor *spec,
                             const struct fleet_draft *draft, struct cluster_spec *cluster)
{
    const struct {
        const char *name;
        bool given;
    } rows[] = {{"registry", draft->registry}};
    const char **paths = arena_array(loader->arena, COUNT_OF(rows), sizeof(char *));
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct cursor field = cursor_field(spec, rows[i].name);
        if (rows[i].given)
            paths[count++] = cursor_path(loader, &field);
    }
    cluster->unsupported = (struct string_list){paths, count};
}

/* The spec with the Fleet's defaults under it. */
static const struct tree *inherit(struct loader *loader, const struct cursor *spec,
                                  const struct tree *defaults)
{
    struct tree *none = arena_alloc(loader->arena, sizeof(*none));
    *none = (struct tree){.kind = TREE_MAP, .place = spec->place};
    const struct tree *own = spec->tree ? spec->tree : none;
    if (!defaults || own->kind != TREE_MAP)
        return own;
    return tree_merge(loader->arena, own, defaults);
}

void load_fleet_cluster(struct loader *loader, const struct cursor *at,
                        const struct fleet_inheritance *inheritance, struct cluster_spec *cluster)
{
    struct fleet_draft draft = {0};
    struct cursor metadata = cursor_field(at, "metadata"), spec = cursor_field(at, "spec");
    struct cursor name = cursor_field(&metadata, "name");
    fields_read(loader, at, &fleet_cluster_table, &draft);
    spec.tree = inherit(loader, &spec, inheritance->defaults);
    cluster_read(loader, &spec, &spec_table, &draft.cluster);
    struct cursor version = cursor_field(&spec, "version");
    if (draft.version && *draft.version)
        draft.cluster.image = version_image(loader, &version, draft.version, &inheritance->images);
    cluster_finish(loader, &spec, &name, &draft.cluster);
    note_unsupported(loader, &spec, &draft, &draft.cluster.spec);
    draft.cluster.spec.place = at->place;
    *cluster = draft.cluster.spec;
}
